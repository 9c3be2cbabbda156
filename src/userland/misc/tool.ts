/** A program with an option table: one table gives getopt_long parsing, `--help` and Tab completion. */
import type { Program, Sys } from '../../linux/uapi/sys.ts';
import { complain, Out, strerror } from './io.ts';

/** `['-n, --lines=NUM', 'what it does']`; `=ARG` or ` ARG` takes a value, `[=ARG]` an optional one. */
export type OptionRow = readonly [spec: string, help: string];

export interface ToolSpec {
  readonly name: string;
  /** What follows the name on the usage line. */
  readonly usage: string;
  readonly about: string;
  readonly options: readonly OptionRow[];
  /** Exit status of a usage error (1; ls, grep, diff use 2). */
  readonly misuse?: number;
  /** Stop option parsing at the first operand (env, timeout, nice). */
  readonly posix?: boolean;
  /** Accept `-5` as a count option with this key (head, tail). */
  readonly digits?: string;
  readonly version?: string;
  /** Most operands it takes; one more is an error. */
  readonly operands?: number;
}

/** What a program body works with: its options, operands and output. */
export class Tool {
  readonly out: Out;
  status = 0;

  constructor(
    readonly sys: Sys,
    readonly name: string,
    readonly options: ReadonlyMap<string, string>,
    /** Every option as it came, in order (find the last of -E -F …). */
    readonly order: readonly (readonly [string, string])[],
    readonly args: readonly string[],
    readonly env: Readonly<Record<string, string>>,
  ) {
    this.out = new Out(sys);
  }

  has(key: string): boolean {
    return this.options.has(key);
  }
  get(key: string): string | undefined {
    return this.options.get(key);
  }
  /** Says `name: message` on stderr and makes the status 1 (or `status`). */
  async fail(message: string, status = 1): Promise<void> {
    await this.out.flush();
    await complain(this.sys, `${this.name}: ${message}`);
    if (this.status < status) this.status = status;
  }
  /** `name: what: errno text`. */
  failErrno(what: string, errno: number, status = 1): Promise<void> {
    return this.fail(`${what}: ${strerror(errno)}`, status);
  }
}

interface Parsed {
  readonly key: string;
  readonly arg: 'none' | 'required' | 'optional';
}

/** Completion data of every defined tool: name → its options as words. */
export const TOOL_OPTIONS = new Map<string, readonly string[]>();

