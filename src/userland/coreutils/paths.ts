/** What paths lead to: directory listings, links resolved, kinds of files. */
import { E } from '../../base/errno.ts';
import { O_DIRECTORY, S_IFDIR, S_IFLNK, S_IFMT } from '../../linux/uapi/constants.ts';
import type { Stat, Sys } from '../../linux/uapi/sys.ts';

export function listDir(sys: Sys, path: string): string[] | number {
  const fd = sys.open(path, O_DIRECTORY);
  if (fd < 0) return fd;
  const entries = sys.getdents(fd);
  sys.close(fd);
  return typeof entries === 'number'
    ? entries
    : entries.map((e) => e.name).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

export const isDir = (s: Stat | number): boolean => typeof s !== 'number' && (s.mode & S_IFMT) === S_IFDIR;

export const isLink = (s: Stat | number): boolean => typeof s !== 'number' && (s.mode & S_IFMT) === S_IFLNK;

export const baseName = (path: string): string =>
  path.replace(/\/+$/, '').replace(/.*\//s, '') || (path.startsWith('/') ? '/' : '');

export const isDirMode = (mode: number): boolean => (mode & S_IFMT) === S_IFDIR;

/** All links resolved. `mode` e: all must exist; f: all but the last; m: none. */
export function canonical(sys: Sys, path: string, mode: 'e' | 'f' | 'm', depth = 0): string | number {
  if (depth > 40) return -E.ELOOP;
  if (path === '') return -E.ENOENT;
  const parts = (path.startsWith('/') ? path : `${sys.getcwd()}/${path}`)
    .split('/')
    .filter((p) => p !== '' && p !== '.');
  let at = '';
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] ?? '';
    if (part === '..') {
      at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
      continue;
    }
    const next = `${at}/${part}`;
    const stat = sys.lstat(next);
    if (typeof stat === 'number') {
      if (mode === 'e' || (mode === 'f' && (i < parts.length - 1 || stat !== -E.ENOENT))) return stat;
      at = next;
      continue;
    }
    if (isLink(stat)) {
      const target = sys.readlink(next);
      if (typeof target === 'number') return target;
      const rest = parts.slice(i + 1).join('/');
      return canonical(
        sys,
        (target.startsWith('/') ? target : `${at}/${target}`) + (rest ? `/${rest}` : ''),
        mode,
        depth + 1,
      );
    }
    at = next;
  }
  return at || '/';
}
