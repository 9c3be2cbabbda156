import { hex } from '../../../base/addr.ts';
import { viewOf } from '../../../base/bytes.ts';
import { acpi_get_table } from '../../include/acpi.ts';
import type { Kernel } from '../../include/kernel.ts';
import type { ModuleDef } from '../../include/module.ts';
import { PCI } from '../../include/pci_types.ts';
import { pci_bus_read_config } from './access.ts';
import { pci_driver_init } from './pci-driver.ts';
import { pcie_portdrv_init } from './pcie/portdrv.ts';
import { pci_bus_add_devices, pci_create_root_bus, pci_scan_child_bus } from './probe.ts';
import { pci_assign_unassigned_resources, pci_bus_claim_resources } from './setup-bus.ts';

/** Initialisation of the PCI core on x86 (arch/x86/pci/{init,direct,mmconfig-shared,legacy}.c, v6.11). */

/** pci_direct_probe: is configuration mechanism 1 there? */
function pci_check_type1(kernel: Kernel): boolean {
  const { bus } = kernel.cpu;
  const old = bus.inp(0xcf8, 4);
  bus.outp(0xcf8, 4, 0x80000000);
  const works = bus.inp(0xcf8, 4) === 0x80000000;
  bus.outp(0xcf8, 4, old);
  return works;
}

/** pci_mmcfg_early_init: ECAM windows from MCFG. */
function pci_mmcfg_init(kernel: Kernel): void {
  const mcfg = acpi_get_table(kernel, 'MCFG');
  if (!mcfg) return;
  const view = viewOf(mcfg);
  for (let at = 44; at + 16 <= mcfg.length; at += 16) {
    const address = view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
    const segment = view.getUint16(at + 8, true);
    const start_bus = view.getUint8(at + 10);
    const end_bus = view.getUint8(at + 11);
    kernel.get(PCI).mmcfg.push({ segment, start_bus, end_bus, address });
    const first = address + start_bus * 0x100000;
    const last = address + (end_bus + 1) * 0x100000 - 1;
    const buses = `[bus ${hex(start_bus, 2)}-${hex(end_bus, 2)}]`;
    kernel.printk(
      6,
      `PCI: ECAM [mem 0x${hex(first, 8)}-0x${hex(last, 8)}] (base 0x${hex(address, 8)}) for domain ${hex(segment, 4)} ${buses}`,
    );
    const e820 = kernel.boot.e820.some((e) => e.type === 'reserved' && e.start <= first && e.start + e.size > last);
    if (e820) kernel.printk(6, `PCI: ECAM [mem 0x${hex(first, 8)}-0x${hex(last, 8)}] reserved as E820 entry`);
  }
}

/** pci_mmcfg_late_insert_resources: the windows enter the tree after the e820 reservations. */
function pci_mmcfg_late_insert_resources(kernel: Kernel): number {
  for (const { segment, start_bus, end_bus, address } of kernel.get(PCI).mmcfg) {
    const name = `PCI ECAM ${hex(segment, 4)} [bus ${hex(start_bus, 2)}-${hex(end_bus, 2)}]`;
    const res = kernel.iomem.make(name, address + start_bus * 0x100000, address + (end_bus + 1) * 0x100000 - 1);
    kernel.iomem.insert_resource(kernel.iomem.root, res);
  }
  return 0;
}

function pci_arch_init(kernel: Kernel): number {
  pci_driver_init(kernel);
  const state = kernel.get(PCI);
  state.conf1 = pci_check_type1(kernel);
  pci_mmcfg_init(kernel);
  if (state.conf1) kernel.printk(6, 'PCI: Using configuration type 1 for base access');
  else if (state.mmcfg.length === 0) kernel.printk(3, 'PCI: Fatal: No config space access function found');
  return 0;
}

/** pci_subsys_init → pci_legacy_init: only where ACPI found no host bridge. */
function pci_subsys_init(kernel: Kernel): number {
  const state = kernel.get(PCI);
  if (state.roots.length > 0 || (!state.conf1 && state.mmcfg.length === 0)) return 0;
  if (pci_bus_read_config(kernel, 0, 0, 0, 4) === 0xffffffff) {
    kernel.printk(6, 'PCI: System does not support PCI');
    return 0;
  }
  kernel.printk(6, 'PCI: Probing PCI hardware');
  const whole = { start: 0, end: 2 ** 46 - 1, flags: 0x200, res: kernel.iomem.root };
  const bus = pci_create_root_bus(kernel, 0, 0, 0xff, [], false);
  bus.resources.push(whole);
  pci_scan_child_bus(bus);
  pci_bus_claim_resources(bus);
  pci_assign_unassigned_resources(bus);
  pci_bus_add_devices(bus);
  return 0;
}

export const pci_modules: readonly ModuleDef[] = [
  { name: 'pci', config: 'PCI', dir: 'drivers/pci', size: 0, initcall: 3, init: pci_arch_init },
  { name: 'pci-subsys', config: 'PCI', dir: 'drivers/pci', size: 0, initcall: 5, init: pci_subsys_init },
  {
    name: 'pcieportdrv',
    config: 'PCIEPORTBUS',
    dir: 'drivers/pci/pcie',
    size: 0,
    initcall: 6,
    init: pcie_portdrv_init,
  },
  {
    name: 'pci-mmcfg',
    config: 'PCI',
    dir: 'drivers/pci',
    size: 0,
    initcall: 7,
    init: pci_mmcfg_late_insert_resources,
  },
];
