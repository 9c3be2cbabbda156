/** Memory backends (backends/hostmem*.c): `-object memory-backend-ram|file|memfd`. Left out: NUMA policy, prealloc, huge pages, read-only files. */
import { strerror } from '../../base/errno.ts';
import type { MemoryCore } from '../../hw/memory/index.ts';
import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MAP_SHARED,
  O_CREAT,
  O_RDWR,
  PROT_READ,
  PROT_WRITE,
} from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import type { MemoryBackend } from '../qdev/virtual-machine.ts';
import { error_setg } from './error.ts';
import { parseBackend } from './memory-backend-options.ts';

/** Anonymous memory of this process. */
export function mmap_anonymous(sys: Sys, size: number, share: boolean, name: string): number {
  const hva = sys.mmap(0, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | (share ? MAP_SHARED : MAP_PRIVATE), -1, 0);
  if (hva < 0) error_setg(`cannot set up guest memory '${name}': ${strerror(hva)}`);
  sys.prctlSetVmaName(hva, name);
  return hva;
}

export function user_creatable_add(
  sys: Sys,
  core: MemoryCore,
  values: ReadonlyMap<string, string>,
  existing: readonly MemoryBackend[],
): MemoryBackend {
  const { id, type, size, share, path } = parseBackend(
    values,
    existing.map((other) => other.id),
  );
  let hva: number;
  if (path !== null) {
    const fd = sys.open(path, O_RDWR | O_CREAT, 0o644);
    if (fd < 0) error_setg(`can't open backing store ${path} for guest RAM: ${strerror(fd)}`);
    const stat = sys.fstat(fd);
    if (typeof stat !== 'number' && stat.size === 0) sys.ftruncate(fd, size);
    else if (typeof stat !== 'number' && stat.size < size)
      error_setg(`backing store size 0x${stat.size.toString(16)} does not match 'size' option 0x${size.toString(16)}`);
    hva = sys.mmap(0, size, PROT_READ | PROT_WRITE, share ? MAP_SHARED : MAP_PRIVATE, fd, 0);
    if (hva < 0) error_setg(`unable to map backing store for guest RAM: ${strerror(hva)}`);
  } else hva = mmap_anonymous(sys, size, share, id);
  return { id, type, size, share, mr: core.memory_region_init_ram(id, size, sys.mem, hva), mapped: false };
}
