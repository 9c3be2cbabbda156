import { concat, viewOf } from '../../../../base/bytes.ts';
import { E } from '../../../../base/errno.ts';
import { eventfd_ctx_fileget } from '../../../fs/eventfd.ts';
import {
  PCI_INTERRUPT_PIN,
  type PciDev,
  pci_find_capability,
  pci_read_config_word,
  pci_resource_len,
} from '../../../include/pci.ts';
import { hasPatch, posted } from '../../../include/quirks.ts';
import type { Process } from '../../../include/tasks.ts';
import { decode, encode, setField } from '../../../uapi/struct.ts';
import {
  VFIO_DEVICE_FLAGS_CAPS,
  VFIO_DEVICE_FLAGS_CXL,
  VFIO_DEVICE_FLAGS_PCI,
  VFIO_DEVICE_FLAGS_RESET,
  VFIO_DEVICE_GET_INFO,
  VFIO_DEVICE_GET_IRQ_INFO,
  VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
  VFIO_DEVICE_GET_REGION_INFO,
  VFIO_DEVICE_INFO_CAP_CXL,
  VFIO_DEVICE_IOEVENTFD,
  VFIO_DEVICE_PCI_HOT_RESET,
  VFIO_DEVICE_RESET,
  VFIO_DEVICE_SET_IRQS,
  VFIO_IRQ_INFO_AUTOMASKED,
  VFIO_IRQ_INFO_EVENTFD,
  VFIO_IRQ_INFO_MASKABLE,
  VFIO_IRQ_INFO_NORESIZE,
  VFIO_IRQ_SET_ACTION_MASK,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_ACTION_UNMASK,
  VFIO_IRQ_SET_DATA_BOOL,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_CONFIG_REGION_INDEX,
  VFIO_PCI_ERR_IRQ_INDEX,
  VFIO_PCI_INDEX_TO_OFFSET,
  VFIO_PCI_INTX_IRQ_INDEX,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
  VFIO_PCI_NUM_IRQS,
  VFIO_PCI_NUM_REGIONS,
  VFIO_PCI_REQ_IRQ_INDEX,
  VFIO_PCI_ROM_REGION_INDEX,
  VFIO_PCI_VGA_REGION_INDEX,
  VFIO_REGION_INFO_CAP_MSIX_MAPPABLE,
  VFIO_REGION_INFO_CAP_TYPE,
  VFIO_REGION_INFO_FLAG_CAPS,
  VFIO_REGION_INFO_FLAG_MMAP,
  VFIO_REGION_INFO_FLAG_READ,
  VFIO_REGION_INFO_FLAG_WRITE,
  vfio_device_info,
  vfio_device_info_cap_cxl,
  vfio_info_cap_header,
  vfio_irq_info,
  vfio_irq_set,
  vfio_pci_dependent_device,
  vfio_pci_hot_reset,
  vfio_pci_hot_reset_info,
  vfio_region_info,
  vfio_region_info_cap_type,
} from '../../../uapi/vfio.ts';
import { VFIO } from '../vfio.ts';
import { vfio_pci_cxl_get_info, vfio_pci_cxl_get_region_info } from './cxl/regions.ts';
import { pci_probe_reset_bus, pci_reset_bus, pci_try_reset_function } from './pci_reset.ts';
import { vfio_cxl_get_region_info } from './vfio_cxl_sparse.ts';
import { type VfioPciCoreDevice, vfio_pci_zap_bars } from './vfio_pci_device.ts';
import { vfio_pci_ioctl_ioeventfd } from './vfio_pci_ioeventfd.ts';

/** ioctls on a vfio-pci device (drivers/vfio/pci/vfio_pci_core.c, v6.11 + RFC patches 09, 11). Left out: device features, interrupts of the function itself. */

/** Links `caps` into one chain starting at `start` of the reply (vfio_info_add_capability, vfio_info_cap_shift). */
function chain(caps: readonly Uint8Array[], start: number): Uint8Array {
  let at = start;
  caps.forEach((cap, n) => {
    at += cap.length;
    setField(vfio_info_cap_header, 'next', cap, n + 1 < caps.length ? at : 0);
  });
  return concat(caps);
}

