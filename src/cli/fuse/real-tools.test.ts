/** Real programs on the running lab: coreutils and the real cxl through the bridge's FUSE mount, and cxl on an exported tree. */
import { accessSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tree } from '../../lab/bridge/sysfs-files.ts';
import { main } from '../main.ts';
import { comparable } from '../testing/agreement.ts';
import { run, runOn } from '../testing/namespace.ts';
import { realTool } from '../testing/real-tools.ts';
import { Served } from '../testing/served.ts';
import { FuseServer } from './server.ts';

/** Two host bridges, a device with volatile and persistent memory behind each. */
const BOOT = `host# cd /boot && mkdir -p vm
host# qemu-system-x86_64 -M q35,cxl=on -m 4G,maxmem=16G,slots=8 -cpu max,hypervisor=off -smp 2 -accel tcg -kernel vmlinuz-6.12 -initrd initrd-6.12 -append 'console=ttyS0 rdinit=/init iomem=relaxed' ${[
  0, 1,
]
  .map(
    (n) =>
      `-object memory-backend-file,id=v${n},share=on,mem-path=vm/v${n},size=256M -object memory-backend-file,id=p${n},share=on,mem-path=vm/p${n},size=512M -object memory-backend-file,id=l${n},share=on,mem-path=vm/l${n},size=256K -device pxb-cxl,bus_nr=${[12, 80][n]},bus=pcie.0,id=cxl.${n} -device cxl-rp,port=0,bus=cxl.${n},id=rp${n},chassis=0,slot=${2 + n} -device cxl-type3,bus=rp${n},volatile-memdev=v${n},persistent-memdev=p${n},lsa=l${n},id=c${n},sn=${16 + n}`,
  )
  .join(
    ' ',
  )} -M cxl-fmw.0.targets.0=cxl.0,cxl-fmw.0.targets.1=cxl.1,cxl-fmw.0.size=4G,cxl-fmw.0.interleave-granularity=1k -nographic
`;
const REGION = 'cxl create-region -m -t pmem -d decoder0.0 -w 2 -g 1024 -s 512M';

/** The whole tree, but for what a region's identifier is: cxl draws it by lot. */
async function state(served: Served): Promise<Tree> {
  const { nodes, kids } = await served.tree('/');
  const same = Object.entries(nodes).map(([path, node]) =>
    /\/region\d+\/uuid$/.test(path) ? ([path, [node[0], node[1], null]] as const) : ([path, node] as const),
  );
  return { nodes: Object.fromEntries(same), kids };
}

/** May this process mount file systems of its own? */
function mayMount(): string | null {
  if (process.getuid?.() !== 0) return 'not root';
  try {
    accessSync('/dev/fuse');
    return null;
  } catch {
    return 'no /dev/fuse';
  }
}
const obstacle = mayMount();
if (obstacle !== null) console.warn(`SKIPPED: ${obstacle}: no real program is run on the live lab`);
const CXL = obstacle === null ? realTool('cxl', ['version'], /^\d+/m, 'ndctl') : null;

const dir = mkdtempSync(join(tmpdir(), 'cxlab-live-'));
const transcript = join(dir, 'boot.transcript');
const sys = join(dir, 'sys');
let live: Served;
/** The same machine, driven by our own cxl. */
let twin: Served;
let mounted: { readonly done: Promise<void> };

