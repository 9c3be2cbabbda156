/** What `-object memory-backend-ram|file|memfd` asks for, checked in QEMU's words (backends/hostmem*.c, qom/object_interfaces.c). */
import { PAGE_SIZE } from '../../base/addr.ts';
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

export interface BackendOptions {
  readonly id: string;
  readonly type: 'memory-backend-ram' | 'memory-backend-file' | 'memory-backend-memfd';
  readonly size: number;
  readonly share: boolean;
  /** `mem-path=` of a file. */
  readonly path: string | null;
}

/** @param taken ids of the objects before it */
export function parseBackend(values: ReadonlyMap<string, string>, taken: readonly string[]): BackendOptions {
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
  if (taken.includes(id)) error_setg(`attempt to add duplicate property '${id}' to object (type 'container')`);
  const sizeText = values.get('size');
  const size = sizeText === undefined ? 0 : (qemu_strtosz(sizeText) ?? error_setg("Parameter 'size' expects size"));
  const share = values.has('share')
    ? qapi_bool_parse('share', values.get('share') ?? '')
    : type === 'memory-backend-memfd';
  // HostMemoryBackend complete (since 9.0): whole pages only.
  if (size % PAGE_SIZE !== 0) error_setg(`backend '${type}' memory size must be multiple of 4 KiB`);
  let path: string | null = null;
  if (type === 'memory-backend-file') {
    if (size === 0)
      error_setg(
        sizeText === undefined
          ? "can't create backend with size 0"
          : "property 'size' of memory-backend-file doesn't take value '0'",
      );
    path = values.get('mem-path') ?? error_setg('mem-path property not set');
  } else if (size === 0) error_setg("can't create backend with size 0");
  return { id, type, size, share, path };
}
