import { expect, test } from 'vitest';
import { EventLog } from '../../log/index.ts';
import { layout } from '../../spec/layouts.ts';
import { AddressSpace } from '../memory/address-space.ts';
import { MemoryCore } from '../memory/memory.ts';
import { UINT64_SIZE } from '../memory/memory-region.ts';
import { Msix, PciBridge, PciBus, type PciEnv, PciFunction, PciHost } from './index.ts';

function machine() {
  const log = new EventLog();
  const core = new MemoryCore({ log, layer: 0 });
  const messages: number[][] = [];
  const env: PciEnv = { log, core, machine: 'l1', layer: 0, message: (a, d) => messages.push([a, d]) };
  const system = core.memory_region_init('system', UINT64_SIZE);
  const io = core.memory_region_init('io', 65536);
  const root = new PciBus('pcie.0', system, io, null);
  const cxl = new PciBus('cxl.1', system, io, null, 12, 'cxl.1');
  root.addRootBus(cxl);
  const host = new PciHost(root);
  const make = (id: string, type: string, label: string) => ({ id, type, label, layout: layout(`${type}.config`) });
  root.add(new PciFunction(env, make('mch', 'mch', 'host bridge')), 0);
  const rp = new PciBridge(env, make('root_port13', 'cxl-rp', 'root port'));
  cxl.add(rp, 0);
  const accel = new PciFunction(env, make('cxl-accel0', 'cxl-accel', 'accelerator'));
  const bar0 = core.memory_region_init('cxl-accel', 65536);
  const scratch = core.memory_region_init_io({ hi: 0, read: () => 0x5a, write: () => {} }, 'scratch', 4096);
  core.memory_region_add_subregion(bar0, 0, scratch);
  accel.pci_register_bar(0, 4, bar0);
  const msix = new Msix(accel, 6, 4);
  rp.sec_bus.add(accel, 0);
  const ecam = host.pcie_mmcfg_init(core, 0x10000000);
  core.memory_region_add_subregion(system, 0xb0000000, ecam);
  return { log, host, rp, accel, msix, messages, memory: new AddressSpace(core, 'memory', system) };
}

test('configuration cycles follow the bus numbers software writes', () => {
  const { host, accel, memory, log } = machine();
  expect(host.pci_config_read(12, 0, 0, 4)).toBe(0x70758086);
  expect(host.pci_config_read(13, 0, 0, 4)).toBe(0xffffffff);
  host.pci_config_write(12, 0, 0x18, 4, 0x000d0d0c);
  expect(host.pci_config_read(13, 0, 0, 4)).toBe(0x0d948086);
  expect(memory.load(0xb0000000 + 0xd00000 + 0x100, 4)).toBe(0x13c10023);
  expect(accel.bdf).toBe('0d:00.0');
  expect(log.object('hw/l1/pci/cxl-accel0')).toMatchObject({ bdf: '0d:00.0', parent: 'root_port13' });
  expect(host.pci_config_read(0, 0, 0x100, 4)).toBe(0xffffffff);
});

test('a BAR is sized by all ones and appears behind the bridge window once decoding is on', () => {
  const { host, rp, accel, memory, log } = machine();
  host.pci_config_write(12, 0, 0x18, 4, 0x000d0d0c);
  host.pci_config_write(13, 0, 0x10, 4, 0xffffffff);
  expect(host.pci_config_read(13, 0, 0x10, 4)).toBe(0xffff0004);
  host.pci_config_write(13, 0, 0x14, 4, 0xffffffff);
  host.pci_config_write(13, 0, 0x10, 4, 0xfe800000);
  host.pci_config_write(13, 0, 0x14, 4, 0);
  host.pci_config_write(13, 0, 0x04, 2, 2);
  expect(accel.pci_get_bar_addr(0)).toBe(0xfe800000);
  expect(memory.load(0xfe800000, 4)).toBe(0);
  host.pci_config_write(12, 0, 0x20, 4, 0xfe90fe80);
  host.pci_config_write(12, 0, 0x04, 2, 2);
  expect(memory.load(0xfe800000, 4)).toBe(0x5a);
  expect(log.object('hw/l1/pci/cxl-accel0')).toMatchObject({ bars: [{ index: 0, addr: 0xfe800000 }, {}] });
  // Secondary bus reset: decoding off, BAR gone.
  host.pci_config_write(12, 0, 0x3e, 2, 0x40);
  expect(accel.pci_get_bar_addr(0)).toBe(-1);
  expect(memory.load(0xfe800000, 4)).toBe(0);
  expect(rp.config.peek(0x3e, 2)).toBe(0x40);
});

test('a masked MSI-X vector waits in the pending bits, an unmasked one is sent', () => {
  const { accel, msix, messages } = machine();
  accel.config_write(0x42, 2, 0x8000);
  msix.msix_notify(1);
  expect(msix.registers.get('MSIX_PBA0')).toBe(2);
  msix.registers.write(16, 4, 0xfee00000);
  msix.registers.write(24, 4, 0x41);
  msix.registers.write(28, 4, 0);
  msix.msix_notify(1);
  expect(messages).toEqual([[0xfee00000, 0x41]]);
});
