import type { Width } from '../../base/addr.ts';
import type { EventLog, SiteId } from '../../log/index.ts';
import { DEVICE_OFFSET, DEVICE_SIZE, MAILBOX_PAYLOAD } from '../../spec/cxl/device.ts';
import { layout } from '../../spec/layouts.ts';
import type { MemoryRegionOps } from '../memory/api.ts';
import type { MemoryRegion } from '../memory/memory-region.ts';
import { RegisterSpace } from '../registers/register-space.ts';
import { RET, Type3Commands, type Type3Media } from './cci.ts';
import type { CxlEnv } from './cxl-component.ts';

const DOORBELL = 1;
const PAYLOAD_AT = DEVICE_OFFSET.PAYLOAD - DEVICE_OFFSET.MAILBOX;

/**
 * Device registers of a memory expander (QEMU hw/cxl/cxl-device-utils.c): capability array, event status, primary mailbox,
 * memory device status. A command runs when the doorbell is rung and is done when the store returns, as in QEMU. Left out:
 * interrupts, background operations.
 */
export class DeviceRegisters {
  /** The 4 KiB block with its parts. */
  readonly memory: MemoryRegion;
  readonly registers: RegisterSpace;
  private readonly payload = new Uint8Array(MAILBOX_PAYLOAD);
  private readonly commands: Type3Commands;
  private readonly site: SiteId;
  private readonly log: EventLog;

  constructor(env: CxlEnv, path: string, media: Type3Media) {
    const { core, log, layer } = env;
    this.log = log;
    const registers = new RegisterSpace(log, path, layout('cxl-type3.device'), { layer });
    this.registers = registers;
    this.commands = new Type3Commands(media, MAILBOX_PAYLOAD);
    this.site = log.site({
      layer,
      name: 'mailbox command',
      args: ['opcode', 'return code'],
      cite: 'QEMU hw/cxl/cxl-device-utils.c mailbox_reg_write; CXL 3.1 8.2.8.4',
    });
    this.memory = core.memory_region_init('device-registers', 4096);
    const part = (name: string, at: number, size: number, ops: MemoryRegionOps) =>
      core.memory_region_add_subregion(this.memory, at, core.memory_region_init_io(ops, name, size));
    const plain = (at: number, max: Width): MemoryRegionOps => {
      const ops: MemoryRegionOps = {
        hi: 0,
        valid: { min: 1, max: 8 },
        impl: { min: 1, max },
        read(offset, width) {
          const value = registers.read(at + offset, width);
          ops.hi = registers.hi;
          return value;
        },
        write: (offset, width, lo, hi) => registers.write(at + offset, width, lo, hi),
        peek: (offset, width) => registers.peek(at + offset, width),
      };
      return ops;
    };
    part('cap-array', DEVICE_OFFSET.ARRAY, DEVICE_SIZE.ARRAY, plain(DEVICE_OFFSET.ARRAY, 8));
    part('device-status', DEVICE_OFFSET.STATUS, DEVICE_SIZE.STATUS, plain(DEVICE_OFFSET.STATUS, 8));
    part('mailbox', DEVICE_OFFSET.MAILBOX, DEVICE_SIZE.MAILBOX, this.mailbox());
    part('memory device caps', DEVICE_OFFSET.MEMDEV, DEVICE_SIZE.MEMDEV, plain(DEVICE_OFFSET.MEMDEV, 8));
  }

  /** cxl_device_register_init_t3(): registers as after power-on; poison, labels and the clock stay. */
  reset(): void {
    this.registers.reset('power-on');
    this.payload.fill(0);
  }

  private mailbox(): MemoryRegionOps {
    const { registers, payload } = this;
    const at = DEVICE_OFFSET.MAILBOX;
    const load = (offset: number, width: Width): number => {
      ops.hi = 0;
      if (offset < PAYLOAD_AT) {
        const value = registers.peek(at + offset, width);
        ops.hi = registers.hi;
        return value;
      }
      let lo = 0;
      for (let n = 0; n < width; n++) {
        const byte = payload[offset - PAYLOAD_AT + n] ?? 0;
        if (n < 4) lo += byte * 2 ** (8 * n);
        else ops.hi += byte * 2 ** (8 * (n - 4));
      }
      return lo;
    };
    const ops: MemoryRegionOps = {
      hi: 0,
      valid: { min: 1, max: 8 },
      impl: { min: 1, max: 8 },
      read: load,
      peek: load,
      write: (offset, width, lo, hi) => {
        if (offset >= PAYLOAD_AT) {
          for (let n = 0; n < width; n++)
            payload[offset - PAYLOAD_AT + n] = (n < 4 ? lo >>> (8 * n) : hi >>> (8 * (n - 4))) & 0xff;
          return;
        }
        // Whole registers only: 4 bytes for the control register, 8 for command and status (mailbox_mem_writel/writeq).
        if (width === 4 || width === 8) registers.write(at + offset, width, lo, hi);
        if (registers.get('MB_CTRL') & DOORBELL) this.ring();
      },
      // A run of bytes (memcpy_toio) has the effect of its single stores; the payload has none but itself.
      writeBytes: (offset, from) => {
        if (offset < PAYLOAD_AT) return false;
        payload.set(from, offset - PAYLOAD_AT);
        return true;
      },
      readBytes: (offset, into) => {
        if (offset < PAYLOAD_AT) return false;
        into.set(payload.subarray(offset - PAYLOAD_AT, offset - PAYLOAD_AT + into.length));
        return true;
      },
    };
    return ops;
  }

  /** The doorbell was rung: runs the command, leaves payload, return code and length, clears the doorbell. */
  private ring(): void {
    const { registers, payload, log } = this;
    const opcode = registers.get('MB_CMD_LO', 'OPCODE');
    const length = registers.get('MB_CMD_LO', 'LENGTH') + registers.get('MB_CMD_HI', 'LENGTH_HI') * 0x10000;
    const input = payload.slice(0, Math.min(length, MAILBOX_PAYLOAD));
    payload.fill(0);
    const answer = length > MAILBOX_PAYLOAD ? RET.INTERNAL_ERROR : this.commands.process(opcode, input);
    const output = typeof answer === 'number' ? null : answer;
    const code = typeof answer === 'number' ? answer : RET.SUCCESS;
    if (output) payload.set(output);
    log.note(this.site, opcode, code);
    registers.set('MB_STATUS_LO', 0);
    registers.set('MB_STATUS_HI', code);
    registers.set('MB_CMD_LO', (opcode | ((output?.length ?? 0) << 16)) >>> 0);
    registers.set('MB_CMD_HI', 0);
    registers.set('MB_CTRL', (registers.get('MB_CTRL') & ~DOORBELL) >>> 0);
  }
}
