import { MiB } from '../../base/addr.ts';
import { UserError } from '../../base/assert.ts';
import { utf8 } from '../../base/bytes.ts';
import { Prng } from '../../base/prng.ts';
import { Lab } from '../../lab/lab.ts';
import { liveState } from '../../lab/live-state.ts';
import { runStep } from '../../lab/run-step.ts';
import { O_CREAT, O_TRUNC, O_WRONLY } from '../../linux/uapi/constants.ts';
import { CellsAt, EventLog } from '../../log/index.ts';
import { functionsOf } from '../../state/functions.ts';
import { paths, type VfioDeviceState } from '../../state/schema.ts';
import { layoutStage } from '../../ui/stage/stage-layout.ts';
import { stageView } from '../../views/stage.view.ts';
import { readText } from '../args.ts';
import { initialBundleKb } from '../bundle-size.ts';
import { nodeHost } from '../node-host.ts';

/** Where the walkthrough stands, from the project's root. */
const WALKTHROUGH = 'src/content/walkthrough.transcript';
const LAST_BOOT_LINE = 'modprobe cxl-accel';

const now = () => performance.now();
const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;

/** Median nanoseconds of one call of `body`, in `rounds` rounds of `count` calls. */
function perCall(rounds: number, count: number, body: (n: number) => void): number {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const start = now();
    for (let n = 0; n < count; n++) body(n);
    // The first round only warms up.
    if (round > 0) times.push(((now() - start) * 1e6) / count);
  }
  return median(times);
}

const gbps = (bytes: number, ms: number) => bytes / ms / 1e6;
const round = (value: number, digits = 1) => Number(value.toFixed(digits));

