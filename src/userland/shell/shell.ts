/** Executes the syntax tree: lists, pipelines as processes, simple commands, functions, subshells, substitutions. */
import { E, strerror } from '../../base/errno.ts';
import { SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, TIOCSPGRP } from '../../linux/uapi/constants.ts';
import { ProcessExit, type Sys } from '../../linux/uapi/sys.ts';
import { complain, decode, strerror as errorText, openPath, readAll, readFileText, writeText } from '../misc/io.ts';
import { ArithError } from './arith.ts';
import { runAssignment } from './assign.ts';
import { runCompound } from './compound.ts';
import { BreakSignal, deathText, ExitSignal, InterruptSignal, ReturnSignal, signalName } from './control.ts';
import { ExpandError, type ExpandHost, expandTemplate, expandText, expandWords } from './expand.ts';
import type { Job } from './jobs.ts';
import type * as Ast from './parse.ts';
import { expandAliases, parseScript, parseWord, Source, syntaxMessage } from './parse.ts';
import { promptString } from './prompt.ts';
import { RedirectError, type RedirectHost, Redirections } from './redirect.ts';
import { type FunctionDef, ShellState, UnboundError } from './state.ts';
import { AssignError, shellQuote } from './vars.ts';

export type Builtin = (sh: Shell, args: readonly string[]) => number | Promise<number>;

/** Builtins whose arguments `name=value` are assignments (no splitting, arrays allowed). */
const DECLARERS = new Set(['declare', 'typeset', 'local', 'export', 'readonly']);

export interface RunOptions {
  /** This process has nothing else to do: exec in place of fork. */
  readonly last?: boolean;
}

export class Shell extends ShellState implements ExpandHost, RedirectHost {
  /** > 0: `set -e` and ERR do not look (conditions, `!`, left of && and ||). */
  tested = 0;
  /** Set while the value of an assignment-only command runs substitutions. */
  substituted: number | null = null;
  ttyFd = -1;
  /** Children nobody waits for by name: ends of process substitutions, feeders of here-documents. */
  private strays: number[] = [];
  private procSubs: { fd: number; pid: number }[] = [];
  private inTrap = false;
  /** > 0 while a trap's text runs: BASH_COMMAND stays the command it interrupted. */
  private trapping = 0;

  constructor(
    sys: Sys,
    name: string,
    origin: 'interactive' | 'command' | 'script',
    readonly builtins: ReadonlyMap<string, Builtin>,
  ) {
    super(sys, name, origin);
  }

  get globbing() {
    return {
      noglob: this.options.has('noglob'),
      nullglob: this.shopts.has('nullglob'),
      failglob: this.shopts.has('failglob'),
      dotglob: this.shopts.has('dotglob'),
      nocaseglob: this.shopts.has('nocaseglob'),
      globstar: this.shopts.has('globstar'),
    };
  }
  get nounset(): boolean {
    return this.options.has('nounset');
  }
  get noclobber(): boolean {
    return this.options.has('noclobber');
  }

  // ---- output of builtins

  /** Writes a builtin's output; 1 after `name: write error: …` when the kernel refuses it. */
  async out(name: string, text: string): Promise<number> {
    if (text === '') return 0;
    const r = await writeText(this.sys, 1, text);
    if (r === 0) return 0;
    await this.error(`${name}: write error: ${errorText(r)}`);
    return 1;
  }

  // ---- processes

  /** A copy of this shell for a child process; `attach` gives it the child's system calls. */
  private child(): Shell {
    const child = new Shell(this.sys, this.name, this.origin, this.builtins);
    this.copyTo(child);
    Object.defineProperty(child, 'shellPid', { value: this.shellPid });
    child.tested = this.tested;
    return child;
  }

  /** Runs `body` in a forked copy of this shell. */
  fork(body: (child: Shell) => Promise<number>, options: { pgid?: number; keepTested?: boolean } = {}): number {
    const child = this.child();
    const interactive = this.interactive;
    if (!options.keepTested) child.tested = 0;
    return this.sys.fork(async (sys) => {
      child.sys = sys;
      if (options.pgid !== undefined) sys.setpgid(0, options.pgid);
      if (interactive)
        for (const signal of [SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU]) sys.onSignal(signal, null);
      else for (const name of this.traps.keys()) if (!/EXIT|ERR|DEBUG|RETURN/.test(name)) child.resetTrap(name);
      return child.runToEnd(() => body(child));
    });
  }

