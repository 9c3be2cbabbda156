/** Properties every PCI device has (hw/pci/pci.c pci_props), in the order `info qtree` prints them. */
import type { PropertySpec } from './property.ts';

export const PCI_PROPERTIES: readonly PropertySpec[] = [
  { name: 'addr', kind: 'devfn', value: -1, description: 'Slot and optional function number, example: 06.0 or 06' },
  { name: 'romfile', kind: 'string', value: null },
  { name: 'romsize', kind: 'uint32', value: 0xffffffff },
  { name: 'rombar', kind: 'int32', value: -1 },
  { name: 'multifunction', kind: 'bool', value: false },
  { name: 'x-pcie-lnksta-dllla', kind: 'bool', value: true },
  { name: 'x-pcie-extcap-init', kind: 'bool', value: true },
  { name: 'failover_pair_id', kind: 'string', value: null },
  { name: 'acpi-index', kind: 'uint32', value: 0 },
  { name: 'x-pcie-err-unc-mask', kind: 'bool', value: true },
  { name: 'x-pcie-ari-nextfn-1', kind: 'bool', value: false },
  { name: 'x-max-bounce-buffer-size', kind: 'size', value: 4096 },
  { name: 'x-pcie-ext-tag', kind: 'bool', value: true },
  { name: 'busnr', kind: 'uint8', value: 0 },
];

/** Properties of all PCI Express ports (pcie_slot, pcie_port), after the type's own. */
export const PCIE_PORT_PROPERTIES: readonly PropertySpec[] = [
  { name: 'power_controller_present', kind: 'bool', value: true },
  { name: 'disable-acs', kind: 'bool', value: false },
  { name: 'chassis', kind: 'uint8', value: 0 },
  { name: 'slot', kind: 'uint16', value: 0 },
  { name: 'hotplug', kind: 'bool', value: true },
  { name: 'x-do-not-expose-native-hotplug-cap', kind: 'bool', value: false },
  { name: 'port', kind: 'uint8', value: 0 },
  { name: 'aer_log_max', kind: 'uint16', value: 8 },
  { name: 'x-pci-express-writeable-slt-bug', kind: 'bool', value: false },
];

const SPEEDS = ['2_5', '5', '8', '16', '32', '64'];
const WIDTHS = ['1', '2', '4', '8', '12', '16', '32'];
const reserve = (name: string): PropertySpec => ({
  name,
  kind: 'size',
  value: 2 ** 64,
  qtreeText: '18446744073709551615 (16 EiB)',
});
export const linkSpeed = (value: string): PropertySpec => ({ name: 'x-speed', kind: 'enum', value, words: SPEEDS });
export const linkWidth = (value: string): PropertySpec => ({ name: 'x-width', kind: 'enum', value, words: WIDTHS });
export const RESERVE_PROPERTIES: readonly PropertySpec[] = [
  { name: 'bus-reserve', kind: 'uint32', value: 0xffffffff },
  ...['io-reserve', 'mem-reserve', 'pref32-reserve', 'pref64-reserve'].map(reserve),
];

/** `sn=` of CXL devices: all ones mean none. */
export const SERIAL_NUMBER: PropertySpec = {
  name: 'sn',
  kind: 'uint64',
  value: 2 ** 64,
  qtreeText: '-1 (0xffffffffffffffff)',
};

/** The lab's own: `silicon=strict` gives the specification's rules of committing and locking instead of QEMU's. */
export const SILICON: PropertySpec = {
  name: 'silicon',
  kind: 'enum',
  value: 'qemu',
  words: ['qemu', 'strict'],
  inQtree: false,
  description: 'Rules of HDM decoders: QEMU checks nothing, strict follows the CXL specification (of this lab)',
};
