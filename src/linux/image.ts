/**
 * The lab's kernel image and initrd: a magic line and JSON. A real image holds machine code; ours names the build whose
 * code the engine contains. Decoding refuses anything else, as the boot loader would.
 */
import { UserError } from '../base/assert.ts';
import { text, utf8 } from '../base/bytes.ts';
import type { KernelBuild } from './include/build.ts';

const KERNEL_MAGIC = 'cxlab-kernel 1\n';
const INITRD_MAGIC = 'cxlab-initrd 1\n';

export interface InitrdEntry {
  /** Absolute path. Parents that are missing are made. */
  readonly path: string;
  readonly type: 'dir' | 'file' | 'link' | 'program' | 'node';
  readonly mode: number;
  /** file: its text. */
  readonly content?: string;
  /** link: its target. */
  readonly target?: string;
  /** program: name of the program text. */
  readonly program?: string;
  /** node: character device number. */
  readonly rdev?: readonly [major: number, minor: number];
}

/** `initramfs`: files linked into the image (CONFIG_INITRAMFS_SOURCE), unpacked before the boot loader's archive. */
export function encodeKernelImage(build: KernelBuild, initramfs: readonly InitrdEntry[] = []): Uint8Array {
  return utf8(KERNEL_MAGIC + JSON.stringify(initramfs.length > 0 ? { ...build, initramfs } : build));
}
export function encodeInitrd(entries: readonly InitrdEntry[]): Uint8Array {
  return utf8(INITRD_MAGIC + JSON.stringify({ entries }));
}
/** Content of an executable file that runs program `name`. */
export function programText(name: string): string {
  return `#!cxlab ${name}\n`;
}
/** Content of a module file. */
export function moduleText(name: string): string {
  return `cxlab-module ${name}\n`;
}

function payload(bytes: Uint8Array, magic: string, what: string): unknown {
  const all = text(bytes);
  if (!all.startsWith(magic)) throw new UserError(`not a ${what} image`);
  return parsed(all.slice(magic.length), what);
}
function parsed(json: string, what: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    throw new UserError(`the ${what} image is damaged`);
  }
}
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function isBuild(value: unknown): value is KernelBuild {
  if (!isRecord(value)) return false;
  const { release, version, config, patches, quirks, notes } = value;
  return (
    typeof release === 'string' &&
    typeof version === 'string' &&
    isRecord(config) &&
    Object.values(config).every((state) => state === 'y' || state === 'm') &&
    Array.isArray(patches) &&
    patches.every((patch) => typeof patch === 'number') &&
    isRecord(quirks) &&
    Object.values(quirks).every((quirk) => quirk === 'posted' || quirk === 'intended') &&
    (notes === undefined || (Array.isArray(notes) && notes.every((note) => typeof note === 'string')))
  );
}

function isEntry(value: unknown): value is InitrdEntry {
  if (!isRecord(value)) return false;
  const { path, type, mode, content, target, program, rdev } = value;
  if (typeof path !== 'string' || !path.startsWith('/') || typeof mode !== 'number') return false;
  switch (type) {
    case 'dir':
      return true;
    case 'file':
      return typeof content === 'string';
    case 'link':
      return typeof target === 'string';
    case 'program':
      return typeof program === 'string';
    case 'node':
      return Array.isArray(rdev) && rdev.length === 2 && rdev.every((part) => typeof part === 'number');
    default:
      return false;
  }
}

/** The build in a kernel image. Throws `UserError` for anything else. */
export function decodeKernelImage(bytes: Uint8Array): KernelBuild {
  const value = payload(bytes, KERNEL_MAGIC, 'kernel');
  if (!isBuild(value)) throw new UserError('the kernel image is damaged');
  return value;
}
/** Files linked into a kernel image. */
export function builtinInitramfs(bytes: Uint8Array): readonly InitrdEntry[] {
  const value = payload(bytes, KERNEL_MAGIC, 'kernel');
  return isRecord(value) && Array.isArray(value.initramfs) && value.initramfs.every(isEntry) ? value.initramfs : [];
}
/** The files of an initrd: archives one after another, as `cat a b` makes them. Throws `UserError` for anything else. */
export function decodeInitrd(bytes: Uint8Array): readonly InitrdEntry[] {
  // A line feed inside a file's content is escaped, so the magic line stands only where an archive begins.
  const [before, ...archives] = text(bytes).split(INITRD_MAGIC);
  if (before !== '' || archives.length === 0) throw new UserError('not a initrd image');
  return archives.flatMap((archive) => {
    const value = parsed(archive, 'initrd');
    if (!isRecord(value) || !Array.isArray(value.entries) || !value.entries.every(isEntry))
      throw new UserError('the initrd image is damaged');
    return value.entries;
  });
}
