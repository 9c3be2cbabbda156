/** Names of the ioctls the lab's kernels answer, and their arguments as text (ioctl-table.ts says what each is). */
import { hex } from '../../base/addr.ts';
import { text, viewOf } from '../../base/bytes.ts';
import type { StructDef } from '../../linux/uapi/struct.ts';
import { fieldsOf } from './fields.ts';
import { type FileKind, TABLE } from './ioctl-table.ts';

function rowsOf(kind: FileKind, request: number) {
  const all = TABLE.filter((row) => row.request === request);
  const fitting = all.filter((row) => !row.on || row.on.includes(kind));
  return { all, fitting, row: fitting[0] ?? all[0] };
}

/** Name and structure of an ioctl asked of a kind of file; null for one that is not known. */
export function ioctlOf(
  kind: FileKind,
  request: number,
): { readonly name: string; readonly struct: StructDef | null } | null {
  const { row } = rowsOf(kind, request);
  return row ? { name: row.name, struct: row.struct ?? null } : null;
}

/** `NAME, argument` of an ioctl, as it stands between the parentheses after the descriptor. */
export function ioctlText(
  kind: FileKind,
  request: number,
  before: Uint8Array | number,
  after: Uint8Array | number,
  failed: boolean,
): string {
  const { all, fitting, row } = rowsOf(kind, request);
  if (!row) return `_IOC(0x${hex(request, 8)}), ${argumentText(before)}`;
  // As strace does when a number has two meanings and the descriptor does not tell.
  const name = fitting.length > 0 ? row.name : all.map((other) => other.name).join(' or ');
  if (typeof before === 'number' || typeof after === 'number') {
    const value = typeof before === 'number' ? before : 0;
    return `${name}, ${row.plain ? row.plain(value) : argumentText(value)}`;
  }
  if (!row.struct) return `${name}, ${argumentText(before)}`;
  const { struct, out = [], both = [], texts = {} } = row;
  const given = fieldsOf(struct, before, 0, out, 'without', texts).join(', ');
  if (failed) return `${name}, {${given}}`;
  if (out.length + both.length === 0) return `${name}, {${given}}`;
  const filled = fieldsOf(struct, after, 0, [...both, ...out], 'only', texts).join(', ');
  const tail = row.tail?.(after) ?? '';
  return `${name}, ${given === '' ? '' : `{${given}} => `}{${filled}${tail}}`;
}

/** An argument nobody described: a small number, a C string, an int, or so many bytes. */
function argumentText(value: Uint8Array | number): string {
  if (typeof value === 'number') return value > 9 ? `0x${hex(value)}` : String(value);
  if (value.length === 4) return `[${viewOf(value).getInt32(0, true)}]`;
  const end = value.indexOf(0);
  const word = value.subarray(0, end < 0 ? value.length : end);
  if (word.length > 1 && word.every((byte) => byte >= 32 && byte < 127)) return `"${text(word)}"`;
  return `{${value.length} bytes}`;
}
