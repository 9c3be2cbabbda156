import { viewOf } from '../../base/bytes.ts';
import { E, strerror } from '../../base/errno.ts';
import { CXL_MEM_COMMAND_ID_SET_PARTITION_INFO } from '../../linux/uapi/cxl_mem.ts';
import { isatty } from '../misc/io.ts';
import { print } from '../pciutils/io.ts';
import { decoderPasses, noOptions, passes } from './filter.ts';
import { FirmwareWork } from './firmware.ts';
import { type Node, printJson } from './json.ts';
import { type LabelCommand, LabelWork } from './labels.ts';
import type { LibCxl } from './libcxl.ts';
import { firmwareInfo, identify, partitionInfo, submit } from './mailbox.ts';
import { Objects } from './objects.ts';
import { parseOptions, parseSize } from './options.ts';
import { Relations } from './relations.ts';
import type { Decoder, Memdev, Port, Topology } from './topology.ts';
import { USAGE, usageOf } from './usage.ts';

/** `cxl` commands on memdevs (ndctl v81, cxl/memdev.c). */

export type MemdevCommand =
  | 'enable-memdev'
  | 'disable-memdev'
  | 'reserve-dpa'
  | 'free-dpa'
  | 'set-partition'
  | 'wait-sanitize'
  | 'update-firmware'
  | LabelCommand;

const DONE: Readonly<Record<MemdevCommand, string>> = {
  'enable-memdev': 'enabled',
  'disable-memdev': 'disabled',
  'reserve-dpa': 'reservation completed on',
  'free-dpa': 'reservation release completed on',
  'set-partition': 'set_partition',
  'read-labels': 'read',
  'write-labels': 'wrote',
  'zero-labels': 'zeroed',
  'wait-sanitize': 'wait sanitize',
  'update-firmware': 'firmware update',
};

function endpointOf(topology: Topology, memdev: Memdev): Port | undefined {
  const find = (port: Port): Port | undefined =>
    port.endpoints.find((endpoint) => endpoint.memdev === memdev.name) ??
    port.ports.map(find).find((one) => one !== undefined);
  return topology.buses.map(find).find((one) => one !== undefined);
}

export async function memdevAction(cxl: LibCxl, command: MemdevCommand, args: readonly string[]): Promise<number> {
  const dpa = command === 'reserve-dpa' || command === 'free-dpa';
  const lists = dpa || command === 'set-partition' || command === 'update-firmware';
  const { options, words, error } = parseOptions(args, USAGE[command].options, USAGE[command].line);
  const say = (fn: string, text: string) => print(cxl.sys, 2, `cxl memdev: ${fn}: ${text}\n`);
  if (error !== null || words.length === 0) {
    await print(cxl.sys, 2, error ?? usageOf(command));
    return 129;
  }
  // names of host devices are found, but not counted as names
  const serial = options.has('serial');
  const odd = words.filter((word) => !(serial ? /^(0x[0-9a-f]+|\d+)$/i : /^(all$|mem\d|\d)/).test(word));
  for (const word of odd)
    await say('memdev_action', `'${word}' is not a valid memdev ${serial ? 'serial number' : 'name'}`);
  if (odd.length === words.length) {
    await print(cxl.sys, 2, usageOf(command));
    return 129;
  }
  if (command === 'wait-sanitize') return waitSanitize(cxl, words, options);
  let count = 0;
  let failure = 0;
  const human = lists && (await isatty(cxl.sys, 1));
  const shown: Node[] = [];
  for (const word of words) {
    const topology = cxl.scan();
    const chosen = topology.memdevs.filter((memdev) =>
      options.has('serial')
        ? memdev.serial !== null && /^(0x[0-9a-f]+|\d+)$/i.test(word) && memdev.serial === BigInt(word)
        : passes(word, memdev.name, 'mem', memdev.host),
    );
    if (chosen.length === 0 && word !== 'all') await say('memdev_action', `no memdev matches ${word}`);
    for (const memdev of chosen) {
      const work = new MemdevWork(cxl, memdev, endpointOf(topology, memdev), options, shown, human);
      const rc = await work.run(command);
      if (rc === 0) count++;
      else failure = rc;
    }
  }
  if (lists) {
    if (shown.length === 0) await print(cxl.sys, 2, '  Warning: no matching devices found\n\n');
    const [only] = shown;
    await print(cxl.sys, 1, `${printJson(human && shown.length === 1 && only !== undefined ? only : shown)}\n`);
  }
  const fw = command === 'update-firmware';
  const fn = fw ? 'cmd_update_fw' : `cmd_${command.replace('-', '_')}`;
  const tail = dpa || fw ? `mem device${count > 1 ? 's' : ''}` : `mem${count > 1 ? 's' : ''}`;
  const verdict = options.has('cancel') ? 'cancelled' : options.has('wait') ? 'completed' : 'started';
  await say(fn, `${DONE[command]} ${fw ? `${verdict} on ` : ''}${count} ${tail}`);
  // one that worked is enough
  return count > 0 || failure === 0 ? 0 : 1;
}

