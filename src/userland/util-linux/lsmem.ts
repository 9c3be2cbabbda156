import { listDir } from '../coreutils/paths.ts';
import { readFileText } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';

/**
 * lsmem (util-linux 2.38): ranges of memory blocks that look alike, from /sys/devices/system/memory. Compared with the real tool on a
 * directory of blocks (`lsmem -s DIR`). Left out: another root directory.
 */

const BASE = '/sys/devices/system/memory';

interface Block {
  readonly index: number;
  readonly state: string;
  readonly removable: boolean;
  readonly node: number;
  readonly zones: string;
  /** Blocks in a row, this one first. */
  count: number;
}
type Column = 'RANGE' | 'SIZE' | 'STATE' | 'REMOVABLE' | 'BLOCK' | 'NODE' | 'ZONES';
const COLUMNS: readonly Column[] = ['RANGE', 'SIZE', 'STATE', 'REMOVABLE', 'BLOCK', 'NODE', 'ZONES'];
const DEFAULT: readonly Column[] = ['RANGE', 'SIZE', 'STATE', 'REMOVABLE', 'BLOCK'];
const SPLITS: readonly Column[] = ['STATE', 'REMOVABLE', 'NODE', 'ZONES'];

async function readBlocks(t: Tool, names: readonly string[]): Promise<readonly Block[]> {
  const text = async (path: string): Promise<string> => {
    const found = await readFileText(t.sys, path);
    return typeof found === 'string' ? found.trim() : '';
  };
  const blocks: Block[] = [];
  for (const name of names.filter((one) => /^memory\d+$/.test(one))) {
    const dir = `${BASE}/${name}`;
    const files = listDir(t.sys, dir);
    const node = typeof files === 'number' ? undefined : files.find((file) => /^node\d+$/.test(file));
    const state = await text(`${dir}/state`);
    blocks.push({
      index: Number(name.slice(6)),
      state,
      removable: state === 'online' && (await text(`${dir}/removable`)) === '1',
      node: Number(node?.slice(4) ?? -1),
      zones: (await text(`${dir}/valid_zones`)).replace('none', 'None').replaceAll(' ', '/'),
      count: 1,
    });
  }
  return blocks.sort((a, b) => a.index - b.index);
}

/** What makes two neighbours different. */
function differs(a: Block, b: Block, by: readonly Column[]): boolean {
  return (
    (by.includes('STATE') && a.state !== b.state) ||
    (by.includes('REMOVABLE') && a.removable !== b.removable) ||
    (by.includes('NODE') && a.node !== b.node) ||
    (by.includes('ZONES') && a.zones !== b.zones)
  );
}

/** size_to_human_string: one digit after the point when it is not whole. */
function human(bytes: number): string {
  let unit = 0;
  let value = bytes;
  for (; value >= 1024; unit++) value /= 1024;
  return `${Number.isInteger(value) ? value : value.toFixed(1).replace(/\.0$/, '')}${'BKMGTP'[unit]}`;
}

function columnsOf(list: string, before: readonly Column[]): readonly Column[] | string {
  const out: Column[] = list.startsWith('+') ? [...before] : [];
  for (const word of list.replace(/^\+/, '').split(',')) {
    const found = COLUMNS.find((column) => column === word.toUpperCase());
    if (found === undefined) return word;
    out.push(found);
  }
  return out;
}

export const lsmem = defineTool(
  {
    name: 'lsmem',
    usage: '[options]',
    about: 'Shows the ranges of memory.',
    options: [
      ['-a, --all', 'each block'],
      ['-b, --bytes', 'bytes'],
      ['-J, --json', 'as JSON'],
      ['-n, --noheadings', 'no heading'],
      ['-o, --output=LIST', 'columns'],
      ['-P, --pairs', 'key="value"'],
      ['-r, --raw', 'raw'],
      ['-S, --split=LIST', 'split by columns'],
      ['--summary[=WHEN]', 'never, always or only'],
      ['-V, --version', 'version'],
    ],
  },
  async (t) => {
    if (t.has('V')) {
      t.out.line('lsmem from util-linux 2.38.1');
      return 0;
    }
    if (t.args.length > 0) {
      await t.fail("bad usage\nTry 'lsmem --help' for more information.");
      return 1;
    }
    const columns = t.has('o') ? columnsOf(t.get('o') ?? '', DEFAULT) : DEFAULT;
    const split = t.has('S') ? columnsOf(t.get('S') ?? '', []) : [];
    if (typeof columns === 'string' || typeof split === 'string') {
      await t.fail(`unknown column: ${typeof columns === 'string' ? columns : split}`);
      return 1;
    }
    const names = listDir(t.sys, BASE);
    if (typeof names === 'number') {
      await t.failErrno(`cannot open ${BASE}`, names);
      return 1;
    }
    const size = Number.parseInt(String(await readFileText(t.sys, `${BASE}/block_size_bytes`)), 16);
    const blocks = await readBlocks(t, names);
    show(t, columns, split, blocks, size);
    return 0;
  },
);

