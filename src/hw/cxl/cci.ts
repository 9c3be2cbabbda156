import { viewOf } from '../../base/bytes.ts';

/** Return codes of mailbox commands (CXL 3.1 table 8-34, as QEMU's CXLRetCode). */
export const RET = {
  SUCCESS: 0,
  INVALID_INPUT: 2,
  UNSUPPORTED: 3,
  INTERNAL_ERROR: 4,
  INVALID_PA: 0xf,
  INJECT_POISON_LIMIT: 0x10,
  UNSUPPORTED_MAILBOX: 0x15,
  INVALID_PAYLOAD_LENGTH: 0x16,
} as const;

/** What the commands of a memory expander work on. */
export interface Type3Media {
  readonly volatileSize: number;
  readonly persistentSize: number;
  /** Label storage area; size 0 without one. */
  readonly lsaSize: number;
  readLsa(offset: number, into: Uint8Array): void;
  writeLsa(offset: number, from: Uint8Array): void;
  /** Device memory (clear poison writes 64 bytes). */
  writeDpa(dpa: number, from: Uint8Array): void;
  /** Nanoseconds of the machine's clock. */
  now(): number;
}

/** A command: what a handler gives is its output payload, or a return code that is not success. */
type Handler = (input: Uint8Array) => Uint8Array | number;
interface Command {
  readonly opcode: number;
  /** Command effects as the log of commands reports them. */
  readonly effect: number;
  /** Bytes of input; null: any. */
  readonly input: number | null;
  readonly run: Handler;
}

const CAPACITY_MULTIPLIER = 0x1000_0000;
/** 0da9c0b5-bf41-4b78-8f79-96b1623b3f17 in the order it travels. */
const CEL_UUID = [0x0d, 0xa9, 0xc0, 0xb5, 0xbf, 0x41, 0x4b, 0x78, 0x8f, 0x79, 0x96, 0xb1, 0x62, 0x3b, 0x3f, 0x17];
/** cel_log[] of QEMU has room for every opcode: reading past the entries gives zeros, not an error. */
const CEL_ROOM = 4 * 65536;
const EVENT_LOGS = 5;
const FIRST_EVENT_VECTOR = 2;
const MSIX = 1;
/** Records the dynamic capacity log has room for. */
const DYNAMIC_EVENTS = 8;
const POISON_LIMIT = 256;
const POISON_INJECTED = 3;
const POISON_LINE = 64;

/**
 * Mailbox commands of cxl-type3 (QEMU 10.0 hw/cxl/cxl-mailbox-utils.c, the table of a memory expander). Left out: events
 * (logs are empty), firmware transfer, features, media scan and sanitize (they answer "unsupported" though listed).
 */
export class Type3Commands {
  private readonly commands: readonly Command[];
  private readonly byOpcode = new Map<number, Command>();
  private readonly irqEnabled = new Uint8Array(EVENT_LOGS);
  private readonly poison = new Set<number>();
  /** Time set by the host: its value (nanoseconds since 1970) and the clock then; null until set. */
  private clock: { readonly base: bigint; readonly at: number } | null = null;

  constructor(
    private readonly media: Type3Media,
    private readonly payloadSize: number,
  ) {
    const unsupported: Handler = () => RET.UNSUPPORTED;
    const command = (opcode: number, effect: number, input: number | null, run: Handler): Command => ({
      opcode,
      effect,
      input,
      run,
    });
    this.commands = [
      command(0x0100, 0, 1, (input) => ((input[0] as number) < EVENT_LOGS ? new Uint8Array(32) : RET.INVALID_INPUT)),
      command(0x0101, 0x10, null, (input) => this.event_clear_records(input)),
      command(0x0102, 0, 0, () => this.event_get_interrupt_policy()),
      command(0x0103, 0x02, null, (input) => this.event_set_interrupt_policy(input)),
      command(0x0200, 0, 0, firmware_get_info),
      command(0x0201, 0x40, null, unsupported),
      command(0x0202, 0x40, 2, unsupported),
      command(0x0300, 0, 0, () => bytesOf(8, (view) => view.setBigUint64(0, this.timestamp(), true))),
      command(0x0301, 0x08, 8, (input) => this.timestamp_set(input)),
      command(0x0400, 0, 0, () => this.logs_get_supported()),
      command(0x0401, 0, 0x18, (input) => this.logs_get_log(input)),
      command(0x0500, 0, 8, () => new Uint8Array(8)),
      command(0x0501, 0, 0x15, unsupported),
      command(0x0502, 0x3e, null, unsupported),
      command(0x4000, 0, 0, () => this.identify()),
      command(0x4100, 0, 0, () => this.partition_info()),
      command(0x4102, 0, 8, (input) => this.get_lsa(input)),
      command(0x4103, 0x06, null, (input) => this.set_lsa(input)),
      command(0x4300, 0, 16, (input) => this.media_get_poison_list(input)),
      command(0x4301, 0, 8, (input) => this.media_inject_poison(input)),
      command(0x4302, 0, 72, (input) => this.media_clear_poison(input)),
      command(0x4303, 0, 16, (input) => this.media_get_scan_media_capabilities(input)),
      command(0x4304, 0x40, 17, unsupported),
      command(0x4305, 0, 0, unsupported),
      command(0x4400, 0x64, 0, unsupported),
      command(0x4500, 0, 0, () => new Uint8Array(4)),
    ];
    for (const entry of this.commands) this.byOpcode.set(entry.opcode, entry);
  }

