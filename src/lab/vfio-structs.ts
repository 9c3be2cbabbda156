/**
 * What VFIO tells user space of the passed-through device, byte by byte: GET_INFO, GET_REGION_INFO and GET_IRQ_INFO asked on the
 * VMM's own descriptor, each with the size the kernel wants.
 */
import { present } from '../base/assert.ts';
import { hexToBytes, viewOf } from '../base/bytes.ts';
import { errnoName } from '../base/errno.ts';
import { getField, type StructDef } from '../linux/uapi/struct.ts';
import * as vfio from '../linux/uapi/vfio.ts';
import { vfio_region_info_cap_sparse_mmap } from '../linux/uapi/vfio-cxl-v3.ts';
import type { IoctlArgument } from '../state/schema.ts';
import { kindOfFile } from '../userland/strace/descriptors.ts';
import { capCxl } from '../userland/strace/ioctl-table.ts';
import { ioctlOf } from '../userland/strace/ioctls.ts';
import type { Lab } from './lab.ts';

export interface VfioField {
  /** `struct.field`; the structure's name once a capability begins. */
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly value: number;
}

export interface VfioAnswer {
  readonly call: string;
  readonly errno: string | null;
  readonly bytes: readonly number[];
  readonly fields: readonly VfioField[];
}

const WIDTHS = { u8: 1, u16: 2, u32: 4, s32: 4, u64: 8 } as const;
const CAPS: Readonly<Record<'info' | 'region', Readonly<Record<number, StructDef>>>> = {
  info: {},
  region: {
    [vfio.VFIO_REGION_INFO_CAP_TYPE]: vfio.vfio_region_info_cap_type,
    [vfio.VFIO_REGION_INFO_CAP_SPARSE_MMAP]: vfio_region_info_cap_sparse_mmap,
  },
};

/** Every answer of the device L1's VMM holds, in the order a VMM asks. */
export async function vfioAnswers(lab: Lab): Promise<readonly VfioAnswer[]> {
  const l1 = present(lab.machines.get('l1'), 'L1 runs');
  const [task, fd] = present(
    [...l1.tasks.processes.values()]
      .flatMap((one) => [...one.files.entries()].map(([n, file]) => [one, n, file.path] as const))
      .find(([, , path]) => /vfio-device|vfio\/devices/.test(path)),
    'a process of L1 that has the VFIO device open',
  );
  const ask = async (
    name: string,
    request: number,
    def: StructDef,
    index: number | null,
    caps: 'info' | 'region' | null,
  ) => {
    const call = index === null ? name : `${name} index ${index}`;
    let bytes = blank(def, def.size, index);
    let result = await task.sys.ioctl(fd, request, bytes);
    const wanted = result < 0 ? 0 : viewOf(bytes).getUint32(0, true);
    if (wanted > def.size) {
      bytes = blank(def, wanted, index);
      result = await task.sys.ioctl(fd, request, bytes);
    }
    if (result < 0) return { call, errno: errnoName(-result), bytes: [...bytes], fields: fieldsOf(def, bytes, 0) };
    return { call, errno: null, bytes: [...bytes], fields: [...fieldsOf(def, bytes, 0), ...chain(def, bytes, caps)] };
  };
  const info = await ask('VFIO_DEVICE_GET_INFO', vfio.VFIO_DEVICE_GET_INFO, vfio.vfio_device_info, null, 'info');
  const count = (name: string): number =>
    info.fields.find((field) => field.name === `vfio_device_info.${name}`)?.value ?? 0;
  const answers: VfioAnswer[] = [info];
  for (let n = 0; n < count('num_regions'); n++)
    answers.push(
      await ask('VFIO_DEVICE_GET_REGION_INFO', vfio.VFIO_DEVICE_GET_REGION_INFO, vfio.vfio_region_info, n, 'region'),
    );
  for (let n = 0; n < count('num_irqs'); n++)
    answers.push(await ask('VFIO_DEVICE_GET_IRQ_INFO', vfio.VFIO_DEVICE_GET_IRQ_INFO, vfio.vfio_irq_info, n, null));
  return answers;
}

/** An ioctl that was logged, named, with its argument taken apart as the kernel left it; null for one that is not known. */
export function decodeIoctl(
  request: number,
  { path, left }: IoctlArgument,
): Pick<VfioAnswer, 'call' | 'fields'> | null {
  const known = ioctlOf(kindOfFile(path), request);
  if (!known) return null;
  const { name, struct } = known;
  const bytes = hexToBytes(left);
  const caps = struct === vfio.vfio_device_info ? 'info' : struct === vfio.vfio_region_info ? 'region' : null;
  const fields = struct ? [...fieldsOf(struct, bytes, 0), ...(caps ? chain(struct, bytes, caps) : [])] : [];
  return { call: name, fields };
}

function blank(def: StructDef, size: number, index: number | null): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = viewOf(bytes);
  view.setUint32(0, size, true);
  const at = def.fields.index?.[1];
  if (index !== null && at !== undefined) view.setUint32(at, index, true);
  return bytes;
}

function fieldsOf(def: StructDef, bytes: Uint8Array, at: number): VfioField[] {
  return Object.entries(def.fields)
    .map(([name, [type, offset]]) => ({
      name: `${def.name}.${name}`,
      offset: at + offset,
      size: WIDTHS[type],
      raw: name,
    }))
    .filter(({ offset, size }) => offset + size <= bytes.length)
    .map(({ name, offset, size, raw }) => ({ name, offset, size, value: getField(def, raw, bytes, at) }));
}

/** The capabilities behind cap_offset, each as its own structure, or as the bare header when its kind has no more fields. */
function chain(def: StructDef, bytes: Uint8Array, caps: 'info' | 'region' | null): VfioField[] {
  const fields: VfioField[] = [];
  const first = caps === null ? 0 : getField(def, 'cap_offset', bytes);
  const known: Readonly<Record<number, StructDef>> =
    caps === null
      ? {}
      : { ...CAPS[caps], ...(caps === 'info' ? { [vfio.VFIO_DEVICE_INFO_CAP_CXL]: capCxl(bytes) } : {}) };
  for (let at = first, hops = 0; caps !== null && at !== 0 && at + 8 <= bytes.length && hops < 64; hops++) {
    const id = getField(vfio.vfio_info_cap_header, 'id', bytes, at);
    fields.push(...fieldsOf(known[id] ?? vfio.vfio_info_cap_header, bytes, at));
    at = getField(vfio.vfio_info_cap_header, 'next', bytes, at);
  }
  return fields;
}