function vfio_pci_ioctl_get_info(vdev: VfioPciCoreDevice, arg: Uint8Array): number {
  const minsz = 16;
  if (arg.length < minsz) return -E.EFAULT;
  const { argsz } = decode(vfio_device_info, arg);
  if (argsz < minsz) return -E.EINVAL;
  let flags = VFIO_DEVICE_FLAGS_PCI;
  if (vdev.reset_works) flags |= VFIO_DEVICE_FLAGS_RESET;
  if (vdev.has_cxl) {
    flags |= VFIO_DEVICE_FLAGS_CXL;
    // Posted: both, so that a VMM which has never heard of CXL takes the device for a plain one.
    if (!posted(vdev.kernel, 'vfio-cxl-both-flags')) flags &= ~VFIO_DEVICE_FLAGS_PCI;
  }
  const caps: Uint8Array[] = [];
  // Patch 11: the capability exists once vfio_cxl_core_enable filled it.
  if (vdev.has_cxl && vdev.cxl.cap && hasPatch(vdev.kernel, 11))
    caps.push(encode(vfio_device_info_cap_cxl, { id: VFIO_DEVICE_INFO_CAP_CXL, version: 1, next: 0, ...vdev.cxl.cap }));
  if (vdev.cxl_v3) {
    flags |= VFIO_DEVICE_FLAGS_CXL;
    caps.push(vfio_pci_cxl_get_info(vdev.cxl_v3));
  }
  if (arg.length < Math.min(argsz, vfio_device_info.size)) return -E.EFAULT;
  const value = { argsz, flags, num_regions: VFIO_PCI_NUM_REGIONS + vdev.regions.length, num_irqs: VFIO_PCI_NUM_IRQS };
  return reply(arg, argsz, vfio_device_info.size, caps, (extra) =>
    encode(
      vfio_device_info,
      { ...value, cap_offset: 0, ...(caps.length ? { flags: flags | VFIO_DEVICE_FLAGS_CAPS } : {}), ...extra },
      arg,
      0,
      Math.min(argsz, vfio_device_info.size),
    ),
  );
}

/** argsz rule of every info call: too small for the chain → the size needed and no chain. */
function reply(
  arg: Uint8Array,
  argsz: number,
  size: number,
  caps: readonly Uint8Array[],
  put: (extra: { argsz?: number; cap_offset?: number }) => void,
): number {
  if (caps.length === 0) {
    put({});
    return 0;
  }
  const needed = size + caps.reduce((sum, cap) => sum + cap.length, 0);
  if (argsz < needed) {
    put({ argsz: needed, cap_offset: 0 });
    return 0;
  }
  if (arg.length < needed) return -E.EFAULT;
  arg.set(chain(caps, size), size);
  put({ cap_offset: size });
  return 0;
}

function vfio_pci_ioctl_get_region_info(vdev: VfioPciCoreDevice, arg: Uint8Array): number {
  if (arg.length < vfio_region_info.size) return -E.EFAULT;
  const info = decode(vfio_region_info, arg);
  if (info.argsz < vfio_region_info.size) return -E.EINVAL;
  const { index } = info;
  const rw = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
  const caps: Uint8Array[] = [];
  let size = 0;
  let flags = 0;
  if (index === VFIO_PCI_CONFIG_REGION_INDEX) {
    size = vdev.pdev.cfg_size;
    flags = rw;
  } else if (index < VFIO_PCI_ROM_REGION_INDEX) {
    size = pci_resource_len(vdev.pdev, index);
    if (size > 0) {
      flags = rw;
      const sparse = vfio_pci_cxl_get_region_info(vdev, index) ?? vfio_cxl_get_region_info(vdev, index);
      if (sparse) {
        flags = sparse.flags;
        caps.push(...sparse.caps);
      } else if (vdev.bar_mmap_supported[index]) {
        flags |= VFIO_REGION_INFO_FLAG_MMAP;
        if (index === vdev.msix_bar)
          caps.push(encode(vfio_info_cap_header, { id: VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, version: 1, next: 0 }));
      }
    }
  } else if (index === VFIO_PCI_ROM_REGION_INDEX) {
    // No model device has a valid ROM image, so the region stays empty whatever the BAR's size.
    size = 0;
  } else if (index === VFIO_PCI_VGA_REGION_INDEX) {
    if (!vdev.has_vga) return -E.EINVAL;
  } else {
    const region = vdev.regions[index - VFIO_PCI_NUM_REGIONS];
    if (!region) return -E.EINVAL;
    size = region.size;
    flags = region.flags;
    caps.push(
      encode(vfio_region_info_cap_type, {
        id: VFIO_REGION_INFO_CAP_TYPE,
        version: 1,
        next: 0,
        type: region.type,
        subtype: region.subtype,
      }),
    );
  }
  if (caps.length) flags |= VFIO_REGION_INFO_FLAG_CAPS;
  const offset = VFIO_PCI_INDEX_TO_OFFSET(index);
  return reply(arg, info.argsz, vfio_region_info.size, caps, (extra) =>
    encode(vfio_region_info, { flags, size, offset, ...extra }, arg),
  );
}

