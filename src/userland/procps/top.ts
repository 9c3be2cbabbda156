/**
 * top of procps-ng 4.0.2, out of /proc: the summary and the processes, by use of the processor. Left out: other fields and windows,
 * filters and the keys that change them; of the keys q ends it, and space or Enter shows it anew.
 */
import { duration } from '../coreutils/clock.ts';
import { isatty, readFileText, windowSize, writeText } from '../misc/io.ts';
import { rawMode } from '../misc/raw-mode.ts';
import { defineTool, type Tool } from '../misc/tool.ts';
import { commandLine, type ProcEntry, procEntries, procNumber, threadEntries } from './processes.ts';
import { uptimeLine } from './uptime.ts';

/** A size in the width of its column, with a unit where it does not fit. */
function scaled(kib: number, width: number): string {
  if (String(kib).length <= width) return String(kib);
  let value = kib / 1024;
  for (const unit of 'mgtp') {
    for (const digits of [3, 2, 1, 0]) {
      const text = `${value.toFixed(digits)}${unit}`;
      if (text.length <= width && value < 10_000) return text;
    }
    value /= 1024;
  }
  return '?';
}

interface Before {
  readonly ns: number;
  readonly ticks: ReadonlyMap<number, number>;
}

async function frame(t: Tool, before: Before | null): Promise<{ readonly lines: string[]; readonly next: Before }> {
  let list = await procEntries(t.sys);
  const wanted = t.get('p');
  if (wanted !== undefined) list = list.filter((e) => wanted.split(',').includes(String(e.pid)));
  if (t.has('H')) {
    const all: ProcEntry[][] = [];
    for (const entry of list) all.push(await threadEntries(t.sys, entry));
    list = all.flat();
  }
  const ns = t.sys.clockGettime('monotonic');
  const seconds = before ? (ns - before.ns) / 1e9 : ns / 1e9;
  const use = (e: ProcEntry): number => (seconds > 0 ? (e.ticks - (before?.ticks.get(e.lwp) ?? 0)) / seconds : 0);
  const kb = (key: string): Promise<number> => procNumber(t.sys, '/proc/meminfo', key);
  const total = await kb('MemTotal');
  const cached = (await kb('Buffers')) + (await kb('Cached')) + (await kb('SReclaimable'));
  const [free, available] = [await kb('MemFree'), await kb('MemAvailable')];
  const mib = (value: number): string => (value / 1024).toFixed(1).padStart(8);
  const count = (letters: string): string => String(list.filter((e) => letters.includes(e.state)).length).padStart(3);
  const text = await readFileText(t.sys, '/proc/stat');
  const cpu = (/^cpu +(.*)$/m.exec(typeof text === 'string' ? text : '')?.[1] ?? '').split(' ').map(Number);
  const all = cpu.reduce((a, b) => a + b, 0) || 1;
  const percent = (n: number): string => (((cpu[n] ?? 0) * 100) / all).toFixed(1).padStart(5);
  const swap = [await kb('SwapTotal'), await kb('SwapFree')];
  const lines = [
    `top - ${await uptimeLine(t)}`,
    `${t.has('H') ? 'Threads' : 'Tasks'}: ${count('RSDTZI')} total, ${count('R')} running, ${count('SDI')} sleeping, ${count('T')} stopped, ${count('Z')} zombie`,
    `%Cpu(s):${percent(0)} us,${percent(2)} sy,${percent(1)} ni,${percent(3)} id,${percent(4)} wa,${percent(5)} hi,${percent(6)} si,${percent(7)} st `,
    `MiB Mem : ${mib(total)} total, ${mib(free)} free, ${mib(total - available)} used, ${mib(cached)} buff/cache     `,
    `MiB Swap: ${mib(swap[0] ?? 0)} total, ${mib(swap[1] ?? 0)} free, ${mib((swap[0] ?? 0) - (swap[1] ?? 0))} used. ${mib(available)} avail Mem `,
    '',
    '    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND',
  ];
  const row = (e: ProcEntry): string => {
    const memory = total > 0 ? e.rss / 10.24 / total : 0;
    const minutes = `${Math.floor(e.ticks / 6000)}:${((e.ticks % 6000) / 100).toFixed(2).padStart(5, '0')}`;
    const sizes = `${scaled(e.vsize / 1024, 7).padStart(7)} ${scaled(e.rss / 1024, 6).padStart(6)} ${'0'.padStart(6)}`;
    const rates = `${use(e).toFixed(1).padStart(5)} ${memory.toFixed(1).padStart(5)} ${minutes.padStart(9)}`;
    const name = t.has('c') ? commandLine(e) : e.comm;
    return `${String(e.lwp).padStart(7)} root      ${String(e.priority).padStart(2)} ${String(e.nice).padStart(3)} ${sizes} ${e.state} ${rates} ${name}`;
  };
  const sorted = [...list].sort(
    (a, b) => use(b) - use(a) || (b.state === 'R' ? 1 : 0) - (a.state === 'R' ? 1 : 0) || a.pid - b.pid,
  );
  lines.push(...sorted.map(row));
  return { lines, next: { ns, ticks: new Map(list.map((e) => [e.lwp, e.ticks])) } };
}

export const top = defineTool(
  {
    name: 'top',
    usage: '[options]',
    about: 'Shows processes, those first that use the processor most. q ends it.',
    misuse: 1,
    options: [
      ['-b, --batch-mode', 'plain text, again and again'],
      ['-c, --cmdline-toggle', 'whole command lines'],
      ['-d, --delay=SECONDS', 'pause (3)'],
      ['-H, --threads-show', 'threads'],
      ['-n, --iterations=N', 'so often'],
      ['-p, --pid=LIST', 'these only'],
      ['-w, --width=N', 'columns'],
    ],
  },
  async (t) => {
    const batch = t.has('b');
    if (!batch && !(await isatty(t.sys, 1))) {
      await t.fail('failed tty get');
      return 1;
    }
    const times = Number(t.get('n') ?? Infinity);
    const pause = duration(t.get('d') ?? '3');
    if (Number.isNaN(times) || pause === null) {
      await t.fail(`bad ${pause === null ? `delay interval '${t.get('d')}'` : `iterations argument '${t.get('n')}'`}`);
      return 1;
    }
    const loop = async (): Promise<number> => {
      let before: Before | null = null;
      for (let n = 0; n < times; n++) {
        const { lines, next }: Awaited<ReturnType<typeof frame>> = await frame(t, before);
        before = next;
        const { rows, columns } = await windowSize(t.sys, 1);
        const width = Number(t.get('w')) || (batch ? 512 : columns);
        const cut = lines.map((one) => one.slice(0, width));
        if (batch) await writeText(t.sys, 1, `${n > 0 ? '\n' : ''}${cut.join('\n')}\n`);
        else await writeText(t.sys, 1, `\x1b[H\x1b[2J${cut.slice(0, rows - 1).join('\r\n')}\r\n`);
        if (n + 1 >= times) break;
        if (batch) await t.sys.nanosleep(pause * 1e9);
        else {
          const ready = await t.sys.pollIn([0], pause * 1e9);
          const key = new Uint8Array(1);
          if (ready.length > 0 && ((await t.sys.read(0, key)) <= 0 || 'qQ'.includes(String.fromCharCode(key[0] ?? 0))))
            break;
        }
      }
      return 0;
    };
    return batch ? loop() : rawMode(t.sys, 0, loop);
  },
);
