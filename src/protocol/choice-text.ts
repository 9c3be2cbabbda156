/**
 * A choice as the text a link carries: only what differs from the whole series, `series=v3;decoders=4` or
 * `without=4,12;qemu=posted;l1=vfio-cxl-dword-only:intended`; empty for the RFC as posted. Wrong text gives one sentence.
 */
import {
  BARS,
  type BuildChoice,
  choiceFault,
  configFault,
  DECODERS,
  DEVICES,
  DRIVERS,
  MEMORIES,
  PARTS,
  PATCH_COUNT,
  type Part,
  POSTED_SERIES,
  QEMUS,
  quirksOf,
  SERIES,
  type Setting,
  VFIO_DRIVERS,
  wholeSeries,
} from './build-choice.ts';

type Change = Partial<BuildChoice>;

interface Field {
  readonly name: string;
  /** The word for it; null when it is as in the whole series. */
  readonly write: (choice: BuildChoice, whole: BuildChoice) => string | null;
  /** What the word asks for, or a sentence about what is wrong with it. */
  readonly read: (word: string, choice: BuildChoice) => Change | string;
}

function oneOf<K extends 'series' | 'device' | 'decoders' | 'memory' | 'bar' | 'bind' | 'qemu' | 'driver'>(
  name: K,
  what: string,
  words: readonly BuildChoice[K][],
  change: (word: BuildChoice[K]) => Change,
): Field {
  return {
    name,
    write: (choice, whole) => (choice[name] === whole[name] ? null : choice[name]),
    read: (word) => {
      const found = words.find((one) => one === word);
      return found === undefined ? `This link wants ${what} “${word}”; there are ${words.join(', ')}.` : change(found);
    },
  };
}

function flag<K extends 'reset' | 'committed' | 'hypervisor' | 'failIoremap' | 'released'>(
  key: K,
  name: string,
  change: (on: boolean) => Change,
): Field {
  return {
    name,
    write: (choice, whole) => (choice[key] === whole[key] ? null : choice[key] ? '1' : '0'),
    read: (word) =>
      word === '1' || word === '0' ? change(word === '1') : `This link sets ${name}=${word}; it is 1 or 0.`,
  };
}

function patches<K extends 'without' | 'soft'>(
  key: K,
  does: string,
  change: (numbers: readonly number[]) => Change,
): Field {
  return {
    name: key,
    write: (choice) => (choice[key].length === 0 ? null : choice[key].join(',')),
    read: (word) => {
      const numbers = listOf(word).map((one) => (/^\d+$/.test(one) ? Number(one) : 0));
      if (numbers.some((one) => one < 1 || one > PATCH_COUNT))
        return `This link ${does} patch “${word}”; patches are 1 to ${PATCH_COUNT}.`;
      return change([...new Set(numbers)].sort((a, b) => a - b));
    },
  };
}

function options<K extends 'config' | 'configL2'>(
  key: K,
  name: string,
  machine: 'l1' | 'l2',
  change: (words: readonly string[]) => Change,
): Field {
  return {
    name,
    write: (choice) => (choice[key].length === 0 ? null : choice[key].join(',')),
    read: (word, { series }) => {
      const words = listOf(word).map((one) => one.replace(/^CONFIG_/, ''));
      const fault = words.map((one) => configFault(one, machine, series)).find((one) => one !== null);
      return fault === undefined || fault === null ? change(words) : `This link sets an option: ${fault}`;
    },
  };
}

/** Defects of a part: `l1=id:posted,id:intended`. */
function defects(part: Part): Field {
  return {
    name: part,
    write: ({ quirks }) => {
      const set = Object.entries(quirks[part]);
      return set.length === 0 ? null : set.map(([id, how]) => `${id}:${how}`).join(',');
    },
    read: (word, choice) => {
      const known = quirksOf(part, choice.qemu);
      const set: Record<string, Setting> = {};
      for (const one of listOf(word)) {
        const [id = '', how] = one.split(':');
        if (!Object.hasOwn(known, id))
          return `This link sets “${id}” for ${NAMES[part]}; the museum lists the defects it can have.`;
        if (how !== 'posted' && how !== 'intended')
          return `This link sets “${one}”; a defect is ${id}:posted or ${id}:intended.`;
        set[id] = how;
      }
      return { quirks: { ...choice.quirks, [part]: set } };
    },
  };
}

const NAMES: Readonly<Record<Part, string>> = { l1: 'L1’s kernel', l2: 'L2’s kernel', qemu: 'L1’s QEMU' };

const listOf = (word: string): readonly string[] => word.split(',').filter((one) => one !== '');

/** The part `qemu` of the defects is written `stub`: `qemu` is the variant. */
const FIELDS: readonly Field[] = [
  oneOf('series', 'series', SERIES, (series) => ({ series })),
  patches('without', 'leaves out', (without) => ({ without })),
  patches('soft', 'gives a stand-in to', (soft) => ({ soft })),
  options('config', 'config', 'l1', (config) => ({ config })),
  options('configL2', 'config-l2', 'l2', (configL2) => ({ configL2 })),
  oneOf('device', 'device', DEVICES, (device) => ({ device })),
  flag('reset', 'reset', (reset) => ({ reset })),
  oneOf('decoders', 'decoders', DECODERS, (decoders) => ({ decoders })),
  flag('committed', 'committed', (committed) => ({ committed })),
  oneOf('memory', 'memory', MEMORIES, (memory) => ({ memory })),
  oneOf('bar', 'BAR', BARS, (bar) => ({ bar })),
  flag('hypervisor', 'hypervisor', (hypervisor) => ({ hypervisor })),
  flag('failIoremap', 'fail-ioremap', (failIoremap) => ({ failIoremap })),
  oneOf('bind', 'VFIO driver', VFIO_DRIVERS, (bind) => ({ bind })),
  oneOf('qemu', 'QEMU', QEMUS, (qemu) => ({ qemu })),
  flag('released', 'released', (released) => ({ released })),
  oneOf('driver', 'driver', DRIVERS, (driver) => ({ driver })),
  ...PARTS.map((part) => (part === 'qemu' ? { ...defects(part), name: 'stub' } : defects(part))),
];

export function choiceToText(choice: BuildChoice): string {
  const whole = wholeSeries(choice.series);
  return FIELDS.flatMap((field) => {
    const word = field.write(choice, field.name === 'series' ? POSTED_SERIES : whole);
    return word === null ? [] : [`${field.name}=${word}`];
  }).join(';');
}

/** The choice a text asks for, or one sentence about what in it is wrong. */
export function choiceFromText(text: string): BuildChoice | string {
  const asked = new Map<string, string>();
  for (const pair of text.split(/[;&]/).filter((one) => one !== '')) {
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    if (!FIELDS.some((field) => field.name === name))
      return `This link sets “${name}”; a build knows ${FIELDS.map((field) => field.name).join(', ')}.`;
    if (asked.has(name)) return `This link sets “${name}” twice.`;
    asked.set(name, at < 0 ? '' : decoded(pair.slice(at + 1)));
  }
  let choice: BuildChoice = POSTED_SERIES;
  for (const field of FIELDS) {
    const word = asked.get(field.name);
    if (word === undefined) continue;
    const change = field.read(word, choice);
    if (typeof change === 'string') return change;
    // The series comes first: it decides what the rest departs from.
    choice = { ...(change.series === undefined ? choice : wholeSeries(change.series)), ...change };
  }
  return choiceFault(choice) ?? choice;
}

/** Links pass through programs that write `,` as %2C. */
function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return word;
  }
}
