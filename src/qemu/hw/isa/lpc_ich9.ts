/**
 * ICH9's functions at 00:1f (hw/isa/lpc_ich9.c, hw/ide/ich.c, hw/i2c/smbus_ich9.c) with the power management block
 * (hw/acpi/ich9.c, core.c) and the reset port. Left out: SMI, TCO, GPE behaviour, AHCI and SMBus transfers.
 */
import type { MemoryRegion, MemoryRegionOps } from '../../../hw/memory/index.ts';
import { PCI_BASE_ADDRESS_SPACE_IO, PciFunction } from '../../../hw/pci/index.ts';
import { layout } from '../../../spec/layouts.ts';
import { Bus } from '../../qdev/bus.ts';
import { type Device, registerDeviceType } from '../../qdev/device-type.ts';
import { PCI_PROPERTIES } from '../../qdev/pci-properties.ts';
import { inertOps } from '../core/inert.ts';
import { pci_public_id, pci_register_device } from '../pci/pci.ts';

const SLP_EN = 1 << 13;
const PWRBTN_STS = 1 << 8;
const PM_TIMER_HZ = 3_579_545;
/** Multifunction parts of the south bridge. */
const MULTIFUNCTION = PCI_PROPERTIES.map((spec) => (spec.name === 'multifunction' ? { ...spec, value: true } : spec));

function function1f(dev: Device, n: number, label: string, id: string): PciFunction {
  const devfn = 0x1f * 8 + n;
  const fn = new PciFunction(dev.vm.pciEnv, {
    id: pci_public_id(dev, devfn),
    type: dev.type.name,
    label,
    layout: layout(id),
  });
  pci_register_device(dev, fn, devfn);
  return fn;
}

registerDeviceType({
  name: 'ICH9-LPC',
  description: 'ICH9 LPC bridge',
  category: 'Controller/Bridge/Hub',
  bus: 'PCI',
  userCreatable: false,
  properties: [
    { name: 'noreboot', kind: 'bool', value: false },
    { name: 'smm-compat', kind: 'bool', value: false },
    { name: 'smm-enabled', kind: 'bool', value: true },
    { name: 'x-smi-broadcast', kind: 'bool', value: true },
    { name: 'x-smi-cpu-hotplug', kind: 'bool', value: true },
    { name: 'x-smi-cpu-hotunplug', kind: 'bool', value: true },
    { name: 'x-smi-swsmi-timer', kind: 'bool', value: true },
    { name: 'x-smi-periodic-timer', kind: 'bool', value: true },
    ...MULTIFUNCTION,
  ],
  realize(dev) {
    const fn = function1f(dev, 0, 'ISA bridge', 'ich9-lpc.config');
    dev.qtreeLines = () => ['gpio-out "gsi" 24'];
    dev.childBuses.push(new Bus('isa.0', 'ISA', 'ISA', dev));
    const pm = new Ich9Pm(dev);
    fn.config.onWrite('PMBASE', () => pm.update(fn));
    fn.config.onWrite('ACPI_CNTL', () => pm.update(fn));
    const rcrb = dev.vm.core.memory_region_init_io(inertOps, 'lpc-rcrb-mmio', 0x4000);
    fn.config.onWrite('RCBA', (_before, after) => {
      const { core, system_memory } = dev.vm;
      core.memory_region_transaction_begin();
      if (rcrb.container) core.memory_region_del_subregion(system_memory, rcrb);
      if (after & 1) core.memory_region_add_subregion_overlap(system_memory, (after & ~0x3fff) >>> 0, rcrb, 1);
      core.memory_region_transaction_commit();
    });
    fn.resetHooks.push(() => {
      fn.config.reset('hot');
      pm.reset();
      pm.update(fn);
      if (rcrb.container) dev.vm.core.memory_region_del_subregion(rcrb.container, rcrb);
    });
    reset_control(dev);
    dev.vm.onPowerButton(() => pm.powerButton());
  },
});

/** `lpc-reset-control`, port 0xcf9: bit 2 resets, bit 1 says how. */
function reset_control(dev: Device): void {
  const { vm } = dev;
  let value = 0;
  const ops: MemoryRegionOps = {
    hi: 0,
    read: () => value,
    write: (_offset, _width, lo) => {
      if (lo & 4) vm.qemu_system_reset_request();
      else value = lo & 0xa;
    },
    peek: () => value,
  };
  vm.core.memory_region_add_subregion_overlap(
    vm.system_io,
    0xcf9,
    vm.core.memory_region_init_io(ops, 'lpc-reset-control', 1),
    1,
  );
}