  private resetTrap(name: string): void {
    if (this.traps.get(name) === '') return;
    const number = [1, 2, 3, 10, 12, 13, 14, 15].find((n) => signalName(n) === name);
    if (number !== undefined) this.sys.onSignal(number, null);
  }

  /** Runs to the end of the shell: turns every way out into a status, runs the EXIT trap. */
  async runToEnd(body: () => Promise<number>): Promise<number> {
    let status: number;
    let replaced = false;
    try {
      status = await body();
    } catch (error) {
      if (error instanceof ExitSignal) {
        status = error.status;
        replaced = error.replaced;
      } else if (error instanceof ReturnSignal) status = error.status;
      else if (error instanceof BreakSignal) status = this.status;
      else if (error instanceof InterruptSignal) status = 130;
      else throw error;
    }
    if (!replaced) status = await this.exitTrap(status);
    return status & 255;
  }

  async exitTrap(status: number): Promise<number> {
    const text = this.traps.get('EXIT');
    if (!text) return status;
    this.traps.delete('EXIT');
    this.status = status;
    try {
      await this.evalText(text);
    } catch (error) {
      if (error instanceof ExitSignal) return error.status;
      if (!(error instanceof ReturnSignal || error instanceof BreakSignal)) throw error;
    }
    return status;
  }

  foreground(pgid: number): void {
    if (this.ttyFd < 0) return;
    const arg = new Uint8Array(4);
    new DataView(arg.buffer).setInt32(0, pgid, true);
    void this.sys.ioctl(this.ttyFd, TIOCSPGRP, arg);
  }

  /** Waits for one child; traps run in between. With `untraced` also until it stops. */
  async wait(pid: number, untraced = false): Promise<{ status: number; signal: number; stopped?: number }> {
    for (;;) {
      const known = this.jobs.finished.get(pid);
      if (known !== undefined) return { status: known, signal: 0 };
      const r = await this.sys.waitpid(pid, { untraced });
      if (typeof r !== 'number')
        return r.stopped
          ? { status: 128 + r.stopped, signal: 0, stopped: r.stopped }
          : { status: r.status, signal: r.signal };
      if (r === -E.EINTR) {
        await this.signals();
        continue;
      }
      return { status: 127, signal: 0 };
    }
  }

  /** Waits for the processes of a foreground pipeline; the terminal is theirs meanwhile. */
  async waitPipeline(pids: readonly number[], pgid: number, text: string, known?: Job): Promise<number[]> {
    if (pgid) this.foreground(pgid);
    const statuses: number[] = [];
    let interrupted = false;
    try {
      for (const pid of pids) {
        const { status, signal, stopped } = await this.wait(pid, pgid > 0 && this.interactive);
        statuses.push(status);
        if (stopped) {
          await this.stopped(pids, pgid, text, known);
          return pids.map((_, n) => statuses[n] ?? status);
        }
        if (known) this.jobs.record(pid, status, signal);
        if (signal === SIGINT) interrupted = true;
        const death = deathText(signal);
        if (death && pid === pids.at(-1)) {
          const where = this.interactive ? '' : `${this.prefix()}${pid} `;
          await complain(this.sys, this.interactive ? death : `${where}${death.padEnd(24)}${text}`);
        }
      }
    } finally {
      if (pgid) this.foreground(this.sys.getpgid(0));
    }
    if (interrupted && this.interactive) {
      await writeText(this.sys, 2, '\n');
      this.status = 130;
      throw new InterruptSignal();
    }
    return statuses;
  }

  /** Ctrl-Z: what ran in the foreground becomes a job; the line goes on with its next command. */
  private async stopped(pids: readonly number[], pgid: number, text: string, known?: Job): Promise<void> {
    const job = known ?? this.jobs.add(pids, pgid, text);
    job.stopped = true;
    await complain(this.sys, `\n${this.jobs.line(job)}`);
  }

