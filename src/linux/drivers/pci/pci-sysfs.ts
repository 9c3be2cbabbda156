import { hex } from '../../../base/addr.ts';
import { viewOf } from '../../../base/bytes.ts';
import { E } from '../../../base/errno.ts';
import type { Attribute, AttributeGroup, BinAttribute, Device } from '../../include/device.ts';
import {
  IORESOURCE_PREFETCH,
  PCI_BRIDGE_RESOURCES,
  PCI_EXP_LNKCAP,
  PCI_EXP_LNKSTA,
  type PciDev,
} from '../../include/pci_types.ts';
import { locked } from '../base/dd.ts';
import {
  pci_read_config_byte,
  pci_read_config_dword,
  pci_read_config_word,
  pci_write_config_byte,
  pci_write_config_dword,
  pci_write_config_word,
  pcie_capability_read_dword,
  pcie_capability_read_word,
} from './access.ts';
import { pci_disable_device, pci_enable_device, pci_modalias, pci_resource_len } from './pci.ts';
import { pci, ro } from './pci-attr.ts';
import { pcie_groups } from './pcie/port-sysfs.ts';
import { pci_lock_rescan_remove, pci_scan_rescan, pci_stop_and_remove_bus_device_locked } from './probe.ts';
import { pci_reset_function, pci_reset_methods, reset_method_store } from './reset.ts';

/**
 * Files of a PCI function in sysfs (drivers/pci/pci-sysfs.c, v6.11). Leaves out ROM contents, SR-IOV,
 * power management and VPD; `resourceN` has its size but no mmap.
 */

const SPEEDS = [
  'Unknown',
  '2.5 GT/s PCIe',
  '5.0 GT/s PCIe',
  '8.0 GT/s PCIe',
  '16.0 GT/s PCIe',
  '32.0 GT/s PCIe',
  '64.0 GT/s PCIe',
];
const speed = (bits: number) => SPEEDS[bits & 0xf] ?? 'Unknown';

/** resource_show: 13 lines, 17 for a bridge. */
function resource_show(dev: Device): string {
  const device = pci(dev);
  const count = device.is_bridge ? 17 : PCI_BRIDGE_RESOURCES;
  const word = (value: number) => `0x${hex(value, 16)}`;
  return device.resource
    .slice(0, count)
    .map((r) => (r.flags ? `${word(r.start)} ${word(r.end)} ${word(r.flags)}\n` : `${word(0)} ${word(0)} ${word(0)}\n`))
    .join('');
}

/** Accepts what kstrtoul does for 0 and 1. */
function flag(text: string): number {
  const value = text.trim();
  return /^\d+$/.test(value) ? Number(value) : -E.EINVAL;
}

const cpu_mask = (dev: PciDev) => hex(2 ** dev.kernel.cpu.count - 1);
const cpu_list = (dev: PciDev) => (dev.kernel.cpu.count > 1 ? `0-${dev.kernel.cpu.count - 1}` : '0');

const standard: readonly Attribute[] = [
  ro('vendor', (dev) => `0x${hex(dev.vendor, 4)}`),
  ro('device', (dev) => `0x${hex(dev.device, 4)}`),
  ro('subsystem_vendor', (dev) => `0x${hex(dev.subsystem_vendor, 4)}`),
  ro('subsystem_device', (dev) => `0x${hex(dev.subsystem_device, 4)}`),
  ro('revision', (dev) => `0x${hex(dev.revision, 2)}`),
  ro('class', (dev) => `0x${hex(dev.class_code, 6)}`),
  ro('irq', (dev) => String(dev.irq)),
  ro('local_cpus', cpu_mask),
  ro('local_cpulist', cpu_list),
  ro('modalias', pci_modalias),
  ro('power_state', () => 'D0'),
  ro('ari_enabled', () => '0'),
  ro('dma_mask_bits', () => '32'),
  ro('consistent_dma_mask_bits', () => '32'),
  { name: 'resource', mode: 0o444, show: resource_show },
  {
    name: 'numa_node',
    mode: 0o644,
    show: () => '-1\n',
    store: (_dev, text) => (text.trim() === '-1' ? 0 : -E.EINVAL),
  },
  {
    name: 'broken_parity_status',
    mode: 0o644,
    show: () => '0\n',
    store: (_dev, text) => Math.min(0, flag(text)),
  },
  { name: 'msi_bus', mode: 0o644, show: () => '1\n', store: (_dev, text) => Math.min(0, flag(text)) },
  { name: 'd3cold_allowed', mode: 0o644, show: () => '0\n', store: (_dev, text) => Math.min(0, flag(text)) },
  {
    name: 'enable',
    mode: 0o644,
    show: (dev) => `${pci(dev).enable_cnt}\n`,
    store(dev, text) {
      const value = flag(text);
      if (value < 0) return value;
      const device = pci(dev);
      if (dev.driver) return -E.EBUSY;
      if (value) return pci_enable_device(device);
      if (!device.enable_cnt) return -E.EIO;
      pci_disable_device(device);
      return 0;
    },
  },
  {
    name: 'driver_override',
    mode: 0o644,
    show: (dev) => `${dev.driver_override ?? '(null)'}\n`,
    store: (dev, text) =>
      locked(dev, 'driver_set_override', () => {
        dev.driver_override = text === '' ? null : text;
        dev.kernel.drivers.publish(dev);
        return 0;
      }),
  },
  {
    name: 'remove',
    mode: 0o220,
    store(dev, text) {
      const value = flag(text);
      if (value < 0) return value;
      if (!value) return 0;
      // device_remove_file_self(): nobody finds the file a second time while this one waits.
      dev.kernel.drivers.device_remove_file(dev, 'remove');
      return pci_stop_and_remove_bus_device_locked(pci(dev));
    },
  },
  {
    name: 'rescan',
    mode: 0o200,
    store(dev, text) {
      const value = flag(text);
      if (value < 0) return value;
      if (!value) return 0;
      return pci_lock_rescan_remove(dev.kernel, () => {
        pci_scan_rescan(pci(dev).pci_bus.root);
        return 0;
      });
    },
  },
];

