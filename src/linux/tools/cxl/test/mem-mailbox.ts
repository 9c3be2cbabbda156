import { hi32, lo32, MiB } from '../../../../base/addr.ts';
import { concat, utf8, viewOf } from '../../../../base/bytes.ts';
import { E } from '../../../../base/errno.ts';
import { CXL_MBOX_OP } from '../../../drivers/cxl/core/mbox.ts';
import type { MockMem } from './mem.ts';
import { mock_clear_poison, mock_get_poison, mock_inject_poison } from './mem-poison.ts';

/** The mock device's mailbox (tools/testing/cxl/test/mem.c, v6.12): what each command answers. */

const DEV_SIZE = 2048 * MiB;
const CAPACITY_MULTIPLIER = 256 * MiB;
const PARTITION_ALIGN = 256 * MiB;
const CXL_POISON_LIST_MAX = 1024;
const MOCK_INJECT_TEST_MAX = 128;
const FW_SLOTS = 3;
const CEL_UUID = '0da9c0b5bf414b788f7996b1623b3f17';

type Reply = Uint8Array | number;
const NOTHING = new Uint8Array(0);

const OP = {
  ...CXL_MBOX_OP,
  GET_LSA: 0x4102,
  SET_LSA: 0x4103,
  GET_HEALTH_INFO: 0x4200,
} as const;

/** Command effects log: opcode and effects (1 cold reset, 2 immediate configuration, 4 data, 0x20 security, 0x40 background). */
const MOCK_CEL: readonly (readonly [number, number])[] = [
  [OP.GET_SUPPORTED_LOGS, 0],
  [OP.IDENTIFY, 0],
  [OP.GET_LSA, 0],
  [OP.GET_PARTITION_INFO, 0],
  [OP.SET_LSA, 0x6],
  [OP.GET_HEALTH_INFO, 0],
  [OP.GET_POISON, 0],
  [OP.INJECT_POISON, 0x4],
  [OP.CLEAR_POISON, 0x4],
  [OP.GET_FW_INFO, 0],
  [OP.TRANSFER_FW, 0x41],
  [OP.ACTIVATE_FW, 0x3],
  [OP.SANITIZE, 0x64],
];

const cel = concat(MOCK_CEL.map(([op, effect]) => new Uint8Array([op & 0xff, op >> 8, effect & 0xff, effect >> 8])));
const uuid = new Uint8Array(CEL_UUID.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? []);

function mock_gsl(): Reply {
  const out = new Uint8Array(28);
  viewOf(out).setUint16(0, 1, true);
  out.set(uuid, 8);
  viewOf(out).setUint32(24, cel.length, true);
  return out;
}

function mock_get_log(input: Uint8Array, payload_size: number): Reply {
  if (input.length < 24) return -E.EINVAL;
  const offset = viewOf(input).getUint32(16, true);
  const length = viewOf(input).getUint32(20, true);
  if (length > payload_size || offset + length > cel.length) return -E.EINVAL;
  if (uuid.some((byte, n) => input[n] !== byte)) return -E.EINVAL;
  return cel.slice(offset, offset + length);
}

function quad(view: DataView, at: number, value: number): void {
  view.setUint32(at, lo32(value), true);
  view.setUint32(at + 4, hi32(value), true);
}

/** mock_id and mock_rcd_id: a restricted device is volatile throughout and has no labels. */
function mock_id(rcd: boolean, lsa_size: number): Reply {
  const out = new Uint8Array(0x45);
  const view = viewOf(out);
  out.set(utf8('mock fw v1 '));
  quad(view, 16, DEV_SIZE / CAPACITY_MULTIPLIER);
  if (rcd) {
    quad(view, 24, DEV_SIZE / CAPACITY_MULTIPLIER);
    return out;
  }
  quad(view, 40, PARTITION_ALIGN / CAPACITY_MULTIPLIER);
  view.setUint32(56, lsa_size, true);
  // 24 bits of poison list entries, then the limit of injected ones
  view.setUint16(60, CXL_POISON_LIST_MAX & 0xffff, true);
  view.setUint16(63, MOCK_INJECT_TEST_MAX, true);
  return out;
}

function mock_partition_info(): Reply {
  const out = new Uint8Array(32);
  quad(viewOf(out), 0, DEV_SIZE / 2 / CAPACITY_MULTIPLIER);
  quad(viewOf(out), 8, DEV_SIZE / 2 / CAPACITY_MULTIPLIER);
  return out;
}

