/**
 * strace 6.13 as far as the lab's calls go: run or attach, follow, choose calls, times, descriptors with paths, counts. Left out:
 * injection, stack traces, filters by path or status, decoding of calls that no program here makes.
 */
import { E } from '../../base/errno.ts';
import { O_CREAT, O_TRUNC, O_WRONLY, SIGINT } from '../../linux/uapi/constants.ts';
import type { PtraceEvent } from '../../linux/uapi/ptrace.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { complain, strerror, utf8, writeAll } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';
import { callText, type Descriptors, isError, signalName } from './calls.ts';
import { CallCounts } from './counts.ts';
import { FdNames } from './descriptors.ts';
import { type CallName, SYSCALLS, selectCalls } from './select.ts';
import type { Style } from './values.ts';

type CallEvent = Extract<PtraceEvent, { kind: 'call' }>;

interface Plan {
  readonly calls: ReadonlySet<CallName>;
  readonly style: Style;
  readonly follow: boolean;
  readonly times: 'none' | 't' | 'tt' | 'ttt' | 'r';
  readonly duration: boolean;
  readonly counts: boolean;
  readonly attached: readonly number[];
}

export const strace = defineTool(
  {
    name: 'strace',
    usage: '[OPTIONS] {-p PID | PROG [ARGS]}',
    about: 'Prints the system calls of a program, and what they gave.',
    posix: true,
    options: [
      ['-e EXPR', 'trace=SET (names, %file, %desc, %memory, %process, all, none, !SET), or SET alone'],
      ['-f, --follow-forks', 'children too'],
      ['-p, --attach=PID', 'trace a running process (several: -p A -p B)'],
      ['-o, --output=FILE', 'write the trace to FILE'],
      ['-s, --string-limit=SIZE', 'bytes of strings shown (32)'],
      ['-x', 'non-ASCII strings in hexadecimal; -xx: all strings'],
      ['-xx', 'all strings in hexadecimal'],
      ['-y, --decode-fds', 'paths of descriptors'],
      ['-t', 'time of day'],
      ['-tt', 'with microseconds'],
      ['-ttt', 'seconds since 1970'],
      ['-r, --relative-timestamps', 'time since the call before'],
      ['-T, --syscall-times', 'time spent in each call'],
      ['-c, --summary-only', 'counts only'],
      ['-v, --no-abbrev', 'leave nothing out'],
      ['-q, --quiet', 'no messages about attaching and exits'],
    ],
  },
  async (tool) => {
    const plan = await planOf(tool);
    if (typeof plan === 'number') return plan;
    let out = 2;
    const file = tool.get('o');
    if (file !== undefined) {
      out = tool.sys.open(file, O_WRONLY | O_CREAT | O_TRUNC);
      if (out < 0) {
        await tool.fail(`Can't fopen '${file}': ${strerror(out)}`);
        return 1;
      }
    }
    return new Session(tool, plan, out).run();
  },
);

/** The options as a plan, or the status of a usage error. */
async function planOf(tool: Tool): Promise<Plan | number> {
  let calls: ReadonlySet<CallName> = new Set(SYSCALLS);
  for (const [key, value] of tool.order) {
    if (key !== 'e') continue;
    const set = selectCalls(value.replace(/^(trace|t)=/, ''));
    if ('unknown' in set) {
      await tool.fail(`invalid system call '${set.unknown}'`);
      return 1;
    }
    calls = set;
  }
  const size = tool.get('s') ?? '32';
  if (!/^\d+$/.test(size)) {
    await tool.fail(`invalid -s argument: '${size}'`);
    return 1;
  }
  const pids = tool.order.filter(([key]) => key === 'p').flatMap(([, value]) => value.split(/[\s,]+/));
  const wrong = pids.find((pid) => !/^[1-9]\d*$/.test(pid));
  if (wrong !== undefined) {
    await tool.fail(`Invalid process id: '${wrong}'`);
    return 1;
  }
  if (pids.length === 0 && tool.args.length === 0) {
    await tool.fail("must have PROG [ARGS] or -p PID\nTry 'strace -h' for more information.");
    return 1;
  }
  const x = tool.order.filter(([key]) => key === 'x').length;
  return {
    calls,
    style: {
      limit: Number(size),
      hex: tool.has('xx') || x > 1 ? 'always' : x > 0 ? 'non-ascii' : 'never',
      verbose: tool.has('v'),
    },
    follow: tool.has('f'),
    times: tool.has('ttt') ? 'ttt' : tool.has('tt') ? 'tt' : tool.has('t') ? 't' : tool.has('r') ? 'r' : 'none',
    duration: tool.has('T'),
    counts: tool.has('c'),
    attached: pids.map(Number),
  };
}

class Session {
  private readonly sys: Sys;
  private readonly fds: FdNames;
  private readonly summary = new CallCounts();
  private readonly quiet: boolean;
  /** Prefixed once more than one process is traced. */
  private several = false;
  private before = 0;
  private status = 0;
  private child = 0;

  constructor(
    private readonly tool: Tool,
    private readonly plan: Plan,
    private readonly out: number,
  ) {
    this.sys = tool.sys;
    this.fds = new FdNames(this.sys, tool.has('y'));
    this.quiet = tool.has('q');
  }

