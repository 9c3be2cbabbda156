import { E } from '../../../../base/errno.ts';
import { eventfd_ctx_fileget } from '../../../fs/eventfd.ts';
import { pci_resource_len } from '../../../include/pci.ts';
import type { Process } from '../../../include/tasks.ts';
import { decode } from '../../../uapi/struct.ts';
import {
  VFIO_PCI_OFFSET,
  VFIO_PCI_OFFSET_TO_INDEX,
  VFIO_PCI_ROM_REGION_INDEX,
  vfio_device_ioeventfd,
} from '../../../uapi/vfio.ts';
import { overlaps_comp_regs } from './cxl/vfio_cxl_core.ts';
import { vfio_cxl_ioeventfd_refused } from './vfio_cxl_sparse.ts';
import type { VfioPciCoreDevice } from './vfio_pci_device.ts';
import { vfio_pci_core_do_io_rw, vfio_pci_core_setup_barmap } from './vfio_pci_rdwr.ts';

/**
 * VFIO_DEVICE_IOEVENTFD (drivers/vfio/pci/vfio_pci_core.c and vfio_pci_rdwr.c, v6.11 + v3 patch 08): which writes of a BAR may be tied to an
 * event file. Left out: a signal that comes while the file is handed over.
 */
const SIZE_MASK = 0xf;
/** Up to the descriptor. */
const MINSZ = 28;
/** VFIO_PCI_IOEVENTFD_MAX */
const MAX = 1000;

export function vfio_pci_ioctl_ioeventfd(vdev: VfioPciCoreDevice, arg: Uint8Array, process: Process): number {
  if (arg.length < MINSZ) return -E.EFAULT;
  const { argsz, flags, offset, data, fd } = decode(vfio_device_ioeventfd, arg);
  const count = flags & SIZE_MASK;
  if (argsz < MINSZ || flags & ~SIZE_MASK) return -E.EINVAL;
  if (count === 0 || (count & (count - 1)) !== 0 || fd < -1) return -E.EINVAL;
  return vfio_pci_ioeventfd(vdev, { offset, data, count, fd }, process);
}

function vfio_pci_ioeventfd(
  vdev: VfioPciCoreDevice,
  wanted: { readonly offset: number; readonly data: number; readonly count: number; readonly fd: number },
  process: Process,
): number {
  const { offset, data, count, fd } = wanted;
  const bar = VFIO_PCI_OFFSET_TO_INDEX(offset);
  const pos = offset % VFIO_PCI_OFFSET;
  // BARs only: not configuration space, not the regions of a series.
  if (bar >= VFIO_PCI_ROM_REGION_INDEX) return -E.EINVAL;
  if (pos + count > pci_resource_len(vdev.pdev, bar)) return -E.EINVAL;
  const table = bar === vdev.msix_bar;
  if (table && pos < vdev.msix_offset + vdev.msix_size && pos + count > vdev.msix_offset) return -E.EINVAL;
  // v3: a write that would pass the shadow of the component registers by.
  if (overlaps_comp_regs(vdev.cxl_v3, bar, pos, count)) return -E.EINVAL;
  if (vfio_cxl_ioeventfd_refused(vdev, bar, pos, count)) return -E.EINVAL;
  // x86 has no iowrite64 here.
  if (count === 8) return -E.EINVAL;
  const rc = vfio_pci_core_setup_barmap(vdev, bar);
  if (rc) return rc;
  const key = `${offset} ${count} ${data}`;
  const known = vdev.ioeventfds.get(key);
  if (known) {
    if (fd !== -1) return -E.EEXIST;
    known();
    vdev.ioeventfds.delete(key);
    return 0;
  }
  if (fd < 0) return -E.ENODEV;
  if (vdev.ioeventfds.size >= MAX) return -E.ENOSPC;
  const ctx = eventfd_ctx_fileget(vdev.kernel.vfs.file(process, fd));
  if (typeof ctx === 'number') return ctx;
  const bytes = Uint8Array.from({ length: count }, (_, n) => Math.floor(data / 256 ** n) & 0xff);
  // vfio_pci_ioeventfd_handler
  const write = (): void => {
    vfio_pci_core_do_io_rw(vdev, true, vdev.barmap[bar] ?? 0, bytes, pos, count, 0, 0, true);
  };
  ctx.takers.add(write);
  vdev.ioeventfds.set(key, () => ctx.takers.delete(write));
  return 0;
}
