/**
 * trace-cmd 3.1 over /sys/kernel/tracing: record report start stop restart show clear reset extract list. Left out: per-CPU buffers, the real
 * trace.dat (ledger: trace-cmd-dat), filters and triggers of events, instances, guests, the remaining commands.
 */
import { SIGINT } from '../../linux/uapi/constants.ts';
import type { Program, Sys } from '../../linux/uapi/sys.ts';
import { writeFile } from '../acpica/acpidump.ts';
import { runCommand } from '../coreutils/run.ts';
import { complain, Out, readFileBytes, readFileText, strerror } from '../misc/io.ts';
import { posixRegExp } from '../shell/pattern.ts';
import { decodeDat, encodeDat, report } from './report.ts';
import { type Setup, Tracefs } from './tracefs.ts';

const USAGE =
  '\ntrace-cmd version 3.1.6 (cxlab)\n\nusage:\n  trace-cmd [COMMAND] ...\n\n  commands:\n' +
  [
    ['record', 'trace a command into trace.dat'],
    ['start', 'turn tracing on'],
    ['extract', 'write what was traced into trace.dat'],
    ['stop', 'turn tracing off'],
    ['restart', 'turn it on again'],
    ['show', 'show the trace'],
    ['reset', 'no tracer, no events, no trace'],
    ['clear', 'empty the trace'],
    ['report', 'show a trace.dat'],
    ['list', 'show events, tracers, functions'],
  ]
    .map(([name, help]) => `     ${name} - ${help}\n`)
    .join('');

interface Options extends Setup {
  readonly file: string;
  readonly command: readonly string[];
}

function options(words: readonly string[]): Options | string {
  const lists: Record<string, string[]> = { e: [], l: [], n: [], g: [] };
  let plugin: string | null = null;
  let file = 'trace.dat';
  let n = 0;
  for (; n < words.length; n++) {
    const word = words[n] ?? '';
    if (word === '--') {
      n++;
      break;
    }
    if (!word.startsWith('-')) break;
    const letter = word[1] ?? '';
    if (!'pelngo'.includes(letter) || word.startsWith('--')) {
      if (/^-[Fcq]$/.test(word)) continue;
      return `trace-cmd: ${word.startsWith('--') ? `unrecognized option '${word}'` : `invalid option -- '${letter}'`}`;
    }
    const value = word.slice(2) || words[++n];
    if (value === undefined) return `trace-cmd: option requires an argument -- '${letter}'`;
    if (letter === 'p') plugin = value;
    else if (letter === 'o') file = value;
    else lists[letter]?.push(value);
  }
  const { e: events = [], l: functions = [], n: notrace = [], g: graphs = [] } = lists;
  return { plugin, events, functions, notrace, graphs, file, command: words.slice(n) };
}

/** Sleeps until Ctrl-C. */
async function untilInterrupted(sys: Sys): Promise<void> {
  let stopped = false;
  sys.onSignal(SIGINT, () => {
    stopped = true;
  });
  while (!stopped) await sys.nanosleep(1e9);
  sys.onSignal(SIGINT, null);
}

async function die(sys: Sys, message: string): Promise<number> {
  await complain(sys, `trace-cmd: ${message}`);
  return 22;
}

async function save(sys: Sys, fs: Tracefs, out: Out, file: string): Promise<number> {
  const cpuinfo = await readFileText(sys, '/proc/cpuinfo');
  const cpus = typeof cpuinfo === 'string' ? [...cpuinfo.matchAll(/^processor\s*:/gm)].length : 1;
  const bytes = encodeDat(cpus, await fs.read('trace'));
  const ret = await writeFile(sys, file, bytes);
  if (ret < 0) return die(sys, `${strerror(ret)}\n  creating file ${file}`);
  out.put(`CPU0 data recorded at offset=0x10\n    ${bytes.length - 16} bytes in size\n`);
  return 0;
}

