import { afterAll, beforeAll, expect, test } from 'vitest';
import { fromBase64, toBase64 } from '../../base/base64.ts';
import { text, utf8 } from '../../base/bytes.ts';
import { kernfs_name_hash } from '../../linux/fs/kernfs.ts';
import { Lab } from '../lab.ts';
import { runStep } from '../run-step.ts';
import { Bridge } from './bridge.ts';
import type { FileStat, Tree } from './sysfs-files.ts';

const DEVICES = '/bus/cxl/devices';
const MACHINE = `cd /boot && mkdir -p vm && qemu-system-x86_64 -M q35,cxl=on -m 4G,maxmem=8G,slots=8 -cpu max,hypervisor=off -accel tcg -kernel vmlinuz-6.12 -initrd initrd-6.12 -append 'console=ttyS0 rdinit=/init' -object memory-backend-file,id=mem0,share=on,mem-path=vm/mem0.bin,size=256M -device pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1 -device cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2 -device cxl-type3,bus=rp0,volatile-memdev=mem0,id=cxl-vmem0,sn=4096 -M cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G -nographic`;

async function booted(): Promise<Lab> {
  const lab = await Lab.start({
    seed: 1,
    host: { yieldToHost: () => new Promise((resolve) => setImmediate(resolve)), pace: () => Promise.resolve() },
  });
  await runStep(lab, { console: 'host', line: MACHINE, expected: [], at: 1 }, 'test');
  return lab;
}

let lab: Lab;
let bridge: Bridge;
beforeAll(async () => {
  lab = await booted();
  bridge = new Bridge(lab, 'l1');
});
afterAll(() => lab.stop());

const ask = (request: object, from = bridge) => from.answer(JSON.stringify({ id: 1, ...request }));
async function ok<T>(request: object): Promise<T> {
  const answer = await ask(request);
  if (!('ok' in answer)) throw new Error(JSON.stringify(answer));
  return answer.ok as T;
}
const write = (path: string, data: string) => ({ op: 'write', path, data: toBase64(utf8(data)) });

test.each([
  ['no JSON', 'hello', null],
  ['no object', '[1]', null],
  ['no id', '{"op":"stat","path":"/"}', null],
  ['an unknown op', '{"id":7,"op":"chmod","path":"/"}', 7],
  ['no path', '{"id":8,"op":"list"}', 8],
  ['a path out of /sys', '{"id":9,"op":"read","path":"/../etc/passwd"}', 9],
  ['data that is not base64', '{"id":10,"op":"write","path":"/bus/cxl/flush","data":"?"}', 10],
  ['no command', '{"id":11,"op":"exec","cmd":5}', 11],
])('a request with %s is answered with EINVAL and a reason', async (_what, line, id) => {
  expect(await bridge.answer(line)).toEqual({ id, err: 'EINVAL', message: expect.stringMatching(/\w+/) });
});

test('a tree is what stat, list and read say, one by one', async () => {
  let walked: Tree = { nodes: {}, kids: {} };
  const walk = async (path: string): Promise<void> => {
    const { type, mode, target } = await ok<FileStat>({ op: 'stat', path });
    const read = type === 'file' ? await ask({ op: 'read', path }) : null;
    const content = read === null ? (target ?? null) : 'ok' in read ? String(read.ok) : null;
    walked.nodes[path] = [type === 'dir' ? 'd' : type === 'link' ? 'l' : 'f', mode, content];
    if (type !== 'dir') return;
    walked.kids[path] = await ok({ op: 'list', path });
    for (const name of walked.kids[path]) await walk(`${path}/${name}`);
  };
  for (const path of ['/devices', '/bus', '/firmware', '/kernel/debug/cxl']) {
    walked = { nodes: {}, kids: {} };
    await walk(path);
    expect(Object.keys(walked.nodes).length).toBeGreaterThan(3);
    expect(await ok({ op: 'tree', path })).toEqual(walked);
  }
});

test('names come in the order of the kernfs hash, in the guest too', async () => {
  const names = await ok<string[]>({ op: 'list', path: DEVICES });
  expect(names).toEqual(names.toSorted((a, b) => kernfs_name_hash(a) - kernfs_name_hash(b)));
  expect(names.length).toBeGreaterThan(8);
  expect(await ok({ op: 'exec', cmd: `ls -U /sys${DEVICES}` })).toEqual({
    rc: 0,
    out: `${names.join('\n')}\n`,
    err: '',
  });
});

