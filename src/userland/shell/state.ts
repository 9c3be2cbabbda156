/** What a shell knows: variables, options, functions, traps, positions in the source; and how it speaks of errors. */
import type { Sys } from '../../linux/uapi/sys.ts';
import { complain } from '../misc/io.ts';
import { evaluateArith } from './arith.ts';
import { Jobs } from './jobs.ts';
import { type Function as FunctionNode, Source } from './parse.ts';
import { Vars } from './vars.ts';

export interface FunctionDef {
  readonly name: string;
  readonly body: FunctionNode['body'];
  readonly source: Source;
  /** Where the definition stands. */
  readonly line: number;
  readonly text: string;
}
export interface Frame {
  readonly name: string;
  readonly source: string;
  /** Line of the call. */
  readonly callLine: number;
}

/** Options of `set -o`, with their letters. */
export const SET_OPTIONS: readonly (readonly [string, string])[] = [
  ['allexport', 'a'],
  ['braceexpand', 'B'],
  ['emacs', ''],
  ['errexit', 'e'],
  ['errtrace', 'E'],
  ['functrace', 'T'],
  ['hashall', 'h'],
  ['histexpand', 'H'],
  ['history', ''],
  ['ignoreeof', ''],
  ['interactive-comments', ''],
  ['keyword', 'k'],
  ['monitor', 'm'],
  ['noclobber', 'C'],
  ['noexec', 'n'],
  ['noglob', 'f'],
  ['nolog', ''],
  ['notify', 'b'],
  ['nounset', 'u'],
  ['onecmd', 't'],
  ['physical', 'P'],
  ['pipefail', ''],
  ['posix', ''],
  ['privileged', 'p'],
  ['verbose', 'v'],
  ['vi', ''],
  ['xtrace', 'x'],
];
export const SHOPT_OPTIONS = [
  'autocd',
  'checkwinsize',
  'cmdhist',
  'dotglob',
  'expand_aliases',
  'extglob',
  'failglob',
  'globstar',
  'histappend',
  'inherit_errexit',
  'lastpipe',
  'login_shell',
  'nocaseglob',
  'nocasematch',
  'nullglob',
  'progcomp',
  'promptvars',
  'sourcepath',
  'xpg_echo',
] as const;

export class ShellState {
  vars = new Vars();
  positional: string[] = [];
  functions = new Map<string, FunctionDef>();
  aliases = new Map<string, string>();
  options = new Set<string>(['braceexpand', 'hashall', 'interactive-comments']);
  shopts = new Set<string>(['checkwinsize', 'cmdhist', 'promptvars', 'sourcepath', 'progcomp']);
  /** Trap text by signal name (`EXIT`, `ERR`, `INT` …); '' ignores. */
  traps = new Map<string, string>();
  jobs = new Jobs();
  history: string[] = [];
  hashed = new Map<string, string>();
  dirs: string[] = [];
  frames: Frame[] = [];
  pipestatus: number[] = [0];
  status = 0;
  lastBackground = 0;
  lastArg = '';
  line = 1;
  commandText = '';
  source: Source;
  interactive = false;
  /** Subshell depth. */
  depth = 0;
  /** Levels of eval, sourcing, traps and substitutions: how often `set -x` writes its `+`. */
  indirection = 0;
  /** Last line of the command that runs: where the text of `eval` counts from. */
  endLine = 1;
  /** Grows when an alias changes: what follows is read anew. */
  aliasStamp = 0;
  /** The script file whose main program runs, if one does. */
  scriptFile: string | null = null;
  loops = 0;
  optind = 1;
  optchar = 0;
  private seed: number;
  readonly shellPid: number;
  /** When SECONDS was 0. */
  startNs: number;
  pendingSignals: number[] = [];

  constructor(
    public sys: Sys,
    /** argv[0] or script name: what `$0` and messages say. */
    public name: string,
    /** Where the commands come from: decides the shape of messages. */
    public origin: 'interactive' | 'command' | 'script',
  ) {
    this.source = new Source('', name);
    this.shellPid = sys.pid;
    this.seed = sys.pid;
    this.startNs = sys.clockGettime('monotonic');
    this.bind();
  }

