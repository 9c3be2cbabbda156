/** The lazily loaded half of the box: just-bash over an adapter of its file system interface onto system calls. */
import { Bash, type IFileSystem } from 'just-bash/browser';
import { E, errnoName } from '../../base/errno.ts';
import { O_APPEND, O_CREAT, O_TRUNC, O_WRONLY } from '../../linux/uapi/constants.ts';
import type { Stat, Sys } from '../../linux/uapi/sys.ts';
import { canonical, listDir } from '../coreutils/paths.ts';
import { normalize, openPath, readFileBytes, utf8, writeAll } from '../misc/io.ts';

export interface BoxResult {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly status: number;
}

class FsError extends Error {
  constructor(
    errno: number,
    call: string,
    path: string,
    readonly code = errnoName(errno),
  ) {
    super(`${errnoName(errno)}: ${errno === -E.ENOENT ? 'no such file or directory' : call}, ${call} '${path}'`);
  }
}

function check<T>(r: T | number, call: string, path: string): T {
  if (typeof r === 'number' && r < 0) throw new FsError(r, call, path);
  return r as T;
}

const bytesOf = (content: string | Uint8Array): Uint8Array => (typeof content === 'string' ? utf8(content) : content);
const latin1 = (bytes: Uint8Array): string => {
  let out = '';
  for (let i = 0; i < bytes.length; i += 8192) out += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return out;
};
const fromLatin1 = (text: string): Uint8Array =>
  [...text].some((c) => c.charCodeAt(0) > 255) ? utf8(text) : Uint8Array.from(text, (c) => c.charCodeAt(0));

function statOf(s: Stat) {
  const type = s.mode & 0o170000;
  return {
    isFile: type !== 0o040000 && type !== 0o120000,
    isDirectory: type === 0o040000,
    isSymbolicLink: type === 0o120000,
    mode: s.mode & 0o7777,
    size: s.size,
    mtime: new Date(s.mtimeNs / 1e6),
    ino: s.ino,
    dev: s.dev,
  };
}

function fileSystem(sys: Sys): IFileSystem {
  const put = async (path: string, content: string | Uint8Array, flags: number): Promise<void> => {
    const fd = check(openPath(sys, path, flags, 0o666), 'open', path);
    const r = await writeAll(sys, fd, bytesOf(content));
    sys.close(fd);
    check(r, 'write', path);
  };
  const buffer = async (path: string): Promise<Uint8Array> => check(await readFileBytes(sys, path), 'open', path);
  return {
    readFile: async (path) => new TextDecoder().decode(await buffer(path)),
    readFileBuffer: buffer,
    writeFile: (path, content) => put(path, content, O_WRONLY | O_CREAT | O_TRUNC),
    appendFile: (path, content) => put(path, content, O_WRONLY | O_CREAT | O_APPEND),
    exists: async (path) => typeof sys.stat(path) !== 'number',
    stat: async (path) => statOf(check(sys.stat(path), 'stat', path)),
    lstat: async (path) => statOf(check(sys.lstat(path), 'lstat', path)),
    mkdir: async (path, options) => {
      if (options?.recursive) {
        const parts = path.split('/').filter(Boolean);
        parts.forEach((_, i) => {
          sys.mkdir(`/${parts.slice(0, i + 1).join('/')}`);
        });
      } else check(sys.mkdir(path), 'mkdir', path);
    },
    readdir: async (path) => [...check(listDir(sys, path), 'scandir', path)],
    rm: async (path, options) => {
      const s = sys.lstat(path);
      if (typeof s === 'number') {
        if (!options?.force) throw new FsError(s, 'rm', path);
        return;
      }
      check((s.mode & 0o170000) === 0o040000 ? sys.rmdir(path) : sys.unlink(path), 'rm', path);
    },
    cp: async (src, dest) => put(dest, await buffer(src), O_WRONLY | O_CREAT | O_TRUNC),
    mv: async (src, dest) => void check(sys.rename(src, dest), 'rename', src),
    resolvePath: (base, path) => normalize(base, path),
    getAllPaths: () => [],
    chmod: async (path, mode) => void check(sys.chmod(path, mode), 'chmod', path),
    symlink: async (target, path) => void check(sys.symlink(target, path), 'symlink', path),
    link: async (from, to) => void check(sys.link(from, to), 'link', from),
    readlink: async (path) => check(sys.readlink(path), 'readlink', path),
    realpath: async (path) => check(canonical(sys, path, 'e'), 'realpath', path),
    utimes: async (path) => void sys.utimes(path, sys.clockGettime('realtime'), sys.clockGettime('realtime')),
  };
}

export async function runBox(
  sys: Sys,
  name: string,
  args: readonly string[],
  stdin: Uint8Array,
  env: Readonly<Record<string, string>>,
): Promise<BoxResult> {
  const bash = new Bash({
    fs: fileSystem(sys),
    cwd: sys.getcwd(),
    env: { ...env },
    defenseInDepth: false,
    sleep: async (ms) => void (await sys.nanosleep(ms * 1e6)),
  });
  const result = await bash.exec(name, { args: [...args], stdin: latin1(stdin), cwd: sys.getcwd(), env: { ...env } });
  return { stdout: fromLatin1(result.stdout), stderr: utf8(result.stderr), status: result.exitCode };
}