/** vfio_pci_get_irq_count */
function vfio_pci_get_irq_count(vdev: VfioPciCoreDevice, index: number): number {
  const { pdev } = vdev;
  switch (index) {
    case VFIO_PCI_INTX_IRQ_INDEX:
      return vdev.nointx || !vdev.vconfig?.read(PCI_INTERRUPT_PIN, 1) ? 0 : 1;
    case VFIO_PCI_MSI_IRQ_INDEX: {
      const pos = pci_find_capability(pdev, 5);
      return pos ? 1 << ((pci_read_config_word(pdev, pos + 2) & 0x0e) >> 1) : 0;
    }
    case VFIO_PCI_MSIX_IRQ_INDEX: {
      const pos = pdev.msix_cap;
      return pos ? (pci_read_config_word(pdev, pos + 2) & 0x7ff) + 1 : 0;
    }
    case VFIO_PCI_ERR_IRQ_INDEX:
      return pdev.pcie_cap ? 1 : 0;
    default:
      return 1;
  }
}

function vfio_pci_ioctl_get_irq_info(vdev: VfioPciCoreDevice, arg: Uint8Array): number {
  if (arg.length < vfio_irq_info.size) return -E.EFAULT;
  const info = decode(vfio_irq_info, arg);
  if (info.argsz < vfio_irq_info.size || info.index >= VFIO_PCI_NUM_IRQS) return -E.EINVAL;
  if (info.index === VFIO_PCI_ERR_IRQ_INDEX && !vdev.pdev.pcie_cap) return -E.EINVAL;
  const flags =
    info.index === VFIO_PCI_INTX_IRQ_INDEX
      ? VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED
      : VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
  encode(vfio_irq_info, { flags, count: vfio_pci_get_irq_count(vdev, info.index) }, arg);
  return 0;
}

/** vfio_set_irqs_validate_and_prepare, vfio_pci_set_irqs_ioctl */
function vfio_pci_ioctl_set_irqs(vdev: VfioPciCoreDevice, arg: Uint8Array, process: Process): number {
  if (arg.length < vfio_irq_set.size) return -E.EFAULT;
  const set = decode(vfio_irq_set, arg);
  const type = set.flags & 7;
  const action = set.flags & 0x38;
  if (set.argsz < vfio_irq_set.size || set.index >= VFIO_PCI_NUM_IRQS || set.flags & ~0x3f) return -E.EINVAL;
  const max = vfio_pci_get_irq_count(vdev, set.index);
  if (set.start >= max || set.start + set.count > max) return -E.EINVAL;
  if (![VFIO_IRQ_SET_DATA_NONE, VFIO_IRQ_SET_DATA_BOOL, VFIO_IRQ_SET_DATA_EVENTFD].includes(type)) return -E.EINVAL;
  const each = type === VFIO_IRQ_SET_DATA_NONE ? 0 : type === VFIO_IRQ_SET_DATA_BOOL ? 1 : 4;
  if (set.argsz - vfio_irq_set.size < set.count * each) return -E.EINVAL;
  if (arg.length < vfio_irq_set.size + set.count * each) return -E.EFAULT;
  const data = arg.subarray(vfio_irq_set.size, vfio_irq_set.size + set.count * each);
  const intx = set.index === VFIO_PCI_INTX_IRQ_INDEX;
  if (intx && (action === VFIO_IRQ_SET_ACTION_MASK || action === VFIO_IRQ_SET_ACTION_UNMASK))
    return vfio_pci_set_intx_mask(vdev, set, type, action);
  if (action !== VFIO_IRQ_SET_ACTION_TRIGGER) return -E.ENOTTY;
  if (set.index === VFIO_PCI_ERR_IRQ_INDEX)
    return set_ctx_trigger_single(vdev, 'err_trigger', set, type, data, process);
  if (set.index === VFIO_PCI_REQ_IRQ_INDEX)
    return set_ctx_trigger_single(vdev, 'req_trigger', set, type, data, process);
  return set_vectors(vdev, set, type, data, process);
}

