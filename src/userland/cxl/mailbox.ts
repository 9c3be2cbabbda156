import { fromHalves } from '../../base/addr.ts';
import { text, viewOf } from '../../base/bytes.ts';
import { O_RDWR } from '../../linux/uapi/constants.ts';
import {
  CXL_MEM_COMMAND_ID_GET_FW_INFO,
  CXL_MEM_COMMAND_ID_IDENTIFY,
  CXL_MEM_QUERY_COMMANDS,
  CXL_MEM_SEND_COMMAND,
  CXL_SEND_COMMAND_SIZE,
} from '../../linux/uapi/cxl_mem.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { Fields, size } from './json.ts';

/** What libcxl asks a memdev's mailbox for listings (util_cxl_memdev_partition_to_json, …_fw_to_json). */

const UNIT = 0x10000000n;

async function send(sys: Sys, memdev: string, id: number, room: number): Promise<Uint8Array | null> {
  const fd = sys.open(`/dev/cxl/${memdev}`, O_RDWR);
  if (fd < 0) return null;
  // libcxl asks for the list of commands first: how many, then which
  const count = new Uint8Array(8);
  const counted = await sys.ioctl(fd, CXL_MEM_QUERY_COMMANDS, count);
  const known = new Uint8Array(8 + 16 * viewOf(count).getUint32(0, true));
  known.set(count);
  const listed = counted < 0 ? counted : await sys.ioctl(fd, CXL_MEM_QUERY_COMMANDS, known);
  if (listed < 0 || known.length < 8 + 16 * (id + 1) || !(viewOf(known).getUint32(8 + 16 * id + 4, true) & 1)) {
    sys.close(fd);
    return null;
  }
  const arg = new Uint8Array(CXL_SEND_COMMAND_SIZE + room);
  const view = viewOf(arg);
  view.setUint32(0, id, true);
  view.setUint32(32, room, true);
  view.setUint32(40, CXL_SEND_COMMAND_SIZE, true);
  const rc = await sys.ioctl(fd, CXL_MEM_SEND_COMMAND, arg);
  sys.close(fd);
  return rc < 0 ? null : arg.subarray(CXL_SEND_COMMAND_SIZE, CXL_SEND_COMMAND_SIZE + view.getUint32(32, true));
}

export interface Partitions {
  readonly total: bigint;
  readonly volatileOnly: bigint;
  readonly persistentOnly: bigint;
  readonly alignment: bigint;
}

/** Identify's capacities, or null when the device does not say. */
export async function identify(sys: Sys, memdev: string): Promise<Partitions | null> {
  const id = await send(sys, memdev, CXL_MEM_COMMAND_ID_IDENTIFY, 67);
  if (!id || id.length < 67) return null;
  const view = viewOf(id);
  const at = (n: number) => BigInt(fromHalves(view.getUint32(n + 4, true), view.getUint32(n, true))) * UNIT;
  return { total: at(16), volatileOnly: at(24), persistentOnly: at(32), alignment: at(40) };
}

export async function partitionInfo(sys: Sys, memdev: string, human: boolean): Promise<Fields | undefined> {
  const id = await identify(sys, memdev);
  return id === null
    ? undefined
    : new Fields()
        .add('total_size', size(id.total, human))
        .add('volatile_only_size', size(id.volatileOnly, human))
        .add('persistent_only_size', size(id.persistentOnly, human))
        .add('partition_alignment_size', size(id.alignment, human));
}

export async function firmwareInfo(sys: Sys, memdev: string): Promise<Fields | undefined> {
  const info = await send(sys, memdev, CXL_MEM_COMMAND_ID_GET_FW_INFO, 80);
  if (!info || info.length < 80) return undefined;
  const slots = info[0] ?? 0;
  const active = (info[1] ?? 0) & 7;
  const staged = ((info[1] ?? 0) >> 3) & 7;
  const fields = new Fields().add('num_slots', slots).add('active_slot', active);
  if (staged !== 0) fields.add('staged_slot', staged);
  fields.add('online_activate_capable', ((info[2] ?? 0) & 1) !== 0);
  for (let slot = 1; slot <= Math.min(slots, 4); slot++) {
    const raw = info.subarray(16 * slot, 16 * slot + 15);
    const end = raw.indexOf(0);
    const version = text(raw.subarray(0, end < 0 ? raw.length : end));
    if (version !== '') fields.add(`slot_${slot}_version`, version);
  }
  return fields.add('fw_update_in_progress', false);
}
