/**
 * The q35 board (hw/i386/pc_q35.c pc_q35_init, pc.c pc_memory_init, x86.c): RAM and its aliases, firmware ROM, chipset,
 * fw_cfg, and what is known only when all devices exist. Left out: SMM address spaces, VGA, disks, USB, sound.
 */
import { GiB, KiB, TWO32 } from '../../../base/addr.ts';
import { assert } from '../../../base/assert.ts';
import { FixedWindow } from '../../../hw/cxl/index.ts';
import type { StringPort } from '../../accel/kvm.ts';
import type { CharBackend } from '../../chardev/chardev.ts';
import { Bus } from '../../qdev/bus.ts';
import type { Device } from '../../qdev/device-type.ts';
import { error_setg } from '../../system/error.ts';
import { mmap_anonymous } from '../../system/hostmem.ts';
import type { MachineOptions } from '../../system/machine-options.ts';
import type { MemoryOptions } from '../../system/memory-options.ts';
import type { Vm } from '../../system/vm.ts';
import { type SerialPort, serial_init, serialAddress } from '../char/serial-isa.ts';
import { INERT_PORTS, inertOps } from '../core/inert.ts';
import { FW_CFG, FwCfgState } from '../nvram/fw_cfg.ts';
import { pxb_cxl_hook_up_registers } from '../pci-bridge/pxb-cxl.ts';
import { mch_init } from '../pci-host/q35.ts';
import { acpi_setup } from './acpi-build.ts';
import { CXL_HOST_REG_SIZE, type MemoryLayout, memory_layout, phys_bits_too_low } from './memory-layout.ts';

const BIOS_SIZE = 256 * KiB;
const PC_ROM_BASE = 0xc0000;
const PC_ROM_SIZE = 128 * KiB;

export interface Q35 {
  readonly layout: MemoryLayout;
  readonly fw_cfg: FwCfgState;
  readonly serials: readonly SerialPort[];
  readonly strings: readonly StringPort[];
  /** Filled by q35_machine_done. */
  readonly windows: FixedWindow[];
}

export async function pc_q35_init(
  vm: Vm,
  memory: MemoryOptions,
  machine: MachineOptions,
  serials: readonly CharBackend[],
  nodefaults: boolean,
  physBits: number,
): Promise<Q35> {
  const layout = memory_layout({
    ramSize: memory.ramSize,
    maxRamSize: memory.maxRamSize,
    slots: memory.slots,
    cxl: machine.cxl,
    windowSizes: machine.windows.map((window) => window.size),
  });
  const { core, main_system_bus: sysbus } = vm;
  core.memory_region_transaction_begin();
  const ram = pc_memory_init(vm, layout, memory, machine, physBits);
  await vm.create('kvmvapic', sysbus);
  await vm.create('fw_cfg_io', sysbus);
  const host = await vm.create('q35-pcihost', sysbus, {
    'below-4g-mem-size': layout.below4g,
    'above-4g-mem-size': layout.above4g,
  });
  const pcie = new Bus('pcie.0', 'PCIE', 'PCI', host, vm.pcie0);
  host.childBuses.push(pcie);
  core.memory_region_add_subregion_overlap(vm.system_memory, 0, vm.pci_memory, -1);
  core.memory_region_add_subregion_overlap(
    vm.system_memory,
    0xa0000,
    core.memory_region_init_alias('smram-region', vm.pci_memory, 0xa0000, 0x20000),
    1,
  );
  core.memory_region_add_subregion(vm.system_io, 0xcf8, vm.pciHost.pci_host_conf_init(core));
  core.memory_region_add_subregion(vm.system_io, 0xcfc, vm.pciHost.pci_host_data_init(core));
  mch_init(await vm.create('mch', pcie), vm.pciHost, ram, vm.pci_memory);
  const lpc = await vm.create('ICH9-LPC', pcie, { addr: 0xf8 });
  await vm.create('ioapic', sysbus);
  inertMemory(vm, 0xfec0_0000, 0x1000, 'ioapic', 0);
  if (machine.hpet) {
    await vm.create('hpet', sysbus);
    inertMemory(vm, 0xfed0_0000, 0x400, 'hpet', 0);
  }
  inertMemory(vm, 0xfee0_0000, 0x10_0000, 'apic-msi', 4096);
  const ports = await isa_devices(vm, lpc, serials, nodefaults);
  const ahci = await vm.create('ich9-ahci', pcie);
  if (ahci.pci === null) error_setg('ich9-ahci has no PCI function');
  const smb = await vm.create('ICH9-SMB', pcie);
  for (let n = 0; n < 8; n++) await vm.create('smbus-eeprom', smb.childBuses[0] as Bus, { address: 0x50 + n });
  const fw_cfg = fw_cfg_init(vm, layout, memory);
  core.memory_region_transaction_commit();
  const strings: StringPort[] = [...ports, { port: 0x511, ins: (into) => fw_cfg.readInto(into), outs: () => {} }];
  return { layout, fw_cfg, serials: ports, strings, windows: [] };
}

