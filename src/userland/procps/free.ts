/** free of procps-ng 4.0.2: /proc/meminfo as a table. Left out: --si with its own units beyond peta, -v, -L. */
import { duration } from '../coreutils/clock.ts';
import { readFileText } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';

const UNITS = ['b', 'k', 'm', 'g', 't'] as const;

/** The largest unit in which the number takes no more than three digits, as free -h scales. */
function human(bytes: number, si: boolean): string {
  const base = si ? 1000 : 1024;
  let value = bytes;
  for (const unit of ['B', 'K', 'M', 'G', 'T', 'P']) {
    const suffix = unit === 'B' ? 'B' : si ? unit : `${unit}i`;
    const digits = unit !== 'B' && value < 10 ? (Math.floor(value * 10) / 10).toFixed(1) : String(Math.floor(value));
    if (value < 1000 || unit === 'P') return `${digits}${suffix}`;
    value /= base;
  }
  return String(bytes);
}

async function table(t: Tool): Promise<number> {
  const text = await readFileText(t.sys, '/proc/meminfo');
  if (typeof text === 'number') {
    await t.failErrno('/proc/meminfo', text);
    return 1;
  }
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? 0) * 1024;
  const free = bytes('MemFree');
  const total = bytes('MemTotal');
  const buffers = bytes('Buffers');
  const cache = bytes('Cached') + bytes('SReclaimable');
  const available = bytes('MemAvailable') || free;
  const swap = [bytes('SwapTotal'), bytes('SwapTotal') - bytes('SwapFree'), bytes('SwapFree')];
  const unit = UNITS.findLast(
    (one) => t.order.findLast(([key]) => key.length === 1 && 'bkmg'.includes(key))?.[0] === one,
  );
  const scale = (t.has('si') ? 1000 : 1024) ** UNITS.indexOf(unit ?? 'k');
  const show = (value: number): string => (t.has('h') ? human(value, t.has('si')) : String(Math.floor(value / scale)));
  const row = (name: string, cells: readonly number[]): string =>
    name.padEnd(8) + cells.map((cell) => show(cell).padStart(12)).join('');
  const used = total - available;
  const cached = t.has('w') ? [buffers, cache] : [buffers + cache];
  const columns = [
    'total',
    'used',
    'free',
    'shared',
    ...(t.has('w') ? ['buffers', 'cache'] : ['buff/cache']),
    'available',
  ];
  t.out.line(' '.repeat(8) + columns.map((name) => name.padStart(12)).join(''));
  t.out.line(row('Mem:', [total, used, free, bytes('Shmem'), ...cached, available]));
  t.out.line(row('Swap:', swap));
  if (t.has('t')) t.out.line(row('Total:', [total + (swap[0] ?? 0), used + (swap[1] ?? 0), free + (swap[2] ?? 0)]));
  return 0;
}

export const free = defineTool(
  {
    name: 'free',
    usage: '[options]',
    about: 'Shows memory, from /proc/meminfo.',
    options: [
      ['-b, --bytes', 'bytes'],
      ['-k, --kibi', 'KiB'],
      ['-m, --mebi', 'MiB'],
      ['-g, --giga', 'GiB'],
      ['-h, --human', 'with units'],
      ['--si', 'powers of 1000'],
      ['-w, --wide', 'buffers and cache apart'],
      ['-t, --total', 'sums'],
      ['-s, --seconds=N', 'again every N seconds'],
      ['-c, --count=N', 'N times'],
    ],
  },
  async (t) => {
    const pause = duration(t.get('s') ?? '1');
    if (pause === null || pause === 0) {
      await t.fail(`seconds argument \`${t.get('s')}' failed`);
      return 1;
    }
    const times = t.has('c') ? Number(t.get('c')) : t.has('s') ? Infinity : 1;
    for (let n = 0; n < times; n++) {
      if (n > 0) {
        t.out.put('\n');
        await t.out.flush();
        await t.sys.nanosleep(pause * 1e9);
      }
      const status = await table(t);
      if (status !== 0) return status;
    }
    return 0;
  },
);
