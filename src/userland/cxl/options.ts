/** Command line of a subcommand as parse-options reads it: short letters with values, long names or their beginnings, positional words. */
export interface OptionSpec {
  readonly short: string;
  readonly long: string;
  readonly value: boolean;
  /** The value is a decimal number. */
  readonly number?: boolean;
  /** How usage names the value, and what the option is for. */
  readonly arg?: string;
  readonly help?: string;
}

export interface Parsed {
  /** Values by long name; a `+` for each time of a switch. */
  readonly options: ReadonlyMap<string, string>;
  readonly words: readonly string[];
  /** What was wrong, as the tool words it; null when all is well. */
  readonly error: string | null;
}

/** Options begin at 4, what they are for at 26, on a line of its own if need be. */
const COLUMN = 26;
function optionRow({ short, long, arg, help = '' }: OptionSpec): string {
  const row = `    ${short === '' ? '    ' : `-${short}, `}--${long}${arg === undefined ? '' : ` ${arg}`}`;
  return row.length <= COLUMN - 2 ? `${row.padEnd(COLUMN)}${help}\n` : `${row}\n${' '.repeat(COLUMN)}${help}\n`;
}

/** usage_with_options: the line, and the rows of all options. */
export function usageText(line: string, specs: readonly OptionSpec[]): string {
  return `\n usage: ${line}\n\n${specs.map(optionRow).join('')}\n`;
}

/** strtol in base 10, to the end. */
const INTEGER = /^[-+]?\d+$/;

/** A long option by name or by the only one it begins; two that it may be. */
function findLong(name: string, specs: readonly OptionSpec[]): OptionSpec | readonly OptionSpec[] | null {
  const exact = specs.find((one) => one.long === name);
  if (exact) return exact;
  const near = specs.filter((one) => one.long.startsWith(name));
  return near.length > 1 ? near.slice(-2) : (near[0] ?? null);
}

/** With `usage` (the command's line), what is wrong comes with usage as the tool shows it. */
export function parseOptions(args: readonly string[], specs: readonly OptionSpec[], usage?: string): Parsed {
  const options = new Map<string, string>();
  const words: string[] = [];
  const fail = (error: string, rows: readonly OptionSpec[] | null): Parsed => {
    const text =
      usage === undefined
        ? ''
        : rows === null
          ? usageText(usage, specs)
          : `\n usage: ${usage}\n\n${rows.map(optionRow).join('')}`;
    return { options, words, error: `${error === '' ? '' : `  Error: ${error}\n`}${text}` };
  };
  /** What is wrong with a value, or null once it is taken. */
  const take = (spec: OptionSpec, what: string, value: string | undefined): Parsed | null => {
    if (value === undefined) return fail(`${what} requires a value`, [spec]);
    if (spec.number && !INTEGER.test(value)) return fail(`${what} expects a numerical value`, [spec]);
    options.set(spec.long, value);
    return null;
  };
  const turnOn = (spec: OptionSpec): void => void options.set(spec.long, `${options.get(spec.long) ?? ''}+`);
  for (let n = 0; n < args.length; n++) {
    const arg = args[n] as string;
    if (arg === '--') {
      words.push(...args.slice(n + 1));
      break;
    }
    if (arg.startsWith('--')) {
      const cut = arg.indexOf('=');
      const name = cut < 0 ? arg.slice(2) : arg.slice(2, cut);
      const found = findLong(name, specs);
      if (found === null) {
        const negated = name.startsWith('no-') ? specs.find((one) => one.long === name.slice(3)) : undefined;
        if (!negated) return fail(`unknown option \`${name}'`, null);
        options.delete(negated.long);
        continue;
      }
      if (!('long' in found)) {
        const [one, other] = found.map(({ long }) => `--${long}`);
        return fail(`Ambiguous option: ${name} (could be ${one} or ${other})`, []);
      }
      const what = `option \`${found.long}'`;
      if (!found.value) {
        if (cut >= 0) return fail(`${what} takes no value`, [found]);
        turnOn(found);
        continue;
      }
      const wrong = take(found, what, cut < 0 ? args[++n] : arg.slice(cut + 1));
      if (wrong) return wrong;
      continue;
    }
    if (!arg.startsWith('-') || arg.length === 1) {
      words.push(arg);
      continue;
    }
    for (let at = 1; at < arg.length; at++) {
      const letter = arg[at] as string;
      const spec = specs.find((one) => one.short === letter);
      if (!spec) return letter === 'h' ? fail('', null) : fail(`unknown switch \`${letter}'`, null);
      if (!spec.value) {
        turnOn(spec);
        continue;
      }
      const wrong = take(spec, `switch \`${letter}'`, arg.slice(at + 1) || args[++n]);
      if (wrong) return wrong;
      break;
    }
  }
  return { options, words, error: null };
}

/** parse_size64: a number in C notation with K, M, G or T behind it; null when it is none. */
export function parseSize(text: string): bigint | null {
  const match = /^(0[xX][0-9a-fA-F]+|\d+)([kKmMgGtT]?)$/.exec(text.trim());
  if (!match) return null;
  const shift = { '': 0n, k: 10n, m: 20n, g: 30n, t: 40n }[(match[2] ?? '').toLowerCase()] ?? 0n;
  return BigInt(match[1] as string) << shift;
}
