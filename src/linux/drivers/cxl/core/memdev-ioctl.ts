import { viewOf } from '../../../../base/bytes.ts';
import { E } from '../../../../base/errno.ts';
import type { CxlMemdev } from '../../../include/cxl_types.ts';
import { CXL_MEM_QUERY_COMMANDS, CXL_MEM_SEND_COMMAND, CXL_SEND_COMMAND_SIZE } from '../../../uapi/cxl_mem.ts';
import { cxl_mbox_send_cmd } from './mbox.ts';

/** Ioctls of /dev/cxl/memN (drivers/cxl/core/mbox.c, v6.12). Leaves out raw commands. */

interface UserCommand {
  readonly opcode: number;
  readonly size_in: number;
  readonly size_out: number;
  readonly name: string;
}

const VARIABLE = 0xffffffff;
const command = (opcode: number, size_in: number, size_out: number, name: string): UserCommand => ({
  ...{ opcode, size_in, size_out, name },
});

/** cxl_mem_commands, by command id; ids without an entry are not offered. */
const COMMANDS: ReadonlyMap<number, UserCommand> = new Map([
  [1, command(0x4000, 0, 67, 'Identify Command')],
  [3, command(0x0400, 0, VARIABLE, 'Get Supported Logs')],
  [4, command(0x0200, 0, 80, 'Get FW Info')],
  [5, command(0x4100, 0, 32, 'Get Partition Information')],
  [6, command(0x4102, 8, VARIABLE, 'Get Label Storage Area')],
  [7, command(0x4200, 0, 18, 'Get Health Info')],
  [8, command(0x0401, 24, VARIABLE, 'Get Log')],
  [9, command(0x4101, 10, 0, 'Set Partition Information')],
  [10, command(0x4103, VARIABLE, 0, 'Set Label Storage Area')],
  [11, command(0x4201, 0, 16, 'Get Alert Configuration')],
  [12, command(0x4202, 12, 0, 'Set Alert Configuration')],
  [13, command(0x4203, 0, 1, 'Get Shutdown State')],
  [14, command(0x4204, 1, 0, 'Set Shutdown State')],
  [18, command(0x4303, 16, 4, 'Get Scan Media Capabilities')],
  [21, command(0x0300, 0, 8, 'Get Timestamp')],
  [22, command(0x0402, 16, 4, 'Get Log Capabilities')],
  [23, command(0x0403, 16, 0, 'Clear Log')],
  [24, command(0x0405, 2, VARIABLE, 'Get Supported Logs Sub-List')],
]);
const OP_SET_PARTITION_INFO = 0x4101;
const COMMAND_ID_MAX = 25;

/** cxl_query_cmd: the number of commands, or as many of them as there is room for. */
function query(cxlmd: CxlMemdev, arg: Uint8Array): number {
  cxlmd.dbg('cxl_core', 'cxl_query_cmd', 'Query IOCTL');
  const view = viewOf(arg);
  const room = view.getUint32(0, true);
  if (room === 0) {
    view.setUint32(0, COMMAND_ID_MAX, true);
    return 0;
  }
  for (let id = 0; id < Math.min(room, COMMAND_ID_MAX) && 8 + 16 * (id + 1) <= arg.length; id++) {
    const known = COMMANDS.get(id);
    const enabled = known && cxlmd.cxlds.mbox?.commands.has(known.opcode) ? 1 : 0;
    const fields = known ? [id, enabled, known.size_in, known.size_out] : [0, 0, 0, 0];
    fields.forEach((value, n) => {
      view.setUint32(8 + 16 * id + 4 * n, value, true);
    });
  }
  return 0;
}

/** cxl_send_cmd */
function send(cxlmd: CxlMemdev, arg: Uint8Array): number {
  const { cxlds } = cxlmd;
  cxlmd.dbg('cxl_core', 'cxl_send_cmd', 'Send IOCTL');
  const view = viewOf(arg);
  const known = COMMANDS.get(view.getUint32(0, true));
  if (!known || !cxlds.mbox?.commands.has(known.opcode)) return -E.ENOTTY;
  if (view.getUint32(4, true) !== 0) return -E.EINVAL;
  const length = view.getUint32(16, true);
  const room = view.getUint32(32, true);
  if (length > cxlds.mbox.payload_size) return -E.EINVAL;
  if (known.size_in !== VARIABLE && known.size_in !== length) return -E.ENOMEM;
  if (known.size_out !== VARIABLE && known.size_out > room) return -E.ENOMEM;
  const from = view.getUint32(24, true);
  if (length > 0 && from + length > arg.length) return -E.EFAULT;
  const input = arg.slice(from, from + length);
  // cxl_payload_from_user_allowed: partitions change at the next reset, not under a running kernel
  if (known.opcode === OP_SET_PARTITION_INFO && (input[8] ?? 0) & 1) {
    cxlds.dev.dbg('cxl_core', 'cxl_mbox_cmd_ctor', `${known.name}: input payload not allowed`);
    return -E.EBUSY;
  }
  const name = `Submitting ${known.name} command for user`;
  const text = `${name}\n\topcode: ${known.opcode.toString(16)}\n\tsize: ${length.toString(16)}`;
  cxlds.dev.dbg('cxl_core', 'handle_mailbox_cmd_from_user', text);
  const out = cxl_mbox_send_cmd(cxlds, known.opcode, input);
  if (typeof out === 'number') return out;
  const at = view.getUint32(40, true);
  if (at + Math.min(room, out.length) > arg.length) return -E.EFAULT;
  arg.set(out.subarray(0, room), at);
  view.setUint32(12, 0, true);
  view.setUint32(32, Math.min(room, out.length), true);
  return 0;
}

export function cxl_memdev_ioctl(cxlmd: CxlMemdev, request: number, arg: Uint8Array | number): number {
  const nr = request >>> 0;
  if (!cxlmd.cxlds.mbox || (nr !== CXL_MEM_QUERY_COMMANDS && nr !== CXL_MEM_SEND_COMMAND)) return -E.ENOTTY;
  const least = nr === CXL_MEM_SEND_COMMAND ? CXL_SEND_COMMAND_SIZE : 8;
  if (typeof arg === 'number' || arg.length < least) return -E.EFAULT;
  return nr === CXL_MEM_SEND_COMMAND ? send(cxlmd, arg) : query(cxlmd, arg);
}