const bridge: readonly Attribute[] = [
  ro('secondary_bus_number', (dev) => String(pci_read_config_byte(dev, 0x19))),
  ro('subordinate_bus_number', (dev) => String(pci_read_config_byte(dev, 0x1a))),
];

const link: readonly Attribute[] = [
  ro('max_link_speed', (dev) => speed(pcie_capability_read_dword(dev, PCI_EXP_LNKCAP))),
  ro('max_link_width', (dev) => String((pcie_capability_read_dword(dev, PCI_EXP_LNKCAP) >> 4) & 0x3f)),
  ro('current_link_speed', (dev) => speed(pcie_capability_read_word(dev, PCI_EXP_LNKSTA))),
  ro('current_link_width', (dev) => String((pcie_capability_read_word(dev, PCI_EXP_LNKSTA) >> 4) & 0x3f)),
];

const reset: readonly Attribute[] = [
  {
    name: 'reset',
    mode: 0o200,
    store: (dev, text) =>
      flag(text) === 1 ? locked(dev, 'pci_reset_function', () => pci_reset_function(pci(dev))) : -E.EINVAL,
  },
  {
    name: 'reset_method',
    mode: 0o644,
    show: (dev) => `${(pci(dev).reset_methods ?? pci_reset_methods(pci(dev))).join(' ')}\n`,
    store: (dev, text) => reset_method_store(pci(dev), text),
  },
];

/** pci_read_config: odd bytes, then words, then dwords, then the rest, each one config cycle. */
function pci_read_config(dev: Device, offset: number, into: Uint8Array): number {
  const device = pci(dev);
  const length = Math.max(0, Math.min(into.length, device.cfg_size - offset));
  const view = viewOf(into);
  let n = 0;
  while (n < length) {
    const at = offset + n;
    const left = length - n;
    if (!(at & 3) && left >= 4) {
      view.setUint32(n, pci_read_config_dword(device, at), true);
      n += 4;
    } else if (!(at & 1) && left >= 2) {
      view.setUint16(n, pci_read_config_word(device, at), true);
      n += 2;
    } else into[n++] = pci_read_config_byte(device, at);
  }
  return length;
}

/** pci_write_config: the same split. */
function pci_write_config(dev: Device, offset: number, from: Uint8Array): number {
  const device = pci(dev);
  const length = Math.max(0, Math.min(from.length, device.cfg_size - offset));
  const view = viewOf(from);
  let n = 0;
  while (n < length) {
    const at = offset + n;
    const left = length - n;
    if (!(at & 3) && left >= 4) {
      pci_write_config_dword(device, at, view.getUint32(n, true));
      n += 4;
    } else if (!(at & 1) && left >= 2) {
      pci_write_config_word(device, at, view.getUint16(n, true));
      n += 2;
    } else pci_write_config_byte(device, at, from[n++] as number);
  }
  return length;
}

const config: BinAttribute = {
  name: 'config',
  mode: 0o644,
  size: (dev) => pci(dev).cfg_size,
  read: pci_read_config,
  write: pci_write_config,
};

/** resource0…5 and their write-combining twins for prefetchable BARs. */
const bars: readonly BinAttribute[] = [0, 1, 2, 3, 4, 5].flatMap((n) =>
  ['', '_wc'].map((suffix) => ({
    name: `resource${n}${suffix}`,
    mode: 0o600,
    size: (dev: Device) => pci_resource_len(pci(dev), n),
    // memory BARs are there to be mapped
    read: () => -E.EIO,
  })),
);

export const pci_dev_groups: readonly AttributeGroup[] = [
  { attrs: standard },
  { attrs: [config] },
  {
    attrs: bars,
    is_visible(dev, attr) {
      const r = pci(dev).resource[Number(attr.name[8])];
      if (!r?.flags || (attr.name.endsWith('_wc') && !(r.flags & IORESOURCE_PREFETCH))) return 0;
      return attr.mode;
    },
  },
  { attrs: bridge, is_visible: (dev, attr) => (pci(dev).is_bridge ? attr.mode : 0) },
  { attrs: link, is_visible: (dev, attr) => (pci(dev).pcie_cap ? attr.mode : 0) },
  ...pcie_groups,
  { attrs: reset, is_visible: (dev, attr) => (pci_reset_methods(pci(dev)).length > 0 ? attr.mode : 0) },
];