function show(t: Tool, columns: readonly Column[], split: readonly Column[], blocks: readonly Block[], size: number) {
  const by = t.has('S') ? split : SPLITS.filter((column) => columns.includes(column));
  const runs: Block[] = [];
  for (const block of blocks) {
    const last = runs.at(-1);
    const follows = last !== undefined && last.index + last.count === block.index;
    if (last && follows && !t.has('a') && !differs(last, block, by)) last.count++;
    else runs.push({ ...block });
  }
  const bytes = (value: number): string => (t.has('b') ? String(value) : human(value));
  const hex = (value: number): string => `0x${value.toString(16).padStart(16, '0')}`;
  const cell = (run: Block, column: Column): string => {
    const end = run.index + run.count - 1;
    switch (column) {
      case 'RANGE':
        return `${hex(run.index * size)}-${hex((end + 1) * size - 1)}`;
      case 'SIZE':
        return bytes(run.count * size);
      case 'STATE':
        return run.state;
      case 'REMOVABLE':
        return run.removable ? 'yes' : '';
      case 'BLOCK':
        return run.count === 1 ? String(run.index) : `${run.index}-${end}`;
      case 'NODE':
        return String(run.node);
      case 'ZONES':
        return run.zones;
    }
  };
  const rows = runs.map((run) => columns.map((column) => cell(run, column)));
  const summary = t.get('summary');
  const plain = !t.has('J') && !t.has('P') && !t.has('r');
  if (summary !== 'only') {
    if (t.has('J')) t.out.line(json(columns, rows, t.has('b')));
    else if (t.has('P')) for (const row of rows) t.out.line(row.map((text, n) => `${columns[n]}="${text}"`).join(' '));
    else {
      const lines = t.has('n') ? rows : [columns, ...rows];
      const widths = columns.map((column, n) =>
        Math.max(column === 'SIZE' ? 5 : 0, ...lines.map((line) => line[n]?.length ?? 0)),
      );
      const pad = (text: string, n: number): string =>
        columns[n] === 'RANGE' ? text.padEnd(widths[n] ?? 0) : text.padStart(widths[n] ?? 0);
      for (const line of lines) t.out.line((t.has('r') ? line : line.map(pad)).join(' '));
    }
    if (plain && summary !== 'never') t.out.line('');
  }
  if (!plain || summary === 'never') return;
  const total = (state: string): number => blocks.filter((block) => block.state === state).length * size;
  const line = (label: string, value: number): void =>
    t.out.line(`${label.padEnd(23)} ${bytes(value).padStart(t.has('b') ? 15 : 5)}`);
  line('Memory block size:', size);
  line('Total online memory:', total('online'));
  line('Total offline memory:', total('offline'));
}

function json(columns: readonly Column[], rows: readonly (readonly string[])[], numbers: boolean): string {
  const value = (column: Column, text: string): string => {
    if (column === 'REMOVABLE') return String(text === 'yes');
    return column === 'NODE' || (column === 'SIZE' && numbers) ? text : `"${text}"`;
  };
  const objects = rows.map((row) =>
    columns.map((column, n) => `         "${column.toLowerCase()}": ${value(column, row[n] ?? '')}`).join(',\n'),
  );
  return `{\n   "memory": [\n      ${objects.map((object) => `{\n${object}\n      }`).join(',')}\n   ]\n}`;
}