/** ich9_pm_init(), acpi_pm1_cnt_write(). */
class Ich9Pm {
  private readonly memory: MemoryRegion;
  private status = 0;
  private enable = 0;
  private control = 0;

  constructor(private readonly dev: Device) {
    const { vm } = dev;
    const { core } = vm;
    this.memory = core.memory_region_init('ich9-pm', 128);
    const part = (offset: number, size: number, name: string, ops: MemoryRegionOps) =>
      core.memory_region_add_subregion(this.memory, offset, core.memory_region_init_io(ops, name, size));
    part(0, 4, 'acpi-evt', {
      hi: 0,
      read: (offset) => (offset < 2 ? this.status : this.enable),
      write: (offset, _width, lo) => {
        if (offset < 2) this.status &= ~lo;
        else this.enable = lo & 0xffff;
      },
      peek: (offset) => (offset < 2 ? this.status : this.enable),
    });
    part(4, 2, 'acpi-cnt', {
      hi: 0,
      read: () => this.control,
      write: (_offset, _width, lo) => this.acpi_pm1_cnt_write(lo),
      peek: () => this.control,
    });
    const timer = () => Math.floor((vm.sys.clockGettime('monotonic') * PM_TIMER_HZ) / 1e9) % 2 ** 24;
    part(8, 4, 'acpi-tmr', { hi: 0, read: timer, write: () => {}, peek: timer });
    const zero: MemoryRegionOps = { hi: 0, read: () => 0, write: () => {}, peek: () => 0 };
    part(0x20, 16, 'acpi-gpe0', zero);
    part(0x30, 8, 'acpi-smi', zero);
    part(0x60, 32, 'sm-tco', zero);
  }

  private acpi_pm1_cnt_write(value: number): void {
    this.control = value & ~SLP_EN & 0xffff;
    if (!(value & SLP_EN)) return;
    // Sleep type 0 is S5 in the machine's \_S5 object; others (suspend) are not offered.
    if (((value >>> 10) & 7) === 0) this.dev.vm.qemu_system_shutdown_request();
  }

  powerButton(): void {
    this.status |= PWRBTN_STS;
    if (this.enable & PWRBTN_STS) this.dev.vm.setIrq(9, 1);
  }

  reset(): void {
    this.status = 0;
    this.enable = 0;
    this.control = 0;
  }

  /** ich9_pm_iospace_update() */
  update(fn: PciFunction): void {
    const { core, system_io } = this.dev.vm;
    const base = fn.config.get('PMBASE') & 0xff80;
    const on = (fn.config.get('ACPI_CNTL') & 0x80) !== 0;
    core.memory_region_transaction_begin();
    if (this.memory.container) core.memory_region_del_subregion(system_io, this.memory);
    if (on) core.memory_region_add_subregion(system_io, base, this.memory);
    core.memory_region_transaction_commit();
  }
}

registerDeviceType({
  name: 'ich9-ahci',
  category: 'Storage',
  bus: 'PCI',
  userCreatable: false,
  properties: MULTIFUNCTION,
  realize(dev) {
    const fn = function1f(dev, 2, 'SATA', 'ich9-ahci.config');
    const { core } = dev.vm;
    const zero: MemoryRegionOps = { hi: 0, read: () => 0, write: () => {}, peek: () => 0 };
    fn.pci_register_bar(4, PCI_BASE_ADDRESS_SPACE_IO, core.memory_region_init_io(zero, 'ahci-idp', 32));
    fn.pci_register_bar(5, 0, core.memory_region_init_io(zero, 'ahci', 4096));
    for (let n = 0; n < 6; n++) dev.childBuses.push(new Bus(`ide.${n}`, 'IDE', 'IDE', dev));
  },
});

registerDeviceType({
  name: 'ICH9-SMB',
  description: 'ICH9 SMBUS Bridge',
  category: 'Uncategorized',
  bus: 'PCI',
  userCreatable: false,
  properties: MULTIFUNCTION,
  realize(dev) {
    const fn = function1f(dev, 3, 'SMBus', 'ich9-smb.config');
    fn.pci_register_bar(4, PCI_BASE_ADDRESS_SPACE_IO, dev.vm.core.memory_region_init_io(inertOps, 'pm-smbus', 64));
    dev.childBuses.push(new Bus('i2c', 'i2c-bus', 'i2c-bus', dev));
  },
});
