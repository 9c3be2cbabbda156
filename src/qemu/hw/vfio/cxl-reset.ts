/**
 * What a corrected VFIO stub does at a reset of the guest's machine (quirk `qemu-reset-keeps-decoders`, intended): the kernel's
 * shadow is for this VMM to put back, since no reset reaches it. Our reading; the posted patch has nothing of the kind.
 */
import type { Sys } from '../../../linux/uapi/sys.ts';
import { VFIO_PCI_CONFIG_REGION_INDEX, VFIO_PCI_INDEX_TO_OFFSET } from '../../../linux/uapi/vfio.ts';
import type { VfioDeviceFd } from './common.ts';
import type { VfioCxlInfo } from './cxl.ts';

const PCI_EXT_CAP_ID_DVSEC = 0x23;
const PCI_VENDOR_ID_CXL = 0x1e98;
const DVSEC_CTRL = 0x0c;
const IO_ENABLE = 2;

/** Releases every decoder, clears it, and turns global enable and Mem_Enable off. */
export function vfio_cxl_reset_decoders(sys: Sys, device: VfioDeviceFd, info: VfioCxlInfo): void {
  const bar = VFIO_PCI_INDEX_TO_OFFSET(info.hdm_regs_bar_index) + info.hdm_regs_offset;
  const put = (at: number, value: number, bytes: 2 | 4) => sys.pwrite(device.fd, little(value, bytes), at);
  for (let decoder = 0x10; decoder + 0x20 <= info.hdm_regs_size; decoder += 0x20)
    for (const register of [0x10, 0x00, 0x04, 0x08, 0x0c]) put(bar + decoder + register, 0, 4);
  put(bar + 4, 0, 4);
  const config = VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_CONFIG_REGION_INDEX);
  const dvsec = cxl_device_dvsec((at) => {
    const dword = new Uint8Array(4);
    return sys.pread(device.fd, dword, config + at) === 4 ? new DataView(dword.buffer).getUint32(0, true) : 0;
  });
  if (dvsec) put(config + dvsec + DVSEC_CTRL, IO_ENABLE, 2);
}

/** Position of the CXL device DVSEC, 0 without. */
function cxl_device_dvsec(dword: (at: number) => number): number {
  for (let at = 0x100; at !== 0; at = dword(at) >>> 20) {
    if ((dword(at) & 0xffff) !== PCI_EXT_CAP_ID_DVSEC) continue;
    if ((dword(at + 4) & 0xffff) === PCI_VENDOR_ID_CXL && (dword(at + 8) & 0xffff) === 0) return at;
  }
  return 0;
}

function little(value: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, n) => (value >>> (8 * n)) & 0xff);
}
