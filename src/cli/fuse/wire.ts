/** The FUSE protocol as the kernel speaks it on /dev/fuse (include/uapi/linux/fuse.h, 7.31): the parts a file tree needs. */

export const Op = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  INTERRUPT: 36,
  DESTROY: 38,
  BATCH_FORGET: 42,
} as const;

export const ROOT_NODE = 1;
/** Greatest write(2) handed over whole; the request buffer holds one and its header. */
export const MAX_WRITE = 131072;
export const REQUEST_SIZE = MAX_WRITE + 4096;

const FOPEN_DIRECT_IO = 1;
const S_IF = { dir: 0o040000, file: 0o100000, link: 0o120000 } as const;
const DT = { dir: 4, file: 8, link: 10 } as const;
export type NodeType = keyof typeof S_IF;

export interface Header {
  readonly opcode: number;
  readonly unique: bigint;
  readonly node: number;
  /** What follows the header. */
  readonly body: Buffer;
}

export function parseHeader(message: Buffer): Header {
  return {
    opcode: message.readUInt32LE(4),
    unique: message.readBigUInt64LE(8),
    node: Number(message.readBigUInt64LE(16)),
    body: message.subarray(40, message.readUInt32LE(0)),
  };
}

/** fuse_out_header and what follows it; `error` is a negated errno or 0. */
export function reply(unique: bigint, error: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32LE(16 + body.length, 0);
  head.writeInt32LE(error, 4);
  head.writeBigUInt64LE(unique, 8);
  return Buffer.concat([head, body]);
}

/** fuse_init_out: no read-ahead, no flags. */
export function initOut(asked: Buffer): Buffer {
  const out = Buffer.alloc(64);
  out.writeUInt32LE(7, 0);
  out.writeUInt32LE(Math.min(31, asked.readUInt32LE(4)), 4);
  out.writeUInt16LE(1, 16);
  out.writeUInt16LE(1, 18);
  out.writeUInt32LE(MAX_WRITE, 20);
  out.writeUInt32LE(1, 24);
  return out;
}

/** fuse_attr. Every sysfs text file claims a page. */
function attr(node: number, type: NodeType, mode: number): Buffer {
  const out = Buffer.alloc(88);
  out.writeBigUInt64LE(BigInt(node), 0);
  out.writeBigUInt64LE(type === 'file' ? 4096n : 0n, 8);
  out.writeUInt32LE(S_IF[type] | mode, 60);
  out.writeUInt32LE(type === 'dir' ? 2 : 1, 64);
  out.writeUInt32LE(4096, 80);
  return out;
}

/** fuse_entry_out and fuse_attr_out; nothing may be remembered by the kernel. */
export function entryOut(node: number, type: NodeType, mode: number): Buffer {
  const out = Buffer.alloc(40);
  out.writeBigUInt64LE(BigInt(node), 0);
  return Buffer.concat([out, attr(node, type, mode)]);
}
export function attrOut(node: number, type: NodeType, mode: number): Buffer {
  return Buffer.concat([Buffer.alloc(16), attr(node, type, mode)]);
}

export function openOut(handle: number): Buffer {
  const out = Buffer.alloc(16);
  out.writeBigUInt64LE(BigInt(handle), 0);
  out.writeUInt32LE(FOPEN_DIRECT_IO, 8);
  return out;
}

/** fuse_read_in and fuse_write_in begin alike. */
export function transferIn(body: Buffer): { handle: number; offset: number; size: number; data: Buffer } {
  return {
    handle: Number(body.readBigUInt64LE(0)),
    offset: Number(body.readBigUInt64LE(8)),
    size: body.readUInt32LE(16),
    data: body.subarray(40),
  };
}

export function writeOut(count: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeUInt32LE(count, 0);
  return out;
}

/** fuse_dirent: `next` is the offset at which reading goes on. */
export function dirent(name: string, next: number, type: NodeType): Buffer {
  const bytes = Buffer.from(name);
  const out = Buffer.alloc(24 + Math.ceil(bytes.length / 8) * 8);
  out.writeBigUInt64LE(BigInt(next), 0);
  out.writeBigUInt64LE(BigInt(next), 8);
  out.writeUInt32LE(bytes.length, 16);
  out.writeUInt32LE(DT[type], 20);
  bytes.copy(out, 24);
  return out;
}
