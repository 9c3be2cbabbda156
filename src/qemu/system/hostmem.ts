/** Memory backends (backends/hostmem*.c): `-object memory-backend-ram|file|memfd`. Left out: NUMA policy, prealloc, huge pages, read-only files. */
import { PAGE_SIZE } from '../../base/addr.ts';
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
import { qemu_strtosz } from './cutils.ts';
import { error_setg } from './error.ts';
import { qapi_bool_parse } from './qemu-opts.ts';

const KNOWN = [
  'qom-type',
  'id',
  'size',
  'share',
  'mem-path',
  'merge',
  'dump',
  'prealloc',
  'reserve',
  'policy',
  'host-nodes',
];
const FILE_ONLY = ['align', 'discard-data', 'offset', 'pmem', 'readonly', 'rom'];
const MEMFD_ONLY = ['hugetlb', 'hugetlbsize', 'seal'];

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
  const type = values.get('qom-type') ?? error_setg("Parameter 'qom-type' is missing");
  if (type !== 'memory-backend-ram' && type !== 'memory-backend-file' && type !== 'memory-backend-memfd') {
    if (
      /^(rng-|iothread|iommufd|secret|tls-|throttle|cryptodev|authz|filter-|can-|colo-|dbus|input-|main-loop|pr-manager|qtest|sev|tdx|thread-context|x-)/.test(
        type,
      )
    )
      error_setg(`object type '${type}' is not modelled in this lab`);
    return error_setg(`Parameter 'qom-type' does not accept value '${type}'`);
  }
  const id = values.get('id') ?? error_setg("Parameter 'id' is missing");
  if (!/^[A-Za-z][A-Za-z0-9\-._]*$/.test(id)) error_setg("Parameter 'id' expects an identifier");
  const allowed = [
    ...KNOWN,
    ...(type === 'memory-backend-file' ? FILE_ONLY : []),
    ...(type === 'memory-backend-memfd' ? MEMFD_ONLY : []),
  ];
  for (const key of values.keys()) {
    if (!allowed.includes(key) || (key === 'mem-path' && type !== 'memory-backend-file'))
      error_setg(`Parameter '${key}' is unexpected`);
  }
  if (existing.some((other) => other.id === id))
    error_setg(`attempt to add duplicate property '${id}' to object (type 'container')`);
  const sizeText = values.get('size');
  const size = sizeText === undefined ? 0 : (qemu_strtosz(sizeText) ?? error_setg("Parameter 'size' expects size"));
  const share = values.has('share')
    ? qapi_bool_parse('share', values.get('share') ?? '')
    : type === 'memory-backend-memfd';
  // HostMemoryBackend complete (since 9.0): whole pages only.
  if (size % PAGE_SIZE !== 0) error_setg(`backend '${type}' memory size must be multiple of 4 KiB`);
  let hva: number;
  if (type === 'memory-backend-file') {
    const path = values.get('mem-path');
    if (size === 0)
      error_setg(
        sizeText === undefined
          ? "can't create backend with size 0"
          : "property 'size' of memory-backend-file doesn't take value '0'",
      );
    if (path === undefined) return error_setg('mem-path property not set');
    const fd = sys.open(path, O_RDWR | O_CREAT, 0o644);
    if (fd < 0) error_setg(`can't open backing store ${path} for guest RAM: ${strerror(fd)}`);
    const stat = sys.fstat(fd);
    if (typeof stat !== 'number' && stat.size === 0) sys.ftruncate(fd, size);
    else if (typeof stat !== 'number' && stat.size < size)
      error_setg(`backing store size 0x${stat.size.toString(16)} does not match 'size' option 0x${size.toString(16)}`);
    hva = sys.mmap(0, size, PROT_READ | PROT_WRITE, share ? MAP_SHARED : MAP_PRIVATE, fd, 0);
    if (hva < 0) error_setg(`unable to map backing store for guest RAM: ${strerror(hva)}`);
  } else {
    if (size === 0) error_setg("can't create backend with size 0");
    hva = mmap_anonymous(sys, size, share, id);
  }
  return { id, type, size, share, mr: core.memory_region_init_ram(id, size, sys.mem, hva), mapped: false };
}
