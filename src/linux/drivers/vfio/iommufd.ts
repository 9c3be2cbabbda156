import { PAGE_SIZE } from '../../../base/addr.ts';
import { E } from '../../../base/errno.ts';
import type { File, FileOperations } from '../../include/fs.ts';
import {
  IOMMU_DESTROY,
  IOMMU_IOAS_ALLOC,
  IOMMU_IOAS_MAP,
  IOMMU_IOAS_MAP_FIXED_IOVA,
  IOMMU_IOAS_MAP_READABLE,
  IOMMU_IOAS_MAP_WRITEABLE,
  IOMMU_IOAS_UNMAP,
  iommu_destroy,
  iommu_ioas_alloc,
  iommu_ioas_map,
  iommu_ioas_unmap,
} from '../../uapi/iommufd.ts';
import { decode, encode, type StructDef } from '../../uapi/struct.ts';

/**
 * /dev/iommu (drivers/iommu/iommufd/main.c, ioas.c, v6.11) as far as a VFIO user needs it: address spaces and their
 * mappings as book-keeping. Left out: hardware page tables, automatic IOVA allocation, access objects, faults, the
 * container's calls on this file.
 */
interface IovaRange {
  readonly iova: number;
  readonly length: number;
}

/** As far as addresses are exact numbers, and beyond any IOMMU. */
const ADDRESS_LIMIT = 2 ** 52;
/** U64_MAX, as it comes out of a structure. */
const U64_MAX = 2 ** 64;

export class IommufdCtx {
  private next = 1;
  readonly ioas = new Map<number, IovaRange[]>();
  /** Bound devices: the id of each, and of the address space it is attached to. */
  private readonly devices = new Map<object, { readonly id: number; ioas: number | null }>();

  alloc(): number {
    const id = this.next++;
    this.ioas.set(id, []);
    return id;
  }
  bind(device: object): number {
    const id = this.next++;
    this.devices.set(device, { id, ioas: null });
    return id;
  }
  unbind(device: object): void {
    this.devices.delete(device);
  }
  attach(device: object, id: number): number {
    const bound = this.devices.get(device);
    if (!this.known(id)) return -E.ENOENT;
    // An object of another kind.
    if (!bound || !this.ioas.has(id)) return -E.EINVAL;
    bound.ioas = id;
    return 0;
  }
  detach(device: object): void {
    const bound = this.devices.get(device);
    if (bound) bound.ioas = null;
  }
  /** iommufd_destroy: a device, and what one is attached to, is in use. */
  destroy(id: number): number {
    if (!this.known(id)) return -E.ENOENT;
    for (const bound of this.devices.values()) if (bound.id === id || bound.ioas === id) return -E.EBUSY;
    this.ioas.delete(id);
    return 0;
  }
  private known(id: number): boolean {
    return this.ioas.has(id) || [...this.devices.values()].some((bound) => bound.id === id);
  }
}

function iommufd_ioas_map(ctx: IommufdCtx, arg: Uint8Array): number {
  const map = decode(iommu_ioas_map, arg);
  const known = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE;
  if (map.flags & ~known || map.__reserved) return -E.EOPNOTSUPP;
  if (map.iova >= U64_MAX || map.length >= U64_MAX) return -E.EOVERFLOW;
  const ioas = ctx.ioas.get(map.ioas_id);
  if (!ioas) return -E.ENOENT;
  if (!(map.flags & IOMMU_IOAS_MAP_FIXED_IOVA)) return -E.EOPNOTSUPP;
  if (map.length === 0 || map.length % PAGE_SIZE || map.iova % PAGE_SIZE) return -E.EINVAL;
  if (map.iova + map.length > U64_MAX) return -E.EOVERFLOW;
  if (map.iova + map.length > ADDRESS_LIMIT) return -E.EINVAL;
  if (ioas.some((range) => map.iova < range.iova + range.length && range.iova < map.iova + map.length))
    return -E.EEXIST;
  ioas.push({ iova: map.iova, length: map.length });
  return 0;
}

function iommufd_ioas_unmap(ctx: IommufdCtx, arg: Uint8Array): number {
  const { ioas_id, iova, length } = decode(iommu_ioas_unmap, arg);
  const ioas = ctx.ioas.get(ioas_id);
  if (!ioas) return -E.ENOENT;
  const all = iova === 0 && length >= U64_MAX;
  if (!all && (iova >= U64_MAX || length >= U64_MAX)) return -E.EOVERFLOW;
  if (length === 0) return -E.EINVAL;
  if (!all && iova + length > U64_MAX) return -E.EOVERFLOW;
  const touched = ioas.filter((range) => range.iova < iova + length && iova < range.iova + range.length);
  // Lowest first, up to one that would have to be cut.
  touched.sort((a, b) => a.iova - b.iova);
  let gone = 0;
  let rc = touched.length === 0 && !all ? -E.ENOENT : 0;
  for (const range of touched) {
    if (range.iova < iova || range.iova + range.length > iova + length) {
      rc = -E.ENOENT;
      break;
    }
    ioas.splice(ioas.indexOf(range), 1);
    gone += range.length;
  }
  if (rc === 0) encode(iommu_ioas_unmap, { length: gone }, arg);
  return rc;
}

interface IoctlOp {
  readonly struct: StructDef;
  execute(ctx: IommufdCtx, arg: Uint8Array): number;
}

/** iommufd_ioctl_ops; every structure here is as long as the shortest one taken. */
const iommufd_ioctl_ops: Readonly<Record<number, IoctlOp>> = {
  [IOMMU_IOAS_ALLOC]: {
    struct: iommu_ioas_alloc,
    execute(ctx, arg) {
      if (decode(iommu_ioas_alloc, arg).flags) return -E.EOPNOTSUPP;
      encode(iommu_ioas_alloc, { out_ioas_id: ctx.alloc() }, arg);
      return 0;
    },
  },
  [IOMMU_IOAS_MAP]: { struct: iommu_ioas_map, execute: iommufd_ioas_map },
  [IOMMU_IOAS_UNMAP]: { struct: iommu_ioas_unmap, execute: iommufd_ioas_unmap },
  [IOMMU_DESTROY]: {
    struct: iommu_destroy,
    execute: (ctx, arg) => ctx.destroy(decode(iommu_destroy, arg).id),
  },
};

/** iommufd_fops_ioctl: the size the caller states decides; what it has beyond the kernel's structure must be zero (copy_struct_from_user). */
function iommufd_fops_ioctl(ctx: IommufdCtx, request: number, arg: Uint8Array | number): number {
  const op = iommufd_ioctl_ops[request];
  if (!op) return -E.ENOTTY;
  if (typeof arg === 'number' || arg.length < 4) return -E.EFAULT;
  const size = new DataView(arg.buffer, arg.byteOffset, 4).getUint32(0, true);
  if (size < op.struct.size) return -E.EINVAL;
  if (arg.length < size) return -E.EFAULT;
  if (arg.subarray(op.struct.size, size).some((byte) => byte !== 0)) return -E.E2BIG;
  return op.execute(ctx, arg);
}

export const iommufd_fops: FileOperations = {
  seekable: false,
  open(file) {
    file.private_data = new IommufdCtx();
    return 0;
  },
  unlocked_ioctl: (file, request, arg) => iommufd_fops_ioctl(file.private_data as IommufdCtx, request, arg),
};

export function iommufd_ctx_from_file(file: File | null): IommufdCtx | null {
  return file?.fops === iommufd_fops ? (file.private_data as IommufdCtx) : null;
}
