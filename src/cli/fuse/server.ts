import { spawn } from 'node:child_process';
import { close, open, read, write } from 'node:fs';
import { promisify } from 'node:util';
import { assert, UserError } from '../../base/assert.ts';
import { E } from '../../base/errno.ts';
import { reason } from '../args.ts';
import {
  attrOut,
  dirent,
  entryOut,
  type Header,
  initOut,
  type NodeType,
  Op,
  openOut,
  parseHeader,
  REQUEST_SIZE,
  ROOT_NODE,
  reply,
  transferIn,
  writeOut,
} from './wire.ts';

/** Asks the bridge: gives what its answer holds under `ok`, or a negated errno. */
export type Ask = (request: Readonly<Record<string, unknown>>) => Promise<unknown>;

const io = { open: promisify(open), read: promisify(read), write: promisify(write), close: promisify(close) };
const O_ACCMODE = 3;

interface Stat {
  readonly type: NodeType;
  readonly mode: number;
  readonly target: string;
}

/** What is open: a file with what was read when its reading last began, or a directory's names at that time. */
interface Opened {
  content: Buffer | null;
  readonly names: readonly string[];
}

/**
 * A FUSE file system that shows what a bridge shows: nothing is cached beyond an open file, permissions count as they do in
 * sysfs (even for root). One request at a time, as the bridge answers them.
 */
export class FuseServer {
  private readonly paths = new Map<number, string>([[ROOT_NODE, '']]);
  private readonly nodes = new Map<string, number>([['', ROOT_NODE]]);
  private readonly opened = new Map<number, Opened>();
  private nextHandle = 1;

  private constructor(
    private readonly fd: number,
    private readonly ask: Ask,
  ) {}

  /** Mounts at `dir`; `done` resolves when it is unmounted again. @throws UserError if this machine does not let us */
  static async mount(dir: string, ask: Ask): Promise<{ readonly done: Promise<void> }> {
    const fd = await io.open('/dev/fuse', 'r+').catch((error: unknown) => {
      throw new UserError(`cannot open /dev/fuse: ${reason(error)}`);
    });
    const options = 'fd=3,rootmode=40000,user_id=0,group_id=0,allow_other';
    const mount = spawn('mount', ['-i', '-t', 'fuse', '-o', options, 'cxlab', dir], {
      stdio: ['ignore', 'ignore', 'pipe', fd],
    });
    let said = '';
    mount.stderr?.on('data', (chunk) => {
      said += String(chunk);
    });
    const status = await new Promise<number | null>((resolve) => {
      mount.on('error', () => resolve(null));
      mount.on('close', resolve);
    });
    if (status !== 0) {
      await io.close(fd);
      throw new UserError(`cannot mount at "${dir}": ${said.trim() || 'mount(8) did not run'}`);
    }
    return { done: new FuseServer(fd, ask).serve() };
  }

