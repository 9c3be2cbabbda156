import { hex } from '../../../../base/addr.ts';
import { E } from '../../../../base/errno.ts';
import {
  CXL,
  CXL_DECODER_F_ENABLE,
  type CxlDecoderMode,
  CxlEndpointDecoder,
  type CxlPort,
  type DpaResource,
} from '../../../include/cxl_types.ts';
import type { RwSemaphore } from '../../../include/locking.ts';
import { publish_decoder } from './publish.ts';

/**
 * Device-physical address space of an endpoint (drivers/cxl/core/hdm.c, v6.11; cxl_request_dpa from the type-2 RFC v2):
 * which part of the device each decoder maps, and what it skips before.
 */

export const SZ_256M = 0x10000000;
const size_of = (res: DpaResource) => res.end - res.start + 1;
const long = (value: number) => `0x${hex(value, 16)}`;

function dbg(cxled: CxlEndpointDecoder, fn: string, text: string): void {
  cxled.dbg('cxl_core', fn, text);
}
function port_dbg(port: CxlPort, fn: string, text: string): void {
  port.dbg('cxl_core', fn, text);
}

const dpa_rwsem = (cxled: CxlEndpointDecoder): RwSemaphore => cxled.kernel.get(CXL).dpa_rwsem;

function contains(outer: DpaResource, start: number, end: number): boolean {
  return outer.end >= outer.start && start >= outer.start && end <= outer.end;
}

/** __cxl_dpa_reserve: decoders take DPA in id order. */
function __cxl_dpa_reserve(cxled: CxlEndpointDecoder, base: number, len: number, skipped: number): number {
  const { port } = cxled;
  const { cxlds } = cxled.cxlmd;
  const name = `decoder${port.id}.${cxled.id}`;
  const fn = '__cxl_dpa_reserve';
  dpa_rwsem(cxled).assert_held_write(fn);
  if (len === 0) {
    port.warn(`${name}: empty reservation attempted`);
    return -E.EINVAL;
  }
  if (cxled.dpa_res) {
    port_dbg(
      port,
      fn,
      `${name}: existing allocation [mem ${long(cxled.dpa_res.start)}-${long(cxled.dpa_res.end)}] assigned`,
    );
    return -E.EBUSY;
  }
  if (port.hdm_end + 1 !== cxled.id) {
    port_dbg(port, fn, `${name}: expected decoder${port.id}.${port.hdm_end + 1}`);
    return -E.EBUSY;
  }
  const end = base + len - 1;
  const { dpa_res } = cxlds;
  if (
    !contains(dpa_res, base - skipped, end) ||
    dpa_res.children.some((other) => other.start <= end && base <= other.end)
  ) {
    port_dbg(port, fn, `${name}: failed to reserve allocation`);
    return -E.EBUSY;
  }
  if (skipped > 0) {
    const gap: DpaResource = { start: base - skipped, end: base - 1, name: cxled.name, requested: true, children: [] };
    if (dpa_res.children.some((other) => other.start <= gap.end && gap.start <= other.end)) {
      port_dbg(port, fn, `${name}: failed to reserve skipped space`);
      return -E.EBUSY;
    }
    dpa_res.children.push(gap);
  }
  const res: DpaResource = { start: base, end, name: cxled.name, requested: true, children: [] };
  dpa_res.children.push(res);
  cxled.dpa_res = res;
  cxled.skip = skipped;
  if (contains(cxlds.pmem_res, base, end)) cxled.mode = 'pmem';
  else if (contains(cxlds.ram_res, base, end)) cxled.mode = 'ram';
  else {
    port.warn(`${name}: [mem 0x${hex(base, 8)}-0x${hex(end, 8)}] mixed mode not supported`);
    cxled.mode = 'mixed';
  }
  port.hdm_end++;
  return 0;
}

/** devm_cxl_dpa_reserve: what a committed decoder already maps. Freed with the endpoint. */
export function devm_cxl_dpa_reserve(cxled: CxlEndpointDecoder, base: number, len: number, skipped: number): number {
  const lock = dpa_rwsem(cxled);
  const rc = lock.write('devm_cxl_dpa_reserve', () => __cxl_dpa_reserve(cxled, base, len, skipped));
  if (rc === 0) cxled.port.devm(() => lock.write('cxl_dpa_release', () => __cxl_dpa_release(cxled)));
  return rc;
}

function __cxl_dpa_release(cxled: CxlEndpointDecoder): void {
  dpa_rwsem(cxled).assert_held_write('__cxl_dpa_release');
  const { dpa_res } = cxled;
  if (!dpa_res) return;
  const { children } = cxled.cxlmd.cxlds.dpa_res;
  children.splice(children.indexOf(dpa_res), 1);
  const gap = children.findIndex((res) => res.end === dpa_res.start - 1 && res.name === cxled.name);
  if (cxled.skip > 0 && gap >= 0) children.splice(gap, 1);
  cxled.skip = 0;
  cxled.dpa_res = null;
  cxled.port.hdm_end--;
}