const NO_MAILBOX = { dax: () => undefined, mailbox: new Map(), errors: [], poison: () => null };

const STEP_MS = 10;
/** Bytes that capacities in mailbox payloads count in. */
const PARTITION_UNIT = 0x10000000n;

/** cxl_memdev_wait_sanitize: until security/state says something else, or the time is over (ledger: sysfs-poll). */
async function waitSanitize(
  cxl: LibCxl,
  words: readonly string[],
  options: ReadonlyMap<string, string>,
): Promise<number> {
  const limit = Number(options.get('timeout') ?? -1);
  let count = 0;
  let failure = 0;
  for (const memdev of cxl.scan().memdevs) {
    if (!words.some((word) => passes(word, memdev.name, 'mem', memdev.host))) continue;
    const state = () => cxl.scanner.text(`/sys/bus/cxl/devices/${memdev.name}/security/state`);
    let waited = 0;
    for (; state() === 'sanitize' && (limit < 0 || waited < limit); waited += STEP_MS)
      await cxl.sys.nanosleep(STEP_MS * 1_000_000);
    if (state() === 'sanitize') failure = -E.ETIMEDOUT;
    else count++;
  }
  const failed = count === 0 && failure !== 0;
  const verdict = failed ? 'failed' : 'completed';
  await print(
    cxl.sys,
    2,
    `cxl memdev: cmd_wait_sanitize: wait sanitize ${verdict} on ${count} mem device${count > 1 ? 's' : ''}\n`,
  );
  return failed ? 1 : 0;
}

class MemdevWork {
  constructor(
    private readonly cxl: LibCxl,
    private readonly memdev: Memdev,
    private readonly endpoint: Port | undefined,
    private readonly options: ReadonlyMap<string, string>,
    private readonly shown: Node[],
    private readonly human: boolean,
  ) {}

  private async fail(fn: string, text: string, rc: number): Promise<number> {
    await print(this.cxl.sys, 2, `cxl memdev: ${fn}: ${this.memdev.name}${text}\n`);
    return rc;
  }

  run(command: MemdevCommand): Promise<number> {
    if (command === 'enable-memdev') return this.enable();
    if (command === 'disable-memdev') return this.disable();
    if (command === 'set-partition') return this.partition();
    if (command === 'reserve-dpa') return this.dpa(false);
    if (command === 'free-dpa') return this.dpa(true);
    if (command === 'wait-sanitize') return Promise.resolve(0);
    if (command === 'update-firmware') return this.firmware();
    return new LabelWork(this.cxl.sys, this.memdev.name, this.options).run(command);
  }

  private async enable(): Promise<number> {
    const rc = await this.cxl.bind(this.memdev.name);
    if (rc !== 0) await this.cxl.err(`cxl_memdev_enable: ${this.memdev.name}: failed to enable`);
    return rc;
  }

  private async disable(): Promise<number> {
    const { cxl, memdev, endpoint } = this;
    if (!memdev.enabled) return 0;
    if (!endpoint) return -E.ENODEV;
    if ((endpoint.decodersCommitted ?? 0) > 0) {
      const rc = await this.fail('action_disable', ' is part of an active region', -E.EBUSY);
      if (!this.options.has('force')) return rc;
      await print(cxl.sys, 2, `cxl memdev: action_disable: Forcing ${memdev.name} disable with an active region!\n`);
    }
    return cxl.unbind(`/sys/bus/cxl/devices/${memdev.name}`, memdev.name);
  }