function inertMemory(vm: Vm, base: number, size: number, name: string, priority: number): void {
  const mr = vm.core.memory_region_init_io({ ...inertOps, hi: 0, read: () => 0, peek: () => 0 }, name, size);
  vm.core.memory_region_add_subregion_overlap(vm.system_memory, base, mr, priority);
}

/** pc_memory_init(): RAM below and above 4 GiB, firmware, the device-memory area, room for CXL host bridges. */
function pc_memory_init(
  vm: Vm,
  layout: MemoryLayout,
  memory: MemoryOptions,
  machine: MachineOptions,
  physBits: number,
) {
  const { core, sys, system_memory } = vm;
  const chosen = machine.memoryBackend === null ? null : vm.findBackend(machine.memoryBackend);
  if (machine.memoryBackend !== null) {
    if (!chosen) return error_setg(`Memory backend '${machine.memoryBackend}' not found`);
    if (chosen.size !== memory.ramSize) error_setg('Machine memory size does not match the size of the memory backend');
    chosen.mapped = true;
  }
  const hva = chosen?.mr.hva ?? mmap_anonymous(sys, memory.ramSize, false, 'pc.ram');
  const ram = core.memory_region_init_ram(chosen?.id ?? 'pc.ram', memory.ramSize, sys.mem, hva);
  if (!chosen)
    vm.backends.unshift({
      id: 'pc.ram',
      type: 'memory-backend-ram',
      size: memory.ramSize,
      share: false,
      mr: ram,
      mapped: true,
    });
  const tooLow = phys_bits_too_low(layout, physBits);
  if (tooLow !== null) error_setg(tooLow);
  const { below4g, above4g, above4gStart } = layout;
  core.memory_region_add_subregion(system_memory, 0, core.memory_region_init_alias('ram-below-4g', ram, 0, below4g));
  if (above4g > 0)
    core.memory_region_add_subregion(
      system_memory,
      above4gStart,
      core.memory_region_init_alias('ram-above-4g', ram, below4g, above4g),
    );
  const rom = (name: string, size: number) =>
    core.memory_region_init_rom(name, size, sys.mem, mmap_anonymous(sys, size, false, name));
  const bios = rom('pc.bios', BIOS_SIZE);
  core.memory_region_add_subregion_overlap(vm.pci_memory, PC_ROM_BASE, rom('pc.rom', PC_ROM_SIZE), 1);
  const isaBios = core.memory_region_init_alias('isa-bios', bios, BIOS_SIZE - 128 * KiB, 128 * KiB);
  core.memory_region_set_readonly(isaBios, true);
  core.memory_region_add_subregion_overlap(vm.pci_memory, 0xe0000, isaBios, 1);
  core.memory_region_add_subregion(vm.pci_memory, TWO32 - BIOS_SIZE, bios);
  if (layout.deviceMemory) {
    const area = core.memory_region_init('device-memory', layout.deviceMemory.size);
    core.memory_region_add_subregion(system_memory, layout.deviceMemory.base, area);
    vm.newAddressSpace('device-memory', area);
  }
  if (layout.cxlHostReg !== null) {
    vm.cxl_host_reg = core.memory_region_init('cxl_host_reg', CXL_HOST_REG_SIZE);
    core.memory_region_add_subregion(system_memory, layout.cxlHostReg, vm.cxl_host_reg);
  }
  return ram;
}

async function isa_devices(
  vm: Vm,
  lpc: Device,
  serials: readonly CharBackend[],
  nodefaults: boolean,
): Promise<SerialPort[]> {
  const isa = lpc.childBuses[0] as Bus;
  await vm.create('i8257', isa, {});
  await vm.create('i8257', isa, { base: 0xc0, 'page-base': 0x88, dshift: 1 });
  await vm.create('mc146818rtc', isa);
  await vm.create('isa-i8259', isa);
  await vm.create('isa-i8259', isa, { iobase: 0xa0, elcr_addr: 0x4d1, elcr_mask: 0xde, master: false });
  await vm.create('isa-pit', isa);
  await vm.create('isa-pcspk', isa);
  const ports: SerialPort[] = [];
  for (const [index, backend] of serials.entries()) {
    const dev = await vm.create('isa-serial', isa, { index, ...serialAddress(index) });
    ports.push(serial_init(dev, backend));
  }
  if (!nodefaults) await vm.create('isa-parallel', isa);
  await vm.create('i8042', isa);
  await vm.create('vmport', isa);
  await vm.create('vmmouse', isa);
  await vm.create('port92', isa);
  await vm.create('ps2-kbd', vm.main_system_bus);
  await vm.create('ps2-mouse', vm.main_system_bus);
  for (const [port, size, name] of INERT_PORTS) {
    if (name === 'parallel' && nodefaults) continue;
    const mr = vm.core.memory_region_init_io(inertOps, name, size);
    vm.core.memory_region_add_subregion(vm.system_io, port, mr);
    if (name === 'rtc')
      vm.core.memory_region_add_subregion(mr, 0, vm.core.memory_region_init_io(inertOps, 'rtc-index', 1));
  }
  return ports;
}

