/**
 * The ioctls the lab's kernels answer: names, structures, and what their fields mean. strace itself does not decode VFIO (see the ledger,
 * `strace-vfio`); the notation is the one it uses for the structures it knows.
 */
import { viewOf } from '../../base/bytes.ts';
import * as tty from '../../linux/uapi/constants.ts';
import * as iommufd from '../../linux/uapi/iommufd.ts';
import * as kvm from '../../linux/uapi/kvm.ts';
import { decode, type StructDef } from '../../linux/uapi/struct.ts';
import * as vfio from '../../linux/uapi/vfio.ts';
import { cap_cxl_layout, vfio_region_info_cap_sparse_mmap } from '../../linux/uapi/vfio-cxl-v3.ts';
import { type FieldText, fieldsOf } from './fields.ts';
import { address, type Bits, bits } from './values.ts';

/** What a descriptor is; some VFIO numbers mean another call on another kind of file. */
export type FileKind = 'container' | 'group' | 'vfio-device' | 'iommufd' | 'kvm' | 'tty' | 'other';

interface Known {
  readonly request: number;
  readonly name: string;
  readonly on?: readonly FileKind[];
  readonly struct?: StructDef;
  /** Fields the kernel fills: shown after `=>`. */
  readonly out?: readonly string[];
  /** Fields it reads and overwrites: shown on both sides. */
  readonly both?: readonly string[];
  readonly texts?: Readonly<Record<string, FieldText>>;
  /** Plain argument as text. */
  readonly plain?: FieldText;
  /** What follows the fields in the bytes the kernel gave back. */
  readonly tail?: (bytes: Uint8Array) => string;
}

const flags =
  (names: Bits): FieldText =>
  (value) =>
    bits(value, names);
const symbol =
  (names: Readonly<Record<number, string>>): FieldText =>
  (value) =>
    names[value] ?? String(value);

const DEVICE_FLAGS: Bits = [
  [vfio.VFIO_DEVICE_FLAGS_RESET, 'VFIO_DEVICE_FLAGS_RESET'],
  [vfio.VFIO_DEVICE_FLAGS_PCI, 'VFIO_DEVICE_FLAGS_PCI'],
  [vfio.VFIO_DEVICE_FLAGS_CAPS, 'VFIO_DEVICE_FLAGS_CAPS'],
  [vfio.VFIO_DEVICE_FLAGS_CDX, 'VFIO_DEVICE_FLAGS_CDX'],
  [vfio.VFIO_DEVICE_FLAGS_CXL, 'VFIO_DEVICE_FLAGS_CXL'],
];
const REGION_FLAGS: Bits = [
  [vfio.VFIO_REGION_INFO_FLAG_READ, 'VFIO_REGION_INFO_FLAG_READ'],
  [vfio.VFIO_REGION_INFO_FLAG_WRITE, 'VFIO_REGION_INFO_FLAG_WRITE'],
  [vfio.VFIO_REGION_INFO_FLAG_MMAP, 'VFIO_REGION_INFO_FLAG_MMAP'],
  [vfio.VFIO_REGION_INFO_FLAG_CAPS, 'VFIO_REGION_INFO_FLAG_CAPS'],
];
const IRQ_FLAGS: Bits = [
  [vfio.VFIO_IRQ_INFO_EVENTFD, 'VFIO_IRQ_INFO_EVENTFD'],
  [vfio.VFIO_IRQ_INFO_MASKABLE, 'VFIO_IRQ_INFO_MASKABLE'],
  [vfio.VFIO_IRQ_INFO_AUTOMASKED, 'VFIO_IRQ_INFO_AUTOMASKED'],
  [vfio.VFIO_IRQ_INFO_NORESIZE, 'VFIO_IRQ_INFO_NORESIZE'],
];
const IRQ_SET_FLAGS: Bits = [
  [vfio.VFIO_IRQ_SET_DATA_NONE, 'VFIO_IRQ_SET_DATA_NONE'],
  [vfio.VFIO_IRQ_SET_DATA_BOOL, 'VFIO_IRQ_SET_DATA_BOOL'],
  [vfio.VFIO_IRQ_SET_DATA_EVENTFD, 'VFIO_IRQ_SET_DATA_EVENTFD'],
  [vfio.VFIO_IRQ_SET_ACTION_MASK, 'VFIO_IRQ_SET_ACTION_MASK'],
  [vfio.VFIO_IRQ_SET_ACTION_UNMASK, 'VFIO_IRQ_SET_ACTION_UNMASK'],
  [vfio.VFIO_IRQ_SET_ACTION_TRIGGER, 'VFIO_IRQ_SET_ACTION_TRIGGER'],
];
const IOEVENTFD_FLAGS: Bits = [
  [1, 'VFIO_DEVICE_IOEVENTFD_8'],
  [2, 'VFIO_DEVICE_IOEVENTFD_16'],
  [4, 'VFIO_DEVICE_IOEVENTFD_32'],
  [8, 'VFIO_DEVICE_IOEVENTFD_64'],
];
const DMA_FLAGS: Bits = [
  [vfio.VFIO_DMA_MAP_FLAG_READ, 'VFIO_DMA_MAP_FLAG_READ'],
  [vfio.VFIO_DMA_MAP_FLAG_WRITE, 'VFIO_DMA_MAP_FLAG_WRITE'],
];
const GROUP_FLAGS: Bits = [
  [vfio.VFIO_GROUP_FLAGS_VIABLE, 'VFIO_GROUP_FLAGS_VIABLE'],
  [vfio.VFIO_GROUP_FLAGS_CONTAINER_SET, 'VFIO_GROUP_FLAGS_CONTAINER_SET'],
];
const IRQ_INDEX = symbol({
  [vfio.VFIO_PCI_INTX_IRQ_INDEX]: 'VFIO_PCI_INTX_IRQ_INDEX',
  [vfio.VFIO_PCI_MSI_IRQ_INDEX]: 'VFIO_PCI_MSI_IRQ_INDEX',
  [vfio.VFIO_PCI_MSIX_IRQ_INDEX]: 'VFIO_PCI_MSIX_IRQ_INDEX',
  [vfio.VFIO_PCI_ERR_IRQ_INDEX]: 'VFIO_PCI_ERR_IRQ_INDEX',
  [vfio.VFIO_PCI_REQ_IRQ_INDEX]: 'VFIO_PCI_REQ_IRQ_INDEX',
});
const EXTENSION = symbol({
  [vfio.VFIO_TYPE1_IOMMU]: 'VFIO_TYPE1_IOMMU',
  [vfio.VFIO_SPAPR_TCE_IOMMU]: 'VFIO_SPAPR_TCE_IOMMU',
  [vfio.VFIO_TYPE1v2_IOMMU]: 'VFIO_TYPE1v2_IOMMU',
  [vfio.VFIO_DMA_CC_IOMMU]: 'VFIO_DMA_CC_IOMMU',
  [vfio.VFIO_EEH]: 'VFIO_EEH',
  [vfio.VFIO_NOIOMMU_IOMMU]: 'VFIO_NOIOMMU_IOMMU',
  [vfio.VFIO_UNMAP_ALL]: 'VFIO_UNMAP_ALL',
  [vfio.VFIO_UPDATE_VADDR]: 'VFIO_UPDATE_VADDR',
});

