/** The read-eval loop at a terminal: prompt, line editing, continuation lines, history file, job notices. */
import { utf8 } from '../../base/bytes.ts';
import { E } from '../../base/errno.ts';
import {
  ECHO,
  ICANON,
  ICRNL,
  ISIG,
  O_APPEND,
  O_CREAT,
  O_RDWR,
  O_WRONLY,
  TCGETS,
  TCSETS,
  TIOCLABCMD,
  TIOCLABTAG,
} from '../../linux/uapi/constants.ts';
import { complain, readFileText, windowSize, writeAll, writeText } from '../misc/io.ts';
import { begin, below, feed, lineOf, replaceWord, type Step } from '../readline/editor.ts';
import { type Completion, complete, listing } from './complete.ts';
import { BreakSignal, InterruptSignal, ReturnSignal } from './control.ts';
import { isIncomplete, Source } from './parse.ts';
import { foreground, reap } from './processes.ts';
import type { Shell } from './shell.ts';

/** Where the editor reads and draws: an own open file of the terminal, so that editing is apart from command output. */
class Terminal {
  private saved: Uint8Array | null = null;
  kill = '';

  constructor(
    readonly sh: Shell,
    readonly fd: number,
  ) {}

  async raw(): Promise<void> {
    const termios = new Uint8Array(36);
    if ((await this.sh.sys.ioctl(this.fd, TCGETS, termios)) !== 0) return;
    this.saved = termios.slice();
    const view = new DataView(termios.buffer);
    view.setUint32(0, (view.getUint32(0, true) & ~ICRNL) >>> 0, true);
    view.setUint32(12, (view.getUint32(12, true) & ~(ISIG | ICANON | ECHO)) >>> 0, true);
    await this.sh.sys.ioctl(this.fd, TCSETS, termios);
  }
  async cooked(): Promise<void> {
    if (this.saved) await this.sh.sys.ioctl(this.fd, TCSETS, this.saved);
    this.saved = null;
  }
  async write(text: string): Promise<void> {
    if (text !== '') await writeAll(this.sh.sys, this.fd, utf8(text));
  }

