import { E } from '../../../../base/errno.ts';
import { posted } from '../../../include/quirks.ts';
import { VFIO_PCI_OFFSET, VFIO_PCI_OFFSET_TO_INDEX } from '../../../uapi/vfio.ts';
import type { ShadowBytes } from './vconfig.ts';
import { hdm_write } from './vfio_cxl_hdm.ts';
import type { VfioPciCoreDevice } from './vfio_pci_device.ts';
import { value4, vfio_pci_rw } from './vfio_pci_rdwr.ts';

/** Guest accesses to a CXL device (drivers/vfio/pci/vfio_cxl_core.c, vfio-cxl RFC v1, patches 07 and 08). */

/** emulate_hdm_regblock: the access lies in the window; gives the bytes handled. */
function emulate_hdm_regblock(
  vdev: VfioPciCoreDevice,
  shadow: ShadowBytes,
  bytes: Uint8Array,
  pos: number,
  iswrite: boolean,
): number {
  const { log } = vdev.kernel;
  const { sites, cxl } = vdev;
  const hdm = pos - cxl.emulated_start;
  // Posted, the shadow pointer also loses comp_reg_offset (an underflow when the block is not at the BAR's start): not reproduced.
  const base = cxl.hdm_reg_offset;
  if (!iswrite) {
    const outer = log.begin(sites.emulate, hdm);
    const value = shadow.read(base + hdm, 4);
    bytes[0] = value & 0xff;
    bytes[1] = (value >>> 8) & 0xff;
    bytes[2] = (value >>> 16) & 0xff;
    bytes[3] = value >>> 24;
    log.end(outer, value);
    return 4;
  }
  const value = value4(bytes);
  const outer = log.begin(sites.emulate, hdm, value);
  if (!hdm_write(shadow, base, hdm, value, vdev.hdm_rules)) log.note(sites.dropped, hdm, value);
  log.end(outer, 4);
  return 4;
}

function vfio_cxl_core_rw(vdev: VfioPciCoreDevice, bytes: Uint8Array, pos: number, iswrite: boolean): number {
  const { cxl } = vdev;
  const count = bytes.length;
  if (count === 0) return 0;
  if (cxl.comp_reg_virt && VFIO_PCI_OFFSET_TO_INDEX(pos) === cxl.comp_reg_bar) {
    const off = pos % VFIO_PCI_OFFSET;
    if (count !== 4 || off % 4 !== 0) {
      // Posted: refused for the whole BAR, not only for the HDM block, and every first time with a backtrace.
      if (posted(vdev.kernel, 'vfio-cxl-dword-only')) {
        vdev.kernel.warn('', 'emulate_hdm_regblock', 'emulate_hdm_regblock');
        return -E.EINVAL;
      }
      if (off < cxl.emulated_end && off + count > cxl.emulated_start) return -E.EINVAL;
    }
    if (off >= cxl.emulated_start && off < cxl.emulated_end)
      return emulate_hdm_regblock(vdev, cxl.comp_reg_virt, bytes, off, iswrite);
  }
  return vfio_pci_rw(vdev, bytes, pos, iswrite);
}

/** vfio_cxl_core_read (patch 07) */
export function vfio_cxl_core_read(vdev: VfioPciCoreDevice, into: Uint8Array, pos: number): number {
  const { log } = vdev.kernel;
  const outer = log.begin(vdev.sites.cxlRead, pos, into.length);
  const ret = vfio_cxl_core_rw(vdev, into, pos, false);
  log.end(outer, ret < 0 ? ret : value4(into));
  return ret;
}

/** vfio_cxl_core_write (patch 07) */
export function vfio_cxl_core_write(vdev: VfioPciCoreDevice, from: Uint8Array, pos: number): number {
  const { log } = vdev.kernel;
  const outer = log.begin(vdev.sites.cxlWrite, pos, value4(from));
  const ret = vfio_cxl_core_rw(vdev, from, pos, true);
  log.end(outer, ret);
  return ret;
}