  /** Looks for finished background children without sleeping. */
  async reap(): Promise<void> {
    for (const pid of [...this.strays]) {
      const r = await this.sys.waitpid(pid, { nohang: true });
      if (typeof r !== 'number' && r.pid === 0) continue;
      if (typeof r !== 'number') this.jobs.record(pid, r.status, r.signal);
      this.strays = this.strays.filter((p) => p !== pid);
    }
    for (const job of this.jobs.list)
      for (const pid of job.pids) {
        if (job.statuses.has(pid)) continue;
        const r = await this.sys.waitpid(pid, { nohang: true });
        if (typeof r !== 'number' && r.pid > 0) this.jobs.record(pid, r.status, r.signal);
      }
  }

  /** Runs traps of signals that arrived. */
  async signals(): Promise<void> {
    while (this.pendingSignals.length > 0) {
      const number = this.pendingSignals.shift() ?? 0;
      const text = this.traps.get(signalName(number));
      if (text) await this.runTrap(text);
      else if (number === SIGINT && this.interactive) {
        this.status = 130;
        throw new InterruptSignal();
      }
    }
  }

  async runTrap(text: string): Promise<void> {
    const { status, line, commandText } = this;
    this.trapping++;
    try {
      await this.evalText(text);
    } finally {
      this.trapping--;
    }
    this.status = status;
    this.line = line;
    this.commandText = commandText;
  }

  // ---- lists

  /** Parses and runs a text as the current source's line (eval, traps). */
  evalText(text: string): Promise<number> {
    return this.runSource(new Source(text, this.source.name, this.line, true));
  }

  /** Runs a whole source: what parses runs, then the syntax error (if any) is told. */
  async runSource(source: Source): Promise<number> {
    const expanded = this.shopts.has('expand_aliases') ? expandAliases(source.text, this.aliases) : source.text;
    const used = expanded === source.text ? source : new Source(expanded, source.name, source.firstLine, source.fixed);
    const script = parseScript(expanded);
    const saved = this.source;
    this.source = used;
    try {
      const bad = script.errors?.[0];
      const good = bad
        ? script.commands.filter((c) => used.line(c.end) < used.line(bad.pos) && c.end <= bad.pos)
        : script.commands;
      for (const statement of good) await this.runStatement(statement);
      if (bad) {
        this.line = used.line(Math.min(bad.pos, expanded.trimEnd().length));
        await this.syntaxError(syntaxMessage(bad, expanded), used);
        this.status = 2;
      }
      return this.status;
    } finally {
      this.source = saved;
    }
  }

  private async syntaxError(message: string, source: Source): Promise<void> {
    const c = source.fixed && !this.trapping ? 'eval: ' : this.origin === 'command' ? '-c: ' : '';
    if (this.origin === 'interactive') return this.error(message);
    const head = `${this.name}: ${c}line ${this.line}: `;
    await complain(this.sys, head + message);
    const text = source.text.split('\n')[this.line - source.firstLine];
    if (message.includes('near unexpected') && text !== undefined) await complain(this.sys, `${head}\`${text}'`);
  }

  async runScript(script: Ast.ParsedScript | undefined, options: RunOptions = {}): Promise<number> {
    if (!script) return this.status;
    const commands = script.commands;
    if (script.errors?.length) {
      await this.error('syntax error in command substitution');
      throw new ExitSignal(2);
    }
    const only = options.last && commands.length === 1;
    for (const statement of commands) await this.runStatement(statement, only ? options : {});
    return this.status;
  }

  async runList(list: Ast.CompoundList, options: RunOptions = {}): Promise<number> {
    const only = options.last && list.commands.length === 1;
    for (const statement of list.commands) await this.runStatement(statement, only ? options : {});
    return this.status;
  }

  async runStatement(statement: Ast.Statement, options: RunOptions = {}): Promise<number> {
    if (this.options.has('noexec') && !this.interactive) return 0;
    if (statement.background) {
      await this.background(statement);
      return 0;
    }
    return this.runNode(statement.command, options);
  }