/** vfio_pci_set_intx_mask, vfio_pci_set_intx_unmask: an eventfd may unmask, none masks. Nothing here raises INTx, so there is nothing to hold back. */
function vfio_pci_set_intx_mask(
  { irq_type }: VfioPciCoreDevice,
  { start, count }: { readonly start: number; readonly count: number },
  type: number,
  action: number,
): number {
  if (irq_type !== VFIO_PCI_INTX_IRQ_INDEX || start !== 0 || count !== 1) return -E.EINVAL;
  return type === VFIO_IRQ_SET_DATA_EVENTFD && action === VFIO_IRQ_SET_ACTION_MASK ? -E.ENOTTY : 0;
}

/** vfio_pci_set_intx_trigger, vfio_pci_set_msi_trigger: which kind of interrupt is on. No model device raises one, so the eventfds are only looked at. */
function set_vectors(
  vdev: VfioPciCoreDevice,
  { index, start, count }: { readonly index: number; readonly start: number; readonly count: number },
  type: number,
  data: Uint8Array,
  process: Process,
): number {
  const on = vdev.irq_type === index;
  if (on && count === 0 && type === VFIO_IRQ_SET_DATA_NONE) {
    vdev.irq_type = null;
    return 0;
  }
  if (!on && vdev.irq_type !== null) return -E.EINVAL;
  if (index === VFIO_PCI_INTX_IRQ_INDEX && (start !== 0 || count !== 1)) return -E.EINVAL;
  if (type !== VFIO_IRQ_SET_DATA_EVENTFD) return on ? 0 : -E.EINVAL;
  for (let n = 0; n < count; n++) {
    const fd = viewOf(data).getInt32(4 * n, true);
    if (fd < 0) continue;
    const ctx = eventfd_ctx_fileget(vdev.kernel.vfs.file(process, fd));
    if (typeof ctx === 'number') return ctx;
  }
  vdev.irq_type = index;
  return 0;
}

/** vfio_pci_set_ctx_trigger_single: sets, tests or (fd -1, or no data and count 0) gives up the eventfd. */
function set_ctx_trigger_single(
  vdev: VfioPciCoreDevice,
  which: 'err_trigger' | 'req_trigger',
  { start, count }: { readonly start: number; readonly count: number },
  type: number,
  data: Uint8Array,
  process: Process,
): number {
  if (start !== 0 || count > 1) return -E.EINVAL;
  const ctx = vdev[which];
  if (type === VFIO_IRQ_SET_DATA_NONE) {
    if (!ctx) return -E.EINVAL;
    if (count) ctx.signal();
    else vdev[which] = null;
    return 0;
  }
  if (count === 0) return -E.EINVAL;
  if (type === VFIO_IRQ_SET_DATA_BOOL) {
    if (data[0]) ctx?.signal();
    return 0;
  }
  const fd = new DataView(data.buffer, data.byteOffset, 4).getInt32(0, true);
  if (fd < 0) {
    if (fd === -1) vdev[which] = null;
    return 0;
  }
  const wanted = eventfd_ctx_fileget(vdev.kernel.vfs.file(process, fd));
  if (typeof wanted === 'number') return wanted;
  vdev[which] = wanted;
  return 0;
}

/** vfio_pci_zap_and_down_write_memory_lock … up_write: nobody has pages or reaches registers meanwhile. */
function zapped(vdev: VfioPciCoreDevice, fn: string, body: () => number): number {
  return vdev.memory_lock.write(fn, () => {
    vfio_pci_zap_bars(vdev);
    return body();
  });
}

function vfio_pci_ioctl_reset(vdev: VfioPciCoreDevice): number {
  if (!vdev.reset_works) return -E.EINVAL;
  return zapped(vdev, 'vfio_pci_ioctl_reset', () => pci_try_reset_function(vdev.pdev));
}

function vfio_pci_ioctl_get_pci_hot_reset_info(vdev: VfioPciCoreDevice, arg: Uint8Array): number {
  if (arg.length < vfio_pci_hot_reset_info.size) return -E.EFAULT;
  const { argsz } = decode(vfio_pci_hot_reset_info, arg);
  if (argsz < vfio_pci_hot_reset_info.size) return -E.EINVAL;
  if (pci_probe_reset_bus(vdev.pdev)) return -E.ENODEV;
  const { devices } = vdev.pdev.pci_bus;
  encode(vfio_pci_hot_reset_info, { flags: 0, count: devices.length }, arg);
  const room = Math.floor((argsz - vfio_pci_hot_reset_info.size) / vfio_pci_dependent_device.size);
  if (room < devices.length) return -E.ENOSPC;
  if (arg.length < vfio_pci_hot_reset_info.size + devices.length * vfio_pci_dependent_device.size) return -E.EFAULT;
  devices.forEach((dev, n) => {
    encode(
      vfio_pci_dependent_device,
      { group_id: dev.iommu_group ?? 0, segment: dev.pci_bus.segment, bus: dev.pci_bus.number, devfn: dev.devfn },
      arg,
      vfio_pci_hot_reset_info.size + n * vfio_pci_dependent_device.size,
    );
  });
  return 0;
}

