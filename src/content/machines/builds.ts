/** Kernel builds that stand in /boot. Options follow the configurations published with the series where those are known. */
const COMMON = {
  PCI: 'y',
  PCI_MMCONFIG: 'y',
  PCIEPORTBUS: 'y',
  ACPI: 'y',
  SERIAL_8250: 'y',
  DEVMEM: 'y',
  IKCONFIG_PROC: 'y',
  DYNAMIC_DEBUG: 'y',
} as const;

const CXL = {
  CXL_BUS: 'y',
  CXL_PCI: 'y',
  CXL_ACPI: 'y',
  CXL_MEM: 'y',
  CXL_PORT: 'y',
  CXL_REGION: 'y',
  CXL_PMEM: 'y',
  CXL_SUSPEND: 'y',
} as const;

const VFIO = {
  IOMMUFD: 'm',
  VFIO: 'm',
  VFIO_GROUP: 'y',
  VFIO_CONTAINER: 'y',
  VFIO_DEVICE_CDEV: 'y',
  VFIO_IOMMU_TYPE1: 'm',
  VFIO_PCI_CORE: 'm',
  VFIO_PCI: 'm',
} as const;

/** The kernel tree's test modules for CXL, which every guest kernel has beside its own. */
const CXL_TEST = ['cxl_mock', 'cxl_mock_mem', 'cxl_test', 'cxl_translate'] as const;

const ALL_PATCHES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13] as const;

export const HOST_BUILD = {
  release: '6.11.0-host',
  version: '#1 SMP PREEMPT_DYNAMIC Sun Sep 15 14:57:56 UTC 2024',
  config: { ...COMMON, ...VFIO, KVM: 'y', KVM_INTEL: 'y', STRICT_DEVMEM: 'y' },
  patches: [],
  quirks: {},
} as const;

export const L1_BUILD = {
  release: '6.11.0-rc2-vfio-cxl-l1',
  version: '#1 SMP PREEMPT_DYNAMIC Fri Sep 20 22:34:46 UTC 2024',
  config: {
    ...COMMON,
    ...CXL,
    ...VFIO,
    CXL_MEM_RAW_COMMANDS: 'y',
    PCIEAER_CXL: 'y',
    INTEL_IOMMU: 'y',
    VFIO_CXL_CORE: 'm',
    CXL_ACCEL_VFIO_PCI: 'm',
    KVM: 'y',
    KVM_INTEL: 'y',
    STRICT_DEVMEM: 'y',
  },
  updates: CXL_TEST,
  patches: ALL_PATCHES,
  quirks: {},
} as const;

/**
 * The distribution kernel that the golden captures were made with, for guests with memory expanders: the CXL core and
 * port driver built in, everything else a module.
 */
export const TYPE3_BUILD = {
  release: '6.12.107+deb13-amd64',
  version: '#1 SMP PREEMPT_DYNAMIC Debian 6.12.107-1',
  config: {
    ...COMMON,
    ...VFIO,
    CXL_BUS: 'y',
    CXL_PORT: 'y',
    CXL_REGION: 'y',
    CXL_SUSPEND: 'y',
    CXL_PCI: 'm',
    CXL_ACPI: 'm',
    CXL_MEM: 'm',
    CXL_PMEM: 'm',
    PCIEAER_CXL: 'y',
    MODVERSIONS: 'y',
    LIBNVDIMM: 'm',
    BTT: 'm',
    BLK_DEV_PMEM: 'm',
    DEV_DAX_PMEM: 'm',
    DAX: 'y',
    DEV_DAX: 'm',
    DEV_DAX_CXL: 'm',
    DEV_DAX_KMEM: 'm',
    NUMA: 'y',
    MEMORY_HOTPLUG: 'y',
    MEMORY_HOTPLUG_DEFAULT_ONLINE: 'y',
    INTEL_IOMMU: 'y',
    KVM: 'm',
    KVM_INTEL: 'm',
    STRICT_DEVMEM: 'y',
  },
  updates: CXL_TEST,
  patches: [],
  quirks: {},
} as const;

export const L2_BUILD = {
  release: '6.11.0-rc2-type2-l2',
  version: '#1 SMP PREEMPT_DYNAMIC Fri Sep 20 22:34:46 UTC 2024',
  config: { ...COMMON, ...CXL, PCIEAER_CXL: 'y', CXL_ACCEL: 'm', STRICT_DEVMEM: 'y' },
  updates: CXL_TEST,
  patches: ALL_PATCHES,
  quirks: {},
} as const;