test('what cannot be done has the errno the kernel gives', async () => {
  const fails: readonly (readonly [object, string])[] = [
    [{ op: 'stat', path: '/nothing' }, 'ENOENT'],
    [{ op: 'list', path: `${DEVICES}/mem0/serial` }, 'ENOTDIR'],
    [{ op: 'read', path: DEVICES }, 'EISDIR'],
    [{ op: 'read', path: '/bus/cxl/flush' }, 'EACCES'],
    [write(`${DEVICES}/mem0/serial`, '1'), 'EACCES'],
    [write(`${DEVICES}/decoder0.0/create_ram_region`, 'region99'), 'EBUSY'],
    [write('/bus/cxl/drivers/cxl_mem/bind', 'port1'), 'ENODEV'],
  ];
  for (const [request, err] of fails) expect(await ask(request), JSON.stringify(request)).toEqual({ id: 1, err });
});

test('a write takes a page at most, ends at a NUL, and may go into the middle of a binary file', async () => {
  expect(await ok(write('/bus/cxl/flush', `1\n\0${'x'.repeat(9000)}`))).toBe(4096);
  expect(await ok(write('/bus/cxl/flush', ''))).toBe(0);
  const config = '/bus/pci/devices/0000:0d:00.0/config';
  expect(await ok({ op: 'write', path: config, offset: 0x3c, data: toBase64(Uint8Array.of(0x5a)) })).toBe(1);
  expect(fromBase64(await ok({ op: 'read', path: config, offset: 0x3c }))?.[0]).toBe(0x5a);
  expect(await ok({ op: 'write', path: config, offset: 0x3c, data: 'AA==' })).toBe(1);
  expect(fromBase64(await ok({ op: 'read', path: config }))).toHaveLength(4096);
});

test('commands have their own outputs and status; one that never ends is killed', async () => {
  expect(await ok({ op: 'exec', cmd: 'pwd; echo oh >&2; (exit 3)' })).toEqual({ rc: 3, out: '/root\n', err: 'oh\n' });
  expect(await ok({ op: 'exec', cmd: 'echo a; sleep infinity; echo b' })).toEqual({ rc: 137, out: 'a\n', err: '' });
  expect(await ok({ op: 'exec', cmd: 'sleep infinity & echo c' })).toEqual({ rc: 0, out: 'c\n', err: '' });
  const { out } = await ok<{ out: string }>({ op: 'exec', cmd: 'seq 60000; ps -e' });
  expect(out.split('\n').slice(59_998, 60_001)).toEqual(['59999', '60000', expect.stringContaining('PID')]);
  expect(out).not.toContain('sleep');
});

test('writing through the bridge does what echo does in the guest', async () => {
  const other = await booted();
  const there = new Bridge(other, 'l1');
  const steps: readonly (readonly [string, string])[] = [
    ['decoder0.0/create_ram_region', 'region0'],
    ['region0/interleave_granularity', '256'],
    ['region0/interleave_ways', '1'],
    ['region0/size', '0x10000000'],
    ['decoder2.0/mode', 'ram'],
    ['decoder2.0/dpa_size', '0x10000000'],
    ['region0/target0', 'decoder2.0'],
    ['region0/commit', '1'],
  ];
  for (const [file, value] of steps) {
    expect(await ask({ op: 'exec', cmd: `echo ${value} > /sys${DEVICES}/${file}` }, there)).toMatchObject({
      ok: { rc: 0 },
    });
    // As libcxl writes: with the NUL that ends the string.
    expect(await ok(write(`${DEVICES}/${file}`, `${value}\n\0`)), file).toBe(value.length + 2);
  }
  expect(text(fromBase64(await ok({ op: 'read', path: `${DEVICES}/region0/commit` })) ?? utf8(''))).toBe('1\n');
  expect(await ask({ op: 'tree', path: '/devices' }, there)).toEqual(await ask({ op: 'tree', path: '/devices' }));
  const registers = (of: Lab) =>
    of.log.blocks.flatMap(({ first, count, block }) =>
      block.kind === 'object' ? [] : [[block.path, [...of.log.cells.slice(first, first + count)]]],
    );
  expect(registers(lab)).toEqual(registers(other));
  other.stop();
});