/** The capability chain of an info structure: each header, and the fields of the kinds this UAPI has. */
function capabilities(
  known: Readonly<Record<number, readonly [name: string, def: StructDef]>>,
  first: number,
  bytes: Uint8Array,
): string {
  const caps: string[] = [];
  for (let at = first, hops = 0; at !== 0 && at + 8 <= bytes.length && hops < 64; hops++) {
    const header = decode(vfio.vfio_info_cap_header, bytes, at);
    const cap = known[header.id];
    const fields = cap ? fieldsOf(cap[1], bytes, at, ['id', 'version', 'next'], 'without', {}) : [];
    const head = [`id=${cap ? cap[0] : header.id}`, `version=${header.version}`];
    caps.push(`{${[...head, ...fields].join(', ')}}`);
    at = header.next;
  }
  return caps.length > 0 ? `, caps=[${caps.join(', ')}]` : '';
}

/** The later series uses the same id with another layout. */
export function capCxl(bytes: Uint8Array): StructDef {
  const first = bytes.length >= 20 ? viewOf(bytes).getUint32(16, true) : 0;
  const at = first ? vfio.findInfoCap(bytes, first, vfio.VFIO_DEVICE_INFO_CAP_CXL) : 0;
  return at ? cap_cxl_layout(bytes, at) : vfio.vfio_device_info_cap_cxl;
}

const deviceCaps = (bytes: Uint8Array): string =>
  capabilities(
    { [vfio.VFIO_DEVICE_INFO_CAP_CXL]: ['VFIO_DEVICE_INFO_CAP_CXL', capCxl(bytes)] },
    bytes.length >= 20 ? viewOf(bytes).getUint32(16, true) : 0,
    bytes,
  );
const regionCaps = (bytes: Uint8Array): string =>
  capabilities(
    {
      [vfio.VFIO_REGION_INFO_CAP_TYPE]: ['VFIO_REGION_INFO_CAP_TYPE', vfio.vfio_region_info_cap_type],
      [vfio.VFIO_REGION_INFO_CAP_SPARSE_MMAP]: ['VFIO_REGION_INFO_CAP_SPARSE_MMAP', vfio_region_info_cap_sparse_mmap],
      [vfio.VFIO_REGION_INFO_CAP_MSIX_MAPPABLE]: ['VFIO_REGION_INFO_CAP_MSIX_MAPPABLE', vfio.vfio_info_cap_header],
    },
    bytes.length >= 16 ? viewOf(bytes).getUint32(12, true) : 0,
    bytes,
  );