  private async background(statement: Ast.Statement): Promise<void> {
    if (this.strays.length > 32) await this.reap();
    const text = this.source.text.slice(statement.pos, statement.end).replace(/\s*&\s*$/, '');
    const monitor = this.options.has('monitor');
    const pid = this.fork(
      async (child) => {
        if (!monitor) {
          child.sys.onSignal(SIGINT, 'ignore');
          const fd = child.sys.open('/dev/null', 0);
          if (fd > 0) {
            child.sys.dup2(fd, 0);
            child.sys.close(fd);
          }
        }
        child.interactive = false;
        return child.runNode(statement.command, { last: true });
      },
      monitor ? { pgid: 0 } : {},
    );
    if (monitor) this.sys.setpgid(pid, pid);
    this.lastBackground = pid;
    const job = this.jobs.add([pid], pid, text);
    if (this.interactive) await complain(this.sys, `[${job.number}] ${pid}`);
    this.status = 0;
  }

  /** And-or lists, pipelines and commands: everything that has a status. */
  async runNode(node: Ast.PipelineNode | Ast.AndOr, options: RunOptions = {}): Promise<number> {
    if (node.type === 'AndOr') return this.andOr(node, options);
    if (node.type === 'Pipeline') return this.pipeline(node);
    return this.command(node, options);
  }

  private async andOr(node: Ast.AndOr, options: RunOptions): Promise<number> {
    for (let i = 0; i < node.commands.length; i++) {
      const command = node.commands[i];
      const operator = node.operators[i - 1];
      if (!command) continue;
      if (operator === '&&' && this.status !== 0) continue;
      if (operator === '||' && this.status === 0) continue;
      const last = i === node.commands.length - 1;
      if (!last) this.tested++;
      try {
        await this.runNode(command, last ? options : {});
      } finally {
        if (!last) this.tested--;
      }
    }
    return this.status;
  }

  /** After a command that failed: ERR trap, then `set -e`. */
  async failed(): Promise<void> {
    if (this.status === 0 || this.tested > 0) return;
    const trap = this.traps.get('ERR');
    if (
      trap &&
      !this.inTrap &&
      (this.frames.length === 0 || this.options.has('errtrace') || this.trapDepth >= this.frames.length)
    ) {
      this.inTrap = true;
      try {
        await this.runTrap(trap);
      } finally {
        this.inTrap = false;
      }
    }
    if (this.options.has('errexit')) throw new ExitSignal(this.status);
  }
  /** Function depth at which ERR was set. */
  trapDepth = 0;

  private async pipeline(node: Ast.Pipeline): Promise<number> {
    const negate = node.prefixes.filter((p) => p.type === 'Negation').length % 2 === 1;
    const timed = node.prefixes.find((p) => p.type === 'Time');
    const start = this.sys.clockGettime('monotonic');
    if (negate) this.tested++;
    try {
      const only = node.commands[0];
      if (node.commands.length === 1 && only) await this.command(only, {}, negate);
      else if (node.commands.length > 1) await this.pipe(node);
    } finally {
      if (negate) this.tested--;
    }
    if (timed) {
      const s = (this.sys.clockGettime('monotonic') - start) / 1e9;
      const show = (v: number): string => `${Math.floor(v / 60)}m${(v % 60).toFixed(3)}s`;
      const posix = timed.type === 'Time' && timed.posix;
      await writeText(
        this.sys,
        2,
        posix
          ? `real ${s.toFixed(2)}\nuser 0.00\nsys 0.00\n`
          : `\nreal\t${show(s)}\nuser\t${show(0)}\nsys\t${show(0)}\n`,
      );
    }
    if (negate) this.status = this.status === 0 ? 1 : 0;
    return this.status;
  }

  private async pipe(node: Ast.Pipeline): Promise<void> {
    const { sys } = this;
    const pids: number[] = [];
    const monitor = this.options.has('monitor');
    let pgid = 0;
    let input = -1;
    const text = this.source.text.slice(node.pos, node.end);
    for (let i = 0; i < node.commands.length; i++) {
      const command = node.commands[i];
      if (!command) continue;
      const last = i === node.commands.length - 1;
      const ends = last ? null : sys.pipe();
      if (typeof ends === 'number') {
        await this.error(`pipe error: ${strerror(ends)}`);
        break;
      }
      const from = input;
      const both = node.operators[i] === '|&';
      const pid = this.fork(
        async (child) => {
          const s = child.sys;
          if (from >= 0) {
            s.dup2(from, 0);
            s.close(from);
          }
          if (ends) {
            s.close(ends[0]);
            s.dup2(ends[1], 1);
            if (both) s.dup2(1, 2);
            s.close(ends[1]);
          }
          child.interactive = false;
          child.options.delete('monitor');
          return child.command(command, { last: true });
        },
        monitor ? { pgid, keepTested: true } : { keepTested: true },
      );
      if (monitor) {
        sys.setpgid(pid, pgid || pid);
        pgid ||= pid;
      }
      pids.push(pid);
      if (from >= 0) sys.close(from);
      if (ends) sys.close(ends[1]);
      input = ends ? ends[0] : -1;
    }
    const statuses = await this.waitPipeline(pids, pgid, text);
    this.pipestatus = statuses;
    this.status = statuses.at(-1) ?? 0;
    if (this.options.has('pipefail')) this.status = statuses.findLast((s) => s !== 0) ?? 0;
    await this.failed();
  }

