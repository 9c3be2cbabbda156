import { hex } from '../../../base/addr.ts';
import { viewOf } from '../../../base/bytes.ts';
import { type AcpiDevice, acpi_get_table } from '../../include/acpi.ts';
import type { Kernel } from '../../include/kernel.ts';
import { IORESOURCE_IO, IORESOURCE_MEM, IORESOURCE_PREFETCH, PCI, type PciResource } from '../../include/pci_types.ts';
import { pci_driver_init } from '../pci/pci-driver.ts';
import { pci_bus_add_devices, pci_create_root_bus, pci_scan_child_bus } from '../pci/probe.ts';
import { pci_assign_unassigned_resources, pci_bus_claim_resources } from '../pci/setup-bus.ts';
import { link_physical } from './platform.ts';
import { acpi_walk_resources } from './resources.ts';
import { acpi_first_window_node } from './tables.ts';

/**
 * PCI and CXL host bridges of the namespace (drivers/acpi/pci_root.c, v6.11): bus range and windows from _CRS, _OSC
 * negotiation, root bus creation. The _OSC method itself is not run: the mask it applies is read out of its AML.
 */

export function is_pci_root(dev: AcpiDevice): boolean {
  return [dev.hid, ...dev.cids].some((id) => id === 'PNP0A03' || id === 'PNP0A08');
}

const CONTROL = ['PCIeHotplug', 'SHPCHotplug', 'PME', 'AER', 'PCIeCapability', 'LTR'];

/** Names of the set bits, as decode_osc_bits prints them. */
function names(bits: number): string {
  return CONTROL.filter((_, n) => bits & (1 << n)).join(' ');
}

/** The constant in `Local0 & constant` inside the method's body, or null. */
function osc_mask(body: Uint8Array | undefined): number | null {
  if (!body) return null;
  for (let at = 0; at + 3 < body.length; at++)
    if (body[at] === 0x7b && body[at + 1] === 0x60 && body[at + 2] === 0x0a) return body[at + 3] as number;
  return null;
}

/** negotiate_os_control. Gives the granted PCIe control bits. */
function negotiate_os_control(dev: AcpiDevice): number {
  const mask = osc_mask(dev.node?.methods.get('_OSC'));
  const cxl = dev.hid === 'ACPI0016' && dev.kernel.config('CXL_BUS') !== 'n';
  dev.info('_OSC: OS supports [ExtendedConfig ASPM ClockPM Segments MSI HPX-Type3]');
  if (mask === null) {
    dev.info('_OSC: platform retains control of PCIe features (AE_NOT_FOUND)');
    return 0;
  }
  // the kernel prints into an 80-byte buffer, which cuts "CXLNativeHotPlug"
  if (cxl)
    dev.info('_OSC: OS supports [CXL11PortRegAccess CXL20PortDevRegAccess CXLProtocolErrorReporting CXLNativeHot]');
  const want = 0x3f;
  const granted = want & mask;
  if (granted !== want) dev.info(`_OSC: platform does not support [${names(want & ~granted)}]`);
  dev.info(`_OSC: OS now controls [${names(granted)}]`);
  if (cxl) dev.info('_OSC: OS now controls [CXLMemErrorReporting]');
  return granted;
}

/** More than one NUMA node: here, because CXL windows outside SRAT each get one. */
function has_window_nodes(kernel: Kernel): boolean {
  const cedt = acpi_get_table(kernel, 'CEDT');
  if (!cedt || acpi_first_window_node(kernel) === null) return false;
  const view = viewOf(cedt);
  for (let at = 36; at + 4 <= cedt.length; at += view.getUint16(at + 2, true) || cedt.length)
    if (view.getUint8(at) === 1) return true;
  return false;
}

/** acpi_pci_root_add for every host bridge, then the resource survey over all of them. */
export function acpi_pci_roots_add(kernel: Kernel, bridges: readonly AcpiDevice[]): void {
  pci_driver_init(kernel);
  for (const dev of bridges) acpi_pci_root_add(kernel, dev);
  const { roots } = kernel.get(PCI);
  for (const root of roots) pci_bus_claim_resources(root);
  for (const root of roots) pci_assign_unassigned_resources(root);
  for (const root of roots) pci_bus_add_devices(root);
}

function acpi_pci_root_add(kernel: Kernel, dev: AcpiDevice): void {
  const segment = dev.node?.integer('_SEG') ?? 0;
  const crs = dev.node?.evaluate('_CRS');
  const resources = crs instanceof Uint8Array ? acpi_walk_resources(crs) : [];
  const range = resources.find((res) => res.type === 'bus');
  const start = range?.start ?? dev.node?.integer('_BBN') ?? 0;
  const end = range?.end ?? 0xff;
  const two = (bus: number) => hex(bus, 2);
  kernel.printk(
    6,
    `ACPI: PCI Root Bridge [${(dev.node?.segment ?? '').replace(/_+$/, '')}] (domain ${hex(segment, 4)} [bus ${two(start)}-${two(end)}])`,
  );
  negotiate_os_control(dev);
  const windows: PciResource[] = resources
    .filter(
      (res) => res.producer && res.length > 0 && res.end >= res.start && (res.type === 'mem' || res.type === 'io'),
    )
    .map((res) => ({
      start: res.start,
      end: res.end,
      flags: res.type === 'io' ? IORESOURCE_IO : IORESOURCE_MEM | (res.prefetch ? IORESOURCE_PREFETCH : 0),
      res: null,
    }));
  const bus = pci_create_root_bus(kernel, segment, start, end, windows, has_window_nodes(kernel));
  link_physical(kernel, dev, bus.bridge);
  pci_scan_child_bus(bus);
}
