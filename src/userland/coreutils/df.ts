/** df of coreutils 9.1: /proc/self/mountinfo and statfs(2). Left out: --sync and block sizes by name other than K, M, G and their like. */
import { strerror } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';
import { type MountEntry, mounts } from '../util-linux/mountinfo.ts';
import { canonical } from './paths.ts';

interface Row {
  readonly mount: MountEntry;
  readonly total: number;
  readonly used: number;
  readonly free: number;
  readonly inodes: number;
  readonly ifree: number;
  readonly file: string;
}

type Field =
  | 'source'
  | 'fstype'
  | 'itotal'
  | 'iused'
  | 'iavail'
  | 'ipcent'
  | 'size'
  | 'used'
  | 'avail'
  | 'pcent'
  | 'file'
  | 'target';
const FIELDS: readonly Field[] = [
  ...(['source', 'fstype', 'itotal', 'iused', 'iavail', 'ipcent'] as const),
  ...(['size', 'used', 'avail', 'pcent', 'file', 'target'] as const),
];

/** human_readable: rounded up, one digit after the point below ten. */
function human(bytes: number, base: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= base; unit++) value /= base;
  const up = (to: number): number => Math.ceil(Number((value * to).toPrecision(12))) / to;
  if (unit > 0 && up(10) < 10) return `${up(10).toFixed(1)}${'BKMGTP'[unit]}`;
  if (up(1) >= base) return `1.0${'BKMGTP'[unit + 1]}`;
  const letter = unit === 0 ? '' : 'BKMGTP'[unit];
  return `${up(1)}${base === 1000 ? letter?.toLowerCase().replace(/[mgtp]/, (c) => c.toUpperCase()) : letter}`;
}

function blockSize(text: string): number | null {
  const m = /^(\d*)([kKMGT]?)(i?B?)$/.exec(text);
  if (!m) return null;
  const base = m[3] === 'B' ? 1000 : 1024;
  return Number(m[1] || 1) * base ** 'BkMGT'.indexOf((m[2] || 'B').replace('K', 'k')) || null;
}

/** `1K-blocks`, `1M-blocks`, `512B-blocks` */
function blocksTitle(size: number): string {
  const unit = [1 << 30, 1 << 20, 1024].find((one) => size % one === 0);
  return unit === undefined ? `${size}B-blocks` : `${size / unit}${{ 1024: 'K', 1048576: 'M' }[unit] ?? 'G'}-blocks`;
}

const percent = (used: number, free: number): string =>
  used + free === 0 ? '-' : `${Math.ceil((used * 100) / (used + free))}%`;

function measure(t: Tool, mount: MountEntry, file: string): Row | number {
  const s = t.sys.statfs(mount.target);
  if (typeof s === 'number') return s;
  const [total, free] = [s.blocks * s.bsize, s.bfree * s.bsize];
  return { mount, total, used: total - free, free, inodes: s.files, ifree: s.ffree, file };
}

/** The mounts to show: all with storage, or those the operands are on. */
async function rows(t: Tool, all: readonly MountEntry[]): Promise<Row[]> {
  const out: Row[] = [];
  for (const path of t.args) {
    const real = canonical(t.sys, path, 'e');
    const covering =
      typeof real === 'string'
        ? all.findLast(({ target }) => target === '/' || real === target || real.startsWith(`${target}/`))
        : undefined;
    const row = covering ? measure(t, covering, path) : typeof real === 'number' ? real : -2;
    if (typeof row === 'number') await t.fail(`${path}: ${strerror(row)}`);
    else out.push(row);
  }
  if (t.args.length > 0) return out;
  for (const mount of all) {
    const row = measure(t, mount, '-');
    if (typeof row !== 'number' && (t.has('a') || row.total > 0)) out.push(row);
  }
  return out;
}

