import { fromHalves, hex } from '../../../../base/addr.ts';
import { viewOf } from '../../../../base/bytes.ts';
import type { CxlDevState, CxlMemdev, CxlRegion } from '../../../include/cxl_types.ts';
import type { Kernel } from '../../../include/kernel.ts';
import type { Tracepoint } from '../../../include/tracing.ts';
import * as words from './event-text.ts';
import { LOGS, print_flags, print_hex, print_symbolic, uuid_text } from './event-text.ts';
import { CXL_MBOX_OP, cxl_mbox_send_cmd } from './mbox.ts';
import { cxl_dpa_to_hpa, cxl_dpa_to_region } from './region-translate.ts';

/**
 * Event records of memory devices: read, traced, cleared (drivers/cxl/core/mbox.c and trace.h, v6.12). Leaves out AER and
 * records that come through CPER.
 */

const RECORD_SIZE = 128;
const RECORDS_AT = 32;
const FLAG_OVERFLOW = 1;
const NULL_UUID = '00000000-0000-0000-0000-000000000000';

const GEN_MEDIA = 'fbcd0a77-c260-417f-85a9-088b1621eba6';
const DRAM = '601dcbb3-9c06-4eab-b8af-4e9bfb5c9624';
const MEM_MODULE = 'fe927475-dd59-4339-a586-79bab113b774';

const HEADER_FIELDS = ['__data_loc char[] memdev', '__data_loc char[] host', 'int log', 'u64 serial'] as const;

/** The trace points of system cxl, there from the moment the core starts. */
export function cxl_trace_init(kernel: Kernel): void {
  for (const name of ['cxl_overflow', 'cxl_generic_event', 'cxl_general_media', 'cxl_dram', 'cxl_memory_module'])
    kernel.tracing.event('cxl', name, HEADER_FIELDS);
  kernel.tracing.event('cxl', 'cxl_poison', HEADER_FIELDS);
}

const point = (cxlmd: CxlMemdev, name: string): Tracepoint => cxlmd.kernel.tracing.event('cxl', name, HEADER_FIELDS);

/** memdev=… host=… serial=…, with which every line begins. */
export function trace_who(cxlmd: CxlMemdev): string {
  const { cxlds } = cxlmd;
  return `memdev=${cxlmd.name} host=${cxlds.dev.name} serial=${cxlds.serial}`;
}

/** region=… region_uuid=… and the host's address of a device's byte. */
export function trace_region(cxlr: CxlRegion | null, cxlmd: CxlMemdev, dpa: number): { hpa: string; region: string } {
  const hpa = cxlr ? cxl_dpa_to_hpa(cxlr, cxlmd, dpa) : null;
  return {
    hpa: hpa === null ? 'ffffffffffffffff' : hex(hpa),
    region: `region=${cxlr?.name ?? ''} region_uuid=${cxlr?.uuid || NULL_UUID}`,
  };
}

class EventRecord {
  readonly view: DataView;
  readonly uuid: string;
  constructor(readonly bytes: Uint8Array) {
    this.view = viewOf(bytes);
    this.uuid = uuid_text(bytes.subarray(0, 16));
  }
  u8(at: number): number {
    return this.view.getUint8(at);
  }
  u16(at: number): number {
    return this.view.getUint16(at, true);
  }
  u24(at: number): number {
    return this.u16(at) + this.u8(at + 2) * 0x10000;
  }
  u32(at: number): number {
    return this.view.getUint32(at, true);
  }
  get handle(): number {
    return this.u16(20);
  }
  get dpa(): number {
    const whole = fromHalves(this.u32(52), this.u32(48));
    return whole - (whole % 64);
  }
  /** CXL_EVT_TP_printk's head. */
  head(cxlmd: CxlMemdev, log: number): string {
    const flags = print_flags(this.u24(17), words.HEADER_FLAGS, ' | ');
    const time = this.view.getBigUint64(24, true);
    return `${trace_who(cxlmd)} log=${print_symbolic(log, LOGS)} : time=${time} uuid=${this.uuid} len=${this.u8(16)} flags='${flags}' handle=${hex(this.handle)} related_handle=${hex(this.u16(22))} maint_op_class=${this.u8(32)} : `;
  }
  media(): string {
    const flags = print_flags(this.u8(48) & 3, words.DPA_FLAGS, '|');
    const descriptor = print_flags(this.u8(56), words.DESCRIPTORS, '|');
    return `dpa=${hex(this.dpa)} dpa_flags='${flags}' descriptor='${descriptor}'`;
  }
}

function general_media(cxlmd: CxlMemdev, record: EventRecord): string {
  const { hpa, region } = trace_region(cxl_dpa_to_region(cxlmd, record.dpa), cxlmd, record.dpa);
  const type = print_symbolic(record.u8(57), words.MEDIA_TYPES);
  const transaction = print_symbolic(record.u8(58), words.TRANSACTIONS);
  const valid = print_flags(record.u16(59), words.MEDIA_VALID, '|');
  const component = print_hex(record.bytes.subarray(66, 82));
  return `${record.media()} type='${type}' transaction_type='${transaction}' channel=${record.u8(61)} rank=${record.u8(62)} device=${hex(record.u24(63))} comp_id=${component} validity_flags='${valid}' hpa=${hpa} ${region}`;
}

