/** Text of the trace files: kernel/trace/trace_output.c and trace_functions_graph.c. */
import type { TraceRecord } from './ring-buffer.ts';

const LATENCY_HEAD = [
  '#                                _-----=> irqs-off/BH-disabled',
  '#                               / _----=> need-resched',
  '#                              | / _---=> hardirq/softirq',
  '#                              || / _--=> preempt-depth',
  '#                              ||| / _-=> migrate-disable',
  '#                              |||| /     delay',
  '#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION',
  '#              | |         |   |||||     |         |',
];

export function traceHead(tracer: string, held: number, written: number, cpus: number): string {
  if (tracer === 'function_graph')
    return '# tracer: function_graph\n#\n# CPU  DURATION                  FUNCTION CALLS\n# |     |   |                     |   |   |   |\n';
  const counts = `# entries-in-buffer/entries-written: ${held}/${written}   #P:${cpus}`;
  return `# tracer: ${tracer}\n#\n${counts}\n#\n${LATENCY_HEAD.join('\n')}\n`;
}

/** `comm-pid [cpu] flags stamp: `; the flags are those of a task that has interrupts and preemption on. */
function context(record: TraceRecord): string {
  const seconds = Math.floor(record.ns / 1e9);
  const micros = Math.floor((record.ns % 1e9) / 1000);
  const task = `${record.comm.padStart(16)}-${String(record.pid).padEnd(7)}`;
  return `${task} [000] ..... ${String(seconds).padStart(5)}.${String(micros).padStart(6, '0')}: `;
}

/** One record of the function tracer or of an event. */
export function traceLine(record: TraceRecord): string {
  const from = record.kind === 'function' && record.parent !== '' ? ` <-${record.parent}` : '';
  const mark = record.kind === 'mark' ? 'tracing_mark_write: ' : '';
  return `${context(record)}${mark}${record.text}${from}\n`;
}

/** trace_print_graph_duration: a mark for long ones, the time, and spaces up to the bar. */
function duration(ns: number): string {
  const mark =
    ns > 1e9 ? '$' : ns > 1e8 ? '@' : ns > 1e7 ? '*' : ns > 1e6 ? '#' : ns > 1e5 ? '!' : ns > 1e4 ? '+' : ' ';
  const whole = String(Math.floor(ns / 1000));
  const nano = String(Math.floor(ns % 1000)).padStart(3, '0');
  const time = whole.length < 7 ? `${whole}.${nano.slice(0, 7 - whole.length)}` : whole;
  return `${mark} ${time} us ${' '.repeat(Math.max(0, 8 - time.length))}`;
}

/** Records as the graph tracer draws them; an enter right before its leave is one line. */
export function graphText(records: readonly TraceRecord[]): string {
  const none = ' '.repeat(14);
  let out = '';
  for (let n = 0; n < records.length; n++) {
    const record = records[n] as TraceRecord;
    const next = records[n + 1];
    const indent = '  '.repeat(record.depth);
    if (record.kind === 'enter') {
      if (next?.kind === 'leave' && next.depth === record.depth) {
        out += ` 0) ${duration(next.spent)}|  ${indent}${record.text}();\n`;
        n++;
      } else out += ` 0) ${none}|  ${indent}${record.text}() {\n`;
    } else if (record.kind === 'leave') out += ` 0) ${duration(record.spent)}|  ${indent}}\n`;
    else out += ` 0) ${none}|  ${'  '.repeat(record.depth)}/* ${record.text} */\n`;
  }
  return out;
}