function fw_cfg_init(vm: Vm, layout: MemoryLayout, memory: MemoryOptions): FwCfgState {
  const fw = new FwCfgState();
  const { core, system_io } = vm;
  core.memory_region_add_subregion(system_io, 0x510, core.memory_region_init_io(fw.ops, 'fwcfg', 2));
  core.memory_region_add_subregion(system_io, 0x514, core.memory_region_init_io(fw.dmaOps, 'fwcfg.dma', 8));
  fw.add_i64(FW_CFG.RAM_SIZE, memory.ramSize);
  fw.add_i16(FW_CFG.NB_CPUS, vm.cpus);
  fw.add_i16(FW_CFG.MAX_CPUS, vm.cpus);
  fw.add_i16(FW_CFG.NOGRAPHIC, 1);
  fw.add_i16(FW_CFG.BOOT_MENU, 0);
  fw.add_file('etc/e820', e820(layout));
  if (layout.deviceMemory) {
    const last = layout.windows.at(-1);
    const end = last ? last.base + last.size : layout.deviceMemory.base + layout.deviceMemory.size;
    fw.add_file('etc/reserved-memory-end', le64(Math.ceil(end / GiB) * GiB));
  }
  vm.onReset(() => fw.reset());
  return fw;
}

/** HyperTransport's addresses below 1 TiB, which QEMU declares reserved on every PC. */
const AMD_HT_START = 0xfd_0000_0000;
const AMD_HT_SIZE = 0x3_0000_0000;
const E820_RAM = 1;
const E820_RESERVED = 2;

/** struct e820_entry: u64 address, u64 length, u32 type. */
function e820(layout: MemoryLayout): Uint8Array {
  const entries = [{ start: 0, size: layout.below4g, type: E820_RAM }];
  if (layout.above4g > 0) entries.push({ start: layout.above4gStart, size: layout.above4g, type: E820_RAM });
  entries.push({ start: AMD_HT_START, size: AMD_HT_SIZE, type: E820_RESERVED });
  const bytes = new Uint8Array(entries.length * 20);
  const view = new DataView(bytes.buffer);
  entries.forEach(({ start, size, type }, n) => {
    view.setBigUint64(n * 20, BigInt(start), true);
    view.setBigUint64(n * 20 + 8, BigInt(size), true);
    view.setUint32(n * 20 + 16, type, true);
  });
  return bytes;
}

function le64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

/** pc_machine_done(): extra root buses, CXL host bridges and windows, ACPI. */
export function q35_machine_done(vm: Vm, q35: Q35, machine: MachineOptions, memory: MemoryOptions): void {
  const { core, system_memory } = vm;
  if (vm.expanders.length > 0 && !machine.cxl) error_setg('CXL host bridges present, but cxl=off');
  core.memory_region_transaction_begin();
  const bridges = machine.cxl ? pxb_cxl_hook_up_registers(vm) : new Map();
  // With cxl=off nobody looks at the windows, not even at their targets.
  (machine.cxl ? machine.windows : []).forEach((options, n) => {
    const targets = options.targets.map((id) => bridges.get(id) ?? error_setg(`Could not resolve CXLFM target ${id}`));
    const place = q35.layout.windows[n];
    assert(place, `window ${n} has no place in the memory map`);
    const window = new FixedWindow(vm.pciEnv, n, place.base, place.size, options.granularity, targets);
    core.memory_region_add_subregion(system_memory, place.base, window.memory);
    q35.windows.push(window);
    vm.fixed_windows.push(window);
  });
  core.memory_region_transaction_commit();
  if (vm.expanders.length > 0) q35.fw_cfg.add_file('etc/extra-pci-roots', le64(vm.expanders.length));
  if (machine.acpi) acpi_setup(vm, q35.fw_cfg, q35.layout, machine, memory);
}