async function start(
  sys: Sys,
  fs: Tracefs,
  out: Out,
  words: readonly string[],
  record: boolean,
  env: Readonly<Record<string, string>>,
) {
  const asked = options(words);
  if (typeof asked === 'string') {
    await complain(sys, asked);
    return 1;
  }
  if (asked.plugin === null && asked.events.length === 0)
    return die(sys, 'Invalid argument\n  no event or plugin was specified... aborting');
  const wrong = await fs.set(asked);
  if (wrong !== null) return die(sys, wrong);
  if (asked.plugin !== null) out.line(`  plugin '${asked.plugin}'`);
  if (record && asked.command.length === 0) out.line('Hit Ctrl^C to stop recording');
  await out.flush();
  await fs.write('tracing_on', '1');
  if (asked.command.length > 0) await runCommand(sys, 'trace-cmd', asked.command, env);
  else if (record) await untilInterrupted(sys);
  if (!record) return 0;
  await fs.write('tracing_on', '0');
  const status = await save(sys, fs, out, asked.file);
  await fs.off();
  await fs.write('trace', '', true);
  await fs.write('tracing_on', '1');
  return status;
}

async function list(sys: Sys, fs: Tracefs, out: Out, words: readonly string[]): Promise<number> {
  const pattern = words[1];
  const matching = (text: string): string =>
    text
      .split('\n')
      .filter((line) => line !== '' && (pattern === undefined || posixRegExp(pattern).test(line)))
      .map((line) => `${line}\n`)
      .join('');
  switch (words[0]) {
    case undefined:
      out.put(`events:\n${await fs.read('available_events')}\ntracers:\n${await fs.read('available_tracers')}`);
      return 0;
    case '-e':
      out.put(matching(await fs.read('available_events')));
      return 0;
    case '-t':
    case '-p':
      out.put(await fs.read('available_tracers'));
      return 0;
    case '-f':
      out.put(matching(await fs.read('available_filter_functions')));
      return 0;
    default:
      await complain(sys, `list: invalid option -- '${words[0]?.replace(/^-*/, '')}'`);
      return 1;
  }
}

async function show_report(sys: Sys, out: Out, words: readonly string[]): Promise<number> {
  const at = words.indexOf('-i');
  const file = (at >= 0 ? words[at + 1] : words.find((word) => !word.startsWith('-'))) ?? 'trace.dat';
  const bytes = await readFileBytes(sys, file);
  if (typeof bytes === 'number') {
    await complain(sys, `trace-cmd: ${strerror(bytes)}\n  opening '${file}'\n`);
    return 255;
  }
  const data = decodeDat(bytes);
  if (!data) {
    await complain(sys, `trace-cmd: Invalid argument\n  read failed on trace file ${file}`);
    return 22;
  }
  out.put(report(data));
  return 0;
}

async function run(
  sys: Sys,
  out: Out,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const [command, ...words] = argv.slice(1);
  if (command === 'report') return show_report(sys, out, words);
  const fs = new Tracefs(sys);
  const known = ['record', 'start', 'stop', 'restart', 'show', 'clear', 'reset', 'extract', 'list'];
  if (command === undefined || !known.includes(command)) {
    if (command !== undefined && !/^(-h|--help|help)$/.test(command))
      await complain(sys, `trace-cmd: unknown command '${command}'`);
    out.put(USAGE);
    return command === undefined || /^(-h|--help|help)$/.test(command) ? 0 : 1;
  }
  if (!fs.present()) return die(sys, "No such file or directory\n  Can't find or mount tracing directory!");
  switch (command) {
    case 'record':
    case 'start':
      return start(sys, fs, out, words, command === 'record', env);
    case 'stop':
    case 'restart':
      await fs.write('tracing_on', command === 'stop' ? '0' : '1');
      return 0;
    case 'show':
      out.put(await fs.read('trace'));
      return 0;
    case 'clear':
      await fs.write('trace', '', true);
      return 0;
    case 'reset':
      await fs.write('tracing_on', '0');
      await fs.off();
      await fs.write('trace', '', true);
      return 0;
    case 'extract':
      return save(sys, fs, out, words[0] === '-o' ? (words[1] ?? 'trace.dat') : 'trace.dat');
    default:
      return list(sys, fs, out, words);
  }
}

export const trace_cmd: Program = async (sys, argv, env) => {
  const out = new Out(sys);
  const status = await run(sys, out, argv, env);
  await out.flush();
  return status;
};
