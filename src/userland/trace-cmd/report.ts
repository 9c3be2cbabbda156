/** trace.dat of this trace-cmd, and its report: the trace file's text behind the magic, not the real container (ledger: trace-cmd-dat). */
import { concat, text as decode, utf8 } from '../../base/bytes.ts';

/** The real magic, and what tells ours apart where the real file has its version. */
const MAGIC = new Uint8Array([0x17, 0x08, 0x44, ...utf8('tracing'), ...utf8('cxlab\n')]);

export function encodeDat(cpus: number, trace: string): Uint8Array {
  return concat([MAGIC, utf8(`${cpus}\n${trace}`)]);
}
export function decodeDat(bytes: Uint8Array): { cpus: number; trace: string } | null {
  if (MAGIC.some((byte, n) => bytes[n] !== byte)) return null;
  const body = decode(bytes.subarray(MAGIC.length));
  const cut = body.indexOf('\n');
  return { cpus: Number(body.slice(0, cut)), trace: body.slice(cut + 1) };
}

/** `task-pid [cpu] stamp: event: data`; lines of the graph tracer stay as they were. */
export function report({ cpus, trace }: { cpus: number; trace: string }): string {
  let out = `cpus=${cpus}\n`;
  for (const line of trace.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const parts = /^( *.*-\d+) +(\[\d+\]) \S+ +([\d.]+): (.*)$/.exec(line);
    if (!parts) {
      out += `${line}\n`;
      continue;
    }
    const [, task = '', cpu = '', stamp = '', rest = ''] = parts;
    const event = /^([a-z0-9_]+): (.*)$/.exec(rest);
    const [name, data] = event ? [event[1] ?? '', event[2] ?? ''] : ['function', rest.replace(/ <-/, ' <-- ')];
    const dash = task.lastIndexOf('-');
    const who = `${task.slice(0, dash).trim().padStart(16)}-${task.slice(dash + 1).padEnd(5)}`;
    out += `${who} ${cpu} ${stamp.padStart(13)}: ${`${name}:`.padEnd(21)} ${data}\n`;
  }
  return out;
}
