import { fromHalves } from '../../base/addr.ts';
import { text, viewOf } from '../../base/bytes.ts';
import { E } from '../../base/errno.ts';
import { O_RDWR } from '../../linux/uapi/constants.ts';
import {
  CXL_MEM_COMMAND_ID_GET_FW_INFO,
  CXL_MEM_COMMAND_ID_GET_HEALTH_INFO,
  CXL_MEM_COMMAND_ID_GET_PARTITION_INFO,
  CXL_MEM_COMMAND_ID_IDENTIFY,
  CXL_MEM_QUERY_COMMANDS,
  CXL_MEM_SEND_COMMAND,
  CXL_SEND_COMMAND_SIZE,
} from '../../linux/uapi/cxl_mem.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { readLine } from '../pciutils/io.ts';
import { Fields, size } from './json.ts';

/** What libcxl asks a memdev's mailbox for listings (util_cxl_memdev_partition_to_json, …_fw_to_json). */

const UNIT = 0x10000000n;

/** cxl_cmd_submit: one command with its input; the answer or a negated errno. */
export async function submit(
  sys: Sys,
  memdev: string,
  id: number,
  input: Uint8Array,
  room: number,
): Promise<Uint8Array | number> {
  const fd = sys.open(`/dev/cxl/${memdev}`, O_RDWR);
  if (fd < 0) return fd;
  // libcxl asks for the list of commands first: how many, then which
  const count = new Uint8Array(8);
  const counted = await sys.ioctl(fd, CXL_MEM_QUERY_COMMANDS, count);
  const known = new Uint8Array(8 + 16 * viewOf(count).getUint32(0, true));
  known.set(count);
  const listed = counted < 0 ? counted : await sys.ioctl(fd, CXL_MEM_QUERY_COMMANDS, known);
  if (listed < 0 || known.length < 8 + 16 * (id + 1) || !(viewOf(known).getUint32(8 + 16 * id + 4, true) & 1)) {
    sys.close(fd);
    return -E.EOPNOTSUPP;
  }
  const arg = new Uint8Array(CXL_SEND_COMMAND_SIZE + room + input.length);
  arg.set(input, CXL_SEND_COMMAND_SIZE + room);
  const view = viewOf(arg);
  view.setUint32(0, id, true);
  view.setUint32(16, input.length, true);
  view.setUint32(24, CXL_SEND_COMMAND_SIZE + room, true);
  view.setUint32(32, room, true);
  view.setUint32(40, CXL_SEND_COMMAND_SIZE, true);
  const rc = await sys.ioctl(fd, CXL_MEM_SEND_COMMAND, arg);
  sys.close(fd);
  if (rc < 0) return rc;
  const mbox = view.getUint32(12, true);
  if (mbox !== 0) return -E.ENXIO;
  return arg.subarray(CXL_SEND_COMMAND_SIZE, CXL_SEND_COMMAND_SIZE + view.getUint32(32, true));
}

async function send(sys: Sys, memdev: string, id: number, room: number): Promise<Uint8Array | null> {
  const out = await submit(sys, memdev, id, new Uint8Array(0), room);
  return typeof out === 'number' ? null : out;
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
  if (!id) return undefined;
  const fields = new Fields()
    .add('total_size', size(id.total, human))
    .add('volatile_only_size', size(id.volatileOnly, human))
    .add('persistent_only_size', size(id.persistentOnly, human))
    .add('partition_alignment_size', size(id.alignment, human));
  if (id.alignment === 0n) return fields;
  // capacity that can be either: how it is parted now and at the next reset
  const parted = await send(sys, memdev, CXL_MEM_COMMAND_ID_GET_PARTITION_INFO, 32);
  if (!parted || parted.length < 32) return fields;
  const names = ['active_volatile_size', 'active_persistent_size', 'next_volatile_size', 'next_persistent_size'];
  for (const [n, name] of names.entries())
    fields.add(name, size(viewOf(parted).getBigUint64(8 * n, true) * UNIT, human));
  return fields;
}

export async function firmwareInfo(sys: Sys, memdev: string, human = false): Promise<Fields | undefined> {
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
  const dir = `/sys/bus/cxl/devices/${memdev}/firmware/${memdev}`;
  const busy = ((await readLine(sys, `${dir}/status`)) ?? 'idle') !== 'idle';
  fields.add('fw_update_in_progress', busy);
  if (!busy) return fields;
  return fields.add('remaining_size', size(BigInt((await readLine(sys, `${dir}/remaining_size`)) ?? '0'), human));
}

const MEDIA = [
  'media_normal',
  'media_not_ready',
  'media_persistence_lost',
  'media_data_lost',
  'media_powerloss_persistence_loss',
  'media_shutdown_persistence_loss',
  'media_persistence_loss_imminent',
  'media_powerloss_data_loss',
  'media_shutdown_data_loss',
  'media_data_loss_imminent',
] as const;
const LEVELS = ['normal', 'warning', 'critical'] as const;

/** util_cxl_memdev_health_to_json */
export async function healthInfo(sys: Sys, memdev: string): Promise<Fields | undefined> {
  const info = await send(sys, memdev, CXL_MEM_COMMAND_ID_GET_HEALTH_INFO, 18);
  if (!info || info.length < 18) return undefined;
  const view = viewOf(info);
  const [health = 0, media = 0, ext = 0, life = 0] = info;
  const fields = new Fields()
    .add('maintenance_needed', (health & 1) !== 0)
    .add('performance_degraded', (health & 2) !== 0)
    .add('hw_replacement_needed', (health & 4) !== 0);
  for (const [n, name] of MEDIA.entries()) fields.add(name, media === n);
  fields
    .add('ext_life_used', LEVELS[ext & 3] ?? 'unknown')
    .add('ext_temperature', LEVELS[(ext >> 2) & 3] ?? 'unknown')
    .add('ext_corrected_volatile', LEVELS[(ext >> 4) & 1] ?? 'unknown')
    .add('ext_corrected_persistent', LEVELS[(ext >> 5) & 1] ?? 'unknown');
  if (life !== 0xff) fields.add('life_used_percent', life);
  const temperature = view.getUint16(4, true);
  if (temperature !== 0xffff) fields.add('temperature', temperature);
  return fields
    .add('dirty_shutdowns', view.getUint32(6, true))
    .add('volatile_errors', view.getUint32(10, true))
    .add('pmem_errors', view.getUint32(14, true));
}