  /** validate_partition: how much of the capacity that can be either is to be volatile, or a negated errno. */
  private async volatileSize(): Promise<bigint | number> {
    const { sys } = this.cxl;
    const type = this.options.get('type') ?? 'pmem';
    if (!['pmem', 'ram', 'volatile'].includes(type)) {
      await print(sys, 2, `cxl memdev: action_setpartition: invalid type '${type}'\n`);
      return -E.EINVAL;
    }
    const given = this.options.get('size');
    const wanted = given === undefined ? null : parseSize(given);
    if (given !== undefined && wanted === null)
      return this.fail('action_setpartition', `: failed to parse size option '${given}'`, -E.EINVAL);
    const id = await identify(sys, this.memdev.name);
    if (!id) return -E.EINVAL;
    if (id.alignment === 0n) return this.fail('validate_partition', ': no available capacity', -E.EINVAL);
    const available = id.total - id.volatileOnly - id.persistentOnly;
    if (wanted !== null && wanted > available)
      return this.fail('param_size_to_volatile_size', `: ${wanted} exceeds available capacity ${available}`, -E.EINVAL);
    const size = type === 'pmem' ? available - (wanted ?? available) : (wanted ?? available);
    const rest = size % id.alignment;
    if (rest === 0n) return size;
    const fn = 'partition_align';
    if (!this.options.has('align'))
      return this.fail(fn, `: size ${size} is not partition aligned ${id.alignment}`, -E.EINVAL);
    const aligned = type === 'pmem' ? size - rest : size - rest + id.alignment;
    if (aligned > available)
      return this.fail(fn, `: aligned partition size ${aligned} exceeds available size ${available}`, -E.EINVAL);
    return aligned;
  }

  /** action_setpartition: takes effect at the device's next reset. */
  private async partition(): Promise<number> {
    const { sys } = this.cxl;
    const size = await this.volatileSize();
    if (typeof size === 'number') return size;
    const input = new Uint8Array(10);
    viewOf(input).setBigUint64(0, size / PARTITION_UNIT, true);
    const out = await submit(sys, this.memdev.name, CXL_MEM_COMMAND_ID_SET_PARTITION_INFO, input, 0);
    // libcxl makes no command the device does not have
    const rc = typeof out !== 'number' ? 0 : out === -E.EOPNOTSUPP ? -E.ENXIO : out;
    const say = (text: string) => print(sys, 2, `cxl memdev: action_setpartition: ${text}\n`);
    if (rc < 0 && rc !== -E.ENXIO) await say(`cmd submission failed: ${strerror(rc)}`);
    if (rc < 0) await say(`${this.memdev.name} error: ${strerror(rc)}`);
    const partition = await partitionInfo(sys, this.memdev.name, this.human);
    const mailbox = new Map([[this.memdev.name, partition ? { partition } : {}]]);
    const options = { ...noOptions(), human: this.human, partition: true };
    const objects = new Objects(new Relations(this.cxl.scan()), options, { ...NO_MAILBOX, mailbox });
    this.shown.push(objects.memdev(this.memdev));
    return rc;
  }

  /** action_update_fw */
  private async firmware(): Promise<number> {
    const { sys } = this.cxl;
    const rc = await new FirmwareWork(this.cxl, this.memdev.name, this.options).run();
    if (this.options.has('cancel')) return rc;
    const firmware = await firmwareInfo(sys, this.memdev.name, this.human);
    const mailbox = new Map([[this.memdev.name, firmware ? { firmware } : {}]]);
    const options = { ...noOptions(), human: this.human, firmware: true };
    const objects = new Objects(new Relations(this.cxl.scan()), options, { ...NO_MAILBOX, mailbox });
    this.shown.push(objects.memdev(this.memdev));
    return rc;
  }

  private mode(): 'ram' | 'pmem' | null {
    const type = this.options.get('type') ?? 'ram';
    return type === 'ram' || type === 'pmem' ? type : null;
  }

