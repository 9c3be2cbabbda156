import { viewOf } from '../../../../base/bytes.ts';
import { E } from '../../../../base/errno.ts';
import { cxl_mem_get_event_records } from '../../../drivers/cxl/core/events.ts';
import type { CxlDevState } from '../../../include/cxl_types.ts';
import type { MockDevice } from './topology.ts';

/** Event logs of the mock devices (tools/testing/cxl/test/mem.c, v6.12): fifteen records each, the same set every time. */

const CXL_TEST_EVENT_CNT_MAX = 15;
/** Records given at a time. */
const CXL_TEST_EVENT_CNT = 3;
const RECORD_SIZE = 128;
const SEC = 1_000_000_000n;

const INFO = 0;
const FAIL = 2;
const FATAL = 3;

/** A record of 128 bytes: its id, flags, related handle, then bytes from 48 on. */
function record(id: string, flags: number, related: number, body: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(RECORD_SIZE);
  bytes.set(id.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? []);
  bytes[16] = RECORD_SIZE;
  bytes[17] = flags;
  viewOf(bytes).setUint16(22, related, true);
  bytes.set(body, 48);
  return bytes;
}

const DEADBEEF = [0xde, 0xad, 0xbe, 0xef] as const;
const address = (dpa: number) => [dpa & 0xff, dpa >> 8, 0, 0, 0, 0, 0, 0];

const maint_needed = record('ba5eba11abcdefeba55aa55aa5a55aa5', 0x08, 0xa5b6, DEADBEEF);
const hardware_replace = record('abcdefebba11ba5ea55aa55aa5a55aa5', 0x20, 0xb6a5, DEADBEEF);
/** Uncorrectable data path error of a host write at 0x2000; channel 1, rank 30. */
const gen_media = record('fbcd0a77c260417f85a9088b1621eba6', 0x04, 0, [...address(0x2000), 1, 2, 2, 3, 0, 1, 30]);
/** Threshold event of the internal scrubber at 0x8000; channel 1, bank group 5, bank 2, column 0xadde. */
const dram = record('601dcbb39c064eabb8af4e9bfb5c9624', 0x10, 0, [
  ...address(0x8000),
  ...[2, 1, 5, 0x59, 0, 1, 0, 0, 0, 0, 5, 2, 0, 0, 0, 0xde, 0xad],
]);
/** Temperature change of a degraded module that lost all data. */
const mem_module = record('fe927475dd594339a58679bab113b774', 0, 0, [
  ...[3, 2, 3, 0x38, 0, 0xde, 0xad],
  ...[...DEADBEEF, ...DEADBEEF, ...DEADBEEF],
]);

const FAKE_LOGS: readonly (readonly [number, readonly Uint8Array[]])[] = [
  [INFO, [maint_needed, gen_media, mem_module]],
  [
    FAIL,
    [
      ...[maint_needed, mem_module, hardware_replace, dram, gen_media, mem_module, hardware_replace, dram],
      // more than the log holds
      ...Array.from({ length: 10 }, () => hardware_replace),
    ],
  ],
  [FATAL, [hardware_replace, dram]],
];

/** struct mock_event_log */
interface MockLog {
  events: Uint8Array[];
  /** Handle of the first one: counts on as records are cleared, and is never 0. */
  first: number;
  nr_overflow: number;
}

/** struct mock_event_store */
export class MockEvents {
  private readonly logs = new Map<number, MockLog>();

  constructor(private readonly dev: MockDevice) {}

  private log(type: number): MockLog {
    const known = this.logs.get(type) ?? { events: [], first: 1, nr_overflow: 0 };
    this.logs.set(type, known);
    return known;
  }
  private say(fn: string, text: string): void {
    this.dev.dbg('cxl_mock_mem', fn, text);
  }

  /** cxl_mock_add_event_logs: fills the logs; gives their status bits. */
  fill(): number {
    let status = 0;
    for (const [type, events] of FAKE_LOGS) {
      this.say('cxl_mock_add_event_logs', `Generating fake event logs ${type}`);
      const log = this.log(type);
      for (const event of events) {
        if (log.events.length < CXL_TEST_EVENT_CNT_MAX) log.events.push(event.slice());
        else {
          log.nr_overflow++;
          this.say('mes_add_event', `Overflowing log ${type} nr ${log.nr_overflow}`);
        }
      }
      status |= 1 << type;
    }
    return status;
  }

  /** cxl_mock_event_trigger */
  trigger(cxlds: CxlDevState): void {
    cxl_mem_get_event_records(cxlds, this.fill());
  }

  /** mock_get_event */
  get(input: Uint8Array): Uint8Array | number {
    const type = input[0];
    if (input.length !== 1 || type === undefined || type > 4) return -E.EINVAL;
    const log = this.log(type);
    const some = log.events.slice(0, CXL_TEST_EVENT_CNT);
    const out = new Uint8Array(32 + RECORD_SIZE * some.length);
    const view = viewOf(out);
    view.setUint16(20, some.length, true);
    some.forEach((event, n) => {
      out.set(event, 32 + RECORD_SIZE * n);
      view.setUint16(32 + RECORD_SIZE * n + 20, log.first + n, true);
    });
    if (log.events.length > some.length) out[0] = 2;
    if (log.nr_overflow > 0) {
      out[0] = (out[0] ?? 0) | 1;
      const now = BigInt(this.dev.kernel.now());
      view.setUint16(2, log.nr_overflow, true);
      view.setBigUint64(4, BigInt.asUintN(64, now - 5n * SEC), true);
      view.setBigUint64(12, BigInt.asUintN(64, now - SEC), true);
    }
    return out;
  }

  /** mock_clear_event: only in order. */
  clear(input: Uint8Array): Uint8Array | number {
    const [type = 0, , count = 0] = input;
    if (input.length < 6 + 2 * count || type > 4) return -E.EINVAL;
    const log = this.log(type);
    for (let n = 0; n < count; n++) {
      const handle = viewOf(input).getUint16(6 + 2 * n, true);
      if (handle === log.first + n && n < log.events.length) continue;
      this.dev.err('Clearing events out of order');
      return -E.EINVAL;
    }
    log.nr_overflow = 0;
    log.events = log.events.slice(count);
    log.first = log.events.length === 0 ? 1 : log.first + count;
    return new Uint8Array(0);
  }
}
