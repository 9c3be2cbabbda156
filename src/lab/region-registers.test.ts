import { expect, test } from 'vitest';
import type { EventLog } from '../log/index.ts';
import { resolveLayout } from '../spec/dsl/resolve.ts';
import { layoutById } from '../spec/layouts.ts';
import { Lab } from './lab.ts';
import { runStep } from './run-step.ts';

const host = { yieldToHost: () => Promise.resolve(), pace: () => Promise.resolve() };
const device = (n: number) =>
  `-object memory-backend-ram,id=m${n},share=on,size=512M -device cxl-rp,port=${n},bus=cxl.1,id=rp${n},chassis=0,slot=${n + 2} -device cxl-type3,bus=rp${n},volatile-memdev=m${n},id=d${n},sn=${n + 1}`;
const line = (count: number) =>
  `qemu-system-x86_64 -M q35,cxl=on -enable-kvm -cpu max,hypervisor=off -m 4G,maxmem=8G,slots=8 -device pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1,hdm_for_passthrough=on ${Array.from({ length: count }, (_, n) => device(n)).join(' ')} -M cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G -kernel /boot/vmlinuz-6.12 -initrd /boot/initrd-6.12 -append "console=ttyS0" -nographic`;

/** Every named register of every component of L1, as `block REGISTER` → value. */
function registers(log: EventLog): Map<string, number> {
  const out = new Map<string, number>();
  for (const { first, block } of log.blocks) {
    const layout =
      block.kind === 'registers' && /^hw\/l1\/.*\/component$/.test(block.path) ? layoutById(block.layout ?? '') : null;
    if (!layout) continue;
    for (const { name, offset, width } of resolveLayout(layout).registers) {
      const cell = log.cells[first + (offset >>> 2)] as number;
      out.set(`${block.path} ${name}`, width === 4 ? cell : (cell >>> ((offset & 3) * 8)) & (2 ** (8 * width) - 1));
    }
  }
  return out;
}

async function boot(count: number) {
  const lab = await Lab.start({ seed: 1, host });
  const type = async (console: 'host' | 'l1', text: string) =>
    (await runStep(lab, { console, line: text, expected: [], at: 1 }, 'test')).output;
  await type('host', line(count));
  return { lab, type };
}

test('one device: after destroy every register is as before create (FINDINGS 5, A2)', async () => {
  const { lab, type } = await boot(1);
  const before = registers(lab.log);
  expect(before.size).toBeGreaterThan(60);
  expect(await type('l1', 'cxl create-region -d decoder0.0 -t ram -s 256M -m mem0')).toContain('created 1 region');
  const live = registers(lab.log);
  const changed = [...before]
    .filter(([name, value]) => live.get(name) !== value)
    .map(([name]) => name.replace(/^.* /, ''));
  expect(new Set(changed)).toEqual(new Set(['BASE_LO0', 'BASE_HI0', 'SIZE_LO0', 'CTRL0']));
  expect(await type('l1', 'cxl destroy-region -f region0')).toContain('destroyed 1 region');
  expect(registers(lab.log)).toEqual(before);
  lab.stop();
});

test('two ways: after destroy only ways, granularity and the target list stay behind, uncommitted', async () => {
  const { lab, type } = await boot(2);
  const before = registers(lab.log);
  expect(await type('l1', 'cxl create-region -d decoder0.0 -t ram -w 2 -g 4096 -m mem0 mem1')).toContain(
    'created 1 region',
  );
  expect(await type('l1', 'cxl destroy-region -f region0')).toContain('destroyed 1 region');
  const after = registers(lab.log);
  const left = [...before]
    .filter(([name, value]) => after.get(name) !== value)
    .map(([name]) => [name.replace(/^hw\/l1\/(\w+).* /, '$1 '), (after.get(name) ?? 0).toString(16)]);
  expect(left.every(([name]) => /(CTRL0|TARGET_LO0)$/.test(name ?? ''))).toBe(true);
  expect(left.filter(([name]) => name?.endsWith('CTRL0')).map(([, value]) => value)).toEqual(['1014', '1014', '1014']);
  lab.stop();
});
