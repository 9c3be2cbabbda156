/** Command line of a subcommand as parse-options reads it: short letters with values, long names, positional words. */
export interface OptionSpec {
  readonly short: string;
  readonly long: string;
  readonly value: boolean;
}

export interface Parsed {
  /** Values by long name; '' for a switch. */
  readonly options: ReadonlyMap<string, string>;
  readonly words: readonly string[];
  /** What was wrong, as the tool words it; null when all is well. */
  readonly error: string | null;
}

export function parseOptions(args: readonly string[], specs: readonly OptionSpec[]): Parsed {
  const options = new Map<string, string>();
  const words: string[] = [];
  const fail = (error: string): Parsed => ({ options, words, error });
  for (let n = 0; n < args.length; n++) {
    const arg = args[n] as string;
    if (arg === '--') {
      words.push(...args.slice(n + 1));
      break;
    }
    if (arg.startsWith('--')) {
      const cut = arg.indexOf('=');
      const name = cut < 0 ? arg.slice(2) : arg.slice(2, cut);
      const spec = specs.find((one) => one.long === name);
      if (!spec) return fail(`  Error: unknown option \`${name}'\n`);
      if (!spec.value) options.set(spec.long, '');
      else {
        const value = cut < 0 ? args[++n] : arg.slice(cut + 1);
        if (value === undefined) return fail(`  Error: option \`${name}' requires a value\n`);
        options.set(spec.long, value);
      }
      continue;
    }
    if (!arg.startsWith('-') || arg.length === 1) {
      words.push(arg);
      continue;
    }
    for (let at = 1; at < arg.length; at++) {
      const letter = arg[at] as string;
      const spec = specs.find((one) => one.short === letter);
      if (!spec) return fail(`  Error: unknown switch \`${letter}'\n`);
      if (!spec.value) {
        options.set(spec.long, '');
        continue;
      }
      const value = arg.slice(at + 1) || args[++n];
      if (value === undefined) return fail(`  Error: switch \`${letter}' requires a value\n`);
      options.set(spec.long, value);
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
