import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { UserError } from '../base/assert.ts';

export interface Options {
  readonly flags: Readonly<Record<string, boolean>>;
  readonly values: Readonly<Record<string, string>>;
  readonly rest: readonly string[];
}

/** Parses options of one command. @throws UserError for an option it does not have or a missing value */
export function options(args: readonly string[], flags: readonly string[], values: readonly string[]): Options {
  const config = Object.fromEntries([
    ...flags.map((name) => [name, { type: 'boolean' as const }]),
    ...[...values, 'seed'].map((name) => [name, { type: 'string' as const }]),
  ]);
  const known = [...flags, ...values, 'seed'].map((name) => `--${name}`).join(', ');
  try {
    const parsed = parseArgs({ args: [...args], options: config, allowPositionals: true, strict: true });
    const flagsOut: Record<string, boolean> = {};
    const valuesOut: Record<string, string> = {};
    for (const [name, value] of Object.entries(parsed.values)) {
      if (typeof value === 'string') valuesOut[name] = value;
      else if (value === true) flagsOut[name] = true;
    }
    return { flags: flagsOut, values: valuesOut, rest: parsed.positionals };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const what = /'(-[^' ]+)/.exec(error.message)?.[1] ?? '';
    const missing = /argument missing/.test(error.message);
    throw new UserError(
      missing ? `option ${what} needs a value` : `unknown option "${what}"; the options here are ${known}`,
    );
  }
}

/** The seed option as a number. */
export function seedOf(options: Options): number {
  const text = options.values.seed ?? '1';
  if (!/^\d{1,9}$/.test(text)) throw new UserError(`--seed wants a number from 0 to 999999999, not "${text}"`);
  return Number(text);
}

/** Reads a text file the user named. */
export function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`cannot read ${what} "${path}": ${reason(error)}`);
  }
}

/** Text of a file-system error without its stack. */
export function reason(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) throw error;
  switch (error.code) {
    case 'ENOENT':
      return 'no such file or directory';
    case 'EISDIR':
      return 'it is a directory';
    case 'EACCES':
      return 'permission denied';
    case 'EEXIST':
      return 'there is a file of that name';
    case 'ENOTDIR':
      return 'a part of the path is not a directory';
    default:
      return String(error.code);
  }
}