describe.skipIf(obstacle !== null)('through the FUSE mount', () => {
  beforeAll(async () => {
    writeFileSync(transcript, BOOT);
    mkdirSync(sys);
    live = Served.start(transcript, 'l1');
    twin = Served.start(transcript, 'l1');
    await Promise.all([live.tree('/fs'), twin.tree('/fs')]);
    mounted = await FuseServer.mount(sys, (request) => live.ask(request));
  });
  afterAll(async () => {
    await run('umount', ['-l', sys]);
    await mounted.done;
    await Promise.all([live.stop(), twin.stop()]);
    rmSync(dir, { recursive: true, force: true });
  });

  const sh = (command: string) => run('bash', ['-c', `cd "${sys}" && ${command}`]);

  test('coreutils see the tree the bridge tells of', async () => {
    const tree = await live.tree('/');
    const found = await sh('find . -printf "%P %y %m %l\\n"');
    expect(found).toMatchObject({ rc: 0, err: '' });
    const told = Object.entries(tree.nodes).map(([path, [type, mode, content]]) =>
      `${path.slice(1)} ${type} ${mode.toString(8)} ${type === 'l' ? content : ''}`.trim(),
    );
    expect(
      found.out
        .trimEnd()
        .split('\n')
        .map((line) => line.trim())
        .sort(),
    ).toEqual(told.sort());
    const order = await sh('ls -U bus/cxl/devices');
    expect(order.out.trimEnd().split('\n')).toEqual(tree.kids['/bus/cxl/devices']);
    expect(order.out).toContain('endpoint');
    expect((await sh('xxd -p -c 4096 bus/pci/devices/0000:0d:00.0/config')).out.trim()).toBe(
      Buffer.from(
        (await live.ask({ op: 'read', path: '/bus/pci/devices/0000:0d:00.0/config' })) as string,
        'base64',
      ).toString('hex'),
    );
  });

  test('writes fail as they fail in the guest', async () => {
    const at = 'bus/cxl/devices';
    for (const command of [
      `echo 1 > ${at}/mem0/serial`,
      `echo x > ${at}/decoder0.0/create_ram_region`,
      `echo region9 > ${at}/decoder0.0/delete_region`,
      `cat bus/cxl/drivers/cxl_mem/unbind`,
      `printf 'mem7' > bus/cxl/drivers/cxl_mem/bind`,
    ]) {
      const real = await sh(command);
      const ours = await twin.exec(`cd /sys && ${command}`);
      expect({ rc: real.rc, err: real.err.replace(/line \d+: /, '') }, command).toEqual({
        rc: ours.rc,
        err: ours.err.replace(/line \d+: /, ''),
      });
      expect(real.rc).toBe(1);
    }
  });

  describe.skipIf(CXL === null)('the real cxl', () => {
    /** Runs the line with the real tool on one machine and with ours on its twin; afterwards their /sys must be the same. */
    const both = async (line: string) => {
      const real = await runOn(sys, ['sh', '-c', line]);
      const ours = await twin.exec(line);
      expect(real.rc, `${line}: ${real.err}`).toBe(ours.rc);
      expect(await state(live)).toEqual(await state(twin));
      return { real: real.out.trim(), ours: ours.out.trim() };
    };
    const agree = ({ real, ours }: { real: string; ours: string }) => {
      if (Number(CXL) >= 81) expect(real).toBe(ours);
      const [theirs, lab] = comparable(real, ours);
      expect(theirs).toEqual(lab);
    };

    test('lists what ours lists', async () => {
      const listed = await both('cxl list -BEMPDT');
      expect(listed.real).toContain('"memdev":"mem1"');
      agree(listed);
      agree(await both('cxl list -BEMPDTu'));
    });

    test('creates, disables, enables and destroys a region, and leaves what ours leaves', async () => {
      const made = await both(`${REGION} mem0 mem1`);
      if (made.ours === '') throw new Error('no region was made');
      agree(made);
      const listed = await both('cxl list -RT');
      expect(listed.real).toContain('"region":"region0"');
      agree(listed);
      await both('cxl disable-region region0');
      await both('cxl enable-region region0');
      await both('cxl destroy-region -f region0');
      agree(await both('cxl list -BEMPDT'));
      expect(await live.ask({ op: 'stat', path: '/bus/cxl/devices/region0' })).toBe(-2);
    });

    test.skipIf(Number(CXL) < 77)('a volatile region too', async () => {
      agree(await both('cxl create-region -m -t ram -d decoder0.0 -w 2 -g 1024 mem0 mem1'));
      agree(await both('cxl list -vvRX'));
      await both('cxl destroy-region -f all');
    });

    test('reads an exported tree as ours reads the machine', async () => {
      const file = join(dir, 'region.transcript');
      writeFileSync(file, `${BOOT}l1# ${REGION} mem0 mem1\n`);
      const out = join(dir, 'export');
      expect(await main(['export', '--after', file, '--machine', 'l1', 'sysfs', out])).toBe(0);
      expect(readdirSync(join(out, 'sys/bus/cxl/devices'))).toContain('region0');
      const region = await both(`${REGION} mem0 mem1`);
      expect(region.real).toContain('region0');
      const real = await runOn(join(out, 'sys'), ['cxl', 'list', '-vvv']);
      const ours = await twin.exec('cxl list -vvv');
      const [theirs, lab] = comparable(real.out, ours.out);
      expect(theirs).toEqual(lab);
    });
  });
});
