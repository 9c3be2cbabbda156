import { hex, toBigInt } from '../../../base/addr.ts';
import { viewOf } from '../../../base/bytes.ts';
import { acpi_get_table } from '../../include/acpi.ts';
import type { Kernel } from '../../include/kernel.ts';
import { SubsystemKey } from '../../include/kernel.ts';
import type { ModuleDef } from '../../include/module.ts';
import { PCI_EXT_CAP_ID_ACS, type PciBus, type PciDev } from '../../include/pci_types.ts';
import { pci_read_config_word, pci_write_config_word } from '../pci/access.ts';
import { pci_find_ext_capability } from '../pci/pci.ts';
import { pci_for_each_dev } from '../pci/search.ts';

/**
 * IOMMU groups (drivers/iommu/{iommu,intel/dmar,intel/iommu}.c, v6.11): who may be isolated from whom, from PCIe topology
 * and ACS. Leaves out translation itself (DMA is not modelled), so page tables and invalidation queues are absent.
 */

interface IommuState {
  /** Devices of each group by id. */
  readonly groups: Map<number, PciDev[]>;
}
export const IOMMU = new SubsystemKey<IommuState>('iommu');

/** Source validation, request and completion redirect, upstream forwarding. */
const REQ_ACS_FLAGS = 0x1d;

/** pci_enable_acs: done for every port once an IOMMU is in use. */
function pci_enable_acs(dev: PciDev): void {
  const pos = pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS);
  if (!pos) return;
  const cap = pci_read_config_word(dev, pos + 4);
  const ctrl = pci_read_config_word(dev, pos + 6);
  pci_write_config_word(dev, pos + 6, ctrl | (cap & REQ_ACS_FLAGS));
}

/** pci_acs_flags_enabled: bits that the capability lacks do not count as needed. */
function pci_acs_flags_enabled(dev: PciDev): boolean {
  const pos = pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS);
  if (!pos) return false;
  const cap = pci_read_config_word(dev, pos + 4);
  const want = REQ_ACS_FLAGS & (cap | 0x20);
  return (pci_read_config_word(dev, pos + 6) & want) === want;
}

/** pci_acs_enabled */
function pci_acs_enabled(dev: PciDev): boolean {
  if (!dev.pcie_cap) return false;
  if (dev.pcie_type === 4 || dev.pcie_type === 6) return pci_acs_flags_enabled(dev);
  if (dev.pcie_type === 7 || dev.pcie_type === 8) return false;
  return dev.multifunction ? pci_acs_flags_enabled(dev) : true;
}

/** pci_acs_path_enabled from this function up to the root bus. */
function pci_acs_path_enabled(start: PciDev): boolean {
  for (let dev: PciDev | null = start; dev; dev = dev.pci_bus.self) if (!pci_acs_enabled(dev)) return false;
  return true;
}

/** pci_device_group: an existing group it must share, or null. */
function pci_device_group(dev: PciDev): number | null {
  for (let bus: PciBus | null = dev.pci_bus; bus?.self; bus = bus.parent) {
    if (pci_acs_path_enabled(bus.self)) break;
    if (bus.self.iommu_group !== null) return bus.self.iommu_group;
  }
  // a function without its own isolation shares with the others of its slot
  if (dev.multifunction && !pci_acs_enabled(dev))
    for (const other of dev.pci_bus.devices)
      if (other !== dev && other.devfn >> 3 === dev.devfn >> 3 && other.iommu_group !== null && !pci_acs_enabled(other))
        return other.iommu_group;
  return null;
}

/** ida_alloc: the lowest number no group has. */
function freeGroup(state: IommuState): number {
  let id = 0;
  while (state.groups.has(id)) id++;
  return id;
}

/** iommu_probe_device: nothing without an IOMMU. */
export function iommu_probe_device(dev: PciDev): void {
  const { kernel } = dev;
  if (!kernel.has(IOMMU) || dev.iommu_group !== null) return;
  pci_enable_acs(dev);
  const state = kernel.get(IOMMU);
  const shared = pci_device_group(dev);
  const id = shared ?? freeGroup(state);
  const path = `kernel/iommu_groups/${id}`;
  if (shared === null) {
    state.groups.set(id, []);
    kernel.drivers.kobject_dir(`${path}/devices`);
    kernel.drivers.kobject_attr(path, { name: 'type', mode: 0o644, show: () => 'DMA-FQ\n', store: () => -22 });
    kernel.drivers.kobject_attr(path, {
      name: 'reserved_regions',
      mode: 0o444,
      show: () => '0x00000000fee00000 0x00000000feefffff msi\n',
    });
  }
  state.groups.get(id)?.push(dev);
  dev.iommu_group = id;
  dev.info(`Adding to iommu group ${id}`);
  if (dev.registered) iommu_group_add_links(dev);
}