const kvm_memory_region: StructDef = {
  name: 'kvm_userspace_memory_region',
  size: 32,
  fields: {
    slot: ['u32', 0],
    flags: ['u32', 4],
    guest_phys_addr: ['u64', 8],
    memory_size: ['u64', 16],
    userspace_addr: ['u64', 24],
  },
};
const kvm_irq_level: StructDef = { name: 'kvm_irq_level', size: 8, fields: { irq: ['u32', 0], level: ['u32', 4] } };

/** struct termios as far as the lab's line discipline looks at it. */
const termios: StructDef = {
  name: 'termios',
  size: 36,
  fields: { c_iflag: ['u32', 0], c_oflag: ['u32', 4], c_lflag: ['u32', 12] },
};
const TERMIOS_FLAGS: Readonly<Record<string, FieldText>> = {
  c_iflag: flags([[tty.ICRNL, 'ICRNL']]),
  c_oflag: flags([[tty.OPOST, 'OPOST']]),
  c_lflag: flags([
    [tty.ISIG, 'ISIG'],
    [tty.ICANON, 'ICANON'],
    [tty.ECHO, 'ECHO'],
  ]),
};

const CONTAINER: readonly FileKind[] = ['container'];
const DEVICE: readonly FileKind[] = ['vfio-device'];