/** cxl_dpa_set_mode */
export function cxl_dpa_set_mode(cxled: CxlEndpointDecoder, mode: CxlDecoderMode): number {
  const { cxlds } = cxled.cxlmd;
  if (mode !== 'ram' && mode !== 'pmem') {
    dbg(cxled, 'cxl_dpa_set_mode', `unsupported mode: ${mode}`);
    return -E.EINVAL;
  }
  if (cxled.flags & CXL_DECODER_F_ENABLE) return -E.EBUSY;
  if (size_of(mode === 'ram' ? cxlds.ram_res : cxlds.pmem_res) <= 0) {
    dbg(cxled, 'cxl_dpa_set_mode', `no available ${mode} capacity`);
    return -E.ENXIO;
  }
  cxled.mode = mode;
  publish_decoder(cxled);
  return 0;
}

/** cxl_dpa_alloc: the next free bytes of the decoder's partition. */
export function cxl_dpa_alloc(cxled: CxlEndpointDecoder, size: number): number {
  const { cxlds } = cxled.cxlmd;
  const fn = 'cxl_dpa_alloc';
  if (cxled.region) {
    dbg(cxled, fn, `decoder attached to ${cxled.region.name}`);
    return -E.EBUSY;
  }
  if (cxled.flags & CXL_DECODER_F_ENABLE) {
    dbg(cxled, fn, 'decoder enabled');
    return -E.EBUSY;
  }
  if (cxled.mode !== 'ram' && cxled.mode !== 'pmem') {
    dbg(cxled, fn, 'mode not set');
    return -E.EINVAL;
  }
  const partition = cxled.mode === 'ram' ? cxlds.ram_res : cxlds.pmem_res;
  const used = (part: DpaResource) => cxlds.dpa_res.children.filter((res) => contains(part, res.start, res.end));
  const free = (part: DpaResource) => used(part).reduce((at, res) => Math.max(at, res.end + 1), part.start);
  const start = free(partition);
  const avail = partition.end - start + 1;
  // persistent memory lies behind the volatile part: the first decoder that maps it skips what is free there
  let skip = 0;
  if (cxled.mode === 'pmem') {
    const skip_start = size_of(cxlds.ram_res) > 0 ? free(cxlds.ram_res) : start;
    const handled = used(cxlds.pmem_res).some((res) => res.start === skip_start);
    skip = handled ? 0 : start - skip_start;
  }
  if (size > avail) {
    dbg(cxled, fn, `${long(size)} exceeds available ${cxled.mode} capacity: ${long(avail)}`);
    return -E.ENOSPC;
  }
  const lock = dpa_rwsem(cxled);
  const rc = lock.write(fn, () => __cxl_dpa_reserve(cxled, start, size, skip));
  if (rc === 0) cxled.port.devm(() => lock.write('cxl_dpa_release', () => __cxl_dpa_release(cxled)));
  publish_decoder(cxled);
  return rc;
}

/** cxl_dpa_free: only the last one, and only when idle. */
export function cxl_dpa_free(cxled: CxlEndpointDecoder): number {
  const { port } = cxled;
  const fn = 'cxl_dpa_free';
  if (!cxled.dpa_res) return 0;
  if (cxled.region) {
    dbg(cxled, fn, `decoder assigned to: ${cxled.region.name}`);
    return -E.EBUSY;
  }
  if (cxled.flags & CXL_DECODER_F_ENABLE) {
    dbg(cxled, fn, 'decoder enabled');
    return -E.EBUSY;
  }
  if (cxled.id !== port.hdm_end) {
    dbg(cxled, fn, `expected decoder${port.id}.${port.hdm_end}`);
    return -E.EBUSY;
  }
  dpa_rwsem(cxled).write(fn, () => __cxl_dpa_release(cxled));
  publish_decoder(cxled);
  return 0;
}

/** cxl_request_dpa (type-2 RFC v2): the next free decoder with between min and max bytes of DPA. */
export function cxl_request_dpa(
  endpoint: CxlPort,
  is_ram: boolean,
  min: number,
  max: number,
): CxlEndpointDecoder | number {
  if (min % SZ_256M !== 0 || max % SZ_256M !== 0) return -E.EINVAL;
  const { kernel } = endpoint;
  return kernel.span(kernel.site('cxl_request_dpa', ['min', 'max'], 'type-2 RFC v2'), min, max, () => {
    const free = endpoint.decoders.find((cxld) => cxld.id === endpoint.hdm_end + 1);
    if (!(free instanceof CxlEndpointDecoder)) return -E.ENXIO;
    const rc = cxl_dpa_set_mode(free, is_ram ? 'ram' : 'pmem');
    if (rc) return rc;
    const { cxlds } = free.cxlmd;
    const partition = is_ram ? cxlds.ram_res : cxlds.pmem_res;
    const used = cxlds.dpa_res.children.reduce(
      (sum, res) => sum + (contains(partition, res.start, res.end) ? size_of(res) : 0),
      0,
    );
    const size = Math.min(max, Math.floor((size_of(partition) - used) / SZ_256M) * SZ_256M);
    if (size < min || size === 0) return -E.ENOMEM;
    const err = cxl_dpa_alloc(free, size);
    return err ? err : free;
  });
}