  /** One command of any kind. */
  async command(node: Ast.CommandNode, options: RunOptions, negated = false): Promise<number> {
    await this.sys.tick();
    if (this.pendingSignals.length > 0) await this.signals();
    switch (node.type) {
      case 'Command':
        this.line = this.source.line(node.pos);
        await this.guard(() => this.simple(node, options));
        if (!negated) await this.failed();
        return this.status;
      case 'Function': {
        const def: FunctionDef = {
          name: node.name.text,
          body: node.body,
          source: this.source,
          text: this.source.text.slice(node.body.pos, node.body.end),
        };
        this.functions.set(def.name, def);
        this.status = 0;
        return 0;
      }
      case 'Coproc':
        await this.error('coproc: not available in this shell');
        this.status = 1;
        return 1;
      case 'Redirected': {
        this.line = this.source.line(node.pos);
        await this.guard(async () => {
          const redirections = new Redirections(this, false);
          if (!(await this.redirect(redirections, node.redirects))) return;
          try {
            await runCompound(this, node.command, options);
          } finally {
            redirections.undo();
          }
        });
        await this.checkCompound(node.command.type);
        return this.status;
      }
      default:
        await this.guard(() => runCompound(this, node, options), node.type === 'ArithmeticCommand');
        await this.checkCompound(node.type);
        return this.status;
    }
  }

  private async checkCompound(type: string): Promise<void> {
    if (type === 'Subshell' || type === 'TestCommand' || type === 'ArithmeticCommand') {
      this.pipestatus = [this.status];
      await this.failed();
    }
  }

