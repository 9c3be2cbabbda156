/** Usage errors of the box's tools in their own words, before the box (which is laxer) is asked: options, values, operands. */

interface Spec {
  /** One-letter options without a value, and with one. */
  readonly flags: string;
  readonly valued: string;
  readonly long: readonly string[];
  /** Exit status of a usage error. */
  readonly status: number;
  /** Checks what is left after options: operands, the options given with their values. */
  readonly check?: (operands: readonly string[], options: ReadonlyMap<string, string>) => string | null;
}

const hint = (name: string, message: string): string =>
  `${name}: ${message}\nTry '${name} --help' for more information.\n`;

const SPECS: Readonly<Record<string, Spec>> = {
  tr: {
    flags: 'cCdst',
    valued: '',
    long: ['complement', 'delete', 'squeeze-repeats', 'truncate-set1'],
    status: 1,
    check: (operands, options) => {
      const remove = options.has('d') || options.has('delete');
      const squeeze = options.has('s') || options.has('squeeze-repeats');
      if (operands.length === 0) return hint('tr', 'missing operand');
      if (operands.length === 1 && !remove && !squeeze)
        return hint('tr', `missing operand after '${operands[0]}'\nTwo strings must be given when translating.`);
      if (operands.length === 1 && remove && squeeze)
        return hint(
          'tr',
          `missing operand after '${operands[0]}'\nTwo strings must be given when both deleting and squeezing repeats.`,
        );
      if (operands.length === 2 && remove && !squeeze)
        return hint(
          'tr',
          `extra operand '${operands[1]}'\nOnly one string may be given when deleting without squeezing repeats.`,
        );
      return operands.length > 2 ? hint('tr', `extra operand '${operands[2]}'`) : null;
    },
  },
  sed: {
    flags: 'nrEsuz',
    valued: 'efl',
    long: ['quiet', 'silent', 'expression', 'file', 'in-place', 'regexp-extended', 'separate', 'null-data', 'posix'],
    status: 1,
    check: (operands, options) =>
      operands.length === 0 && !['e', 'f', 'expression', 'file'].some((key) => options.has(key))
        ? 'Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n'
        : null,
  },
  awk: {
    flags: '',
    valued: 'Ffv',
    long: [],
    status: 2,
    check: (operands, options) =>
      operands.length === 0 && !options.has('f')
        ? 'usage: awk [-F fs][-v var=value][prog | -f progfile][file ...]\n'
        : null,
  },
  jq: {
    flags: 'sRnrjaSCMceh',
    valued: 'fL',
    long: [
      'slurp',
      'raw-input',
      'null-input',
      'raw-output',
      'join-output',
      'ascii-output',
      'sort-keys',
      'color-output',
      'monochrome-output',
      'compact-output',
      'exit-status',
      'tab',
      'indent',
      'arg',
      'argjson',
      'slurpfile',
      'rawfile',
      'args',
      'jsonargs',
      'from-file',
      'seq',
      'stream',
    ],
    status: 2,
    check: (operands, options) =>
      operands.length === 0 && !options.has('f') && !options.has('from-file')
        ? 'Usage:\tjq [OPTIONS] FILTER [FILES...]\n\tjq [OPTIONS] -n FILTER\nFor listing the command options, use jq --help.\n'
        : null,
  },
};

/** What a tool says of these arguments instead of running, or null when they are fine. */
export function usageError(
  name: string,
  args: readonly string[],
): { readonly text: string; readonly status: number } | null {
  const spec = SPECS[name];
  if (!spec || args.includes('--help') || args.includes('--version')) return null;
  const options = new Map<string, string>();
  const operands: string[] = [];
  const wrong = (text: string) => ({ text, status: spec.status });
  for (let n = 0; n < args.length; n++) {
    const arg = args[n] ?? '';
    if (arg === '--') {
      operands.push(...args.slice(n + 1));
      break;
    }
    if (arg.startsWith('--')) {
      const key = arg.slice(2).split('=')[0] ?? '';
      const known = spec.long.find((option) => option === key) ?? spec.long.find((option) => option.startsWith(key));
      if (known === undefined)
        return wrong(
          name === 'jq'
            ? `jq: Unknown option: ${arg}\nUse jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://jqlang.github.io/jq\n`
            : hint(name, `unrecognized option '${arg}'`),
        );
      options.set(known, arg.includes('=') ? arg.slice(arg.indexOf('=') + 1) : '');
      if (/^(arg|argjson|slurpfile|rawfile)$/.test(known)) n += 2;
      else if (/^(indent|from-file)$/.test(known)) n++;
      continue;
    }
    if (!arg.startsWith('-') || arg === '-') {
      operands.push(arg);
      // awk and sed stop looking for options of their own behind the program text only when POSIX; the box takes them.
      continue;
    }
    for (let at = 1; at < arg.length; at++) {
      const letter = arg[at] ?? '';
      if (name === 'sed' && letter === 'i') break;
      if (spec.valued.includes(letter)) {
        const value = arg.slice(at + 1) || args[++n];
        if (value === undefined) return wrong(hint(name, `option requires an argument -- '${letter}'`));
        options.set(letter, value);
        break;
      }
      if (!spec.flags.includes(letter))
        return wrong(
          name === 'jq'
            ? `jq: Unknown option: ${arg}\nUse jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://jqlang.github.io/jq\n`
            : name === 'awk'
              ? `awk: unknown option ${arg} ignored\n`
              : hint(name, `invalid option -- '${letter}'`),
        );
      options.set(letter, '');
    }
  }
  const text = spec.check?.(operands, options) ?? null;
  return text === null ? null : { text, status: spec.status };
}
