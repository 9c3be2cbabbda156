/** Names of files: readlink realpath basename dirname tree. */
import { join, normalize } from '../misc/io.ts';
import { defineTool, missingOperand } from '../misc/tool.ts';
import { baseName, canonical, isDir, isLink, listDir } from './paths.ts';

export const readlink = defineTool(
  {
    name: 'readlink',
    usage: '[OPTION]... FILE...',
    about: 'Writes where a link leads.',
    options: [
      ['-e, --canonicalize-existing', 'whole path, all must exist'],
      ['-f, --canonicalize', 'whole path, all but the last must exist'],
      ['-m, --canonicalize-missing', 'whole path, nothing must exist'],
      ['-n, --no-newline', 'no newline'],
      ['-q, --quiet', 'no messages (as always)'],
      ['-s', 'as -q'],
      ['-v, --verbose', 'messages'],
      ['-z, --zero', 'end with NUL'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) return missingOperand(t);
    for (const path of t.args) {
      const mode = (['e', 'f', 'm'] as const).find((k) => t.has(k));
      const r = mode ? canonical(t.sys, path, mode) : t.sys.readlink(path);
      if (typeof r === 'string') t.out.put(r + (t.has('z') ? '\0' : t.has('n') && t.args.length === 1 ? '' : '\n'));
      else {
        t.status = 1;
        if (t.has('v')) await t.failErrno(path, r);
      }
    }
    return t.status;
  },
);

export const realpath = defineTool(
  {
    name: 'realpath',
    usage: '[OPTION]... FILE...',
    about: 'Writes the whole path without links.',
    options: [
      ['-e, --canonicalize-existing', 'all must exist'],
      ['-m, --canonicalize-missing', 'nothing must exist'],
      ['-q, --quiet', 'no messages'],
      ['-s, --no-symlinks', 'do not resolve links'],
      ['--relative-to=DIR', 'relative to DIR'],
      ['-z, --zero', 'end with NUL'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) return missingOperand(t);
    for (const path of t.args) {
      let r: string | number = t.has('s')
        ? normalize(t.sys.getcwd(), path)
        : canonical(t.sys, path, t.has('e') ? 'e' : t.has('m') ? 'm' : 'f');
      const base = t.get('relative-to');
      if (typeof r === 'string' && base !== undefined) {
        const from = canonical(t.sys, base, 'm');
        const a = typeof from === 'string' ? from.split('/').filter(Boolean) : [];
        const b = r.split('/').filter(Boolean);
        let n = 0;
        while (n < a.length && a[n] === b[n]) n++;
        r = [...a.slice(n).map(() => '..'), ...b.slice(n)].join('/') || '.';
      }
      if (typeof r === 'string') t.out.put(r + (t.has('z') ? '\0' : '\n'));
      else if (t.has('q')) t.status = 1;
      else await t.failErrno(path, r);
    }
    return t.status;
  },
);

export const basename = defineTool(
  {
    name: 'basename',
    usage: 'NAME [SUFFIX]',
    about: 'Writes the last part of a path.',
    options: [
      ['-a, --multiple', 'every operand is a NAME'],
      ['-s, --suffix=SUFFIX', 'take SUFFIX off'],
      ['-z, --zero', 'end with NUL'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) return missingOperand(t);
    const many = t.has('a') || t.has('s');
    if (!many && t.args.length > 2) {
      await t.fail(`extra operand '${t.args[2]}'\nTry 'basename --help' for more information.`);
      return 1;
    }
    const suffix = t.get('s') ?? (many ? '' : (t.args[1] ?? ''));
    for (const a of many ? t.args : t.args.slice(0, 1)) {
      const b = baseName(a);
      t.out.put(
        (suffix && b !== suffix && b.endsWith(suffix) ? b.slice(0, -suffix.length) : b) + (t.has('z') ? '\0' : '\n'),
      );
    }
    return 0;
  },
);

export const dirname = defineTool(
  {
    name: 'dirname',
    usage: 'NAME...',
    about: 'Writes paths without their last part.',
    options: [['-z, --zero', 'end with NUL']],
  },
  async (t) => {
    if (t.args.length === 0) return missingOperand(t);
    for (const a of t.args) {
      const trimmed = a.replace(/(.)\/+$/, '$1');
      const cut = trimmed.lastIndexOf('/');
      t.out.put((cut < 0 ? '.' : trimmed.slice(0, cut).replace(/\/+$/, '') || '/') + (t.has('z') ? '\0' : '\n'));
    }
    return 0;
  },
);

export const tree = defineTool(
  {
    name: 'tree',
    usage: '[OPTION]... [DIRECTORY]...',
    about: 'Draws directories as a tree.',
    options: [
      ['-a', 'names with a dot too'],
      ['-d', 'directories only'],
      ['-f', 'whole paths'],
      ['-l', 'follow links to directories'],
      ['-L LEVEL', 'only so deep'],
      ['-i', 'no lines'],
      ['-P PATTERN', 'only such names'],
      ['-F', 'mark types'],
      ['--noreport', 'no counts at the end'],
      ['--charset=X', 'ascii for plain lines'],
    ],
  },
  async (t) => {
    let [dirs, files] = [0, 0];
    const level = Number(t.get('L') ?? Number.POSITIVE_INFINITY);
    const ascii = /ascii/i.test(t.get('charset') ?? '');
    const [tee, end, bar] = ascii ? ['|-- ', '`-- ', '|   '] : ['├── ', '└── ', '│   '];
    const walk = async (path: string, indent: string, depth: number): Promise<void> => {
      const names = listDir(t.sys, path);
      if (typeof names === 'number') return;
      const shown = names
        .map((n) => ({ n, s: t.sys.lstat(join(path, n)) }))
        .filter(
          ({ n, s }) =>
            (t.has('a') || !n.startsWith('.')) &&
            (!t.has('d') || isDir(s) || (isLink(s) && isDir(t.sys.stat(join(path, n))))),
        );
      for (const [i, { n, s }] of shown.entries()) {
        const last = i === shown.length - 1;
        const full = join(path, n);
        let label = t.has('f') ? full : n;
        const leads = isLink(s) && isDir(t.sys.stat(full));
        if (isLink(s)) label += ` -> ${String(t.sys.readlink(full))}`;
        if (t.has('F') && isDir(s)) label += '/';
        t.out.line((t.has('i') ? '' : indent + (last ? end : tee)) + label);
        await t.out.step();
        if (isDir(s) || leads) dirs++;
        else files++;
        if ((isDir(s) || (leads && t.has('l'))) && depth < level)
          await walk(full, indent + (last ? '    ' : bar), depth + 1);
      }
    };
    for (const path of t.args.length ? t.args : ['.']) {
      const s = t.sys.stat(path);
      t.out.line(isDir(s) ? path : `${path}  [error opening dir]`);
      if (isDir(s)) {
        // tree 2 counts where it starts too
        dirs++;
        await walk(path, '', 1);
      } else t.status = 2;
    }
    const plural = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;
    if (!t.has('noreport'))
      t.out.put(
        `\n${plural(dirs, 'directory', 'directories')}${t.has('d') ? '' : `, ${plural(files, 'file', 'files')}`}\n`,
      );
    return t.status;
  },
);
