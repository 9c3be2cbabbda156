import type { ModuleDef } from '../../include/module.ts';
import { misc_deregister, misc_register } from '../char/misc.ts';
import { iommufd_fops } from './iommufd.ts';
import { cxl_accel_exit, cxl_accel_init } from './pci/cxl-accel/main.ts';
import { vfio_pci_cleanup, vfio_pci_init } from './pci/vfio_pci.ts';
import { vfio_iommu_type1_cleanup, vfio_iommu_type1_init } from './vfio_iommu_type1.ts';
import { vfio_cleanup, vfio_init } from './vfio_main.ts';

/** Modules of drivers/vfio (and iommufd): what modprobe, modinfo and lsmod know of them. Sizes are of a v6.11 x86-64 build. */
const ALEX = 'Alex Williamson <alex.williamson@redhat.com>';
const GPL = 'GPL v2';
const IOMMUFD_MINOR = 9;

export const vfio_modules: readonly ModuleDef[] = [
  {
    name: 'iommufd',
    config: 'IOMMUFD',
    dir: 'drivers/iommu/iommufd',
    alias: ['devname:iommu', 'char-major-10-9'],
    description: 'I/O Address Space Management for passthrough devices',
    license: 'GPL',
    size: 98304,
    initcall: 6,
    init: (kernel) => misc_register(kernel, IOMMUFD_MINOR, 'iommu', 'iommu', iommufd_fops),
    exit: (kernel) => misc_deregister(kernel, IOMMUFD_MINOR),
  },
  {
    name: 'vfio',
    config: 'VFIO',
    dir: 'drivers/vfio',
    depends: ['iommufd'],
    alias: ['devname:vfio/vfio', 'char-major-10-196'],
    description: 'VFIO - User Level meta-driver',
    author: ALEX,
    license: GPL,
    params: {
      enable_unsafe_noiommu_mode: {
        type: 'bool',
        description: 'Groups without an IOMMU (not modelled: such groups are refused)',
        default: 'N',
        mode: 0o644,
      },
    },
    size: 69632,
    initcall: 6,
    init: (kernel) => vfio_init(kernel),
    exit: (kernel) => vfio_cleanup(kernel),
  },
  {
    name: 'vfio_iommu_type1',
    config: 'VFIO_IOMMU_TYPE1',
    dir: 'drivers/vfio',
    depends: ['vfio'],
    description: 'Type1 IOMMU driver for VFIO',
    author: ALEX,
    license: GPL,
    params: {
      allow_unsafe_interrupts: {
        type: 'bool',
        description: 'Allow assignment on platforms without interrupt remapping',
        default: 'N',
        mode: 0o644,
      },
      dma_entry_limit: {
        type: 'uint',
        description: 'Most DMA mappings per container',
        default: '65535',
        mode: 0o644,
      },
    },
    size: 49152,
    initcall: 6,
    init: vfio_iommu_type1_init,
    exit: vfio_iommu_type1_cleanup,
  },
  {
    name: 'vfio-pci-core',
    config: 'VFIO_PCI_CORE',
    dir: 'drivers/vfio/pci',
    depends: ['vfio'],
    description: 'core driver for VFIO based PCI devices',
    author: ALEX,
    license: GPL,
    size: 94208,
    initcall: 6,
    init: () => 0,
    exit: () => {},
  },
  {
    name: 'vfio-pci',
    config: 'VFIO_PCI',
    dir: 'drivers/vfio/pci',
    depends: ['vfio-pci-core'],
    alias: ['vfio_pci:v*d*sv*sd*bc*sc*i*'],
    description: 'VFIO PCI - User Level meta-driver',
    author: ALEX,
    license: GPL,
    params: {
      ids: { type: 'charp', description: 'Ids to add to the driver', default: '', mode: 0o000 },
      nointxmask: { type: 'bool', description: 'Do not use PCI 2.3 INTx masking', default: 'N', mode: 0o644 },
      disable_idle_d3: { type: 'bool', description: 'Keep idle devices in D0', default: 'N', mode: 0o444 },
      disable_cxl: {
        type: 'bool',
        description: 'Keep all devices bound to vfio-pci plain PCI devices, without CXL Type-2 extensions',
        default: 'N',
        mode: 0o444,
        only: { series: 'v3', config: 'VFIO_PCI_CXL' },
      },
    },
    size: 16384,
    initcall: 6,
    init: vfio_pci_init,
    exit: vfio_pci_cleanup,
  },
  {
    name: 'vfio-cxl-core',
    config: 'VFIO_CXL_CORE',
    patch: 4,
    dir: 'drivers/vfio/pci',
    depends: ['vfio-pci-core', 'cxl_core'],
    description: 'core driver for VFIO based CXL devices',
    author: 'Zhi Wang <zhiw@nvidia.com>',
    license: 'GPL',
    size: 16384,
    initcall: 6,
    init: () => 0,
    exit: () => {},
  },
  {
    name: 'cxl-accel-vfio-pci',
    config: 'CXL_ACCEL_VFIO_PCI',
    patch: 12,
    dir: 'drivers/vfio/pci/cxl-accel',
    depends: ['vfio-cxl-core', 'vfio-pci-core'],
    alias: ['vfio_pci:v00008086d00000D94sv*sd*bc*sc*i*'],
    description: 'VFIO variant driver for the CXL accelerator of QEMU',
    author: 'Zhi Wang <zhiw@nvidia.com>',
    license: 'GPL',
    size: 12288,
    initcall: 6,
    init: cxl_accel_init,
    exit: cxl_accel_exit,
  },
];
