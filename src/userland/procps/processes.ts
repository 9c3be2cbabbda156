/** Processes as /proc lists them. */
import type { Sys } from '../../linux/uapi/sys.ts';
import { listDir } from '../coreutils/paths.ts';
import { readFileText } from '../misc/io.ts';

export interface ProcEntry {
  readonly pid: number;
  readonly comm: string;
  readonly state: string;
  readonly argv: readonly string[];
}

export async function procEntries(sys: Sys): Promise<ProcEntry[]> {
  const names = listDir(sys, '/proc');
  const list: ProcEntry[] = [];
  for (const name of typeof names === 'number' ? [] : names) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFileText(sys, `/proc/${name}/stat`);
    const cmdline = await readFileText(sys, `/proc/${name}/cmdline`);
    const fields = typeof stat === 'string' ? /^\d+ \((.*)\) (\S)/s.exec(stat) : null;
    if (!fields) continue;
    const argv = typeof cmdline === 'string' ? cmdline.split('\0').slice(0, -1) : [];
    list.push({ pid: Number(name), comm: fields[1] ?? '', state: fields[2] ?? '', argv });
  }
  return list.sort((a, b) => a.pid - b.pid);
}