  async run(): Promise<number> {
    const { plan, sys } = this;
    const attached = new Set<number>();
    for (const pid of plan.attached) {
      const error = sys.ptraceSeize(pid, plan.follow);
      if (error < 0) {
        await this.tool.fail(`attach: ptrace(PTRACE_SEIZE, ${pid}): ${strerror(error)}`);
        return 1;
      }
      attached.add(pid);
      if (!this.quiet) await complain(sys, `strace: Process ${pid} attached`);
    }
    this.several = attached.size > 1;
    if (this.tool.args.length > 0) {
      const started = await this.start(this.tool.args);
      if (started < 0) return 1;
    }
    let stopped = false;
    sys.onSignal(SIGINT, () => {
      stopped = true;
    });
    for (;;) {
      const event = await sys.ptraceNext();
      if (event === -E.EINTR && this.child === 0) break;
      if (typeof event === 'number') {
        if (event === -E.EINTR) continue;
        break;
      }
      await this.event(event, attached);
      if (stopped && this.child === 0) break;
    }
    for (const pid of attached) {
      sys.ptraceDetach(pid);
      if (!this.quiet) await complain(sys, `strace: Process ${pid} detached`);
    }
    if (plan.counts) await writeAll(sys, this.out, utf8(this.summary.table()));
    if (this.child > 0) {
      await sys.waitpid(this.child);
      return this.status;
    }
    return stopped ? 130 : 0;
  }

  /** Forks a child that asks to be traced and becomes the program. */
  private async start(args: readonly string[]): Promise<number> {
    const [name = ''] = args;
    const path = this.findProgram(name);
    if (path === null) {
      await this.tool.fail(`Can't stat '${name}': ${strerror(-E.ENOENT)}`);
      return -1;
    }
    const { follow } = this.plan;
    this.child = this.sys.fork(async (child) => {
      const run = child.exec(path, args, this.tool.env);
      if (typeof run !== 'number') return run;
      await complain(child, `strace: exec: ${strerror(run)}`);
      return 1;
    });
    return this.sys.ptraceSeize(this.child, follow);
  }
  private findProgram(name: string): string | null {
    if (name.includes('/')) return typeof this.sys.stat(name) === 'number' ? null : name;
    for (const dir of (this.tool.env.PATH ?? '').split(':')) {
      const path = `${dir === '' ? '.' : dir}/${name}`;
      if (typeof this.sys.stat(path) !== 'number') return path;
    }
    return null;
  }

  private async event(event: PtraceEvent, attached: Set<number>): Promise<void> {
    switch (event.kind) {
      case 'call':
        return this.call(event);
      case 'attached':
        this.several = true;
        if (!this.quiet) await complain(this.sys, `strace: Process ${event.pid} attached`);
        return;
      case 'exited':
        attached.delete(event.pid);
        if (event.pid === this.child) this.status = event.status;
        if (this.plan.counts) return;
        if (event.signal === 0 && this.plan.calls.has('exit_group'))
          await this.line(event.pid, `exit_group(${event.status}) = ?`, this.sys.clockGettime('monotonic'));
        if (this.quiet) return;
        await this.line(
          event.pid,
          event.signal > 0 ? `+++ killed by ${signalName(event.signal)} +++` : `+++ exited with ${event.status} +++`,
          this.sys.clockGettime('monotonic'),
        );
    }
  }

  private async call({ pid, call, result, startNs, endNs }: CallEvent): Promise<void> {
    this.fds.of(pid).seen(call, result);
    if (!this.plan.calls.has(call.name)) return;
    if (this.plan.counts) {
      this.summary.add(call.name, endNs - startNs, isError(result));
      return;
    }
    const descriptors: Descriptors = this.fds.of(pid);
    const spent = this.plan.duration ? ` <${((endNs - startNs) / 1e9).toFixed(6)}>` : '';
    await this.line(pid, callText(call, result, this.plan.style, descriptors) + spent, startNs);
  }

  private line(pid: number, text: string, ns: number): Promise<number> {
    const who = this.several ? `[pid ${String(pid).padStart(5)}] ` : '';
    return writeAll(this.sys, this.out, utf8(`${who}${this.stamp(ns)}${text}\n`));
  }
  private stamp(ns: number): string {
    const { times } = this.plan;
    if (times === 'none') return '';
    if (times === 'r') {
      const since = this.before === 0 ? 0 : ns - this.before;
      this.before = ns;
      return `${(since / 1e9).toFixed(6).padStart(12)} `;
    }
    const boot = this.sys.clockGettime('realtime') - this.sys.clockGettime('monotonic');
    const seconds = (boot + ns) / 1e9;
    if (times === 'ttt') return `${seconds.toFixed(6)} `;
    const day = seconds % 86_400;
    const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
    const micros = times === 'tt' ? `.${String(Math.floor((day % 1) * 1e6)).padStart(6, '0')}` : '';
    return `${two(day / 3600)}:${two((day / 60) % 60)}:${two(day % 60)}${micros} `;
  }
}
