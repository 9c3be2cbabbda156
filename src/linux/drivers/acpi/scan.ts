import { hex } from '../../../base/addr.ts';
import { ACPI, AcpiDevice } from '../../include/acpi.ts';
import type { AttributeGroup, Device } from '../../include/device.ts';
import type { Kernel } from '../../include/kernel.ts';
import { AmlNode, type AmlValue, acpi_ns_load_table, eisa_id } from './aml.ts';
import { acpi_pci_roots_add, is_pci_root } from './pci_root.ts';
import { link_physical, PlatformDevice, platform_bus_init } from './platform.ts';
import { acpi_boot_table_init, acpi_tables_sysfs_init } from './tables.ts';

/**
 * ACPI devices from the namespace (drivers/acpi/{bus,scan,device_sysfs}.c, v6.11). Leaves out hotplug, power and
 * everything a method would have to compute; such devices show the values their names carry as constants.
 */

const acpi = (dev: Device): AcpiDevice | null => (dev instanceof AcpiDevice ? dev : null);

/** ACPI device status: present, enabled, shown, functioning unless _STA says otherwise. */
function status(dev: AcpiDevice): number {
  return dev.node?.integer('_STA') ?? 0xf;
}

function modalias(dev: AcpiDevice): string {
  return dev.hid === null ? '' : `acpi:${[dev.hid, ...dev.cids].join(':')}:`;
}

const groups: readonly AttributeGroup[] = [
  {
    attrs: [
      { name: 'path', mode: 0o444, show: (dev) => `${acpi(dev)?.path}\n` },
      { name: 'hid', mode: 0o444, show: (dev) => `${acpi(dev)?.hid}\n` },
      { name: 'uid', mode: 0o444, show: (dev) => `${acpi(dev)?.uid}\n` },
      { name: 'adr', mode: 0o444, show: (dev) => `0x${hex(acpi(dev)?.adr ?? 0, 8)}\n` },
      {
        name: 'status',
        mode: 0o444,
        show: (dev) => {
          const device = acpi(dev);
          return `${device ? status(device) : 0}\n`;
        },
      },
      {
        name: 'modalias',
        mode: 0o444,
        show: (dev) => {
          const device = acpi(dev);
          return `${device ? modalias(device) : ''}\n`;
        },
      },
    ],
    is_visible(dev, attr) {
      const device = acpi(dev);
      const has =
        attr.name === 'path'
          ? device?.node
          : attr.name === 'hid' || attr.name === 'modalias'
            ? device?.hid !== null
            : attr.name === 'uid'
              ? device?.uid !== null
              : attr.name === 'adr'
                ? device?.adr !== null
                : device?.node?.names.has('_STA') || device?.node?.methods.has('_STA');
      return has ? attr.mode : 0;
    },
  },
];

/** An id as text: EISA ids are compressed into integers. */
function id_text(value: AmlValue | undefined): string | null {
  if (typeof value === 'number') return eisa_id(value);
  return typeof value === 'string' ? value : null;
}

function uid_text(value: AmlValue | undefined): string | null {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? value : null;
}

class Scanner {
  private readonly instances = new Map<string, number>();

  constructor(private readonly kernel: Kernel) {}

  private add(
    parent: Device | null,
    hid: string | null,
    cids: readonly string[],
    uid: string | null,
    adr: number | null,
    node: AmlNode | null,
  ): AcpiDevice {
    const stem = hid ?? 'device';
    const n = this.instances.get(stem) ?? 0;
    this.instances.set(stem, n + 1);
    const name = `${stem}:${hex(n, 2).toUpperCase()}`;
    const dev = new AcpiDevice(this.kernel, name, parent, groups, hid, cids, uid, adr, node?.path ?? '', node);
    this.kernel.get(ACPI).devices.push(dev);
    this.kernel.drivers.device_add(dev);
    return dev;
  }

  scan(root: AmlNode): void {
    const system = this.add(null, 'LNXSYSTM', [], null, null, root);
    for (const node of root.children) {
      if (node.segment !== '_SB_') continue;
      const bus = this.add(system, 'LNXSYBUS', [], null, null, node);
      this.walk(node, bus);
    }
  }

  private walk(node: AmlNode, parent: AcpiDevice): void {
    for (const child of node.children) {
      let here = parent;
      if (child.kind !== 'scope') {
        const sta = child.integer('_STA');
        if (sta !== null && (sta & 0x9) === 0) continue;
        const hid = child.kind === 'processor' ? 'LNXCPU' : id_text(child.evaluate('_HID'));
        const cid = child.evaluate('_CID');
        const cids = (Array.isArray(cid) ? cid : cid === undefined ? [] : [cid]).flatMap(
          (value: AmlValue) => id_text(value) ?? [],
        );
        here = this.add(parent, hid, cids, uid_text(child.evaluate('_UID')), child.integer('_ADR'), child);
      }
      this.walk(child, here);
    }
  }
}

/** acpi_init + acpi_scan_init: namespace, devices, PCI roots, platform devices. Without tables only a line is printed. */
export function acpi_init(kernel: Kernel): number {
  acpi_boot_table_init(kernel);
  const state = kernel.get(ACPI);
  kernel.drivers.bus_register({
    name: 'acpi',
    match: () => false,
    uevent: (dev): Record<string, string> => {
      const device = acpi(dev);
      return device?.hid ? { MODALIAS: modalias(device) } : {};
    },
  });
  platform_bus_init(kernel);
  const aml = state.tables.filter(({ signature }) => signature === 'DSDT' || signature === 'SSDT');
  if (aml.length === 0) {
    kernel.printk(6, 'ACPI: Interpreter disabled.');
    return 0;
  }
  const root = new AmlNode('', null);
  for (const name of ['_GPE', '_PR_', '_SB_', '_SI_', '_TZ_']) root.child(name);
  for (const { bytes } of aml) acpi_ns_load_table(root, bytes);
  state.root = root;
  kernel.printk(6, `ACPI: ${aml.length} ACPI AML tables successfully acquired and loaded`);
  kernel.printk(6, 'ACPI: Interpreter enabled');
  const sleep = ['_S3_', '_S4_', '_S5_'].filter((name) => root.names.has(name)).map((name) => ` ${name.slice(1, 3)}`);
  kernel.printk(6, `ACPI: PM: (supports S0${sleep.join('')})`);
  if (state.tables.some(({ signature }) => signature === 'APIC'))
    kernel.printk(6, 'ACPI: Using IOAPIC for interrupt routing');
  acpi_tables_sysfs_init(kernel);
  new Scanner(kernel).scan(root);
  acpi_pci_roots_add(kernel, state.devices.filter(is_pci_root));
  const platform = platform_bus_init(kernel);
  for (const dev of state.devices) {
    if (dev.hid === null || dev.hid.startsWith('LNX') || is_pci_root(dev) || dev.physical_node) continue;
    if (!PLATFORM_HIDS.has(dev.hid)) continue;
    const pdev = new PlatformDevice(kernel, dev.name, platform, modalias(dev));
    dev.physical_node = pdev;
    kernel.drivers.device_add(pdev);
    link_physical(kernel, dev, pdev);
  }
  return 0;
}

/** Namespace objects that get a platform device here; the others (PNP, links, processors) stay plain ACPI devices. */
const PLATFORM_HIDS = new Set(['ACPI0017']);