  protected bind(): void {
    this.vars.evaluate = (text) => this.arith(text);
    this.vars.assigned = (name, value) => {
      const number = /^\s*-?\d+\s*$/.test(value) ? Number(value) : 0;
      if (name === 'SECONDS') this.startNs = this.sys.clockGettime('monotonic') - number * 1e9;
      else if (name === 'RANDOM') this.seed = number >>> 0;
    };
  }

  /** Copies everything a subshell inherits. */
  protected copyTo(other: ShellState): void {
    other.vars = this.vars.clone();
    other.positional = [...this.positional];
    other.functions = new Map(this.functions);
    other.aliases = new Map(this.aliases);
    other.options = new Set(this.options);
    other.shopts = new Set(this.shopts);
    other.hashed = new Map(this.hashed);
    other.dirs = [...this.dirs];
    other.frames = [...this.frames];
    other.pipestatus = [...this.pipestatus];
    other.status = this.status;
    other.lastBackground = this.lastBackground;
    other.lastArg = this.lastArg;
    other.line = this.line;
    other.source = this.source;
    other.depth = this.depth + 1;
    other.indirection = this.indirection;
    other.startNs = this.startNs;
    other.endLine = this.endLine;
    other.scriptFile = this.scriptFile;
    other.loops = this.loops;
    other.history = this.history;
    for (const [name, text] of this.traps) if (text === '') other.traps.set(name, text);
    const inherit = (name: string, option: string): void => {
      const text = this.traps.get(name);
      if (text !== undefined && this.options.has(option)) other.traps.set(name, text);
    };
    inherit('ERR', 'errtrace');
    inherit('DEBUG', 'functrace');
    inherit('RETURN', 'functrace');
    other.bind();
  }