function table(options: readonly OptionRow[]): { short: Map<string, Parsed>; long: Map<string, Parsed> } {
  const short = new Map<string, Parsed>();
  const long = new Map<string, Parsed>();
  for (const [spec] of options) {
    const forms = spec.split(', ');
    const arg = /\[=/.test(spec) ? 'optional' : /[= ]\S*$/.test(forms.at(-1) ?? '') ? 'required' : 'none';
    const words = forms.map((f) => f.replace(/[[= ].*$/, ''));
    const key = (words[0] ?? '').replace(/^--?/, '');
    for (const word of words) {
      if (word.startsWith('--')) long.set(word.slice(2), { key, arg });
      else short.set(word.slice(1), { key, arg });
    }
  }
  return { short, long };
}

/** Makes a program out of an option table and a body. */
export function defineTool(spec: ToolSpec, body: (tool: Tool) => Promise<number>): Program {
  const { short, long } = table(spec.options);
  TOOL_OPTIONS.set(spec.name, [...long.keys()].map((k) => `--${k}`).concat([...short.keys()].map((k) => `-${k}`)));
  return async (sys, argv, env) => {
    const options = new Map<string, string>();
    const order: [string, string][] = [];
    const args: string[] = [];
    const misuse = async (message: string): Promise<number> => {
      await complain(sys, `${spec.name}: ${message}\nTry '${spec.name} --help' for more information.`);
      return spec.misuse ?? 1;
    };
    const set = (key: string, value: string) => {
      options.set(key, value);
      order.push([key, value]);
    };
    for (let i = 1; i < argv.length; i++) {
      const word = argv[i] ?? '';
      if (word === '--') {
        args.push(...argv.slice(i + 1));
        break;
      }
      if (word.startsWith('--')) {
        const eq = word.indexOf('=');
        const name = eq < 0 ? word.slice(2) : word.slice(2, eq);
        let option = long.get(name);
        if (!option) {
          const near = [...long.keys()].filter((k) => k.startsWith(name));
          if (near.length === 1) option = long.get(near[0] ?? '');
          else if (near.length > 1 && name !== 'help' && name !== 'version')
            return misuse(`option '--${name}' is ambiguous; possibilities: ${near.map((n) => `'--${n}'`).join(' ')}`);
        }
        if (!option && name === 'help') {
          const out = new Out(sys);
          out.put(help(spec));
          await out.flush();
          return 0;
        }
        if (!option && name === 'version') {
          const out = new Out(sys);
          out.put(`${spec.name} (cxlab) ${spec.version ?? '1.0'}\n`);
          await out.flush();
          return 0;
        }
        if (!option) return misuse(`unrecognized option '${word}'`);
        if (option.arg === 'none' && eq >= 0) return misuse(`option '--${name}' doesn't allow an argument`);
        if (option.arg === 'required' && eq < 0) {
          const value = argv[++i];
          if (value === undefined) return misuse(`option '--${name}' requires an argument`);
          set(option.key, value);
        } else set(option.key, eq < 0 ? '' : word.slice(eq + 1));
        continue;
      }
      if (word.length > 1 && word.startsWith('-')) {
        if (spec.digits && /^-\d+$/.test(word)) {
          set(spec.digits, word.slice(1));
          continue;
        }
        const whole = short.get(word.slice(1));
        if (whole && word.length > 2 && whole.arg === 'none') {
          set(whole.key, '');
          continue;
        }
        let bad: string | null = null;
        for (let j = 1; j < word.length; j++) {
          const letter = word[j] ?? '';
          const option = short.get(letter);
          if (!option) {
            bad = `invalid option -- '${letter}'`;
            break;
          }
          if (option.arg === 'none') set(option.key, '');
          else if (option.arg === 'optional') {
            set(option.key, word.slice(j + 1));
            break;
          } else {
            const rest = word.slice(j + 1);
            const value = rest !== '' ? rest : argv[++i];
            if (value === undefined) bad = `option requires an argument -- '${letter}'`;
            else set(option.key, value);
            break;
          }
        }
        if (bad) return misuse(bad);
        continue;
      }
      args.push(word);
      if (spec.posix) {
        args.push(...argv.slice(i + 1));
        break;
      }
    }
    if (spec.operands !== undefined && args.length > spec.operands)
      return misuse(`extra operand '${args[spec.operands]}'`);
    const tool = new Tool(sys, spec.name, options, order, args, env);
    const status = await body(tool);
    const error = await tool.out.flush();
    if (error < 0) {
      await complain(sys, `${spec.name}: write error: ${strerror(error)}`);
      return status || 1;
    }
    return status || tool.status;
  };
}

function help(spec: ToolSpec): string {
  const width = Math.max(0, ...spec.options.map(([s]) => s.length + (s.startsWith('--') ? 4 : 0))) + 2;
  const rows = spec.options.map(([s, h]) => `  ${(s.startsWith('--') ? `    ${s}` : s).padEnd(width)}${h}\n`);
  return `Usage: ${spec.name} ${spec.usage}\n${spec.about}\n${rows.length ? `\n${rows.join('')}` : ''}`;
}

/** Says the operand is missing the way coreutils do; gives the status. */
export async function missingOperand(tool: Tool, after?: string): Promise<number> {
  await tool.fail(
    `missing ${after === undefined ? 'operand' : `operand after '${after}'`}\nTry '${tool.name} --help' for more information.`,
  );
  return 1;
}
