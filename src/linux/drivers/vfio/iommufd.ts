import { PAGE_SIZE } from '../../../base/addr.ts';
import { E } from '../../../base/errno.ts';
import type { File, FileOperations } from '../../include/fs.ts';
import {
  IOMMU_DESTROY,
  IOMMU_IOAS_ALLOC,
  IOMMU_IOAS_MAP,
  IOMMU_IOAS_MAP_FIXED_IOVA,
  IOMMU_IOAS_UNMAP,
  iommu_destroy,
  iommu_ioas_alloc,
  iommu_ioas_map,
  iommu_ioas_unmap,
} from '../../uapi/iommufd.ts';
import { decode, encode, type StructDef } from '../../uapi/struct.ts';

/**
 * /dev/iommu (drivers/iommu/iommufd/main.c, ioas.c, v6.11) as far as a VFIO user needs it: address spaces and their
 * mappings as book-keeping. Left out: hardware page tables, automatic IOVA allocation, access objects, faults.
 */
interface IovaRange {
  readonly iova: number;
  readonly length: number;
}
export class IommufdCtx {
  private next = 1;
  readonly ioas = new Map<number, IovaRange[]>();
  newId(): number {
    return this.next++;
  }
}

function ioctl(ctx: IommufdCtx, request: number, arg: Uint8Array): number {
  const sized = (def: StructDef) => arg.length >= 4 && decode(def, arg).size !== undefined && arg.length >= def.size;
  switch (request) {
    case IOMMU_IOAS_ALLOC: {
      if (!sized(iommu_ioas_alloc)) return -E.EINVAL;
      if (decode(iommu_ioas_alloc, arg).flags) return -E.EOPNOTSUPP;
      const id = ctx.newId();
      ctx.ioas.set(id, []);
      encode(iommu_ioas_alloc, { out_ioas_id: id }, arg);
      return 0;
    }
    case IOMMU_IOAS_MAP: {
      if (!sized(iommu_ioas_map)) return -E.EINVAL;
      const map = decode(iommu_ioas_map, arg);
      const ioas = ctx.ioas.get(map.ioas_id);
      if (!ioas) return -E.ENOENT;
      if (!(map.flags & IOMMU_IOAS_MAP_FIXED_IOVA)) return -E.EOPNOTSUPP;
      if (map.length === 0 || map.length % PAGE_SIZE || map.iova % PAGE_SIZE) return -E.EINVAL;
      if (ioas.some((range) => map.iova < range.iova + range.length && range.iova < map.iova + map.length))
        return -E.EEXIST;
      ioas.push({ iova: map.iova, length: map.length });
      return 0;
    }
    case IOMMU_IOAS_UNMAP: {
      if (!sized(iommu_ioas_unmap)) return -E.EINVAL;
      const unmap = decode(iommu_ioas_unmap, arg);
      const ioas = ctx.ioas.get(unmap.ioas_id);
      if (!ioas) return -E.ENOENT;
      const gone = ioas.filter((range) => range.iova >= unmap.iova && range.iova < unmap.iova + unmap.length);
      if (gone.length === 0) return -E.ENOENT;
      for (const range of gone) ioas.splice(ioas.indexOf(range), 1);
      encode(iommu_ioas_unmap, { length: gone.reduce((sum, range) => sum + range.length, 0) }, arg);
      return 0;
    }
    case IOMMU_DESTROY:
      if (!sized(iommu_destroy)) return -E.EINVAL;
      return ctx.ioas.delete(decode(iommu_destroy, arg).id) ? 0 : -E.ENOENT;
    default:
      return -E.ENOTTY;
  }
}

export const iommufd_fops: FileOperations = {
  seekable: false,
  open(file) {
    file.private_data = new IommufdCtx();
    return 0;
  },
  unlocked_ioctl(file, request, arg) {
    return typeof arg === 'number' ? -E.EFAULT : ioctl(file.private_data as IommufdCtx, request, arg);
  },
};

export function iommufd_ctx_from_file(file: File | null): IommufdCtx | null {
  return file?.fops === iommufd_fops ? (file.private_data as IommufdCtx) : null;
}

export function iommufd_has_pt(ctx: object | null, id: number): boolean {
  return ctx instanceof IommufdCtx && ctx.ioas.has(id);
}
