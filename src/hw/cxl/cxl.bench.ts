import { bench } from 'vitest';
import { EventLog } from '../../log/index.ts';
import { layout } from '../../spec/layouts.ts';
import type { HostMemory } from '../memory/api.ts';
import { MemoryCore } from '../memory/memory.ts';
import { RegisterSpace } from '../registers/register-space.ts';
import { BackedDevice, CxlComponent, type CxlEnv, CxlHostBridge, CxlRootPort, FixedWindow } from './index.ts';

// Budgets: a register access about 20 ns, a decoded window access under 40 ns without the memory behind it.
const log = new EventLog();
const env: CxlEnv = { log, core: new MemoryCore({ log, layer: 0 }), machine: 'l1', layer: 0 };
const nothing: HostMemory = { hi: 0, load: () => 7, store: () => {}, read: () => {}, write: () => {} };
const component = new CxlComponent(env, 'accel', layout('cxl-accel.component'), 'cxl-accel');
const at = CxlComponent.decoderOffset(0);
component.registers.write(at, 4, 0x90000000);
component.registers.write(at + 4, 4, 4);
component.registers.write(at + 8, 4, 0x10000000);
component.registers.write(at + 16, 4, 0x200);
const port = new CxlRootPort('rp', 0, new CxlComponent(env, 'rp', layout('cxl-rp.component'), 'cxl-rp'));
port.device = new BackedDevice('accel', component, nothing, 0, 0x10000000);
const window = new FixedWindow(env, 0, 0x490000000, 0x100000000, 256, [new CxlHostBridge(env, 'cxl.1', 12, [port])]);
const ops = window.memory.ops;
const space = new RegisterSpace(log, 'config', layout('cxl-accel.config'));

bench('1000 register reads', () => {
  for (let n = 0; n < 1000; n++) space.read(0x100 + (n & 31) * 4, 4);
});
bench('1000 register writes that change nothing', () => {
  for (let n = 0; n < 1000; n++) space.write(0x120, 4, 0);
});
bench('1000 window reads', () => {
  for (let n = 0; n < 1000; n++) ops?.read(n * 8, 8);
});
bench('1000 window writes', () => {
  for (let n = 0; n < 1000; n++) ops?.write(n * 8, 8, n, 0);
});