  /** cxl_process_cci_message(): output payload, or the return code. */
  process(opcode: number, input: Uint8Array): Uint8Array | number {
    const command = this.byOpcode.get(opcode);
    if (!command) return RET.UNSUPPORTED_MAILBOX;
    if (command.input !== null && command.input !== input.length) return RET.INVALID_PAYLOAD_LENGTH;
    return command.run(input);
  }

  private get size(): number {
    return this.media.volatileSize + this.media.persistentSize;
  }

  private event_clear_records(input: Uint8Array): Uint8Array | number {
    if (input.length < 6) return RET.INVALID_PAYLOAD_LENGTH;
    if ((input[0] as number) >= EVENT_LOGS) return RET.INVALID_INPUT;
    // Logs are empty: clearing all of one succeeds, a handle is never known.
    return (input[1] as number) & 1 ? new Uint8Array(0) : RET.INVALID_INPUT;
  }

  private event_get_interrupt_policy(): Uint8Array {
    // Four settings; the fifth exists only with dynamic capacity.
    return Uint8Array.from({ length: 4 }, (_, n) => (this.irqEnabled[n] ? ((FIRST_EVENT_VECTOR + n) << 4) | MSIX : 0));
  }

  private event_set_interrupt_policy(input: Uint8Array): Uint8Array | number {
    if (input.length < 4) return RET.INVALID_PAYLOAD_LENGTH;
    for (let n = 0; n < 4; n++) this.irqEnabled[n] = ((input[n] as number) & 3) === MSIX ? 1 : 0;
    return new Uint8Array(0);
  }

  private timestamp(): bigint {
    const { clock } = this;
    return clock === null ? 0n : BigInt.asUintN(64, clock.base + BigInt(Math.round(this.media.now() - clock.at)));
  }

  private timestamp_set(input: Uint8Array): Uint8Array {
    this.clock = { base: viewOf(input).getBigUint64(0, true), at: this.media.now() };
    return new Uint8Array(0);
  }

  private logs_get_supported(): Uint8Array {
    return bytesOf(28, (view, bytes) => {
      view.setUint16(0, 1, true);
      bytes.set(CEL_UUID, 8);
      view.setUint32(24, this.commands.length * 4, true);
    });
  }

  private logs_get_log(input: Uint8Array): Uint8Array | number {
    const view = viewOf(input);
    const offset = view.getUint32(16, true);
    const length = view.getUint32(20, true);
    if (length > this.payloadSize || offset + length > CEL_ROOM) return RET.INVALID_INPUT;
    if (CEL_UUID.some((byte, n) => input[n] !== byte)) return RET.INVALID_INPUT;
    const log = new Uint8Array(offset + length);
    const entries = viewOf(log);
    this.commands.forEach(({ opcode, effect }, n) => {
      if (n * 4 + 4 > log.length) return;
      entries.setUint16(n * 4, opcode, true);
      entries.setUint16(n * 4 + 2, effect, true);
    });
    return log.slice(offset);
  }

  /** cmd_identify_memory_device(): capacities in units of 256 MiB. */
  private identify(): Uint8Array | number {
    const { volatileSize, persistentSize, lsaSize } = this.media;
    if (volatileSize % CAPACITY_MULTIPLIER !== 0 || persistentSize % CAPACITY_MULTIPLIER !== 0)
      return RET.INTERNAL_ERROR;
    return bytesOf(69, (view, bytes) => {
      bytes.set(text('BWFW VERSION 00'), 0);
      view.setUint32(0x10, this.size / CAPACITY_MULTIPLIER, true);
      view.setUint32(0x18, volatileSize / CAPACITY_MULTIPLIER, true);
      view.setUint32(0x20, persistentSize / CAPACITY_MULTIPLIER, true);
      view.setUint32(0x38, lsaSize, true);
      view.setUint16(0x3c, POISON_LIMIT, true);
      view.setUint16(0x43, DYNAMIC_EVENTS, true);
    });
  }