  private async serve(): Promise<void> {
    const buffer = Buffer.alloc(REQUEST_SIZE);
    for (;;) {
      let length: number;
      try {
        length = (await io.read(this.fd, buffer, 0, buffer.length, null)).bytesRead;
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : null;
        // A request may be taken back while it is fetched; ENODEV is the unmounting.
        if (code === 'ENOENT' || code === 'EINTR' || code === 'EAGAIN') continue;
        assert(code === 'ENODEV', `fuse: reading requests failed (${String(code)})`);
        break;
      }
      const header = parseHeader(buffer.subarray(0, length));
      const answer = await this.handle(header);
      if (answer === null) continue;
      const message = typeof answer === 'number' ? reply(header.unique, answer) : reply(header.unique, 0, answer);
      // ENOENT: whoever asked was interrupted and is gone.
      await io.write(this.fd, message).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
    await io.close(this.fd);
  }

  /** The answer's body, a negated errno, or null where none is wanted. */
  private async handle({ opcode, node, body }: Header): Promise<Buffer | number | null> {
    const path = this.paths.get(node) ?? '';
    switch (opcode) {
      case Op.INIT:
        return initOut(body);
      case Op.FORGET:
      case Op.BATCH_FORGET:
      case Op.INTERRUPT:
        return null;
      case Op.LOOKUP:
        return this.lookup(`${path}/${body.subarray(0, body.indexOf(0)).toString()}`);
      // Truncation (`>`) and times mean nothing here.
      case Op.GETATTR:
      case Op.SETATTR: {
        const stat = await this.stat(path);
        return typeof stat === 'number' ? stat : attrOut(node, stat.type, stat.mode);
      }
      case Op.READLINK: {
        const stat = await this.stat(path);
        return typeof stat === 'number' ? stat : Buffer.from(stat.target);
      }
      case Op.OPEN:
        return this.open(path, body.readUInt32LE(0) & O_ACCMODE);
      case Op.READ:
        return this.read(path, body);
      case Op.WRITE: {
        const { offset, size, data } = transferIn(body);
        const count = await this.ask({ op: 'write', path, offset, data: data.subarray(0, size).toString('base64') });
        return typeof count !== 'number' ? -E.EIO : count < 0 ? count : writeOut(count);
      }
      case Op.OPENDIR: {
        const names = await this.ask({ op: 'list', path });
        if (typeof names === 'number') return names;
        return this.hold({ content: null, names: ['.', '..', ...(Array.isArray(names) ? names.map(String) : [])] });
      }
      case Op.READDIR:
        return this.readdir(path, body);
      case Op.RELEASE:
      case Op.RELEASEDIR:
        this.opened.delete(Number(body.readBigUInt64LE(0)));
        return 0;
      case Op.STATFS:
        return Buffer.alloc(80);
      case Op.DESTROY:
        return 0;
      default:
        return -E.ENOSYS;
    }
  }

  private async stat(path: string): Promise<Stat | number> {
    const answer = await this.ask({ op: 'stat', path });
    if (typeof answer !== 'object' || answer === null) return typeof answer === 'number' ? answer : -E.EIO;
    const { type, mode, target }: { type?: unknown; mode?: unknown; target?: unknown } = answer;
    assert((type === 'dir' || type === 'file' || type === 'link') && typeof mode === 'number', 'fuse: odd stat');
    return { type, mode, target: typeof target === 'string' ? target : '' };
  }

  private async lookup(path: string): Promise<Buffer | number> {
    const stat = await this.stat(path);
    if (typeof stat === 'number') return stat;
    let node = this.nodes.get(path);
    if (node === undefined) {
      node = ROOT_NODE + this.nodes.size;
      this.nodes.set(path, node);
      this.paths.set(node, path);
    }
    return entryOut(node, stat.type, stat.mode);
  }

  private async open(path: string, access: number): Promise<Buffer | number> {
    const stat = await this.stat(path);
    if (typeof stat === 'number') return stat;
    if (access !== 0 && !(stat.mode & 0o222)) return -E.EACCES;
    if (access !== 1 && !(stat.mode & 0o444)) return -E.EACCES;
    return this.hold({ content: null, names: [] });
  }

  private hold(opened: Opened): Buffer {
    const handle = this.nextHandle++;
    this.opened.set(handle, opened);
    return openOut(handle);
  }

  /** As sysfs does: the file is shown anew when it is read from its start. */
  private async read(path: string, body: Buffer): Promise<Buffer | number> {
    const { handle, offset, size } = transferIn(body);
    const file = this.opened.get(handle);
    assert(file, 'fuse: a file that is not open');
    if (offset === 0 || file.content === null) {
      const content = await this.ask({ op: 'read', path });
      if (typeof content !== 'string') return typeof content === 'number' ? content : -E.EIO;
      file.content = Buffer.from(content, 'base64');
    }
    return file.content.subarray(offset, offset + size);
  }

  private async readdir(path: string, body: Buffer): Promise<Buffer> {
    const { handle, offset, size } = transferIn(body);
    const names = this.opened.get(handle)?.names ?? [];
    const out: Buffer[] = [];
    let room = size;
    for (let n = offset; n < names.length; n++) {
      const name = names[n] as string;
      const stat = name === '.' || name === '..' ? null : await this.stat(`${path}/${name}`);
      const entry = dirent(name, n + 1, typeof stat === 'number' ? 'file' : (stat?.type ?? 'dir'));
      room -= entry.length;
      if (room < 0) break;
      out.push(entry);
    }
    return Buffer.concat(out);
  }
}
