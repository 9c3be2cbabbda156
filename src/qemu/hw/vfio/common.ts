/** VFIO system calls as QEMU makes them (hw/vfio/helpers.c, QEMU 9): info structures with their capability chains. */
import { assert } from '../../../base/assert.ts';
import { decode, encode, type StructDef } from '../../../linux/uapi/struct.ts';
import type { Sys } from '../../../linux/uapi/sys.ts';
import {
  findInfoCap,
  VFIO_DEVICE_GET_INFO,
  VFIO_DEVICE_GET_REGION_INFO,
  VFIO_PCI_INDEX_TO_OFFSET,
  VFIO_REGION_INFO_CAP_TYPE,
  VFIO_REGION_INFO_FLAG_CAPS,
  vfio_device_info,
  vfio_region_info,
  vfio_region_info_cap_type,
} from '../../../linux/uapi/vfio.ts';

/** An open VFIO device: its file and the name messages use. */
export interface VfioDeviceFd {
  readonly fd: number;
  readonly name: string;
}

/** An ioctl that never sleeps (all of VFIO's). */
export function ioctl(sys: Sys, fd: number, request: number, arg?: Uint8Array | number): number {
  const result = sys.ioctl(fd, request, arg);
  assert(typeof result === 'number', 'a VFIO ioctl slept');
  return result;
}

/** Asks with the plain structure, and again with room for the capabilities when the kernel wants more. */
function info(sys: Sys, fd: number, request: number, def: StructDef<'argsz'>, first: Uint8Array): Uint8Array | number {
  let bytes = first;
  for (;;) {
    const rc = ioctl(sys, fd, request, bytes);
    if (rc < 0) return rc;
    const { argsz } = decode(def, bytes);
    if (argsz <= bytes.length) return bytes;
    const bigger = new Uint8Array(argsz);
    bigger.set(bytes);
    bytes = bigger;
  }
}

/** vfio_get_device_info: the whole reply, capabilities included. */
export function vfio_get_device_info(sys: Sys, fd: number): Uint8Array | number {
  const bytes = encode(vfio_device_info, { argsz: vfio_device_info.size });
  return info(sys, fd, VFIO_DEVICE_GET_INFO, vfio_device_info, bytes);
}

export interface RegionInfo {
  readonly index: number;
  readonly flags: number;
  readonly size: number;
  readonly offset: number;
  /** Type capability, if the region has one. */
  readonly type: { readonly type: number; readonly subtype: number } | null;
  /** Ids of all capabilities, for MSIX_MAPPABLE and the like. */
  readonly bytes: Uint8Array;
}

/** vfio_get_region_info */
export function vfio_get_region_info(sys: Sys, device: VfioDeviceFd, index: number): RegionInfo | number {
  const ask = encode(vfio_region_info, { argsz: vfio_region_info.size, index });
  const bytes = info(sys, device.fd, VFIO_DEVICE_GET_REGION_INFO, vfio_region_info, ask);
  if (typeof bytes === 'number') return bytes;
  const { flags, size, offset, cap_offset } = decode(vfio_region_info, bytes);
  const at = flags & VFIO_REGION_INFO_FLAG_CAPS ? findInfoCap(bytes, cap_offset, VFIO_REGION_INFO_CAP_TYPE) : 0;
  const cap = at ? decode(vfio_region_info_cap_type, bytes, at) : null;
  return { index, flags, size, offset, type: cap ? { type: cap.type, subtype: cap.subtype } : null, bytes };
}

/** vfio_get_dev_region_info: index of the region of this type, or a negated errno. */
export function vfio_get_dev_region_info(
  sys: Sys,
  device: VfioDeviceFd,
  regions: number,
  type: number,
  subtype: number,
): RegionInfo | null {
  for (let index = 0; index < regions; index++) {
    const found = vfio_get_region_info(sys, device, index);
    if (typeof found === 'number') continue;
    if (found.type?.type === type && found.type.subtype === subtype) return found;
  }
  return null;
}

/** pread of a region's bytes through the device file. */
export function vfio_region_fd_read(
  sys: Sys,
  device: VfioDeviceFd,
  index: number,
  offset: number,
  into: Uint8Array,
): number {
  return sys.pread(device.fd, into, VFIO_PCI_INDEX_TO_OFFSET(index) + offset);
}
