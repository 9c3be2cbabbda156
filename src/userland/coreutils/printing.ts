/** echo, printf, test and seq as programs. */
import type { Program } from '../../linux/uapi/sys.ts';
import { complain, encode, strerror, writeAll } from '../misc/io.ts';
import { strftime } from '../misc/time.ts';
import { defineTool, missingOperand } from '../misc/tool.ts';
import { echoText } from '../shell/builtins/print.ts';
import { printf as format, formatFloat } from '../shell/printf.ts';
import { evaluateTest, TestError } from '../shell/test.ts';
import { backslashQuote } from '../shell/vars.ts';

export const seq = defineTool(
  {
    name: 'seq',
    usage: '[OPTION]... [FIRST [INCREMENT]] LAST',
    about: 'Writes numbers.',
    posix: true,
    options: [
      ['-f, --format=FORMAT', 'printf format of a floating number'],
      ['-s, --separator=TEXT', 'between numbers (newline)'],
      ['-w, --equal-width', 'pad with zeros'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) return missingOperand(t);
    if (t.args.length > 3) {
      await t.fail(`extra operand '${t.args[3]}'\nTry 'seq --help' for more information.`);
      return 1;
    }
    for (const a of t.args)
      if (!/^[-+]?(\d+\.?\d*|\.\d+|0[xX][\da-fA-F]+)(e[-+]?\d+)?$/.test(a)) {
        await t.fail(`invalid floating point argument: '${a}'\nTry 'seq --help' for more information.`);
        return 1;
      }
    const texts =
      t.args.length === 1
        ? ['1', '1', t.args[0] ?? '']
        : t.args.length === 2
          ? [t.args[0] ?? '', '1', t.args[1] ?? '']
          : [...t.args];
    const [first = 0, step = 1, last = 0] = texts.map(Number);
    if (step === 0) {
      await t.fail(`invalid Zero increment value: '${texts[1]}'\nTry 'seq --help' for more information.`);
      return 1;
    }
    const places = Math.max(...texts.slice(0, 2).map((x) => (/\.(\d*)/.exec(x)?.[1] ?? '').length));
    const width = t.has('w') ? Math.max(first.toFixed(places).length, last.toFixed(places).length) : 0;
    const separator = t.get('s') ?? '\n';
    let any = false;
    for (let i = 0; ; i++) {
      const v = first + i * step;
      if (step > 0 ? v > last : v < last) break;
      const f = t.get('f');
      let text =
        f === undefined
          ? v.toFixed(places)
          : f.replace(
              /%([-+ 0#]*)(\d*)(?:\.(\d+))?([efg])/,
              (_, flags: string, w: string, p: string | undefined, c: string) =>
                formatFloat(v, c, p === undefined ? 6 : Number(p), flags).padStart(
                  Number(w || 0),
                  flags.includes('0') ? '0' : ' ',
                ),
            );
      if (width) text = text.startsWith('-') ? `-${text.slice(1).padStart(width - 1, '0')}` : text.padStart(width, '0');
      t.out.put((any ? separator : '') + text);
      any = true;
      await t.out.step();
      if (t.out.error) return 1;
    }
    if (any) t.out.put('\n');
    return 0;
  },
);

/** A program that writes one computed text. */
async function print(sys: Parameters<Program>[0], name: string, text: string): Promise<number> {
  const r = text === '' ? 0 : await writeAll(sys, 1, encode(text));
  if (r === 0) return 0;
  await complain(sys, `${name}: write error: ${strerror(r)}`);
  return 1;
}

export const echo: Program = (sys, argv) => print(sys, 'echo', echoText(argv.slice(1)));

export const printf: Program = async (sys, argv) => {
  if (argv[1] === undefined) {
    await complain(sys, "printf: missing operand\nTry 'printf --help' for more information.");
    return 1;
  }
  const r = format(argv[1], argv.slice(2), backslashQuote, (f, s) =>
    strftime(f, s < 0n ? sys.clockGettime('realtime') : Number(s) * 1e9),
  );
  for (const e of r.errors) await complain(sys, `printf: ${e}`);
  return (await print(sys, 'printf', r.text)) || (r.errors.length ? 1 : 0);
};

export const test: Program = async (sys, argv) => {
  let args = argv.slice(1);
  if (argv[0]?.endsWith('[')) {
    if (args.at(-1) !== ']') {
      await complain(sys, "[: missing ']'");
      return 2;
    }
    args = args.slice(0, -1);
  }
  try {
    return (await evaluateTest({ sys, isSet: () => false, optionSet: () => false, isNameref: () => false }, args))
      ? 0
      : 1;
  } catch (error) {
    if (!(error instanceof TestError)) throw error;
    await complain(sys, `${argv[0]}: ${error.message}`);
    return 2;
  }
};
