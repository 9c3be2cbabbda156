/**
 * vfio-cxl RFC v1 (Zhi Wang, 20 Sep 2024, 20240920223446.1908673-1) as a series of patches: what each is for, the files it
 * changes, and the symbols it exports and calls. The link step of `kbuild` follows from this; nothing here says what
 * happens at run time. Source: reference sheet vfio-cxl-rfc.md, section (b).
 */
export interface SeriesPatch {
  readonly number: number;
  readonly subject: string;
  readonly purpose: string;
  readonly files: readonly string[];
}

export interface SeriesSymbol {
  readonly name: string;
  /** Module that exports it. */
  readonly module: string;
  readonly file: string;
  /** Patch that adds the export; null: the base tree has it. */
  readonly patch: number | null;
  /** Option without which the file is not compiled. */
  readonly config?: string;
  readonly gpl: boolean;
  /** What the callers get from `kbuild --soft`: what the tree has without the patch, or nothing (an empty function). */
  readonly instead?: string;
}

export interface SymbolUse {
  readonly module: string;
  readonly file: string;
  readonly caller: string;
  readonly symbols: readonly string[];
  /** Patch whose hunk holds the call; null: the base tree. */
  readonly patch: number | null;
}

const VFIO_PCI = 'drivers/vfio/pci';
const CORE_C = `${VFIO_PCI}/vfio_cxl_core.c`;
const PCI_CORE_C = `${VFIO_PCI}/vfio_pci_core.c`;
const VARIANT_C = `${VFIO_PCI}/cxl-accel/main.c`;
const CXL_CORE = 'drivers/cxl/core';

export const RFC_V1_PATCHES: readonly SeriesPatch[] = [
  {
    number: 1,
    subject: 'cxl: allow a type-2 device not to have memory device registers',
    purpose: 'a missing or unmappable memory-device block no longer fails the setup',
    files: ['drivers/cxl/pci.c'],
  },
  {
    number: 2,
    subject: 'cxl: introduce cxl_get_hdm_info()',
    purpose: 'where the HDM block is, how big, and a decoder count',
    files: [`${CXL_CORE}/pci.c`, 'include/linux/cxl_accel_mem.h'],
  },
  {
    number: 3,
    subject: 'cxl: introduce cxl_find_comp_reglock_offset()',
    purpose: 'where the component register block is',
    files: [`${CXL_CORE}/regs.c`, 'include/linux/cxl_accel_mem.h'],
  },
  {
    number: 4,
    subject: 'vfio: introduce vfio-cxl core preludes',
    purpose: 'the module vfio-cxl-core: opening creates the CXL region, closing tears it down',
    files: [CORE_C, `${VFIO_PCI}/Kconfig`, `${VFIO_PCI}/Makefile`, 'include/linux/vfio_pci_core.h'],
  },
  {
    number: 5,
    subject: 'vfio/cxl: expose CXL region to the userspace via a new VFIO device region',
    purpose: 'the CXL region as VFIO region 9, to read, write and map',
    files: [CORE_C, PCI_CORE_C, 'include/uapi/linux/vfio.h'],
  },
  {
    number: 6,
    subject: 'vfio/pci: expose vfio_pci_rw()',
    purpose: 'vfio_pci_rw() loses its static and is exported',
    files: [PCI_CORE_C],
  },
  {
    number: 7,
    subject: 'vfio/cxl: introduce vfio_cxl_core_{read, write}()',
    purpose: 'accessors of the CXL core, where emulation can hook in',
    files: [CORE_C],
  },
  {
    number: 8,
    subject: 'vfio/cxl: emulate HDM decoder registers',
    purpose: 'a shadow of the HDM block answers the guest',
    files: [CORE_C],
  },
  {
    number: 9,
    subject: 'vfio/pci: introduce CXL device awareness',
    purpose: 'has_cxl: the flag in GET_INFO, no function reset, no INTx, no mmap of the component BAR',
    files: [PCI_CORE_C, CORE_C, 'include/uapi/linux/vfio.h'],
  },
  {
    number: 10,
    subject: 'vfio/pci: emulate CXL DVSEC registers in the configuration space',
    purpose: 'CXL DVSECs become plain memory in vconfig',
    files: [`${VFIO_PCI}/vfio_pci_config.c`],
  },
  {
    number: 11,
    subject: 'vfio/cxl: introduce VFIO CXL device cap',
    purpose: 'capability 6 of GET_INFO: place of the HDM block, size of the memory',
    files: [CORE_C, PCI_CORE_C, 'include/uapi/linux/vfio.h'],
  },
  {
    number: 12,
    subject: 'vfio/cxl: VFIO variant driver for QEMU CXL accel device',
    purpose: 'the driver that binds to 8086:0d94, 256 MiB',
    files: [VARIANT_C, `${VFIO_PCI}/cxl-accel/Kconfig`, `${VFIO_PCI}/cxl-accel/Makefile`],
  },
  {
    number: 13,
    subject: "vfio/cxl: workaround: don't take resource region when cxl is enabled",
    purpose: 'BARs of a CXL device are used without requesting them',
    files: [PCI_CORE_C, `${VFIO_PCI}/vfio_pci_rdwr.c`],
  },
];