function mock_health_info(): Reply {
  const out = new Uint8Array(18);
  const view = viewOf(out);
  // maintenance needed, degraded, to be replaced; all data lost; temperature critical, volatile errors a warning
  out.set([0x7, 0x3, 0x18, 15]);
  view.setUint16(4, 25, true);
  view.setUint32(6, 10, true);
  view.setUint32(10, 20, true);
  view.setUint32(14, 30, true);
  return out;
}

function mock_get_lsa(lsa: Uint8Array, input: Uint8Array): Reply {
  if (input.length < 8) return -E.EINVAL;
  const offset = viewOf(input).getUint32(0, true);
  const length = viewOf(input).getUint32(4, true);
  return offset + length > lsa.length ? -E.EINVAL : lsa.slice(offset, offset + length);
}

function mock_set_lsa(lsa: Uint8Array, input: Uint8Array): Reply {
  if (input.length < 8) return -E.EINVAL;
  const offset = viewOf(input).getUint32(0, true);
  if (offset + input.length - 8 > lsa.length) return -E.EINVAL;
  lsa.set(input.subarray(8), offset);
  return NOTHING;
}

/** mock_fw_info: three slots, one of them active, one perhaps staged. */
function mock_fw_info({ fw_slot, fw_staged }: MockMem): Reply {
  const out = new Uint8Array(80);
  out[0] = FW_SLOTS;
  out[1] = (fw_slot & 7) | ((fw_staged & 7) << 3);
  for (let n = 0; n < FW_SLOTS; n++) out.set(utf8(`cxl_test_fw_00${n + 1}`), 16 + 16 * n);
  return out;
}

/** mock_activate_fw: at once, or at the next reset. */
function mock_activate_fw(mem: MockMem, input: Uint8Array): Reply {
  const [action, slot = 0] = input;
  if (slot === 0 || slot > FW_SLOTS || (action !== 0 && action !== 1)) return -E.EINVAL;
  if (action === 0) mem.fw_slot = slot;
  mem.fw_staged = action === 0 ? 0 : slot;
  return NOTHING;
}

/** cxl_mock_mbox_send without its debug line. */
function answer(mem: MockMem, opcode: number, input: Uint8Array): Reply {
  switch (opcode) {
    case OP.SET_TIMESTAMP:
      return input.length === 8 ? NOTHING : -E.EINVAL;
    case OP.GET_SUPPORTED_LOGS:
      return mock_gsl();
    case OP.GET_LOG:
      return mock_get_log(input, mem.payload_size);
    case OP.IDENTIFY:
      return mock_id(mem.rcd, mem.lsa.length);
    case OP.GET_PARTITION_INFO:
      return mock_partition_info();
    case OP.GET_LSA:
      return mock_get_lsa(mem.lsa, input);
    case OP.SET_LSA:
      return mock_set_lsa(mem.lsa, input);
    case OP.GET_HEALTH_INFO:
      return mock_health_info();
    case OP.GET_POISON:
      return mock_get_poison(mem, input);
    case OP.INJECT_POISON:
      return mock_inject_poison(mem, input);
    case OP.CLEAR_POISON:
      return mock_clear_poison(mem, input);
    case OP.GET_EVENT_RECORD:
      return mem.events.get(input);
    case OP.CLEAR_EVENT_RECORD:
      return mem.events.clear(input);
    case OP.GET_FW_INFO:
      return mock_fw_info(mem);
    case OP.TRANSFER_FW:
      return mem.firmware.transfer(input);
    case OP.ACTIVATE_FW:
      return mock_activate_fw(mem, input);
    case OP.GET_SECURITY_STATE:
      return new Uint8Array(4);
    case OP.SANITIZE:
      return input.length === 0 ? mem.sanitize() : -E.EINVAL;
    case OP.SECURE_ERASE:
      return input.length === 0 ? NOTHING : -E.EINVAL;
    default:
      return -E.EIO;
  }
}

/** cxl_mock_mbox_send */
export function cxl_mock_mbox_send(mem: MockMem, opcode: number, input: Uint8Array): Reply {
  const out = answer(mem, opcode, input);
  const [size, rc] = typeof out === 'number' ? [0, out] : [out.length, 0];
  mem.dev.dbg(
    'cxl_mock_mem',
    'cxl_mock_mbox_send',
    `opcode: 0x${opcode.toString(16)} sz_in: ${input.length} sz_out: ${size} rc: ${rc}`,
  );
  return out;
}
