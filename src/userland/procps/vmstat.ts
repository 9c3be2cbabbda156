/** vmstat of procps-ng 4.0.2: /proc/stat and /proc/meminfo as one line. Left out: disks, slabs, forks; pages moved are none (no swap, no disk). */
import { readFileText } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';
import { procNumber } from './processes.ts';

interface Sample {
  readonly idle: number;
  readonly total: number;
  readonly interrupts: number;
  readonly switches: number;
  readonly seconds: number;
}

async function sample(t: Tool): Promise<Sample> {
  const text = await readFileText(t.sys, '/proc/stat');
  const numbers = (/^cpu +(.*)$/m.exec(typeof text === 'string' ? text : '')?.[1] ?? '').split(' ').map(Number);
  const [interrupts, switches] = [
    await procNumber(t.sys, '/proc/stat', 'intr'),
    await procNumber(t.sys, '/proc/stat', 'ctxt'),
  ];
  const seconds = t.sys.clockGettime('monotonic') / 1e9;
  return { idle: numbers[3] ?? 0, total: numbers.reduce((a, b) => a + b, 0), interrupts, switches, seconds };
}

async function line(t: Tool, before: Sample, now: Sample): Promise<string> {
  const memory = async (key: string): Promise<number> => procNumber(t.sys, '/proc/meminfo', key);
  const scale = { k: 1000, K: 1024, m: 1e6, M: 1 << 20 }[t.get('S') ?? 'K'] ?? 1024;
  const size = (kb: number): string => String(Math.floor((kb * 1024) / scale)).padStart(6);
  const [running, blocked] = [
    await procNumber(t.sys, '/proc/stat', 'procs_running'),
    await procNumber(t.sys, '/proc/stat', 'procs_blocked'),
  ];
  const seconds = Math.max(now.seconds - before.seconds, 1e-9);
  const rate = (from: number, to: number): string => String(Math.round((to - from) / seconds)).padStart(4);
  const spent = now.total - before.total;
  const idle = spent > 0 ? Math.round(((now.idle - before.idle) * 100) / spent) : 100;
  const cells = [String(running).padStart(2), String(blocked).padStart(2)];
  cells.push(size(0), size(await memory('MemFree')), size(await memory('Buffers')), size(await memory('Cached')));
  cells.push(
    '   0',
    '   0',
    '    0',
    '    0',
    rate(before.interrupts, now.interrupts),
    rate(before.switches, now.switches),
  );
  cells.push(String(100 - idle).padStart(2), ' 0', String(idle).padStart(2), ' 0', ' 0');
  return cells.join(' ');
}

export const vmstat = defineTool(
  {
    name: 'vmstat',
    usage: '[options] [delay [count]]',
    about: 'Shows processes, memory and processors, from /proc.',
    operands: 2,
    options: [
      ['-S, --unit=UNIT', 'k, K, m or M'],
      ['-n, --one-header', 'one heading'],
      ['-w, --wide', 'nothing here'],
    ],
  },
  async (t) => {
    const [delay, count] = t.args.map(Number);
    if (t.args.some((word) => !/^\d+$/.test(word))) {
      await t.fail(`failed to parse argument: '${t.args.find((word) => !/^\d+$/.test(word))}'`);
      return 1;
    }
    t.out.line('procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----');
    t.out.line(' r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st');
    let before: Sample = { idle: 0, total: 0, interrupts: 0, switches: 0, seconds: 0 };
    const times = delay === undefined ? 1 : (count ?? Infinity);
    for (let n = 0; n < times; n++) {
      if (n > 0) await t.sys.nanosleep((delay ?? 1) * 1e9);
      const now = await sample(t);
      t.out.line(await line(t, before, now));
      await t.out.flush();
      before = now;
    }
    return 0;
  },
);
