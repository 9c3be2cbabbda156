/** findmnt, mountpoint and lsblk of util-linux 2.38. Left out: fstab, polling, most columns; block devices there are none, so lsblk finds none. */
import { canonical, isDir, listDir } from '../coreutils/paths.ts';
import { strerror } from '../misc/io.ts';
import { defineTool } from '../misc/tool.ts';
import { type MountEntry, mounts } from './mountinfo.ts';

const COLUMNS: Readonly<Record<string, (mount: MountEntry) => string>> = {
  TARGET: (m) => m.target,
  SOURCE: (m) => m.source,
  FSTYPE: (m) => m.type,
  OPTIONS: (m) => m.options,
  'MAJ:MIN': (m) => m.device,
  ID: (m) => String(m.id ?? ''),
  PARENT: (m) => String(m.parent ?? ''),
};

/** Mounts with the tree's lines before them. */
function tree(all: readonly MountEntry[]): [MountEntry, string][] {
  const out: [MountEntry, string][] = [];
  const visit = (mount: MountEntry, lead: string, mark: string): void => {
    out.push([mount, lead + mark]);
    const below = all.filter((one) => one.parent === mount.id && one !== mount);
    const next = lead + (mark === '' ? '' : mark === '└─' ? '  ' : '│ ');
    for (const [n, child] of below.entries()) visit(child, next, n === below.length - 1 ? '└─' : '├─');
  };
  for (const mount of all)
    if (mount.parent === mount.id || !all.some((one) => one.id === mount.parent)) visit(mount, '', '');
  return out;
}

export const findmnt = defineTool(
  {
    name: 'findmnt',
    usage: '[options] [device | mountpoint]',
    about: 'Shows mounts.',
    options: [
      ['-a, --ascii', 'plain lines'],
      ['-l, --list', 'no tree'],
      ['-n, --noheadings', 'no heading'],
      ['-o, --output=LIST', 'columns'],
      ['-r, --raw', 'raw'],
      ['-t, --types=LIST', 'only these types'],
      ['-T, --target=PATH', 'the mount a path is on'],
      ['-S, --source=NAME', 'by source'],
      ['-M, --mountpoint=DIR', 'by mount point'],
    ],
  },
  async (t) => {
    const all = await mounts(t.sys);
    const names = (t.get('o') ?? 'TARGET,SOURCE,FSTYPE,OPTIONS').split(',').map((name) => name.toUpperCase());
    const unknown = names.find((name) => !Object.hasOwn(COLUMNS, name));
    if (unknown !== undefined) {
      await t.fail(`unknown column: ${unknown}`);
      return 1;
    }
    let rows = t.has('l') || t.has('r') ? all.map((m): [MountEntry, string] => [m, '']) : tree(all);
    const types = t.get('t')?.split(',');
    if (types) rows = all.filter((m) => types.includes(m.type)).map((m) => [m, '']);
    const [word] = t.args;
    const only = (match: (m: MountEntry) => boolean, last = false): void => {
      const found = all.filter(match);
      rows = (last ? found.slice(-1) : found).map((m) => [m, '']);
    };
    const path = t.get('T') ?? t.get('M') ?? word;
    const real = path === undefined ? '' : canonical(t.sys, path, 'e');
    if (t.has('S')) only((m) => m.source === t.get('S'));
    else if (t.has('T'))
      only((m) => m.target === '/' || real === m.target || String(real).startsWith(`${m.target}/`), true);
    else if (path !== undefined)
      only((m) => m.target === real || m.target === path || (!t.has('M') && m.source === path), true);
    const cells = rows.map(([mount, lead]) =>
      names.map((name) => (name === 'TARGET' ? lead : '') + (COLUMNS[name]?.(mount) ?? '')),
    );
    if (cells.length === 0) return 1;
    const ascii = (text: string): string => text.replaceAll('├─', '|-').replaceAll('└─', '`-').replaceAll('│ ', '| ');
    const lines = t.has('n') ? cells : [names, ...cells];
    const widths = names.map((_, n) => Math.max(...lines.map((row) => row[n]?.length ?? 0)));
    for (const row of lines) {
      const text = row
        .map((cell, n) => (t.has('r') || n === row.length - 1 ? cell : cell.padEnd(widths[n] ?? 0)))
        .join(' ');
      t.out.line(t.has('a') ? ascii(text) : text);
    }
    return 0;
  },
);

export const mountpoint = defineTool(
  {
    name: 'mountpoint',
    usage: '[-qd] /path/to/directory',
    about: 'Tells whether a directory is a mount point.',
    options: [
      ['-d, --fs-devno', 'its device number'],
      ['-q, --quiet', 'only the status'],
    ],
  },
  async (t) => {
    const [path] = t.args;
    if (path === undefined || t.args.length > 1) {
      await t.fail("bad usage\nTry 'mountpoint --help' for more information.");
      return 1;
    }
    const stat = t.sys.stat(path);
    if (typeof stat === 'number' || !isDir(stat)) {
      if (!t.has('q')) await t.fail(`${path}: ${typeof stat === 'number' ? strerror(stat) : 'Not a directory'}`);
      return 1;
    }
    const real = canonical(t.sys, path, 'e');
    const found = (await mounts(t.sys)).findLast((mount) => mount.target === real);
    if (t.has('d') && found) t.out.line(found.device);
    else if (!t.has('q')) t.out.line(`${path} is ${found ? '' : 'not '}a mountpoint`);
    return found ? 0 : 32;
  },
);

export const lsblk = defineTool(
  {
    name: 'lsblk',
    usage: '[options] [device...]',
    about: 'Shows block devices.',
    options: [
      ['-a, --all', 'empty ones too'],
      ['-b, --bytes', 'bytes'],
      ['-d, --nodeps', 'without partitions'],
      ['-f, --fs', 'file systems'],
      ['-J, --json', 'as JSON'],
      ['-l, --list', 'no tree'],
      ['-m, --perms', 'owners'],
      ['-n, --noheadings', 'no heading'],
      ['-o, --output=LIST', 'columns'],
      ['-p, --paths', 'whole paths'],
      ['-r, --raw', 'raw'],
      ['-t, --topology', 'topology'],
    ],
  },
  async (t) => {
    for (const path of t.args) await t.fail(`${path}: not a block device`, 32);
    if (t.args.length > 0) return 32;
    const names = listDir(t.sys, '/sys/block');
    if (typeof names === 'number') {
      await t.failErrno('failed to access sysfs directory: /sys/dev/block', names);
      return 1;
    }
    if (t.has('J')) t.out.line('{\n   "blockdevices": [\n\n   ]\n}');
    else for (const name of names) t.out.line(name);
    return 0;
  },
);