function vfio_pci_ioctl_pci_hot_reset(vdev: VfioPciCoreDevice, arg: Uint8Array, process: Process): number {
  if (arg.length < vfio_pci_hot_reset.size) return -E.EFAULT;
  const { argsz, flags, count } = decode(vfio_pci_hot_reset, arg);
  if (argsz < vfio_pci_hot_reset.size || flags) return -E.EINVAL;
  if (pci_probe_reset_bus(vdev.pdev)) return -E.ENODEV;
  // Posted: patch 09 keeps the function reset away and forgets this one.
  if (vdev.has_cxl && !posted(vdev.kernel, 'vfio-cxl-hot-reset-open')) return -E.ENODEV;
  const { devices } = vdev.pdev.pci_bus;
  // A character device is known by its IOMMU context, a group user by the groups it names.
  if ((count === 0) === (vdev.iommufd === null)) return -E.EINVAL;
  if (vdev.iommufd) {
    const mine = (dev: PciDev): boolean =>
      vdev.kernel.get(VFIO).devices.some((other) => other.dev === dev && other.iommufd === vdev.iommufd);
    if (!devices.every(mine)) return -E.EINVAL;
    return zapped(vdev, 'vfio_pci_dev_set_hot_reset', () => pci_reset_bus(vdev.pdev));
  }
  if (count > devices.length) return -E.EINVAL;
  if (arg.length < vfio_pci_hot_reset.size + 4 * count) return -E.EFAULT;
  const view = new DataView(arg.buffer, arg.byteOffset, arg.byteLength);
  const owned = new Set<number>();
  for (let n = 0; n < count; n++) {
    const file = vdev.kernel.vfs.file(process, view.getInt32(vfio_pci_hot_reset.size + 4 * n, true));
    if (!file) return -E.EBADF;
    const group = vdev.kernel.get(VFIO).groups.find((other) => other.opened_file === file);
    if (!group) return -E.EINVAL;
    owned.add(group.iommu_group);
  }
  // Every function the reset touches must be in a group the caller holds.
  if (devices.some((dev) => dev.iommu_group === null || !owned.has(dev.iommu_group))) return -E.EINVAL;
  return zapped(vdev, 'vfio_pci_dev_set_hot_reset', () => pci_reset_bus(vdev.pdev));
}

/** What copies a structure from the caller: a plain number is no address of one. */
const BY_ADDRESS: ReadonlySet<number> = new Set([
  VFIO_DEVICE_GET_INFO,
  VFIO_DEVICE_GET_REGION_INFO,
  VFIO_DEVICE_GET_IRQ_INFO,
  VFIO_DEVICE_SET_IRQS,
  VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
  VFIO_DEVICE_PCI_HOT_RESET,
  VFIO_DEVICE_IOEVENTFD,
]);

/** vfio_pci_core_ioctl */
export function vfio_pci_core_ioctl(
  vdev: VfioPciCoreDevice,
  request: number,
  arg: Uint8Array | number,
  process: Process,
): number {
  if (request === VFIO_DEVICE_RESET) return vfio_pci_ioctl_reset(vdev);
  if (typeof arg === 'number') return BY_ADDRESS.has(request) ? -E.EFAULT : -E.ENOTTY;
  switch (request) {
    case VFIO_DEVICE_GET_INFO:
      return vfio_pci_ioctl_get_info(vdev, arg);
    case VFIO_DEVICE_GET_REGION_INFO:
      return vfio_pci_ioctl_get_region_info(vdev, arg);
    case VFIO_DEVICE_GET_IRQ_INFO:
      return vfio_pci_ioctl_get_irq_info(vdev, arg);
    case VFIO_DEVICE_SET_IRQS:
      return vfio_pci_ioctl_set_irqs(vdev, arg, process);
    case VFIO_DEVICE_GET_PCI_HOT_RESET_INFO:
      return vfio_pci_ioctl_get_pci_hot_reset_info(vdev, arg);
    case VFIO_DEVICE_PCI_HOT_RESET:
      return vfio_pci_ioctl_pci_hot_reset(vdev, arg, process);
    case VFIO_DEVICE_IOEVENTFD:
      return vfio_pci_ioctl_ioeventfd(vdev, arg, process);
    default:
      return -E.ENOTTY;
  }
}