  arith(text: string): bigint {
    const key = (name: string, sub: string | undefined): string | undefined => {
      if (sub === undefined) return undefined;
      return this.vars.find(name)?.assoc ? sub.replace(/^["'](.*)["']$/s, '$1') : sub;
    };
    return evaluateArith(text, {
      get: (name, sub) => {
        if (sub === undefined) {
          const value = this.param(name);
          if (value === undefined && this.options.has('nounset')) throw new UnboundError(name);
          return value;
        }
        const list = this.vars.find(name) ? null : this.list(name);
        if (list) return list.values[Number(this.arith(sub))];
        return this.vars.get(name, key(name, sub));
      },
      set: (name, value, sub) => this.vars.set(name, value, key(name, sub)),
    });
  }

  random(): number {
    // the "minimal standard" generator, its halves folded, as bash 5.1 and later
    const last = this.seed === 0 ? 123459876 : this.seed;
    const high = Math.trunc(last / 127773);
    const next = 16807 * (last - 127773 * high) - 2836 * high;
    this.seed = next < 0 ? next + 0x7fffffff : next;
    return ((this.seed >>> 16) ^ (this.seed & 0xffff)) & 0x7fff;
  }

  param(name: string): string | undefined {
    if (/^\d+$/.test(name)) return name === '0' ? this.name : this.positional[Number(name) - 1];
    switch (name) {
      case '?':
        return String(this.status);
      case '$':
        return String(this.shellPid);
      case '!':
        return this.lastBackground ? String(this.lastBackground) : undefined;
      case '#':
        return String(this.positional.length);
      case '@':
      case '*':
        return this.positional.join(' ');
      case '-':
        return this.flags();
      case '_':
        return this.lastArg;
      case 'LINENO':
        return String(this.line);
      case 'BASHPID':
        return String(this.sys.pid);
      case 'PPID':
        return String(this.sys.getppid());
      case 'UID':
      case 'EUID':
        return String(this.sys.getuid());
      case 'RANDOM':
        return String(this.random());
      case 'SECONDS':
        return String(Math.floor((this.sys.clockGettime('monotonic') - this.startNs) / 1e9));
      case 'EPOCHSECONDS':
        return String(Math.floor(this.sys.clockGettime('realtime') / 1e9));
      case 'EPOCHREALTIME': {
        const us = Math.floor(this.sys.clockGettime('realtime') / 1e3);
        return `${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}`;
      }
      case 'HOSTNAME':
        return this.vars.get(name) ?? this.sys.uname().nodename;
      case 'BASH_SUBSHELL':
        return String(this.depth);
      case 'BASH_COMMAND':
        return this.commandText;
      case 'BASH_VERSION':
        return '5.2.37(1)-cxlab';
      case 'OSTYPE':
        return 'linux-gnu';
      case 'MACHTYPE':
        return 'x86_64-pc-linux-gnu';
      case 'HOSTTYPE':
        return 'x86_64';
      case 'SHELLOPTS':
        return [...this.options].sort().join(':');
    }
    if (this.vars.find(name)) return this.vars.get(name);
    return this.list(name)?.values[0];
  }

  list(name: string): { keys: string[]; values: string[] } | null {
    const of = (values: string[]) => ({ keys: values.map((_, i) => String(i)), values });
    switch (name) {
      case 'FUNCNAME':
        return of(this.callers((f) => f.name, this.frames.length > 0 ? 'main' : null));
      case 'BASH_SOURCE':
        return of(this.callers((f) => f.source, this.scriptFile));
      case 'BASH_LINENO':
        return of(this.callers((f) => String(f.callLine), '0'));
      case 'PIPESTATUS':
        return of(this.pipestatus.map(String));
      case 'DIRSTACK':
        return of([this.sys.getcwd(), ...this.dirs]);
      case 'BASH_VERSINFO':
        return of(['5', '2', '37', '1', 'cxlab', 'x86_64-pc-linux-gnu']);
      case 'GROUPS':
        return of(['0']);
    }
    if (!this.vars.find(name)) return null;
    return { keys: this.vars.keys(name), values: this.vars.values(name) };
  }

  /** One entry a call, the innermost first; the main program of a script file is the last. */
  callers(of: (frame: Frame) => string, main: string | null): string[] {
    const inner = this.frames.map(of).reverse();
    return this.scriptFile !== null && main !== null ? [...inner, main] : inner;
  }

  flags(): string {
    let out = '';
    for (const letter of 'aebfhikmnptuvxBCEHPT') {
      const name = SET_OPTIONS.find(([, l]) => l === letter)?.[0];
      if (letter === 'i' ? this.interactive : name !== undefined && this.options.has(name)) out += letter;
    }
    if (this.origin === 'command') out += 'c';
    if (this.interactive) out += 's';
    return out;
  }

  isSet(name: string): boolean {
    const m = /^([A-Za-z_]\w*)\[(.*)\]$/s.exec(name);
    if (m) {
      const [, base = '', index = ''] = m;
      if (index === '@' || index === '*') return (this.list(base)?.values.length ?? 0) > 0;
      return this.vars.get(base, index) !== undefined;
    }
    return this.param(name) !== undefined;
  }
  optionSet(name: string): boolean {
    return this.options.has(name);
  }
  isNameref(name: string): boolean {
    return this.vars.raw(name)?.nameref === true;
  }

  home(user: string): string | undefined {
    if (user === '') return this.vars.get('HOME') ?? '/root';
    return user === 'root' ? '/root' : undefined;
  }

  /** `bash: ` at a prompt, `bash: line 3: ` for -c, `script.sh: line 3: ` in scripts. */
  prefix(): string {
    if (this.origin === 'interactive') return `${this.name.replace(/^-/, '')}: `;
    // A sourced file's commands are told by its name.
    const name = this.source.name === 'environment' || this.source.name === 'main' ? this.name : this.source.name;
    return `${name}: line ${this.line}: `;
  }
  async error(message: string): Promise<void> {
    await complain(this.sys, this.prefix() + message);
  }
}

/** `set -u` inside arithmetic. */
export class UnboundError extends Error {
  constructor(name: string) {
    super(`${name}: unbound variable`);
  }
}
