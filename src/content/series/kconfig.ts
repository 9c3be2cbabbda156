/** The Kconfig symbols that kbuild can set, as far as the modelled code asks for them. Names without CONFIG_. */
export interface KconfigSymbol {
  readonly name: string;
  readonly type: 'bool' | 'tristate';
  /** A symbol without prompt can only be selected by others. */
  readonly prompt: boolean;
  readonly depends?: readonly string[];
  readonly selects?: readonly string[];
  /** Patch whose Kconfig hunk brings the symbol. */
  readonly patch?: number;
  /** Only in trees with this series. */
  readonly series?: string;
  /** What the RFC's reviewers wanted as a dependency (quirk vfio-cxl-kconfig-depends). */
  readonly intendedDepends?: readonly string[];
  /** Only in trees for one machine. */
  readonly machine?: 'l1' | 'l2';
}

const bool = (name: string, depends?: readonly string[]): KconfigSymbol => ({
  name,
  type: 'bool',
  prompt: true,
  ...(depends ? { depends } : {}),
});
const tristate = (name: string, depends?: readonly string[]): KconfigSymbol => ({
  ...bool(name, depends),
  type: 'tristate',
});

export const KCONFIG: readonly KconfigSymbol[] = [
  bool('PCI'),
  bool('PCI_MMCONFIG', ['PCI']),
  bool('PCIEPORTBUS', ['PCI']),
  bool('PCIEAER_CXL', ['PCIEPORTBUS', 'CXL_PCI']),
  bool('ACPI'),
  bool('SERIAL_8250'),
  bool('DEVMEM'),
  bool('STRICT_DEVMEM', ['DEVMEM']),
  bool('IKCONFIG_PROC'),
  bool('DYNAMIC_DEBUG'),
  bool('PROVE_LOCKING'),
  bool('INTEL_IOMMU', ['PCI']),
  tristate('KVM'),
  tristate('KVM_INTEL', ['KVM']),
  tristate('CXL_BUS', ['PCI']),
  tristate('CXL_PCI', ['CXL_BUS']),
  bool('CXL_MEM_RAW_COMMANDS', ['CXL_PCI']),
  tristate('CXL_ACPI', ['CXL_BUS', 'ACPI']),
  tristate('CXL_PMEM', ['CXL_BUS']),
  tristate('CXL_MEM', ['CXL_BUS']),
  tristate('CXL_PORT', ['CXL_BUS']),
  bool('CXL_SUSPEND', ['CXL_BUS']),
  bool('CXL_REGION', ['CXL_BUS']),
  bool('CXL_REGION_INVALIDATION_TEST', ['CXL_REGION']),
  tristate('IOMMUFD'),
  tristate('VFIO'),
  bool('VFIO_GROUP', ['VFIO']),
  bool('VFIO_CONTAINER', ['VFIO_GROUP']),
  bool('VFIO_DEVICE_CDEV', ['VFIO']),
  tristate('VFIO_IOMMU_TYPE1', ['VFIO_CONTAINER']),
  { name: 'VFIO_PCI_CORE', type: 'tristate', prompt: false, depends: ['VFIO', 'PCI'] },
  { ...tristate('VFIO_PCI', ['VFIO', 'PCI']), selects: ['VFIO_PCI_CORE'] },
  {
    name: 'VFIO_CXL_CORE',
    type: 'tristate',
    prompt: false,
    depends: ['VFIO', 'PCI'],
    selects: ['VFIO_PCI_CORE'],
    intendedDepends: ['CXL_REGION'],
    patch: 4,
    machine: 'l1',
  },
  {
    ...tristate('CXL_ACCEL_VFIO_PCI', ['VFIO', 'PCI']),
    selects: ['VFIO_CXL_CORE'],
    intendedDepends: ['CXL_REGION'],
    patch: 12,
    machine: 'l1',
  },
  // The series of June 2026: what of its Kconfig is known; CXL_VFIO_PASSTHROUGH is hidden there too.
  { name: 'CXL_VFIO_PASSTHROUGH', type: 'bool', prompt: false, depends: ['CXL_BUS'], series: 'v3', machine: 'l1' },
  {
    ...bool('VFIO_PCI_CXL', ['VFIO_PCI', 'CXL_REGION']),
    selects: ['CXL_VFIO_PASSTHROUGH'],
    series: 'v3',
    machine: 'l1',
  },
  { ...tristate('CXL_ACCEL_V28', ['CXL_REGION']), machine: 'l2' },
  { ...tristate('CXL_ACCEL', ['CXL_BUS']), machine: 'l2' },
  { ...tristate('SAMPLE_QEMU_CXL_ACCEL', ['CXL_BUS']), machine: 'l2' },
];