/** The file a patch creates: hunks of other patches in it go nowhere without that patch. */
export const RFC_V1_CREATES: Readonly<Record<string, number>> = { [CORE_C]: 4, [VARIANT_C]: 12 };

const base = (file: string, names: readonly string[], config?: string): readonly SeriesSymbol[] =>
  names.map((name) => ({
    name,
    module: 'cxl_core',
    file: `${CXL_CORE}/${file}`,
    patch: null,
    gpl: true,
    ...(config === undefined ? {} : { config }),
  }));
const core = (patch: number, names: readonly string[], gpl: boolean): readonly SeriesSymbol[] =>
  names.map((name) => ({ name, module: 'vfio-cxl-core', file: CORE_C, patch, gpl }));
const pciCore = (names: readonly string[]): readonly SeriesSymbol[] =>
  names.map((name) => ({ name, module: 'vfio-pci-core', file: PCI_CORE_C, patch: null, gpl: true }));

const PRELUDE_EXPORTS = [
  'vfio_cxl_core_enable',
  'vfio_cxl_core_finish_enable',
  'vfio_cxl_core_close_device',
  'vfio_cxl_core_set_resource',
  'vfio_cxl_core_set_region_size',
  'vfio_cxl_core_set_driver_hdm_cap',
];
const TYPE2_STATE = [
  'cxl_accel_state_create',
  'cxl_accel_set_dvsec',
  'cxl_accel_set_serial',
  'cxl_accel_set_resource',
  'cxl_accel_request_resource',
  'cxl_accel_set_media_ready',
  'devm_cxl_add_memdev',
  'cxl_acquire_endpoint',
  'cxl_release_endpoint',
];
const TYPE2_REGION = ['cxl_get_hpa_freespace', 'cxl_create_region', 'cxl_accel_get_region_params', 'cxl_region_detach'];
const TYPE2_HDM = ['cxl_request_dpa', 'cxl_dpa_free'];
const VFIO_PCI_CORE = [
  'vfio_pci_core_enable',
  'vfio_pci_core_finish_enable',
  'vfio_pci_core_disable',
  'vfio_pci_core_register_device',
  'vfio_pci_core_unregister_device',
  'vfio_pci_core_init_dev',
  'vfio_pci_core_release_dev',
  'vfio_pci_core_ioctl',
  'vfio_pci_core_ioctl_feature',
  'vfio_pci_core_mmap',
  'vfio_pci_core_request',
  'vfio_pci_core_match',
  'vfio_pci_core_read',
  'vfio_pci_core_write',
  'vfio_pci_core_register_dev_region',
];

