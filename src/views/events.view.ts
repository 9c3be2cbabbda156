import { hex0x } from '../base/addr.ts';
import { LAYERS, Row } from '../log/index.ts';
import type { MirrorLog } from '../mirror/mirror-log.ts';

export interface EventLine {
  readonly row: number;
  readonly layer: string;
  readonly layerId: string;
  readonly name: string;
  readonly detail: string;
  readonly cite: string;
}

/** One row in words. */
export function eventLine(log: MirrorLog, row: number): EventLine {
  const { kind, a, b, c } = log.columns;
  const first = a[row] ?? 0;
  const before = b[row] ?? 0;
  const after = c[row] ?? 0;
  const at = (layer: number, name: string, detail: string, cite = ''): EventLine => ({
    row,
    layer: LAYERS[layer]?.label ?? 'lab',
    layerId: log.layerId(layer),
    name,
    detail,
    cite,
  });
  const causeLayer = (): number => {
    const outer = log.causes(row)[0];
    return outer === undefined ? 0 : (log.site(a[outer] ?? 0)?.layer ?? 0);
  };
  switch (kind[row]) {
    case Row.SET: {
      const entry = log.blockOfCell(first);
      const offset = entry ? (first - entry.first) * 4 : 0;
      return at(
        causeLayer(),
        entry ? `${entry.block.path}+${hex0x(offset)}` : 'register',
        `${hex0x(before)} → ${hex0x(after)}`,
      );
    }
    case Row.OBJ:
      return at(
        causeLayer(),
        log.blockOfCell(first)?.block.path ?? 'object',
        before === 0 ? 'appeared' : after === 0 ? 'removed' : 'changed',
      );
    case Row.BEGIN:
    case Row.NOTE: {
      const site = log.site(first);
      return at(site?.layer ?? 0, site?.name ?? '?', argsText(log, site?.args, before, after), site?.cite ?? '');
    }
    case Row.END: {
      const begun = log.site(a[first - 1] ?? 0);
      return at(begun?.layer ?? 0, `${begun?.name ?? '?'} returns`, before === 0 ? '0' : String(before));
    }
    case Row.MARK:
      return { ...at(0, log.strings[first] ?? '', ''), layer: 'a command' };
    case Row.OUT:
      return at(0, `output on ${log.strings[first] ?? ''}`, readable(log.strings[after] ?? ''));
    case Row.CELLS:
      return at(0, log.blockOfCell(first)?.block.path ?? 'cells', `${before} cells created`);
    case Row.RAM:
      return at(causeLayer(), log.blockOfCell(first)?.block.path ?? 'memory', `bytes at ${hex0x(before)}`);
    default:
      return at(0, 'memory page', '');
  }
}

function argsText(log: MirrorLog, args: readonly [string?, string?] | undefined, b: number, c: number): string {
  const parts: string[] = [];
  if (args?.[0]) parts.push(`${args[0]}=${hex0x(b)}`);
  if (args?.[1] === 'json') parts.push(JSON.stringify(log.value(c)).slice(0, 160));
  else if (args?.[1]) parts.push(`${args[1]}=${hex0x(c)}`);
  return parts.join(' ');
}

/** The chain "why": the event, the spans around it outwards, the command. */
export function whyChain(log: MirrorLog, row: number): readonly EventLine[] {
  const lines = [row, ...log.causes(row)].map((one) => eventLine(log, one));
  const marks = log.time.marks;
  let n = marks.length - 1;
  while (n >= 0 && (marks[n] as number) > row) n--;
  const mark = marks[n];
  return mark === undefined ? lines : [...lines, eventLine(log, mark)];
}

/** Terminal output in a line of words: colours and cursor movements left out, line ends as signs. */
export function readable(output: string): string {
  const esc = String.fromCharCode(27);
  const plain = output
    .replaceAll(new RegExp(`${esc}\\[[0-9;?]*[A-Za-z]`, 'g'), '')
    .replace(/\r?\n/g, '⏎')
    .replace(/\r/g, '')
    .trim();
  return plain === '' ? 'nothing printable' : `“${plain.slice(0, 80)}${plain.length > 80 ? '…' : ''}”`;
}
