/** Making and removing directory entries: mkdir rmdir rm. */
import { E } from '../../base/errno.ts';
import { join, strerror } from '../misc/io.ts';
import { defineTool, missingOperand } from '../misc/tool.ts';
import { isDir, listDir } from './paths.ts';

export const mkdir = defineTool(
  {
    name: 'mkdir',
    usage: '[OPTION]... DIRECTORY...',
    about: 'Makes directories.',
    options: [
      ['-m, --mode=MODE', 'octal mode'],
      ['-p, --parents', 'also parents; no error if it exists'],
      ['-v, --verbose', 'say what is made'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) return missingOperand(t);
    const mode = t.has('m') ? Number.parseInt(t.get('m') ?? '', 8) : 0o777;
    for (const path of t.args) {
      const parts = path.split('/');
      const steps = t.has('p') ? parts.map((_, i) => parts.slice(0, i + 1).join('/')).filter(Boolean) : [path];
      for (const step of steps) {
        const r = t.sys.mkdir(step, mode);
        if (r === 0) {
          if (t.has('v')) t.out.line(`mkdir: created directory '${step}'`);
        } else if (!(t.has('p') && isDir(t.sys.stat(step)))) {
          await t.fail(`cannot create directory '${step}': ${strerror(r)}`);
          break;
        }
      }
    }
    return t.status;
  },
);

export const rmdir = defineTool(
  {
    name: 'rmdir',
    usage: '[OPTION]... DIRECTORY...',
    about: 'Removes empty directories.',
    options: [
      ['-p, --parents', 'parents too'],
      ['-v, --verbose', 'say what is removed'],
      ['--ignore-fail-on-non-empty', 'no error for full ones'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) return missingOperand(t);
    for (const path of t.args)
      for (
        let at = path;
        at !== '' && at !== '.';
        at = t.has('p') && at.includes('/') ? at.slice(0, at.lastIndexOf('/')) : ''
      ) {
        const r = t.sys.rmdir(at);
        if (r < 0) {
          if (!(r === -E.ENOTEMPTY && t.has('ignore-fail-on-non-empty')))
            await t.fail(`failed to remove '${at}': ${strerror(r)}`);
          break;
        }
      }
    return t.status;
  },
);

export const rm = defineTool(
  {
    name: 'rm',
    usage: '[OPTION]... [FILE]...',
    about: 'Removes files.',
    options: [
      ['-d, --dir', 'empty directories too'],
      ['-f, --force', 'no error for missing files'],
      ['-i', 'nothing is asked here: like without'],
      ['-r, --recursive', 'directories with all in them'],
      ['-R', 'as -r'],
      ['-v, --verbose', 'say what is removed'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) return t.has('f') ? 0 : missingOperand(t);
    const remove = async (path: string): Promise<void> => {
      await t.sys.tick();
      const stat = t.sys.lstat(path);
      if (typeof stat === 'number') {
        if (!(t.has('f') && (stat === -E.ENOENT || stat === -E.ENOTDIR)))
          await t.fail(`cannot remove '${path}': ${strerror(stat)}`);
        return;
      }
      let r: number;
      if (isDir(stat)) {
        if (!t.has('r') && !t.has('R') && !t.has('d')) return t.fail(`cannot remove '${path}': Is a directory`);
        if (!t.has('d') || t.has('r')) {
          const names = listDir(t.sys, path);
          if (typeof names === 'number') return t.fail(`cannot remove '${path}': ${strerror(names)}`);
          for (const n of names) await remove(join(path, n));
        }
        r = t.sys.rmdir(path);
      } else r = t.sys.unlink(path);
      if (r < 0) await t.fail(`cannot remove '${path}': ${strerror(r)}`);
      else if (t.has('v')) t.out.line(`removed ${isDir(stat) ? 'directory ' : ''}'${path}'`);
    };
    for (const path of t.args) {
      if (/^(\.{1,2}\/?|\/+)$/.test(path))
        await t.fail(
          path.startsWith('/')
            ? "it is dangerous to operate recursively on '/'"
            : `refusing to remove '.' or '..' directory: skipping '${path}'`,
        );
      else await remove(path);
    }
    return t.status;
  },
);
