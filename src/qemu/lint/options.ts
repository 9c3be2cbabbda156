/** The words of a QEMU command line read option by option with the VMM's own parser; what it refuses is kept, and the rest goes on. */
import { QemuError } from '../system/error.ts';
import { applyOption, takesArgument } from '../system/options.ts';
import { newSettings, type Settings } from '../system/settings.ts';
import { type Span, shellWords, spanOf, type Word } from './words.ts';

/** One `key=value` of an option's argument. */
export interface Part extends Span {
  readonly key: string;
  readonly value: string;
}

export interface OptionUse extends Span {
  /** Without its dashes. */
  readonly name: string;
  readonly parts: readonly Part[];
}

export interface Refusal {
  readonly message: string;
  readonly span: Span;
}

export interface ParsedLine {
  readonly program: Word | null;
  readonly settings: Settings;
  readonly uses: readonly OptionUse[];
  /** The use that gave `settings.devices[n]` and `settings.objects[n]`. */
  readonly deviceUses: readonly OptionUse[];
  readonly objectUses: readonly OptionUse[];
  readonly refusals: readonly Refusal[];
}

export function parseLine(line: string): ParsedLine {
  const { words, open } = shellWords(line);
  const settings = newSettings();
  const uses: OptionUse[] = [];
  const deviceUses: OptionUse[] = [];
  const objectUses: OptionUse[] = [];
  const refusals: Refusal[] = [];
  if (open) refusals.push({ message: 'this quote is never closed', span: open });
  const first = words.findIndex((word) => word.text.startsWith('-') && word.text.length > 1);
  const program = (first < 0 ? words.at(-1) : words[first - 1]) ?? null;
  for (let n = first < 0 ? words.length : first; n < words.length; n++) {
    const word = words[n] as Word;
    const refuse = (message: string, span: Span) => refusals.push({ message, span });
    const argument = takesArgument(word.text) === true ? words[n + 1] : undefined;
    try {
      if (!word.text.startsWith('-') || word.text === '-')
        throw new QemuError('this lab models no disk images: a file name alone cannot be used');
      if (takesArgument(word.text) === true && !argument) throw new QemuError('requires an argument');
      const use = optionUse(word, argument);
      if (argument) n++;
      uses.push(use);
      const [devices, objects] = [settings.devices.length, settings.objects.length];
      applyOption(settings, word.text, argument?.text ?? '');
      if (settings.devices.length > devices) deviceUses.push(use);
      if (settings.objects.length > objects) objectUses.push(use);
    } catch (error) {
      if (!(error instanceof QemuError)) throw error;
      refuse(error.message, argument ? narrow(optionUse(word, argument), error.message) : spanOf(word));
    }
  }
  return { program, settings, uses, deviceUses, objectUses, refusals };
}

function optionUse(word: Word, argument: Word | undefined): OptionUse {
  return {
    name: word.text.replace(/^--?/, ''),
    parts: argument ? partsOf(argument) : [],
    start: word.start,
    end: argument?.end ?? word.end,
  };
}

/** splitCommas() of the option parser with places. */
function partsOf(word: Word): Part[] {
  const out: Part[] = [];
  const { text } = word;
  let from = 0;
  for (let at = 0; at <= text.length; at++) {
    if (at < text.length && text[at] !== ',') continue;
    if (at < text.length && text[at + 1] === ',') at++;
    else {
      const part = text.slice(from, at);
      const eq = part.indexOf('=');
      const [key, value] = eq < 0 ? [part, ''] : [part.slice(0, eq), part.slice(eq + 1).replaceAll(',,', ',')];
      out.push({ key, value, ...spanOf(word, from, at) });
      from = at + 1;
    }
  }
  return out;
}

/** The part of an option that a message names, or all of it. */
export function narrow(use: OptionUse, message: string): Span {
  const named = use.parts.findLast(
    (part) =>
      part.key !== '' &&
      (message.includes(`'${part.key}'`) ||
        message.includes(`.${part.key}'`) ||
        (part.value !== '' && message.includes(`'${part.value}'`))),
  );
  return named ?? use;
}

/** The last `key=` of the options of these names. */
export function lastPart(uses: readonly OptionUse[], names: readonly string[], key: string): Part | null {
  return (
    uses
      .filter((use) => names.includes(use.name))
      .flatMap((use) => use.parts)
      .findLast((part) => part.key === key) ?? null
  );
}