export const df = defineTool(
  {
    name: 'df',
    usage: '[OPTION]... [FILE]...',
    about: 'Shows how much room file systems have.',
    options: [
      ['-a, --all', 'those without storage too'],
      ['-B, --block-size=SIZE', 'units'],
      ['-h, --human-readable', 'powers of 1024'],
      ['-H, --si', 'powers of 1000'],
      ['-i, --inodes', 'inodes'],
      ['-k', 'units of 1 KiB'],
      ['-m', 'units of 1 MiB'],
      ['-l, --local', 'nothing here'],
      ['-P, --portability', 'one line each, as POSIX wants'],
      ['-T, --print-type', 'types too'],
      ['-t, --type=TYPE', 'only these'],
      ['-x, --exclude-type=TYPE', 'not these'],
      ['--total', 'a sum'],
      ['--output[=LIST]', 'columns'],
    ],
  },
  async (t) => {
    const given = t.get('output');
    const wanted = given === undefined ? null : given === '' ? FIELDS : given.split(',');
    const unknown = wanted?.find((name) => !FIELDS.some((field) => field === name));
    if (unknown !== undefined) {
      await t.fail(`option --output: field '${unknown}' unknown\nTry 'df --help' for more information.`);
      return 1;
    }
    const size = t.has('m') ? 1 << 20 : blockSize(t.get('B') ?? '1K');
    if (size === null) {
      await t.fail(`invalid --block-size argument '${t.get('B')}'`);
      return 1;
    }
    const base = t.has('h') ? 1024 : t.has('H') ? 1000 : 0;
    const types = (key: string): string[] => t.order.filter(([k]) => k === key).map(([, value]) => value);
    const list = (await rows(t, await mounts(t.sys))).filter(
      ({ mount }) => (!t.has('t') || types('t').includes(mount.type)) && !types('x').includes(mount.type),
    );
    if (list.length === 0) {
      if (t.status === 0) await t.fail('no file systems processed');
      return 1;
    }
    const sum = (of: (row: Row) => number): number => list.reduce((all, row) => all + of(row), 0);
    if (t.has('total')) {
      const mount = { source: 'total', target: '-', type: '-', options: '', device: '' };
      list.push({
        ...{ mount, total: sum((r) => r.total), used: sum((r) => r.used), free: sum((r) => r.free), file: '-' },
        ...{ inodes: sum((r) => r.inodes), ifree: sum((r) => r.ifree) },
      });
    }
    const amount = (bytes: number): string => (base > 0 ? human(bytes, base) : String(Math.ceil(bytes / size)));
    const count = (value: number): string => (base > 0 ? human(value, base) : String(value));
    const unit = base > 0 ? 'Size' : t.has('P') ? `${size}-blocks` : blocksTitle(size);
    const columns: Readonly<Record<Field, readonly [title: string, left: boolean, show: (row: Row) => string]>> = {
      source: ['Filesystem', true, (r) => r.mount.source],
      fstype: ['Type', true, (r) => r.mount.type],
      itotal: ['Inodes', false, (r) => count(r.inodes)],
      iused: ['IUsed', false, (r) => count(r.inodes - r.ifree)],
      iavail: ['IFree', false, (r) => count(r.ifree)],
      ipcent: ['IUse%', false, (r) => percent(r.inodes - r.ifree, r.ifree)],
      size: [unit, false, (r) => amount(r.total)],
      used: ['Used', false, (r) => amount(r.used)],
      avail: [base > 0 || wanted ? 'Avail' : 'Available', false, (r) => amount(r.free)],
      pcent: [t.has('P') ? 'Capacity' : 'Use%', false, (r) => percent(r.used, r.free)],
      file: ['File', true, (r) => r.file],
      target: ['Mounted on', true, (r) => r.mount.target],
    };
    const plain: readonly Field[] = t.has('i')
      ? ['itotal', 'iused', 'iavail', 'ipcent']
      : ['size', 'used', 'avail', 'pcent'];
    const standard: readonly Field[] = ['source', ...(t.has('T') ? (['fstype'] as const) : []), ...plain, 'target'];
    const shown = wanted === null ? standard : FIELDS.filter((field) => wanted.includes(field));
    const order = wanted === null ? shown : wanted.flatMap((name) => shown.filter((field) => field === name));
    const cells = [
      order.map((field) => columns[field][0]),
      ...list.map((row) => order.map((field) => columns[field][2](row))),
    ];
    const least = (field: Field): number =>
      field === 'source' ? 14 : ['size', 'used', 'avail'].includes(field) ? 5 : 4;
    const widths = order.map((field, n) => Math.max(least(field), ...cells.map((row) => row[n]?.length ?? 0)));
    for (const row of cells) {
      const text = row.map((cell, n) => {
        if (!columns[order[n] ?? 'target'][1]) return cell.padStart(widths[n] ?? 0);
        return n === row.length - 1 ? cell : cell.padEnd(widths[n] ?? 0);
      });
      t.out.line(text.join(' '));
    }
    return t.status;
  },
);