/** `bench`: one JSON object on stdout; medians, each on a realistic state (a booted L2 with its region). */
export async function bench(): Promise<number> {
  const walkthrough = readText(WALKTHROUGH, 'transcript');
  const boots: number[] = [];
  let lab: Lab | null = null;
  // The first few compile the code; the very first one is told apart.
  for (let n = 0; n < 11; n++) {
    const start = now();
    lab = await Lab.start({ seed: 1, host: nodeHost() });
    await lab.type(walkthrough, LAST_BOOT_LINE);
    boots.push(now() - start);
  }
  if (!lab) throw new UserError('bench: nothing was booted');
  const figures = {
    boot_to_l2_ms: round(median(boots)),
    boot_to_l2_first_ms: round(boots[0] as number),
    ...memoryFigures(lab),
    ...logFigures(),
    ...(await largeMachineFigures()),
    bundle_initial_gzip_kb: initialBundleKb('dist'),
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  return 0;
}

function memoryFigures(lab: Lab) {
  const l1 = lab.machines.get('l1');
  const l2 = lab.machines.get('l2');
  const region = lab.log.object('cxl/l2/region0') as { start: number; size: number } | null;
  const vfio = lab.log.object(paths.vfioDevice('l1', '0000:0d:00.0')) as VfioDeviceState | null;
  const hpa = vfio?.region?.hpa;
  if (!l1 || !l2 || !region || hpa === undefined)
    throw new UserError('bench: the walkthrough did not reach a region in L2');
  const random = new Prng(7);
  const offsets = Float64Array.from({ length: 1 << 14 }, () => random.below(region.size / 8) * 8);
  const at = (n: number) => offsets[n & 0x3fff] as number;
  const bar0 = functionsOf(liveState(lab.log), 'l2').find((fn) => fn.type === 'vfio-pci')?.bars[0]?.addr ?? null;
  if (bar0 === null) throw new UserError('bench: the passed-through function has no BAR 0');

  const l2Bus = l2.cpu.bus;
  const l1Bus = l1.cpu.bus;
  // Some pages of the region hold data, as in use.
  for (let n = 0; n < 512; n++) l2Bus.store(region.start + at(n), 8, n, n);
  const decode_ns = perCall(9, 100_000, (n) => l1Bus.load(hpa + at(n), 4));
  const mapped_load_ns = perCall(9, 100_000, (n) => l2Bus.load(region.start + at(n), 4));
  // DPA skip low of decoder 3: a shadow register nobody uses.
  const trapped_write_ns = perCall(7, 5_000, (n) =>
    l2Bus.store(bar0 + 0x1128 + 0x24 + 0x60, 4, n & 1 ? 0x10000000 : 0),
  );

  const block = new Uint8Array(16 * MiB).fill(0x5a);
  const target = new Uint8Array(16 * MiB);
  const copies: number[] = [];
  const natives: number[] = [];
  // The first rounds only warm up: they also pay for memory this process never had, on both sides.
  for (let n = -8; n < 9; n++) {
    block.fill(n & 0xff);
    let start = now();
    l2Bus.copyTo(region.start + (n & 3) * 16 * MiB, block);
    const copied = now() - start;
    start = now();
    target.set(block);
    if (n < 0) continue;
    copies.push(copied);
    natives.push(now() - start);
  }
  return {
    decode_ns: round(decode_ns),
    mapped_load_ns: round(mapped_load_ns),
    trapped_write_ns: round(trapped_write_ns),
    copy_gbps: round(gbps(block.length, median(copies)), 2),
    native_copy_gbps: round(gbps(block.length, median(natives)), 2),
    log_bytes_per_event: round(lab.log.bytesPerEvent(), 1),
  };
}

function logFigures() {
  const log = new EventLog();
  const cells = log.registerCells('bench', 'bench', 1024);
  const log_append_ns = perCall(5, 100_000, (n) => log.set(cells + (n & 1023), (n * 2654435761) >>> 0));
  const big = new EventLog();
  const first = big.registerCells('bench', 'bench', 4096);
  const random = new Prng(3);
  while (big.length < 100_000) big.set(first + random.below(4096), random.next());
  const copy = new CellsAt(big, big.length);
  const start = now();
  for (let n = 0; n < 5; n++) {
    copy.seek(big.start);
    copy.seek(big.length);
  }
  const replay_events_per_s = Math.round((10 * big.length) / ((now() - start) / 1000));
  const seeks: number[] = [];
  for (let n = 0; n < 101; n++) {
    const to = random.below(big.length);
    const begun = now();
    copy.seek(to);
    seeks.push(now() - begun);
  }
  return { log_append_ns: round(log_append_ns), replay_events_per_s, seek_ms: round(median(seeks), 3) };
}

interface Shape {
  readonly bridges: number;
  /** Root ports of each. */
  readonly ports: number;
  /** Devices behind a switch on each port; 0: the device is in the port. */
  readonly devices: number;
}

/** A machine as one QEMU command line; bridges get the bus numbers they need, one after the other. */
function commandLine({ bridges, ports, devices }: Shape): string {
  const words = ['qemu-system-x86_64 -M q35,cxl=on -enable-kvm -cpu host,hypervisor=off -m 4G,maxmem=8G,slots=8'];
  const buses = 1 + ports * (devices === 0 ? 1 : 2 + devices);
  let slot = 0;
  let count = 0;
  const device = (bus: string) => {
    words.push(`-object memory-backend-ram,id=m${count},share=on,size=256M`);
    words.push(`-device cxl-type3,bus=${bus},volatile-memdev=m${count},id=mem${count},sn=${++count}`);
  };
  for (let b = 0; b < bridges; b++) {
    words.push(`-device pxb-cxl,bus_nr=${1 + b * buses},bus=pcie.0,id=cxl.${b}`);
    for (let p = 0; p < ports; p++) {
      const port = `rp${b}.${p}`;
      words.push(`-device cxl-rp,port=${p},bus=cxl.${b},id=${port},chassis=0,slot=${slot++}`);
      if (devices === 0) device(port);
      else words.push(`-device cxl-upstream,bus=${port},id=us${b}.${p}`);
      for (let d = 0; d < devices; d++) {
        words.push(`-device cxl-downstream,port=${d},bus=us${b}.${p},id=ds${b}.${p}.${d},chassis=0,slot=${slot++}`);
        device(`ds${b}.${p}.${d}`);
      }
    }
  }
  const targets = Array.from({ length: bridges }, (_, b) => `cxl-fmw.0.targets.${b}=cxl.${b}`);
  words.push(`-M ${targets.join(',')},cxl-fmw.0.size=${count * 256}M`);
  words.push('-kernel /boot/vmlinuz-6.12 -initrd /boot/initrd-6.12 -append "console=ttyS0" -nographic');
  return words.join(' ');
}

/** Boots it from a script: a line of 50 KB is nothing to type. */
async function bootLarge(shape: Shape): Promise<{ lab: Lab; ms: number }> {
  const lab = await Lab.start({ seed: 1, host: nodeHost() });
  const script = utf8(`${commandLine(shape)}\n`);
  await lab.withProcess('host', async (sys) => {
    const fd = sys.open('/root/boot.sh', O_WRONLY | O_CREAT | O_TRUNC, 0o755);
    for (let at = 0; at < script.length; ) at += await sys.write(fd, script.subarray(at));
    sys.close(fd);
  });
  const start = now();
  await runStep(lab, { console: 'host', line: 'bash /root/boot.sh', expected: [], at: 1 }, 'bench');
  const ms = now() - start;
  if (!lab.machines.has('l1')) throw new UserError('bench: the large machine did not boot');
  return { lab, ms };
}

/** Serial numbers and names of the memdevs of a lab's L1. */
async function memdevs(lab: Lab): Promise<ReadonlyMap<number, string>> {
  const { output } = await runStep(lab, { console: 'l1', line: 'cxl list -M', expected: [], at: 1 }, 'bench');
  const list = JSON.parse(output) as readonly { readonly memdev: string; readonly serial: number }[];
  return new Map(list.map((one) => [one.serial, one.memdev]));
}

/** 8 bridges with a switch of 28 devices each: 248 of the 255 bus numbers there are; 256 devices do not fit. */
const LARGEST: Shape = { bridges: 8, ports: 1, devices: 28 };

async function largeMachineFigures() {
  const boots: number[] = [];
  let large: Lab | null = null;
  for (let n = 0; n < 5; n++) {
    large?.stop();
    const { lab, ms } = await bootLarge(LARGEST);
    large = lab;
    boots.push(ms);
  }
  if (!large) throw new UserError('bench: nothing was booted');
  const found = (await memdevs(large)).size;
  const layouts: number[] = [];
  for (let n = 0; n < 9; n++) {
    const start = now();
    layoutStage(stageView(liveState(large.log)), 1200, 800);
    layouts.push(now() - start);
  }
  large.stop();
  return {
    boot_256_endpoints_ms: round(median(boots)),
    boot_256_endpoints_found: found,
    layout_256_ms: round(median(layouts)),
    decode_16way_ns: round(await decode16()),
  };
}

/** Loads spread over 256 MiB of a region of 16 ways at 256 bytes, over two bridges with eight ports. */
async function decode16(): Promise<number> {
  const { lab } = await bootLarge({ bridges: 2, ports: 8, devices: 0 });
  const names = await memdevs(lab);
  const order = Array.from({ length: 16 }, (_, n) => names.get((n % 2) * 8 + Math.floor(n / 2) + 1)).join(' ');
  const line = `cxl create-region -d decoder0.0 -t ram -w 16 -g 256 -m ${order}`;
  const made = await runStep(lab, { console: 'l1', line, expected: [], at: 1 }, 'bench');
  const region = /"resource":"?(\w+)/.exec(made.output);
  const l1 = lab.machines.get('l1');
  if (!region?.[1] || !l1) throw new UserError(`bench: no region of 16 ways: ${made.output}`);
  const base = Number(region[1]);
  const random = new Prng(7);
  const offsets = Float64Array.from({ length: 1 << 14 }, () => random.below((256 * MiB) / 8) * 8);
  const { bus } = l1.cpu;
  for (let n = 0; n < 512; n++) bus.store(base + (offsets[n] as number), 8, n, n);
  const ns = perCall(9, 100_000, (n) => bus.load(base + (offsets[n & 0x3fff] as number), 4));
  lab.stop();
  return ns;
}