  /** Turns expansion and assignment errors into messages and a status. */
  private async guard(run: () => Promise<unknown>, command = false): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (error instanceof ExpandError || error instanceof UnboundError) {
        await this.error(error.message);
        this.status = this.interactive ? 1 : error instanceof ExpandError ? error.status : 127;
        if (!this.interactive && !(error instanceof ExpandError && !error.fatal)) throw new ExitSignal(this.status);
        if (this.interactive) throw new InterruptSignal();
      } else if (error instanceof ArithError || error instanceof AssignError) {
        await this.error(error.message);
        this.status = 1;
        if (this.interactive) throw new InterruptSignal();
        if (error instanceof ArithError && this.origin === 'command' && !command) throw new ExitSignal(1);
        if (!this.interactive && error instanceof AssignError && /readonly/.test(error.message))
          throw new ExitSignal(1);
      } else throw error;
    } finally {
      this.closeProcSubs();
    }
  }

  async redirect(redirections: Redirections, list: readonly Ast.Redirection[]): Promise<boolean> {
    try {
      await redirections.apply(list);
      return true;
    } catch (error) {
      if (!(error instanceof RedirectError)) throw error;
      await this.error(error.message);
      this.status = 1;
      return false;
    }
  }

  // ---- simple commands

  private async simple(node: Ast.Command, options: RunOptions): Promise<void> {
    if (!this.trapping) this.commandText = this.source.text.slice(node.pos, node.end);
    const assignments = node.prefix.filter((p): p is Ast.Assignment => p.type === 'Assignment');
    const words: string[] = [];
    if (node.name) {
      words.push(...(await expandWords(this, [node.name])));
      const declarer = DECLARERS.has(
        words[0] === 'builtin' || words[0] === 'command'
          ? ((node.suffix[0] as { text?: string } | undefined)?.text ?? '')
          : (words[0] ?? ''),
      );
      for (const item of node.suffix) {
        if (item.type === 'Word') words.push(...(await expandWords(this, [item])));
        else if (item.type === 'Assignment') {
          if (declarer) words.push(await this.declaration(item));
          else words.push(...(await expandWords(this, [parseWord(item.text)])));
        }
      }
    }
    if (words.length === 0) {
      this.substituted = null;
      const redirections = new Redirections(this, false);
      const ok = await this.redirect(redirections, node.redirects);
      redirections.undo();
      if (!ok) return;
      for (const a of assignments) await runAssignment(this, a, null);
      this.status = this.substituted ?? 0;
      this.pipestatus = [this.status];
      return;
    }
    const name = words[0] ?? '';
    if (this.options.has('xtrace')) await this.trace(assignments, words);
    const def = this.functions.get(name);
    const builtin = def ? undefined : this.builtins.get(name);
    if (def || builtin) {
      const permanent = name === 'exec' && words.length === 1;
      const redirections = new Redirections(this, false);
      if (!(await this.redirect(redirections, node.redirects))) return;
      const scoped = assignments.length > 0 && name !== 'exec';
      if (scoped) this.vars.scopes.push(new Map());
      try {
        for (const a of assignments) await runAssignment(this, a, scoped ? 'local' : null, true);
        this.status = def ? await this.callFunction(def, words) : await this.runBuiltin(name, words, builtin);
        this.pipestatus = [this.status];
      } finally {
        if (scoped) this.vars.scopes.pop();
        if (permanent) redirections.commit();
        else redirections.undo();
      }
    } else await this.external(node, assignments, words, options);
    this.lastArg = words.at(-1) ?? '';
  }

  private async runBuiltin(name: string, words: readonly string[], builtin: Builtin | undefined): Promise<number> {
    try {
      return (await builtin?.(this, words.slice(1))) ?? 127;
    } catch (error) {
      if (error instanceof AssignError || error instanceof ArithError) {
        await this.error(`${name}: ${error.message}`);
        return 1;
      }
      throw error;
    }
  }

  /** Text of a declaration argument: `name=value` expanded, arrays kept in a form `declare` reads back. */
  private async declaration(a: Ast.Assignment): Promise<string> {
    if (a.value?.type === 'ArrayValue') {
      const key = `\u0001${this.pendingArrays.push(a) - 1}`;
      return `${a.name}${a.append ? '+' : ''}=${key}`;
    }
    const value = a.value ? await expandText(this, a.value, true) : '';
    const index = a.index ? `[${await expandTemplate(this, a.index.text)}]` : '';
    return `${a.name}${index}${a.append ? '+' : ''}=${value}`;
  }
  /** Array values waiting for their `declare`. */
  pendingArrays: Ast.Assignment[] = [];

  private async trace(assignments: readonly Ast.Assignment[], words: readonly string[]): Promise<void> {
    const ps4 = await this.promptString(this.vars.get('PS4') ?? '+ ');
    const head = (ps4[0] ?? '').repeat(Math.max(0, this.depth)) + ps4;
    for (const a of assignments) await this.traceLine(`${head}${a.text}`);
    await this.traceLine(head + words.map((w) => shellQuote(w.replace(/\u0001\d+$/, '(...)'))).join(' '));
  }
  private async traceLine(text: string): Promise<void> {
    await writeText(this.sys, Number(this.vars.get('BASH_XTRACEFD') ?? 2), `${text}\n`);
  }
  async traceText(text: string): Promise<void> {
    if (!this.options.has('xtrace')) return;
    const ps4 = await this.promptString(this.vars.get('PS4') ?? '+ ');
    await this.traceLine((ps4[0] ?? '').repeat(this.depth) + ps4 + text);
  }

  async callFunction(def: FunctionDef, words: readonly string[]): Promise<number> {
    if (this.frames.length > 500) {
      await this.error(`${def.name}: maximum function nesting level exceeded (500)`);
      throw new ExitSignal(1);
    }
    const { positional, source, line, loops } = this;
    this.positional = words.slice(1);
    this.frames.push({ name: def.name, source: def.source.name, callLine: line });
    this.vars.scopes.push(new Map());
    this.source = def.source;
    this.loops = 0;
    try {
      if (def.body.type === 'CompoundList') return await this.runList(def.body);
      return await this.command(def.body, {});
    } catch (error) {
      if (error instanceof ReturnSignal) return error.status;
      throw error;
    } finally {
      this.positional = positional;
      this.source = source;
      this.loops = loops;
      this.line = line;
      this.frames.pop();
      this.vars.scopes.pop();
    }
  }

  /** Where a command's file is, or a status with its message (127 not found, 126 not executable). */
  lookup(name: string): { path: string } | { status: number; message: string } {
    const { sys } = this;
    if (name.includes('/')) {
      const stat = sys.stat(name);
      if (typeof stat === 'number') return { status: 127, message: `${name}: ${strerror(stat)}` };
      if ((stat.mode & 0o170000) === 0o040000) return { status: 126, message: `${name}: Is a directory` };
      if (sys.access(name, 1) < 0) return { status: 126, message: `${name}: Permission denied` };
      return { path: name };
    }
    const hashed = this.hashed.get(name);
    if (hashed !== undefined && sys.access(hashed, 1) === 0) return { path: hashed };
    const path = this.searchPath(name)[0];
    if (path === undefined) return { status: 127, message: `${name}: command not found` };
    this.hashed.set(name, path);
    return { path };
  }

  searchPath(name: string): string[] {
    const found: string[] = [];
    if (name === '') return found;
    for (const dir of (this.vars.get('PATH') ?? '').split(':')) {
      const path = `${dir || '.'}/${name}`;
      const stat = this.sys.stat(path);
      if (typeof stat !== 'number' && (stat.mode & 0o170000) === 0o100000 && this.sys.access(path, 1) === 0)
        found.push(path);
    }
    return found;
  }

  private async external(
    node: Ast.Command,
    assignments: readonly Ast.Assignment[],
    words: readonly string[],
    options: RunOptions,
  ): Promise<void> {
    const run = async (child: Shell): Promise<number> => {
      const redirections = new Redirections(child, true);
      if (!(await child.redirect(redirections, node.redirects))) return 1;
      for (const a of assignments) await runAssignment(child, a, null, true);
      return child.execute(words);
    };
    if (options.last && this.traps.size === 0) throw new ExitSignal(await run(this), true);
    // Remember the place now: the child's table is lost.
    if (!(words[0] ?? '').includes('/')) this.lookup(words[0] ?? '');
    const monitor = this.options.has('monitor');
    const pid = this.fork(run, monitor ? { pgid: 0 } : {});
    if (pid < 0) {
      await this.error(`fork: ${strerror(pid)}`);
      this.status = 254;
      return;
    }
    if (monitor) this.sys.setpgid(pid, pid);
    this.pipestatus = await this.waitPipeline([pid], monitor ? pid : 0, words.join(' '));
    this.status = this.pipestatus[0] ?? 0;
  }

  /** Replaces this process by a program; gives a status if that fails. */
  async execute(words: readonly string[], argv0?: string): Promise<number> {
    const name = words[0] ?? '';
    const found = this.lookup(name);
    if ('status' in found) {
      await this.error(found.message);
      return found.status;
    }
    const env = this.vars.environment();
    env._ = found.path;
    const r = await this.sys.exec(found.path, argv0 === undefined ? words : [argv0, ...words.slice(1)], env);
    if (r >= 0) throw new ExitSignal(r, true);
    if (r === -E.ENOEXEC) return this.runFile(found.path, words);
    await this.error(`${name}: ${strerror(r)}`);
    return r === -E.ENOENT ? 127 : 126;
  }

  /** A file without a known program: shell script, with or without `#!`. */
  private async runFile(path: string, words: readonly string[]): Promise<number> {
    const text = await readFileText(this.sys, path);
    if (typeof text === 'number') {
      await this.error(`${path}: ${strerror(text)}`);
      return 126;
    }
    const bang = /^#!\s*(\S+)(?:[ \t]+([^\n]*?))?\s*(?:\n|$)/.exec(text);
    if (bang && !/\/(ba|da)?sh$/.test(bang[1] ?? '') && !/^(ba|da)?sh$/.test(bang[2] ?? '')) {
      const arg = bang[2];
      return this.execute([bang[1] ?? '', ...(arg ? [arg] : []), path, ...words.slice(1)]);
    }
    const fresh = new Shell(this.sys, path, 'script', this.builtins);
    for (const [name, value] of Object.entries(this.vars.environment())) {
      fresh.vars.set(name, value);
      fresh.vars.ensure(name).exported = true;
    }
    fresh.positional = words.slice(1);
    throw new ExitSignal(await fresh.runToEnd(() => fresh.runSource(new Source(text, path))), true);
  }

  // ---- substitutions

  async substitute(script: Ast.ParsedScript | undefined, text: string): Promise<string> {
    const { sys } = this;
    const file = this.readsFile(script);
    if (file) {
      const [target] = await expandWords(this, [file]);
      const fd = openPath(sys, target ?? '');
      if (fd < 0) {
        await this.error(`${target}: ${strerror(fd)}`);
        this.substituted = 1;
        return '';
      }
      const data = await readAll(sys, fd);
      sys.close(fd);
      this.substituted = 0;
      return typeof data === 'number' ? '' : decode(data).replaceAll('\0', '').replace(/\n+$/, '');
    }
    const ends = sys.pipe();
    if (typeof ends === 'number') throw new ExpandError(`cannot make pipe for command substitution: ${strerror(ends)}`);
    const [read, write] = ends;
    // Escaped backquotes carry their own decoded source; its positions are not ours.
    const own = script?.source;
    const source = own !== undefined ? new Source(own, this.source.name, this.line, true) : this.sourceOf(text);
    const pid = this.fork(async (child) => {
      child.sys.close(read);
      child.sys.dup2(write, 1);
      child.sys.close(write);
      child.interactive = false;
      child.options.delete('monitor');
      if (!this.shopts.has('inherit_errexit')) child.options.delete('errexit');
      child.source = source;
      return child.runScript(script, { last: true });
    });
    sys.close(write);
    const data = await readAll(sys, read);
    sys.close(read);
    const { status, signal } = await this.wait(pid);
    if (signal === SIGINT && this.interactive) throw new InterruptSignal();
    this.substituted = status;
    this.status = status;
    return typeof data === 'number' ? '' : decode(data).replaceAll('\0', '').replace(/\n+$/, '');
  }

  /** The source whose positions a nested script's nodes index: the current one if the text is really there. */
  private sourceOf(text: string): Source {
    return this.source.text.includes(text) && !this.source.fixed
      ? this.source
      : new Source(this.source.text, this.source.name, this.line, true);
  }

  private readsFile(script: Ast.ParsedScript | undefined): Ast.Word | null {
    const only = script?.commands.length === 1 ? script.commands[0]?.command : undefined;
    if (only?.type !== 'Command' || only.name || only.prefix.length + only.suffix.length !== 1) return null;
    const r = only.redirects[0];
    return r?.type === 'Redirect' && r.operator === '<' && !r.descriptor ? (r.target ?? null) : null;
  }

  async processSubstitution(operator: '<' | '>', script: Ast.ParsedScript | undefined): Promise<string> {
    const ends = this.sys.pipe();
    if (typeof ends === 'number') throw new ExpandError(`cannot make pipe for process substitution: ${strerror(ends)}`);
    const [ours, theirs] = operator === '<' ? ends : [ends[1], ends[0]];
    const pid = this.fork(async (child) => {
      child.sys.close(ours);
      child.sys.dup2(theirs, operator === '<' ? 1 : 0);
      child.sys.close(theirs);
      child.interactive = false;
      child.options.delete('monitor');
      return child.runScript(script, { last: true });
    });
    this.sys.close(theirs);
    const high = this.sys.dup(ours, 63);
    const fd = high >= 0 ? high : ours;
    if (high >= 0) this.sys.close(ours);
    this.procSubs.push({ fd, pid });
    this.lastBackground = pid;
    return `/dev/fd/${fd}`;
  }

  private closeProcSubs(): void {
    for (const { fd, pid } of this.procSubs) {
      this.sys.close(fd);
      this.strays.push(pid);
    }
    this.procSubs = [];
  }

  feeder(body: (sys: Sys) => Promise<void>): void {
    const pid = this.sys.fork(async (sys) => {
      try {
        await body(sys);
      } catch (error) {
        if (!(error instanceof ProcessExit)) throw error;
      }
      return 0;
    });
    this.strays.push(pid);
  }

  promptString(text: string): Promise<string> {
    return promptString(this, text);
  }
}