export const TABLE: readonly Known[] = [
  { request: vfio.VFIO_GET_API_VERSION, name: 'VFIO_GET_API_VERSION' },
  { request: vfio.VFIO_CHECK_EXTENSION, name: 'VFIO_CHECK_EXTENSION', plain: EXTENSION },
  { request: vfio.VFIO_SET_IOMMU, name: 'VFIO_SET_IOMMU', plain: EXTENSION },
  {
    request: vfio.VFIO_GROUP_GET_STATUS,
    name: 'VFIO_GROUP_GET_STATUS',
    struct: vfio.vfio_group_status,
    out: ['flags'],
    texts: { flags: flags(GROUP_FLAGS) },
  },
  { request: vfio.VFIO_GROUP_SET_CONTAINER, name: 'VFIO_GROUP_SET_CONTAINER' },
  { request: vfio.VFIO_GROUP_UNSET_CONTAINER, name: 'VFIO_GROUP_UNSET_CONTAINER' },
  { request: vfio.VFIO_GROUP_GET_DEVICE_FD, name: 'VFIO_GROUP_GET_DEVICE_FD' },
  {
    request: vfio.VFIO_DEVICE_GET_INFO,
    name: 'VFIO_DEVICE_GET_INFO',
    struct: vfio.vfio_device_info,
    both: ['argsz'],
    out: ['flags', 'num_regions', 'num_irqs', 'cap_offset'],
    texts: { flags: flags(DEVICE_FLAGS) },
    tail: deviceCaps,
  },
  {
    request: vfio.VFIO_DEVICE_GET_REGION_INFO,
    name: 'VFIO_DEVICE_GET_REGION_INFO',
    struct: vfio.vfio_region_info,
    both: ['argsz'],
    out: ['flags', 'cap_offset', 'size', 'offset'],
    texts: { flags: flags(REGION_FLAGS), size: address, offset: address },
    tail: regionCaps,
  },
  {
    request: vfio.VFIO_DEVICE_GET_IRQ_INFO,
    name: 'VFIO_DEVICE_GET_IRQ_INFO',
    struct: vfio.vfio_irq_info,
    out: ['flags', 'count'],
    texts: { flags: flags(IRQ_FLAGS), index: IRQ_INDEX },
  },
  {
    request: vfio.VFIO_DEVICE_SET_IRQS,
    name: 'VFIO_DEVICE_SET_IRQS',
    struct: vfio.vfio_irq_set,
    texts: { flags: flags(IRQ_SET_FLAGS), index: IRQ_INDEX },
  },
  { request: vfio.VFIO_DEVICE_RESET, name: 'VFIO_DEVICE_RESET' },
  {
    request: vfio.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
    name: 'VFIO_DEVICE_GET_PCI_HOT_RESET_INFO',
    on: DEVICE,
    struct: vfio.vfio_pci_hot_reset_info,
    both: ['argsz'],
    out: ['flags', 'count'],
  },
  {
    request: vfio.VFIO_DEVICE_PCI_HOT_RESET,
    name: 'VFIO_DEVICE_PCI_HOT_RESET',
    on: DEVICE,
    struct: vfio.vfio_pci_hot_reset,
  },
  {
    request: vfio.VFIO_DEVICE_IOEVENTFD,
    name: 'VFIO_DEVICE_IOEVENTFD',
    on: DEVICE,
    struct: vfio.vfio_device_ioeventfd,
    texts: { flags: flags(IOEVENTFD_FLAGS), offset: address, data: address },
  },
  {
    request: vfio.VFIO_IOMMU_GET_INFO,
    name: 'VFIO_IOMMU_GET_INFO',
    on: CONTAINER,
    struct: vfio.vfio_iommu_type1_info,
    both: ['argsz'],
    out: ['flags', 'iova_pgsizes', 'cap_offset'],
    texts: { iova_pgsizes: address },
  },
  {
    request: vfio.VFIO_IOMMU_MAP_DMA,
    name: 'VFIO_IOMMU_MAP_DMA',
    on: CONTAINER,
    struct: vfio.vfio_iommu_type1_dma_map,
    texts: { flags: flags(DMA_FLAGS), vaddr: address, iova: address, size: address },
  },
  {
    request: vfio.VFIO_IOMMU_UNMAP_DMA,
    name: 'VFIO_IOMMU_UNMAP_DMA',
    on: CONTAINER,
    struct: vfio.vfio_iommu_type1_dma_unmap,
    both: ['size'],
    texts: { iova: address, size: address },
  },
  {
    request: vfio.VFIO_DEVICE_BIND_IOMMUFD,
    name: 'VFIO_DEVICE_BIND_IOMMUFD',
    struct: vfio.vfio_device_bind_iommufd,
    out: ['out_devid'],
  },
  {
    request: vfio.VFIO_DEVICE_ATTACH_IOMMUFD_PT,
    name: 'VFIO_DEVICE_ATTACH_IOMMUFD_PT',
    struct: vfio.vfio_device_attach_iommufd_pt,
    both: ['pt_id'],
  },
  {
    request: vfio.VFIO_DEVICE_DETACH_IOMMUFD_PT,
    name: 'VFIO_DEVICE_DETACH_IOMMUFD_PT',
    struct: vfio.vfio_device_detach_iommufd_pt,
  },
  { request: iommufd.IOMMU_DESTROY, name: 'IOMMU_DESTROY', struct: iommufd.iommu_destroy },
  {
    request: iommufd.IOMMU_IOAS_ALLOC,
    name: 'IOMMU_IOAS_ALLOC',
    struct: iommufd.iommu_ioas_alloc,
    out: ['out_ioas_id'],
  },
  {
    request: iommufd.IOMMU_IOAS_MAP,
    name: 'IOMMU_IOAS_MAP',
    struct: iommufd.iommu_ioas_map,
    both: ['iova'],
    texts: { user_va: address, length: address, iova: address },
  },
  {
    request: iommufd.IOMMU_IOAS_UNMAP,
    name: 'IOMMU_IOAS_UNMAP',
    struct: iommufd.iommu_ioas_unmap,
    both: ['length'],
    texts: { length: address, iova: address },
  },
  { request: iommufd.IOMMU_VFIO_IOAS, name: 'IOMMU_VFIO_IOAS' },
  { request: kvm.KVM_GET_API_VERSION, name: 'KVM_GET_API_VERSION' },
  { request: kvm.KVM_CREATE_VM, name: 'KVM_CREATE_VM' },
  { request: kvm.KVM_CHECK_EXTENSION, name: 'KVM_CHECK_EXTENSION' },
  { request: kvm.KVM_CREATE_VCPU, name: 'KVM_CREATE_VCPU' },
  {
    request: kvm.KVM_SET_USER_MEMORY_REGION,
    name: 'KVM_SET_USER_MEMORY_REGION',
    struct: kvm_memory_region,
    texts: {
      flags: flags([[kvm.KVM_MEM_READONLY, 'KVM_MEM_READONLY']]),
      guest_phys_addr: address,
      userspace_addr: address,
    },
  },
  { request: kvm.KVM_IRQ_LINE, name: 'KVM_IRQ_LINE', struct: kvm_irq_level },
  {
    request: tty.TCGETS,
    name: 'TCGETS',
    struct: termios,
    out: ['c_iflag', 'c_oflag', 'c_lflag'],
    texts: TERMIOS_FLAGS,
  },
  { request: tty.TCSETS, name: 'TCSETS', struct: termios, texts: TERMIOS_FLAGS },
  { request: tty.TIOCSCTTY, name: 'TIOCSCTTY' },
  { request: tty.TIOCGPGRP, name: 'TIOCGPGRP' },
  { request: tty.TIOCSPGRP, name: 'TIOCSPGRP' },
  { request: tty.TIOCGWINSZ, name: 'TIOCGWINSZ' },
  { request: tty.TIOCSWINSZ, name: 'TIOCSWINSZ' },
];