/** The links both ways; the device must be in sysfs. */
export function iommu_group_add_links(dev: PciDev): void {
  if (dev.iommu_group === null) return;
  const path = `kernel/iommu_groups/${dev.iommu_group}`;
  dev.kernel.drivers.kobject_link(`${path}/devices/${dev.name}`, dev.sysfs);
  dev.kernel.drivers.sysfs_create_link(dev, `/${path}`, 'iommu_group');
}

/** iommu_release_device: leaves its group; an empty group goes. */
export function iommu_release_device(dev: PciDev): void {
  const { kernel, iommu_group: id } = dev;
  if (id === null) return;
  const members = kernel.get(IOMMU).groups.get(id) ?? [];
  members.splice(members.indexOf(dev), 1);
  dev.info(`Removing from iommu group ${id}`);
  kernel.drivers.kobject_remove(`kernel/iommu_groups/${id}${members.length ? `/devices/${dev.name}` : ''}`);
  if (members.length === 0) kernel.get(IOMMU).groups.delete(id);
  dev.iommu_group = null;
}

/** Devices of a group (iommu_group_for_each_dev). */
export function iommu_group_devices(kernel: Kernel, id: number): readonly PciDev[] {
  return kernel.has(IOMMU) ? (kernel.get(IOMMU).groups.get(id) ?? []) : [];
}

/** dmar_table_init + intel_iommu_init: parses DMAR, looks at each unit's registers, makes the groups. */
function intel_iommu_init(kernel: Kernel): number {
  const dmar = acpi_get_table(kernel, 'DMAR');
  const option = kernel.param('intel_iommu')?.split(',')[0];
  const on = option === 'on' || (option === undefined && kernel.config('INTEL_IOMMU_DEFAULT_ON') !== 'n');
  if (option === 'on') kernel.printk(6, 'DMAR: IOMMU enabled');
  else if (option === 'off') kernel.printk(6, 'DMAR: IOMMU disabled');
  if (!dmar) return 0;
  const view = viewOf(dmar);
  kernel.printk(6, `DMAR: Host address width ${(dmar[36] ?? 0) + 1}`);
  let units = 0;
  for (let at = 48; at + 4 <= dmar.length; ) {
    const type = view.getUint16(at, true);
    const length = view.getUint16(at + 2, true);
    if (length < 4) {
      kernel.printk(4, `DMAR: Invalid 0-length structure`);
      break;
    }
    if (type === 0) {
      const base = view.getUint32(at + 12, true) * 0x1_0000_0000 + view.getUint32(at + 8, true);
      kernel.printk(6, `DMAR: DRHD base: 0x${hex(base, 14)} flags: 0x${hex(dmar[at + 4] ?? 0)}`);
      if (init_unit(kernel, units, base)) units++;
    }
    at += length;
  }
  if (!on || units === 0) return 0;
  kernel.printk(6, 'DMAR: No RMRR found');
  kernel.printk(6, 'DMAR: No ATSR found');
  kernel.printk(6, 'DMAR: dmar0: Using Queued invalidation');
  kernel.set(IOMMU, { groups: new Map() });
  kernel.drivers.kobject_dir('kernel/iommu_groups');
  pci_for_each_dev(kernel, (dev) => {
    iommu_probe_device(dev);
    return false;
  });
  kernel.printk(6, 'DMAR: Intel(R) Virtualization Technology for Directed I/O');
  return 0;
}

/** alloc_iommu: reads version and capabilities; refuses a unit that answers nothing. */
function init_unit(kernel: Kernel, n: number, base: number): boolean {
  const { mmio } = kernel;
  const read = (offset: number): string => {
    const lo = mmio.readq(base + offset);
    return toBigInt(mmio.hi, lo).toString(16);
  };
  const cap = read(8);
  const ecap = read(0x10);
  const ver = mmio.readl(base);
  if (cap === 'ffffffffffffffff' && ecap === 'ffffffffffffffff') {
    kernel.printk(4, `DMAR: [Firmware Bug]: DMAR: BIOS: DMAR reported at address 0x${hex(base)} returns all ones!`);
    return false;
  }
  kernel.printk(
    6,
    `DMAR: dmar${n}: reg_base_addr ${hex(base)} ver ${(ver >> 4) & 0xf}:${ver & 0xf} cap ${cap} ecap ${ecap}`,
  );
  return true;
}

export const iommu_modules: readonly ModuleDef[] = [
  {
    name: 'intel-iommu',
    config: 'INTEL_IOMMU',
    dir: 'drivers/iommu/intel',
    size: 0,
    initcall: 5,
    init: intel_iommu_init,
  },
];
