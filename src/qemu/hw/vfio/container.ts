/**
 * Groups, containers and DMA mapping of the guest's memory (hw/vfio/container.c and listener.c, QEMU 9), type 1 only.
 * Left out: iommufd back end, vIOMMU notifiers, dirty tracking, reserved IOVA ranges.
 */
import { alignDown, alignUp, hex, PAGE_SIZE } from '../../../base/addr.ts';
import { utf8 } from '../../../base/bytes.ts';
import { strerror } from '../../../base/errno.ts';
import type { FlatEntry, MemoryListener } from '../../../hw/memory/index.ts';
import { O_CLOEXEC, O_RDWR } from '../../../linux/uapi/constants.ts';
import { decode, encode } from '../../../linux/uapi/struct.ts';
import {
  VFIO_API_VERSION,
  VFIO_CHECK_EXTENSION,
  VFIO_DMA_MAP_FLAG_READ,
  VFIO_DMA_MAP_FLAG_WRITE,
  VFIO_GET_API_VERSION,
  VFIO_GROUP_FLAGS_VIABLE,
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_GET_STATUS,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA,
  VFIO_SET_IOMMU,
  VFIO_TYPE1_IOMMU,
  VFIO_TYPE1v2_IOMMU,
  vfio_group_status,
  vfio_iommu_type1_dma_map,
  vfio_iommu_type1_dma_unmap,
} from '../../../linux/uapi/vfio.ts';
import type { VirtualMachine } from '../../qdev/virtual-machine.ts';
import { error_setg } from '../../system/error.ts';
import { ioctl } from './common.ts';

/** One container of a VM; its groups share it. */
class VfioContainer implements MemoryListener {
  readonly name = 'vfio';
  users = 0;
  /** First mapping failure while the container is being set up. */
  error: string | null = null;
  initialized = false;
  private readonly map = new Uint8Array(vfio_iommu_type1_dma_map.size);
  private readonly unmap = new Uint8Array(vfio_iommu_type1_dma_unmap.size);

  constructor(
    readonly vm: VirtualMachine,
    readonly fd: number,
  ) {}

  /** vfio_listener_region_add: RAM, ROM and RAM devices, whole pages. */
  region_add(section: FlatEntry): void {
    if (section.hva === null) return;
    const iova = alignUp(section.start, PAGE_SIZE);
    const end = alignDown(section.start + section.size, PAGE_SIZE);
    if (iova >= end) return;
    const vaddr = section.hva + (iova - section.start);
    const size = end - iova;
    const rc = this.vfio_dma_map(iova, size, vaddr, section.kind === 'rom');
    if (rc >= 0) return;
    const what = `vfio_container_dma_map(0x${hex(this.fd)}, 0x${hex(iova)}, 0x${hex(size)}, 0x${hex(vaddr)}) = ${rc} (${strerror(rc)})`;
    // Mappings of device memory may fail without harm: only peer-to-peer DMA is lost.
    if (section.kind === 'ram-device' || this.initialized) this.vm.error_report(what);
    else this.error ??= what;
  }

  /** vfio_listener_region_del */
  region_del(section: FlatEntry): void {
    if (section.hva === null) return;
    const iova = alignUp(section.start, PAGE_SIZE);
    const end = alignDown(section.start + section.size, PAGE_SIZE);
    if (iova >= end) return;
    encode(
      vfio_iommu_type1_dma_unmap,
      { argsz: vfio_iommu_type1_dma_unmap.size, flags: 0, iova, size: end - iova },
      this.unmap,
    );
    const rc = ioctl(this.vm.sys, this.fd, VFIO_IOMMU_UNMAP_DMA, this.unmap);
    if (rc < 0)
      this.vm.error_report(
        `vfio_container_dma_unmap(0x${hex(this.fd)}, 0x${hex(iova)}, 0x${hex(end - iova)}) = ${rc} (${strerror(rc)})`,
      );
  }

  private vfio_dma_map(iova: number, size: number, vaddr: number, readonly: boolean): number {
    encode(
      vfio_iommu_type1_dma_map,
      {
        argsz: vfio_iommu_type1_dma_map.size,
        flags: VFIO_DMA_MAP_FLAG_READ | (readonly ? 0 : VFIO_DMA_MAP_FLAG_WRITE),
        vaddr,
        iova,
        size,
      },
      this.map,
    );
    return ioctl(this.vm.sys, this.fd, VFIO_IOMMU_MAP_DMA, this.map);
  }
}

export interface VfioGroupFd {
  readonly id: number;
  readonly fd: number;
  readonly container: VfioContainer;
  users: number;
}

/** Groups and containers this VM has open. */
const open = new WeakMap<VirtualMachine, { readonly groups: VfioGroupFd[]; container: VfioContainer | null }>();