  /** One line, `null` at end of input, 'interrupt' for Ctrl-C. */
  async line(prompt: string, continuation: string): Promise<{ line: string } | 'interrupt' | null> {
    const { sh } = this;
    const { columns } = await windowSize(sh.sys, this.fd);
    let step: Step = begin(prompt, columns, sh.history, this.kill);
    await this.write(step.output.replace(/^\r\x1b\[J/, ''));
    const byte = new Uint8Array(1);
    for (;;) {
      const r = sh.sys.read(this.fd, byte);
      const n = typeof r === 'number' ? r : await r;
      if (n === -E.EINTR) {
        sh.pendingSignals = [];
        continue;
      }
      if (n <= 0) return null;
      step = feed(step.state, byte[0] ?? 0);
      await this.write(step.output);
      const event = step.event;
      if (!event) continue;
      this.kill = step.state.kill;
      if (event.type === 'accept') return { line: event.line };
      if (event.type === 'interrupt') return 'interrupt';
      if (event.type === 'eof') return null;
      step = this.completed(step, event.again, columns, continuation);
      await this.write(step.output);
    }
  }

  private completed(step: Step, again: boolean, columns: number, continuation: string): Step {
    const { state } = step;
    const before = state.text.slice(0, state.cursor);
    const found: Completion = complete(this.sh, continuation + before);
    const start = state.cursor - found.word.length;
    if (found.candidates.length === 0) return { state, output: '\x07', event: null };
    if (found.text !== found.word) {
      const next = replaceWord(state, start, found.text);
      return { ...next, state: { ...next.state, last: 'tab' } };
    }
    if (!again) return { state, output: '\x07', event: null };
    const next = below(state, listing(found.candidates, columns));
    return { ...next, state: { ...next.state, last: 'tab' } };
  }
}

async function announce(sh: Shell, fd: number, event: object): Promise<void> {
  await sh.sys.ioctl(fd, TIOCLABCMD, utf8(JSON.stringify(event)));
}

/** `!!`, `!n`, `!-n`, `!text`: the event of a word that starts with `!`; null if there is none. */
export function expandHistory(
  line: string,
  history: readonly string[],
): { line: string; changed: boolean } | { missing: string } {
  let missing: string | null = null;
  let changed = false;
  const out = line.replace(
    /(\$'(?:[^'\\]|\\.)*'|'[^']*')|(\\.)|(^|[\s;&|(])!(!|-?\d+|[A-Za-z./][^\s;&|()]*)/g,
    (all, quoted, escaped, lead: string, event: string) => {
      if (quoted !== undefined || escaped !== undefined) return all;
      const found =
        event === '!'
          ? history.at(-1)
          : /^-?\d+$/.test(event)
            ? history.at(Number(event) > 0 ? Number(event) - 1 : Number(event))
            : history.findLast((l) => l.startsWith(event));
      if (found === undefined) missing ??= `!${event}`;
      changed = true;
      return lead + (found ?? '');
    },
  );
  return missing === null ? { line: out, changed } : { missing };
}

export async function interact(sh: Shell): Promise<number> {
  const { sys } = sh;
  const own = sys.open('/dev/tty', O_RDWR);
  const fd = own >= 0 ? sys.dup(own, 255) : 0;
  if (own >= 0) {
    sys.close(own);
    sys.setCloexec(fd, true);
    await sys.ioctl(fd, TIOCLABTAG, 2);
  }
  sh.ttyFd = fd;
  if (sys.getpgid(0) !== sys.pid && sys.setpgid(0, 0) < 0) sh.options.delete('monitor');
  foreground(sh, sys.getpgid(0));
  if (sh.vars.get('PS1') === undefined) sh.vars.set('PS1', '\\u@\\h:\\w\\$ ');
  if (sh.vars.get('PS2') === undefined) sh.vars.set('PS2', '> ');
  const file = sh.vars.get('HISTFILE') ?? `${sh.vars.get('HOME') ?? '/root'}/.bash_history`;
  const past = await readFileText(sys, file);
  if (typeof past === 'string') sh.history.push(...past.split('\n').filter((l) => l !== ''));
  const terminal = new Terminal(sh, fd);

  for (;;) {
    await notices(sh);
    const hook = sh.vars.get('PROMPT_COMMAND');
    if (hook) {
      const { status } = sh;
      await attempt(sh, () => sh.evalText(hook));
      sh.status = status;
    }
    let prompt = await sh.promptString(sh.vars.get('PS1') ?? '$ ');
    let text = '';
    let ended = false;
    for (;;) {
      const { status } = sh;
      await announce(sh, fd, { type: 'prompt', status, prompt: prompt.replace(/[\x01\x02]/g, '') });
      await terminal.raw();
      const got = await terminal.line(prompt, text === '' ? '' : `${text}\n`);
      await terminal.cooked();
      sh.pendingSignals = [];
      if (got === 'interrupt') {
        sh.status = 130;
        text = '';
        break;
      }
      if (got === null) {
        ended = true;
        break;
      }
      text += (text === '' ? '' : '\n') + got.line;
      if (!isIncomplete(text)) break;
      prompt = await sh.promptString(sh.vars.get('PS2') ?? '> ');
    }
    if (ended && text === '') {
      await terminal.write('exit\r\n');
      return sh.status;
    }
    if (text.trim() === '') continue;
    const expanded = expandHistory(text, sh.history);
    if ('missing' in expanded) {
      await complain(sys, `bash: ${expanded.missing}: event not found`);
      sh.status = 1;
      continue;
    }
    if (expanded.changed) await writeText(sys, 2, `${expanded.line}\n`);
    text = expanded.line;
    await remember(sh, text, file);
    await announce(sh, fd, { type: 'start', line: text });
    await attempt(sh, () => sh.runSource(new Source(text, 'main')));
    foreground(sh, sys.getpgid(0));
  }
}

async function remember(sh: Shell, text: string, file: string): Promise<void> {
  if (text.startsWith(' ') && /ignorespace|ignoreboth/.test(sh.vars.get('HISTCONTROL') ?? '')) return;
  const line = text.trimEnd().replaceAll('\n', /<<|'|"/.test(text) ? '\n' : '; ');
  if (sh.history.at(-1) === line) return;
  sh.history.push(line);
  const fd = sh.sys.open(file, O_WRONLY | O_CREAT | O_APPEND, 0o600);
  if (fd < 0) return;
  await writeText(sh.sys, fd, `${line}\n`);
  sh.sys.close(fd);
}

/** Runs a line; Ctrl-C and stray jumps end in the prompt. */
async function attempt(sh: Shell, run: () => Promise<number>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (error instanceof InterruptSignal) {
      sh.tested = 0;
      return;
    }
    if (error instanceof BreakSignal) return;
    if (error instanceof ReturnSignal) {
      sh.status = error.status;
      return;
    }
    throw error;
  }
}

async function notices(sh: Shell): Promise<void> {
  await reap(sh);
  for (const job of [...sh.jobs.list])
    if (sh.jobs.done(job)) {
      await complain(sh.sys, sh.jobs.line(job));
      sh.jobs.remove(job);
    }
}

export { lineOf };