  /** __reserve_dpa, for both: the next decoder without capacity takes some, the last one with some gives it back. */
  private async dpa(free: boolean): Promise<number> {
    const fn = '__reserve_dpa';
    const { memdev, endpoint, cxl, options } = this;
    const mode = this.mode();
    if (mode === null) return this.fail(fn, `: unsupported type: ${options.get('type')}`, -E.EINVAL);
    if (!endpoint) return this.fail(fn, ': CXL operation disabled', -E.ENXIO);
    let available = mode === 'ram' ? memdev.ramSize : memdev.pmemSize;
    for (const decoder of endpoint.decoders) {
      if (decoder.mode !== mode || decoder.dpaSize === null) continue;
      if (decoder.dpaSize > available) return this.fail(fn, ': capacity accounting error', -E.ENXIO);
      available -= decoder.dpaSize;
    }
    const given = options.get('size');
    const wanted = given === undefined ? (free ? 0n : available) : parseSize(given);
    if (wanted === null) return this.fail(fn, `: failed to parse size option '${given}'`, -E.EINVAL);
    if (given === undefined && !free && available === 0n) return this.fail(fn, ': no available capacity', -E.ENOSPC);
    if (wanted > available && given !== undefined) {
      const rc = await this.fail(fn, `: '${given}' exceeds available capacity`, -E.ENOSPC);
      if (!options.has('force')) return rc;
    }
    const target = await this.target(free ? this.lastReserved(endpoint) : this.firstFree(endpoint), endpoint);
    if (typeof target === 'number') return target;
    if (target.mode !== mode) {
      let rc = await cxl.attr(target.name, 'dpa_size', '0x0\n');
      if (rc !== 0) return this.fail(fn, `: ${target.name}: failed to clear allocation to set mode`, rc);
      rc = await cxl.attr(target.name, 'mode', mode);
      if (rc !== 0) return this.fail(fn, `: ${target.name}: failed to set ${mode} mode`, rc);
    }
    const rc = await cxl.attr(target.name, 'dpa_size', `0x${wanted.toString(16)}\n`);
    if (rc !== 0) return this.fail(fn, `: ${target.name}: failed to set dpa allocation`, rc);
    this.show(target.name);
    return 0;
  }

  private firstFree(endpoint: Port): Decoder | undefined {
    return endpoint.decoders.find((decoder) => decoder.dpaSize === 0n);
  }

  /** Active decoders cannot give, and those before one are active too. */
  private lastReserved(endpoint: Port): Decoder | undefined {
    const last = endpoint.decoders.findLast((decoder) => (decoder.dpaSize ?? 0n) > 0n);
    return last && last.size === 0n ? last : undefined;
  }

  /** With -d the decoder must be the one whose turn it is, unless forced. */
  private async target(auto: Decoder | undefined, endpoint: Port): Promise<Decoder | number> {
    const fn = '__reserve_dpa';
    const filter = this.options.get('decoder');
    if (filter === undefined) return auto ?? this.fail(fn, ': no suitable decoder found', -E.ENXIO);
    const word = /^(0x[0-9a-f]+|\d+)$/i.test(filter)
      ? `${endpoint.name.replace('endpoint', 'decoder')}.${Number(filter)}`
      : filter;
    const found = endpoint.decoders.find((decoder) => decoderPasses(decoder, word));
    if (!found) return this.fail(fn, `: no match for decoder: '${filter}'`, -E.ENXIO);
    if (found.name === auto?.name) return found;
    const rc = await this.fail(fn, `: ${found.name} is out of sequence`, -E.EINVAL);
    return this.options.has('force') ? found : rc;
  }

  private show(name: string): void {
    const topology = this.cxl.scan();
    const endpoint = endpointOf(topology, this.memdev);
    const decoder = endpoint?.decoders.find((one) => one.name === name);
    if (!decoder) return;
    const objects = new Objects(new Relations(topology), { ...noOptions(), human: this.human }, NO_MAILBOX);
    const memdev = topology.memdevs.find((one) => one.name === this.memdev.name) ?? this.memdev;
    // libcxl has not read where the decoder's capacity begins since it scanned.
    const fields = objects.memdev(memdev).add('decoder', objects.decoder({ ...decoder, dpaResource: null }));
    this.shown.push(fields);
  }
}