/** vfio_init_container: type1v2 before type1. */
function vfio_init_container(vm: VirtualMachine, fd: number, group: number): void {
  const { sys } = vm;
  const type = [VFIO_TYPE1v2_IOMMU, VFIO_TYPE1_IOMMU].find(
    (wanted) => ioctl(sys, fd, VFIO_CHECK_EXTENSION, wanted) > 0,
  );
  if (type === undefined) error_setg('No available IOMMU models');
  const arg = new Uint8Array(4);
  new DataView(arg.buffer).setInt32(0, fd, true);
  const set = ioctl(sys, group, VFIO_GROUP_SET_CONTAINER, arg);
  if (set < 0) error_setg(`Failed to set group container: ${strerror(set)}`);
  const iommu = ioctl(sys, fd, VFIO_SET_IOMMU, type);
  if (iommu < 0) error_setg(`Failed to set iommu for container: ${strerror(iommu)}`);
}

/** vfio_connect_container: the VM's container if it has one, else a new one with the guest's memory mapped. */
function vfio_connect_container(vm: VirtualMachine, group: number): VfioContainer {
  const { sys } = vm;
  const state = open.get(vm);
  if (state?.container) {
    const arg = new Uint8Array(4);
    new DataView(arg.buffer).setInt32(0, state.container.fd, true);
    if (ioctl(sys, group, VFIO_GROUP_SET_CONTAINER, arg) >= 0) return state.container;
  }
  const fd = sys.open('/dev/vfio/vfio', O_RDWR | O_CLOEXEC);
  if (fd < 0) error_setg(`failed to open /dev/vfio/vfio: ${strerror(fd)}`);
  const version = ioctl(sys, fd, VFIO_GET_API_VERSION);
  if (version !== VFIO_API_VERSION)
    error_setg(`supported vfio version: ${VFIO_API_VERSION}, reported version: ${version}`);
  vfio_init_container(vm, fd, group);
  const container = new VfioContainer(vm, fd);
  vm.address_space_memory.memory_listener_register(container);
  if (container.error !== null) error_setg(`memory listener initialization failed: ${container.error}`);
  container.initialized = true;
  return container;
}

/** vfio_get_group: opens the group once per VM. */
export function vfio_get_group(vm: VirtualMachine, id: number): VfioGroupFd {
  const state = open.get(vm) ?? { groups: [], container: null };
  open.set(vm, state);
  const known = state.groups.find((group) => group.id === id);
  if (known) return known;
  const { sys } = vm;
  const path = `/dev/vfio/${id}`;
  const fd = sys.open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) error_setg(`failed to open ${path}: ${strerror(fd)}`);
  const status = encode(vfio_group_status, { argsz: vfio_group_status.size });
  const rc = ioctl(sys, fd, VFIO_GROUP_GET_STATUS, status);
  if (rc < 0) error_setg(`failed to get group ${id} status: ${strerror(rc)}`);
  if (!(decode(vfio_group_status, status).flags & VFIO_GROUP_FLAGS_VIABLE))
    error_setg(
      `group ${id} is not viable\nPlease ensure all devices within the iommu_group are bound to their vfio bus driver.`,
    );
  let container: VfioContainer;
  try {
    container = vfio_connect_container(vm, fd);
  } catch (error) {
    sys.close(fd);
    throw error instanceof Error && error.name === 'QemuError'
      ? prefixed(error, `failed to setup container for group ${id}: `)
      : error;
  }
  container.users++;
  state.container = container;
  const group: VfioGroupFd = { id, fd, container, users: 0 };
  state.groups.push(group);
  return group;
}

function prefixed(error: Error, prefix: string): Error {
  error.message = prefix + error.message;
  return error;
}

/** vfio_get_device: the device's file. */
export function vfio_get_device(vm: VirtualMachine, group: VfioGroupFd, name: string): number {
  const bytes = utf8(`${name}\0`);
  const fd = ioctl(vm.sys, group.fd, VFIO_GROUP_GET_DEVICE_FD, bytes);
  if (fd < 0)
    error_setg(
      `error getting device from group ${group.id}: ${strerror(fd)}\nVerify all devices in group ${group.id} are bound to vfio-<bus> or pci-stub and not already in use`,
    );
  group.users++;
  return fd;
}

/** vfio_put_group: the last device of a group closes it, the last group its container. */
export function vfio_put_group(vm: VirtualMachine, group: VfioGroupFd): void {
  if (--group.users > 0) return;
  const state = open.get(vm);
  if (!state) return;
  state.groups.splice(state.groups.indexOf(group), 1);
  const { container } = group;
  if (--container.users === 0) {
    vm.address_space_memory.memory_listener_unregister(container);
    state.container = null;
    vm.sys.close(group.fd);
    vm.sys.close(container.fd);
    return;
  }
  vm.sys.close(group.fd);
}
