/** Executes the syntax tree: sources, lists, compound commands, and what becomes of errors in them. */
import type { Sys } from '../../linux/uapi/sys.ts';
import { complain, strerror as errorText, writeText } from '../misc/io.ts';
import { ArithError } from './arith.ts';
import { runCompound } from './compound.ts';
import { DiscardSignal, ExitSignal, InterruptSignal } from './control.ts';
import type * as Ast from './parse.ts';
import { expandAliases, parseScript, Source, syntaxMessage } from './parse.ts';
import { runPipeline } from './pipeline.ts';
import { background, feeder } from './processes.ts';
import { promptString } from './prompt.ts';
import { RedirectError, type RedirectHost, Redirections } from './redirect.ts';
import { ExpandError, type ExpandHost } from './segments.ts';
import { runSimple } from './simple.ts';
import { SET_OPTIONS, ShellState, UnboundError } from './state.ts';
import { closeProcessSubstitutions, processSubstitution, substitute } from './substitution.ts';
import { checkFailure, runSignalTraps } from './traps.ts';
import { AssignError } from './vars.ts';

export type Builtin = (sh: Shell, args: readonly string[]) => number | Promise<number>;

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
  strays: number[] = [];
  procSubs: { fd: number; pid: number }[] = [];
  /** Pseudo signals (ERR, DEBUG, RETURN) whose trap runs now. */
  inTrap = new Set<string>();
  /** > 0 while a trap's text runs: BASH_COMMAND stays the command it interrupted. */
  trapping = 0;
  /** Array values waiting for their `declare`. */
  pendingArrays: Ast.Assignment[] = [];

  constructor(
    sys: Sys,
    name: string,
    origin: 'interactive' | 'command' | 'script',
    readonly builtins: ReadonlyMap<string, Builtin>,
  ) {
    super(sys, name, origin);
  }

  /** A copy for a child process; whoever forks gives it the child's system calls. */
  copy(): Shell {
    const child = new Shell(this.sys, this.name, this.origin, this.builtins);
    this.copyTo(child);
    Object.defineProperty(child, 'shellPid', { value: this.shellPid });
    child.tested = this.tested;
    child.inTrap = new Set(this.inTrap);
    child.trapping = this.trapping;
    return child;
  }
  /** A shell of its own in this process (a script file run as a command). */
  fresh(name: string, origin: 'command' | 'script'): Shell {
    return new Shell(this.sys, name, origin, this.builtins);
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
  setLetter(letter: string, on: boolean): boolean {
    const name = SET_OPTIONS.find(([, l]) => l === letter)?.[0];
    if (name === undefined) return false;
    if (on) this.options.add(name);
    else this.options.delete(name);
    return true;
  }

  /** Writes a builtin's output; 1 after `name: write error: …` when the kernel refuses it. */
  async out(name: string, text: string): Promise<number> {
    if (text === '') return 0;
    const r = await writeText(this.sys, 1, text);
    if (r === 0) return 0;
    await this.error(`${name}: write error: ${errorText(r)}`);
    return 1;
  }

  // ---- what expansion asks for

  substitute(script: Ast.ParsedScript | undefined, text: string): Promise<string> {
    return substitute(this, script, text);
  }
  async processSubstitution(operator: '<' | '>', script: Ast.ParsedScript | undefined, text: string): Promise<string> {
    return processSubstitution(this, operator, script, text);
  }
  promptString(text: string): Promise<string> {
    return promptString(this, text);
  }
  feeder(body: (sys: Sys) => Promise<void>): void {
    feeder(this, body);
  }

  // ---- sources and lists

  /** Parses and runs a text as the current source's line (traps). */
  async evalText(text: string, deeper = true): Promise<number> {
    const source = new Source(text, this.source.name, this.line, { fixed: true, evaluated: true });
    if (!deeper) return this.runSource(source);
    this.indirection++;
    try {
      return await this.runSource(source);
    } finally {
      this.indirection--;
    }
  }

  /**
   * Runs a whole source: what parses runs, then the syntax error (if any) is told. An error that discards the line it is
   * on lets a script file (`main`) go on with the next line; anything else ends there.
   */
  async runSource(source: Source, main = false): Promise<number> {
    const aliases = this.shopts.has('expand_aliases') ? this.aliases : new Map<string, string>();
    const expanded = expandAliases(source.text, aliases);
    const used = expanded === source.text ? source : source.with(expanded);
    const script = parseScript(expanded);
    const saved = this.source;
    const stamp = this.aliasStamp;
    this.source = used;
    try {
      const bad = script.errors?.[0];
      const good = bad
        ? script.commands.filter((c) => used.line(c.end) < used.line(bad.pos) && c.end <= bad.pos)
        : script.commands;
      /** Line after the last one that was read. */
      let read = used.firstLine;
      for (let n = 0; n < good.length; n++) {
        const statement = good[n] as Ast.Statement;
        const line = used.line(statement.pos);
        if (main && this.aliasStamp !== stamp && n > 0 && line > used.line((good[n - 1] as Ast.Statement).end))
          return await this.runSource(used.from(source.text, line), true);
        read = await this.echoRead(used, read, used.line(statement.end));
        try {
          await this.runStatement(statement);
        } catch (error) {
          if (!(error instanceof DiscardSignal) || this.interactive || this.depth > 0) throw error;
          this.status = error.status;
          this.pipestatus = [error.status];
          if (!main) return error.status;
          while (
            good[n + 1] &&
            used.line((good[n + 1] as Ast.Statement).pos) === used.line((good[n] as Ast.Statement).end)
          )
            n++;
        }
      }
      if (bad) {
        const atEnd = bad.pos >= expanded.trimEnd().length;
        this.line = used.line(Math.min(bad.pos, expanded.trimEnd().length));
        const message = syntaxMessage(bad, expanded);
        if (atEnd && (main || used.evaluated) && /unexpected end of file/.test(message)) this.line++;
        await this.syntaxError(message, used);
        this.status = 2;
      }
      return this.status;
    } finally {
      this.source = saved;
    }
  }

  /** `set -v`: the lines as they are read. */
  private async echoRead(source: Source, from: number, to: number): Promise<number> {
    if (this.options.has('verbose') && !source.fixed && to >= from) {
      const lines = source.text.split('\n').slice(from - source.firstLine, to - source.firstLine + 1);
      await writeText(this.sys, 2, lines.map((line) => `${line}\n`).join(''));
    }
    return Math.max(from, to + 1);
  }

  private async syntaxError(message: string, source: Source): Promise<void> {
    const c = source.evaluated && !this.trapping ? 'eval: ' : this.origin === 'command' ? '-c: ' : '';
    if (this.origin === 'interactive') return this.error(message);
    const name = source.name === 'environment' || source.evaluated ? this.name : source.name;
    const head = `${name}: ${c}line ${this.line}: `;
    await complain(this.sys, head + message);
    const text = source.text.split('\n')[source.fixed ? 0 : this.line - source.firstLine];
    if (message.includes('near unexpected') && text !== undefined) await complain(this.sys, `${head}\`${text}'`);
  }

  async runScript(script: Ast.ParsedScript | undefined, options: RunOptions = {}): Promise<number> {
    if (!script) return this.status;
    if (script.errors?.length) {
      await this.error('syntax error in command substitution');
      throw new ExitSignal(2);
    }
    return this.runStatements(script.commands, options);
  }

  runList(list: Ast.CompoundList, options: RunOptions = {}): Promise<number> {
    return this.runStatements(list.commands, options);
  }

  private async runStatements(statements: readonly Ast.Statement[], options: RunOptions): Promise<number> {
    const only = options.last && statements.length === 1;
    for (const statement of statements) await this.runStatement(statement, only ? options : {});
    return this.status;
  }

  async runStatement(statement: Ast.Statement, options: RunOptions = {}): Promise<number> {
    if (this.options.has('noexec') && !this.interactive) return 0;
    if (statement.background) {
      await background(this, statement);
      return 0;
    }
    return this.runNode(statement.command, options);
  }

  /** And-or lists, pipelines and commands: everything that has a status. */
  async runNode(node: Ast.PipelineNode | Ast.AndOr, options: RunOptions = {}): Promise<number> {
    if (node.type === 'AndOr') return this.andOr(node, options);
    if (node.type === 'Pipeline') return runPipeline(this, node);
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

  /** One command of any kind. */
  async command(node: Ast.CommandNode, options: RunOptions, negated = false): Promise<number> {
    await this.sys.tick();
    if (this.pendingSignals.length > 0) await runSignalTraps(this);
    switch (node.type) {
      case 'Command':
        await this.guard(() => runSimple(this, node, options));
        if (!negated) await checkFailure(this);
        return this.status;
      case 'Function':
        this.functions.set(node.name.text, {
          name: node.name.text,
          body: node.body,
          source: this.source,
          line: this.source.line(node.pos),
          text: this.source.text.slice(node.body.pos, node.body.end),
        });
        this.status = 0;
        return 0;
      case 'Coproc':
        await this.error('coproc: not available in this shell');
        this.status = 1;
        return 1;
      case 'Redirected':
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
      default:
        await this.guard(() => runCompound(this, node, options));
        await this.checkCompound(node.type);
        return this.status;
    }
  }

  private async checkCompound(type: string): Promise<void> {
    if (type === 'Subshell' || type === 'TestCommand' || type === 'ArithmeticCommand') {
      this.pipestatus = [this.status];
      await checkFailure(this);
    }
  }

  /** Turns expansion and assignment errors into messages and a status. */
  private async guard(run: () => Promise<unknown>): Promise<void> {
    const mine = this.procSubs.length;
    try {
      await run();
    } catch (error) {
      const unset = error instanceof UnboundError || (error instanceof ExpandError && error.status === 127);
      if (!(unset || error instanceof ExpandError || error instanceof ArithError || error instanceof AssignError))
        throw error;
      await this.error(error instanceof Error ? error.message : '');
      this.status = error instanceof ExpandError && !error.fatal ? error.status : 1;
      if (this.interactive) throw new InterruptSignal();
      if (unset) throw new ExitSignal(this.origin === 'command' && this.depth === 0 ? 127 : 1);
      if (error instanceof ExpandError && !error.fatal) return;
      if (error instanceof AssignError && !/readonly/.test(error.message)) return;
      throw new DiscardSignal(1);
    } finally {
      closeProcessSubstitutions(this, mine);
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
}
