/**
 * Properties of the CXL device types, in the order `info qtree` prints them. Apart from the devices themselves, so that a command
 * line can be judged without building any.
 */
import {
  linkSpeed,
  linkWidth,
  PCI_PROPERTIES,
  PCIE_PORT_PROPERTIES,
  RESERVE_PROPERTIES,
  SERIAL_NUMBER,
  SILICON,
} from './pci-properties.ts';
import type { PropertySpec } from './property.ts';

const PXB_CXL: readonly PropertySpec[] = [
  { name: 'hdm_for_passthrough', kind: 'bool', value: false },
  { name: 'bus_nr', kind: 'uint8', value: 0 },
  { name: 'numa_node', kind: 'uint16', value: 128 },
  { name: 'bypass_iommu', kind: 'bool', value: false },
  SILICON,
  ...PCI_PROPERTIES,
];

const CXL_RP: readonly PropertySpec[] = [
  SILICON,
  ...RESERVE_PROPERTIES,
  linkSpeed('64'),
  linkWidth('32'),
  ...PCIE_PORT_PROPERTIES,
  ...PCI_PROPERTIES,
];

const CXL_UPSTREAM: readonly PropertySpec[] = [
  SERIAL_NUMBER,
  { name: 'cdat', kind: 'string', value: null },
  linkSpeed('32'),
  linkWidth('16'),
  { name: 'port', kind: 'uint8', value: 0 },
  { name: 'aer_log_max', kind: 'uint16', value: 8 },
  { name: 'x-pci-express-writeable-slt-bug', kind: 'bool', value: false },
  SILICON,
  ...PCI_PROPERTIES,
];

const CXL_DOWNSTREAM: readonly PropertySpec[] = [
  linkSpeed('64'),
  linkWidth('16'),
  { name: 'chassis', kind: 'uint8', value: 0 },
  { name: 'slot', kind: 'uint16', value: 0 },
  { name: 'hotplug', kind: 'bool', value: true },
  { name: 'x-do-not-expose-native-hotplug-cap', kind: 'bool', value: false },
  { name: 'port', kind: 'uint8', value: 0 },
  { name: 'aer_log_max', kind: 'uint16', value: 8 },
  { name: 'x-pci-express-writeable-slt-bug', kind: 'bool', value: false },
  ...PCI_PROPERTIES,
];

const memdev = (name: string): PropertySpec => ({ name, kind: 'link', value: null, linkType: 'memory-backend' });

const CXL_TYPE3: readonly PropertySpec[] = [
  memdev('memdev'),
  memdev('persistent-memdev'),
  memdev('volatile-memdev'),
  memdev('lsa'),
  SERIAL_NUMBER,
  { name: 'cdat', kind: 'string', value: null },
  { name: 'num-dc-regions', kind: 'uint8', value: 0 },
  memdev('volatile-dc-memdev'),
  linkSpeed('32'),
  linkWidth('16'),
  SILICON,
  ...PCI_PROPERTIES,
];

const CXL_ACCEL: readonly PropertySpec[] = [
  { name: 'volatile-memdev', kind: 'link', value: null, linkType: 'memory-backend', inQtree: false },
  // The lab's own, for devices the RFC was not tried with: BAR 0's size, and where in it the component block lies.
  { name: 'x-bar0-size', kind: 'size', value: 0x10000, inQtree: false },
  { name: 'x-component-offset', kind: 'size', value: 0, inQtree: false },
  // Profile A only.
  { ...SERIAL_NUMBER, inQtree: false },
  {
    name: 'hdm-decoders',
    kind: 'uint8',
    value: 4,
    inQtree: false,
    description: 'HDM decoders: 4, or 1 (of this lab)',
  },
  {
    name: 'firmware-committed',
    kind: 'bool',
    value: false,
    inQtree: false,
    description: 'Platform firmware commits and locks HDM decoder 0 at every start of the machine (of this lab)',
  },
  SILICON,
  ...PCI_PROPERTIES,
];

export const CXL_PROPERTIES = {
  'pxb-cxl': PXB_CXL,
  'cxl-rp': CXL_RP,
  'cxl-upstream': CXL_UPSTREAM,
  'cxl-downstream': CXL_DOWNSTREAM,
  'cxl-type3': CXL_TYPE3,
  'cxl-accel': CXL_ACCEL,
} as const;
