import { fromHalves, hex, hi32, lo32 } from '../../../../base/addr.ts';
import { viewOf } from '../../../../base/bytes.ts';
import { E } from '../../../../base/errno.ts';
import { type CxlDevState, CxlEndpointDecoder, type CxlMemdev, type CxlRegion } from '../../../include/cxl_types.ts';
import { print_flags, print_symbolic } from './event-text.ts';
import { trace_region, trace_who } from './events.ts';
import { CXL_MBOX_OP, cxl_mbox_send_cmd } from './mbox.ts';
import { cxl_dpa_to_region } from './region-translate.ts';

/** Poison: listing, injecting and clearing, each traced (drivers/cxl/core/mbox.c, memdev.c, region.c, v6.12). */

const LINE = 64;
const FLAG_MORE = 1;
const MAX_RECORDS = 1024;
const SOURCES = ['Unknown', 'External', 'Internal', 'Injected', '0x4', '0x5', '0x6', 'Vendor'] as const;
const FLAGS = [
  [1, 'More'],
  [2, 'Overflow'],
  [4, 'Scanning'],
] as const;

interface PoisonRecord {
  /** Address of the line, with the source in the low three bits. */
  readonly address: number;
  readonly lines: number;
}

/** trace_cxl_poison */
function trace_poison(
  cxlmd: CxlMemdev,
  cxlr: CxlRegion | null,
  { address, lines }: PoisonRecord,
  flags: number,
  overflow_time: bigint,
  type: 'List' | 'Inject' | 'Clear',
): void {
  const event = cxlmd.kernel.tracing.event('cxl', 'cxl_poison', []);
  if (!event.enabled) return;
  const dpa = address - (address % LINE);
  const { hpa, region } = trace_region(cxlr, cxlmd, dpa);
  event.emit(
    `${trace_who(cxlmd)} trace_type=${type} ${region} hpa=0x${hpa} dpa=0x${hex(dpa)} dpa_length=0x${hex(lines * LINE)} source=${print_symbolic(address % 8, SOURCES)} flags=${print_flags(flags, FLAGS, '|')} overflow_time=${overflow_time}`,
  );
}

/** cxl_mem_get_poison: the device's list for a range. */
function cxl_mem_get_poison(cxlmd: CxlMemdev, offset: number, length: number, cxlr: CxlRegion | null): number {
  const payload = new Uint8Array(16);
  const request = viewOf(payload);
  request.setUint32(0, lo32(offset), true);
  request.setUint32(4, hi32(offset), true);
  request.setUint32(8, lo32(length / LINE), true);
  request.setUint32(12, hi32(length / LINE), true);
  for (let seen = 0; ; ) {
    const out = cxl_mbox_send_cmd(cxlmd.cxlds, CXL_MBOX_OP.GET_POISON, payload);
    if (typeof out === 'number') return out;
    const view = viewOf(out);
    const [flags, count] = [view.getUint8(0), view.getUint16(10, true)];
    for (let n = 0; n < count && 48 + 16 * n <= out.length; n++) {
      const at = 32 + 16 * n;
      const address = fromHalves(view.getUint32(at + 4, true), view.getUint32(at, true));
      const record = { address, lines: view.getUint32(at + 8, true) };
      trace_poison(cxlmd, cxlr, record, flags, view.getBigUint64(2, true), 'List');
    }
    seen += count;
    if (!(flags & FLAG_MORE)) return 0;
    if (seen > MAX_RECORDS) {
      cxlmd.dbg('cxl_core', 'cxl_mem_get_poison', `Max Error Records reached: ${seen}`);
      return 0;
    }
  }
}

const size = (res: { start: number; end: number }) => res.end - res.start + 1;
/** Volatile memory need not support the list: -EFAULT there is no error. */
const lenient = (rc: number) => (rc === -E.EFAULT ? 0 : rc);

/** cxl_get_poison_by_memdev: nothing is mapped, so the partitions are asked. */
function by_memdev(cxlmd: CxlMemdev): number {
  const { ram_res, pmem_res } = cxlmd.cxlds;
  if (size(pmem_res) > 0) {
    const rc = cxl_mem_get_poison(cxlmd, pmem_res.start, size(pmem_res), null);
    if (rc) return rc;
  }
  return size(ram_res) > 0 ? lenient(cxl_mem_get_poison(cxlmd, ram_res.start, size(ram_res), null)) : 0;
}