function dram(cxlmd: CxlMemdev, record: EventRecord): string {
  const { hpa, region } = trace_region(cxl_dpa_to_region(cxlmd, record.dpa), cxlmd, record.dpa);
  const type = print_symbolic(record.u8(57), words.DRAM_TYPES);
  const transaction = print_symbolic(record.u8(58), words.TRANSACTIONS);
  const valid = print_flags(record.u16(59), words.DRAM_VALID, '|');
  const mask = print_hex(record.bytes.subarray(73, 105));
  return `${record.media()} type='${type}' transaction_type='${transaction}' channel=${record.u8(61)} rank=${record.u8(62)} nibble_mask=${hex(record.u24(63))} bank_group=${record.u8(66)} bank=${record.u8(67)} row=${record.u24(68)} column=${record.u16(71)} cor_mask=${mask} validity_flags='${valid}' hpa=${hpa} ${region}`;
}

function memory_module(record: EventRecord): string {
  const status = (value: number) => print_symbolic(value, words.STATUS);
  const more = record.u8(51);
  const event = print_symbolic(record.u8(48), words.MODULE_EVENTS);
  const health = print_flags(record.u8(49), words.HEALTH, '|');
  const media = print_symbolic(record.u8(50), words.MEDIA_STATUS);
  return `event_type='${event}' health_status='${health}' media_status='${media}' as_life_used=${status(more & 3)} as_dev_temp=${status((more >> 2) & 3)} as_cor_vol_err_cnt=${status((more >> 4) & 1)} as_cor_per_err_cnt=${status((more >> 5) & 1)} life_used=${record.u8(52)} device_temp=${record.view.getInt16(53, true)} dirty_shutdown_cnt=${record.u32(55)} cor_vol_err_cnt=${record.u32(59)} cor_per_err_cnt=${record.u32(63)}`;
}

/** __cxl_event_trace_record */
function trace_record(cxlmd: CxlMemdev, log: number, record: EventRecord): void {
  const emit = (name: string, text: () => string): void => {
    const event = point(cxlmd, name);
    if (event.enabled) event.emit(record.head(cxlmd, log) + text());
  };
  if (record.uuid === GEN_MEDIA) emit('cxl_general_media', () => general_media(cxlmd, record));
  else if (record.uuid === DRAM) emit('cxl_dram', () => dram(cxlmd, record));
  else if (record.uuid === MEM_MODULE) emit('cxl_memory_module', () => memory_module(record));
  else emit('cxl_generic_event', () => print_hex(record.bytes.subarray(48, RECORD_SIZE)));
}

/** cxl_clear_event_record */
function clear_records(cxlds: CxlDevState, log: number, records: readonly EventRecord[]): number {
  const payload = new Uint8Array(6 + 2 * records.length);
  payload[0] = log;
  payload[2] = records.length;
  records.forEach(({ handle }, n) => {
    viewOf(payload).setUint16(6 + 2 * n, handle, true);
  });
  const out = cxl_mbox_send_cmd(cxlds, CXL_MBOX_OP.CLEAR_EVENT_RECORD, payload);
  return typeof out === 'number' ? out : 0;
}

/** cxl_mem_get_records_log: until the log is empty. */
function get_records_log(cxlds: CxlDevState, log: number): void {
  const { cxlmd } = cxlds;
  for (;;) {
    const out = cxl_mbox_send_cmd(cxlds, CXL_MBOX_OP.GET_EVENT_RECORD, new Uint8Array([log]));
    if (typeof out === 'number') {
      cxlds.dev.err(`Event log '${log}': Failed to query event records : ${out}`);
      return;
    }
    const count = out.length >= RECORDS_AT ? viewOf(out).getUint16(20, true) : 0;
    if (count === 0 || !cxlmd) return;
    const records = Array.from(
      { length: Math.min(count, Math.floor((out.length - RECORDS_AT) / RECORD_SIZE)) },
      (_, n) => new EventRecord(out.subarray(RECORDS_AT + n * RECORD_SIZE, RECORDS_AT + (n + 1) * RECORD_SIZE)),
    );
    for (const record of records) trace_record(cxlmd, log, record);
    const overflow = point(cxlmd, 'cxl_overflow');
    if ((out[0] ?? 0) & FLAG_OVERFLOW && overflow.enabled) {
      const view = viewOf(out);
      overflow.emit(
        `${trace_who(cxlmd)}: log=${print_symbolic(log, LOGS)} : ${view.getUint16(2, true)} records from ${view.getBigUint64(4, true)} to ${view.getBigUint64(12, true)}`,
      );
    }
    const rc = clear_records(cxlds, log, records);
    if (rc < 0) {
      cxlds.dev.err(`Event log '${log}': Failed to clear events : ${rc}`);
      return;
    }
  }
}

/** cxl_mem_get_event_records: the logs whose bits are set, the worst first. */
export function cxl_mem_get_event_records(cxlds: CxlDevState, status: number): void {
  cxlds.dev.dbg('cxl_core', 'cxl_mem_get_event_records', `Reading event logs: ${hex(status)}`);
  for (const log of [3, 2, 1, 0]) if (status & (1 << log)) get_records_log(cxlds, log);
}
