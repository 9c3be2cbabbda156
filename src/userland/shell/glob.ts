/** Path name expansion: patterns against directories as getdents gives them. */
import { O_DIRECTORY, O_RDONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { hasMagic, patternRegExp, unescapePattern } from './pattern.ts';

export interface GlobOptions {
  readonly dotglob: boolean;
  readonly nocaseglob: boolean;
  readonly globstar: boolean;
}

/** Paths that match, sorted; empty if none. */
export function glob(sys: Sys, pattern: string, options: GlobOptions): string[] {
  const parts = pattern.split('/');
  let paths: string[] = [''];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] ?? '';
    const last = i === parts.length - 1;
    const next: string[] = [];
    if (part === '' || !hasMagic(part)) {
      const name = unescapePattern(part);
      for (const base of paths) {
        const path = base + name;
        if (last && name !== '' ? typeof sys.lstat(path) !== 'number' : last ? isDir(sys, base) : true)
          next.push(last ? path : `${path}/`);
      }
    } else if (part === '**' && options.globstar) {
      for (const base of paths)
        for (const dir of descend(sys, base, last))
          if (!last || dir !== '') next.push(last ? dir.replace(/\/$/, '') : dir);
    } else {
      const re = patternRegExp(part, options.nocaseglob ? 'i' : '');
      const dots = part.startsWith('.') || part.startsWith('\\.');
      for (const base of paths)
        for (const name of list(sys, base || '.')) {
          if (name.startsWith('.') && !dots && !options.dotglob) continue;
          if (!re.test(name)) continue;
          if (last) next.push(base + name);
          else if (isDir(sys, base + name)) next.push(`${base}${name}/`);
        }
    }
    paths = next;
    if (paths.length === 0) return [];
  }
  return paths.sort(compareNames);
}

/** Order of names in the C locale. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isDir(sys: Sys, path: string): boolean {
  const stat = sys.stat(path || '.');
  return typeof stat !== 'number' && (stat.mode & 0o170000) === 0o040000;
}

export function list(sys: Sys, dir: string): string[] {
  const fd = sys.open(dir, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return [];
  const entries = sys.getdents(fd);
  sys.close(fd);
  return typeof entries === 'number' ? [] : entries.map((e) => e.name);
}

function descend(sys: Sys, base: string, files: boolean): string[] {
  const out = [base];
  for (const name of list(sys, base || '.').sort(compareNames)) {
    if (name.startsWith('.')) continue;
    const path = base + name;
    const stat = sys.lstat(path);
    if (typeof stat === 'number') continue;
    if ((stat.mode & 0o170000) === 0o040000) out.push(...descend(sys, `${path}/`, files));
    else if (files) out.push(path);
  }
  return out;
}