/** cxl_get_poison_by_endpoint: what each decoder maps, then what none does. */
function by_endpoint(cxlmd: CxlMemdev): number {
  const { endpoint, cxlds } = cxlmd;
  const { ram_res, pmem_res, dpa_res } = cxlds;
  let last: CxlEndpointDecoder | null = null;
  for (const cxled of endpoint?.decoders ?? []) {
    if (!(cxled instanceof CxlEndpointDecoder) || !cxled.dpa_res) continue;
    const { start } = cxled.dpa_res;
    let rc = cxled.skip > 0 ? lenient(cxl_mem_get_poison(cxlmd, start - cxled.skip, cxled.skip, null)) : 0;
    if (rc) return rc;
    rc = cxl_mem_get_poison(cxlmd, start, size(cxled.dpa_res), cxled.region);
    if (cxled.mode === 'ram') rc = lenient(rc);
    if (rc) return rc;
    last = cxled;
    if (cxled.id === endpoint?.commit_end) break;
  }
  const from = last?.dpa_res ? last.dpa_res.end + 1 : 0;
  if (last?.mode === 'ram' && from <= ram_res.end) {
    const rc = lenient(cxl_mem_get_poison(cxlmd, from, ram_res.end + 1 - from, null));
    if (rc) return rc;
  }
  const start = last?.mode === 'pmem' ? from : pmem_res.start;
  const end = last?.mode === 'pmem' ? dpa_res.end : pmem_res.end;
  return end >= start ? cxl_mem_get_poison(cxlmd, start, end + 1 - start, null) : 0;
}

/** cxl_trigger_poison_list */
export function cxl_trigger_poison_list(cxlmd: CxlMemdev): number {
  const { endpoint } = cxlmd;
  if (!endpoint) return -E.EINVAL;
  return endpoint.commit_end < 0 ? by_memdev(cxlmd) : by_endpoint(cxlmd);
}

/** cxl_validate_poison_dpa */
function cxl_validate_poison_dpa(cxlds: CxlDevState, dpa: number): number {
  const { dpa_res } = cxlds;
  const say = (text: string): number => {
    cxlds.dev.dbg('cxl_core', 'cxl_validate_poison_dpa', text);
    return -E.EINVAL;
  };
  if (dpa_res.end < dpa_res.start) return say('device has no dpa resource');
  if (dpa < dpa_res.start || dpa > dpa_res.end) return say(`dpa:0x${hex(dpa)} not in resource`);
  return dpa % LINE === 0 ? 0 : say(`dpa:0x${hex(dpa)} is not 64-byte aligned`);
}

/** cxl_inject_poison and cxl_clear_poison of debugfs: one line. */
export function cxl_poison_write(cxlmd: CxlMemdev, dpa: number, clear: boolean): number {
  const { cxlds } = cxlmd;
  const op = clear ? CXL_MBOX_OP.CLEAR_POISON : CXL_MBOX_OP.INJECT_POISON;
  if (!cxlds.mbox?.commands.has(op)) return -E.ENXIO;
  const rc = cxl_validate_poison_dpa(cxlds, dpa);
  if (rc) return rc;
  const payload = new Uint8Array(clear ? 72 : 8);
  viewOf(payload).setUint32(0, lo32(dpa), true);
  viewOf(payload).setUint32(4, hi32(dpa), true);
  const out = cxl_mbox_send_cmd(cxlds, op, payload);
  if (typeof out === 'number') return out;
  const cxlr = cxl_dpa_to_region(cxlmd, dpa);
  if (cxlr) warn_once(cxlmd, `poison ${clear ? 'clear' : 'inject'} dpa:0x${hex(dpa)} region: ${cxlr.name}`, clear);
  trace_poison(cxlmd, cxlr, { address: dpa, lines: 1 }, 0, 0n, clear ? 'Clear' : 'Inject');
  return 0;
}

const warned = new WeakMap<object, Set<boolean>>();

/** dev_warn_once, one for each direction. */
function warn_once(cxlmd: CxlMemdev, text: string, clear: boolean): void {
  const seen = warned.get(cxlmd.kernel) ?? new Set<boolean>();
  warned.set(cxlmd.kernel, seen);
  if (seen.has(clear)) return;
  seen.add(clear);
  cxlmd.cxlds.dev.warn(text);
}
