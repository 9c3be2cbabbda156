export { Msix } from './msix.ts';
export { PciBridge } from './pci-bridge.ts';
export { PciBus } from './pci-bus.ts';
export {
  barHalves,
  PCI_BASE_ADDRESS_MEM_PREFETCH,
  PCI_BASE_ADDRESS_MEM_TYPE_64,
  PCI_BASE_ADDRESS_SPACE_IO,
  PCI_COMMAND_IO,
  PCI_COMMAND_MASTER,
  PCI_COMMAND_MEMORY,
  type PciEnv,
  PciFunction,
  type PciFunctionOptions,
  type PciIoRegion,
  UNMAPPED,
} from './pci-function.ts';
export { PciHost } from './pci-host.ts';