  private partition_info(): Uint8Array | number {
    const { volatileSize, persistentSize } = this.media;
    if (volatileSize % CAPACITY_MULTIPLIER !== 0 || persistentSize % CAPACITY_MULTIPLIER !== 0)
      return RET.INTERNAL_ERROR;
    return bytesOf(32, (view) => {
      view.setUint32(0, volatileSize / CAPACITY_MULTIPLIER, true);
      view.setUint32(8, persistentSize / CAPACITY_MULTIPLIER, true);
    });
  }

  private get_lsa(input: Uint8Array): Uint8Array | number {
    const view = viewOf(input);
    const offset = view.getUint32(0, true);
    const length = view.getUint32(4, true);
    if (offset + length > this.media.lsaSize || length > this.payloadSize) return RET.INVALID_INPUT;
    const out = new Uint8Array(length);
    this.media.readLsa(offset, out);
    return out;
  }

  private set_lsa(input: Uint8Array): Uint8Array | number {
    if (input.length === 0) return new Uint8Array(0);
    if (input.length < 8) return RET.INVALID_PAYLOAD_LENGTH;
    const offset = viewOf(input).getUint32(0, true);
    if (offset + input.length - 8 > this.media.lsaSize) return RET.INVALID_INPUT;
    this.media.writeLsa(offset, input.subarray(8));
    return new Uint8Array(0);
  }

  private media_get_poison_list(input: Uint8Array): Uint8Array | number {
    const { start, length } = range(input);
    const found = [...this.poison]
      .filter((at) => at + POISON_LINE > start && at < start + length)
      .sort((a, b) => a - b);
    const room = Math.floor((this.payloadSize - 32) / 16);
    const records = found.slice(0, room);
    return bytesOf(32 + records.length * 16, (view) => {
      view.setUint8(0, records.length < found.length ? 1 : 0);
      view.setUint16(10, records.length, true);
      records.forEach((at, n) => {
        view.setBigUint64(32 + n * 16, BigInt(Math.max(at, start)) | BigInt(POISON_INJECTED), true);
        view.setUint32(40 + n * 16, 1, true);
      });
    });
  }

  private media_inject_poison(input: Uint8Array): Uint8Array | number {
    const dpa = Number(viewOf(input).getBigUint64(0, true));
    if (dpa % POISON_LINE !== 0) return RET.INVALID_INPUT;
    if (this.poison.has(dpa)) return new Uint8Array(0);
    if (this.poison.size === POISON_LIMIT) return RET.INJECT_POISON_LIMIT;
    this.poison.add(dpa);
    return new Uint8Array(0);
  }

  private media_clear_poison(input: Uint8Array): Uint8Array | number {
    const dpa = Number(viewOf(input).getBigUint64(0, true));
    if (dpa + POISON_LINE > this.size) return RET.INVALID_PA;
    this.media.writeDpa(dpa, input.subarray(8, 72));
    this.poison.delete(dpa);
    return new Uint8Array(0);
  }

  private media_get_scan_media_capabilities(input: Uint8Array): Uint8Array | number {
    const { start, length } = range(input);
    if (start + length > this.size) return RET.INVALID_PA;
    return bytesOf(4, (view) => view.setUint32(0, Math.max(1, Math.floor(length * (0.0005 / 64))), true));
  }
}

/** Start and length (counted in lines of 64 bytes) of a query over media. */
function range(input: Uint8Array): { readonly start: number; readonly length: number } {
  const view = viewOf(input);
  return {
    start: Number(view.getBigUint64(0, true) & ~0x3fn),
    length: Number(view.getBigUint64(8, true)) * POISON_LINE,
  };
}

/** Two slots, the first active, activation without reset (captured: mbox-mem0.txt, id 4). */
function firmware_get_info(): Uint8Array {
  return bytesOf(80, (_view, bytes) => {
    bytes.set([2, 1, 1], 0);
    bytes.set(text('BWFW VERSION 0'), 0x10);
  });
}

function text(value: string): number[] {
  return [...value].map((letter) => letter.charCodeAt(0));
}

/** A payload of `length` zero bytes, filled in. */
function bytesOf(length: number, fill: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  fill(viewOf(bytes), bytes);
  return bytes;
}