export const RFC_V1_SYMBOLS: readonly SeriesSymbol[] = [
  ...base('memdev.c', TYPE2_STATE),
  ...base('hdm.c', TYPE2_HDM),
  ...base('region.c', TYPE2_REGION, 'CXL_REGION'),
  ...base('pci.c', ['cxl_await_media_ready']),
  ...base('../pci.c', ['cxl_pci_accel_setup_regs']),
  { name: 'cxl_get_hdm_info', module: 'cxl_core', file: `${CXL_CORE}/pci.c`, patch: 2, gpl: true },
  { name: 'cxl_find_comp_regblock_offset', module: 'cxl_core', file: `${CXL_CORE}/regs.c`, patch: 3, gpl: true },
  ...pciCore(VFIO_PCI_CORE),
  {
    name: '__vfio_pci_memory_enabled',
    module: 'vfio-pci-core',
    file: `${VFIO_PCI}/vfio_pci_config.c`,
    patch: 5,
    gpl: false,
  },
  {
    name: 'vfio_pci_rw',
    module: 'vfio-pci-core',
    file: PCI_CORE_C,
    patch: 6,
    gpl: true,
    instead: 'vfio_pci_core_{read,write}',
  },
  { name: 'vfio_pci_core_enable_cxl', module: 'vfio-pci-core', file: PCI_CORE_C, patch: 9, gpl: false },
  ...core(4, PRELUDE_EXPORTS, false),
  ...core(7, ['vfio_cxl_core_read', 'vfio_cxl_core_write'], true).map((symbol) => ({
    ...symbol,
    instead: symbol.name.replace('cxl', 'pci'),
  })),
];

export const RFC_V1_USES: readonly SymbolUse[] = [
  {
    module: 'vfio-cxl-core',
    file: CORE_C,
    caller: 'enable_cxl',
    patch: 4,
    symbols: [
      ...TYPE2_STATE.slice(0, 4),
      'cxl_pci_accel_setup_regs',
      'cxl_get_hdm_info',
      'vfio_pci_core_enable',
      'vfio_pci_core_disable',
      'vfio_pci_core_finish_enable',
    ],
  },
  {
    module: 'vfio-cxl-core',
    file: CORE_C,
    caller: 'create_cxl_region',
    patch: 4,
    symbols: [...TYPE2_STATE.slice(4), 'cxl_await_media_ready', ...TYPE2_HDM, ...TYPE2_REGION],
  },
  {
    module: 'vfio-cxl-core',
    file: CORE_C,
    caller: 'vfio_cxl_region_vm_fault',
    patch: 5,
    symbols: ['__vfio_pci_memory_enabled', 'vfio_pci_core_register_dev_region'],
  },
  { module: 'vfio-cxl-core', file: CORE_C, caller: 'vfio_cxl_core_read', patch: 7, symbols: ['vfio_pci_rw'] },
  {
    module: 'vfio-cxl-core',
    file: CORE_C,
    caller: 'find_comp_regs',
    patch: 8,
    symbols: ['cxl_find_comp_regblock_offset'],
  },
  {
    module: 'vfio-cxl-core',
    file: CORE_C,
    caller: 'vfio_cxl_core_enable',
    patch: 9,
    symbols: ['vfio_pci_core_enable_cxl'],
  },
  {
    module: 'cxl-accel-vfio-pci',
    file: VARIANT_C,
    caller: 'cxl_open_device',
    patch: 12,
    symbols: PRELUDE_EXPORTS,
  },
  {
    module: 'cxl-accel-vfio-pci',
    file: VARIANT_C,
    caller: 'cxl_core_ops',
    patch: 12,
    symbols: ['vfio_cxl_core_read', 'vfio_cxl_core_write', ...VFIO_PCI_CORE.slice(3, 12)],
  },
  ...['cxl-accel', 'qemu-cxl-accel'].map((module) => ({
    module,
    file: module === 'cxl-accel' ? 'drivers/cxl/cxl-accel.c' : 'samples/cxl/accel.c',
    caller: 'cxl_accel_probe',
    patch: null,
    symbols: [...TYPE2_STATE, 'cxl_pci_accel_setup_regs', 'cxl_await_media_ready', ...TYPE2_HDM, ...TYPE2_REGION],
  })),
];
