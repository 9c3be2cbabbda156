import { type EventLog, LAYERS, Row } from '../../log/index.ts';

/** The log as JSON lines, one row each, with names in place of numbers. */
export function eventLines(log: EventLog): string {
  const paths = new Map<number, string>();
  for (const { first, count, block } of log.blocks)
    for (let n = 0; n < count; n++)
      paths.set(first + n, block.kind === 'object' ? block.path : `${block.path}+0x${(n * 4).toString(16)}`);
  const lines: string[] = [];
  for (let row = log.start; row < log.length; row++)
    lines.push(JSON.stringify({ row, ...describe(log, row, paths), ...cause(log, row) }));
  return lines.map((line) => `${line}\n`).join('');
}

function cause(log: EventLog, row: number): { cause?: number } {
  const at = log.causeOf(row);
  return at === 0 ? {} : { cause: at - 1 };
}

function describe(log: EventLog, row: number, paths: ReadonlyMap<number, string>): object {
  const a = log.a(row);
  const b = log.b(row);
  const c = log.c(row);
  switch (log.kind(row)) {
    case Row.SET:
      return { kind: 'set', where: paths.get(a), before: b, after: c };
    case Row.OBJ:
      return { kind: 'object', where: paths.get(a), before: log.values[b], after: log.values[c] };
    case Row.BEGIN:
    case Row.NOTE: {
      const site = log.sites[a];
      const [first, second] = site?.args ?? [];
      return {
        kind: log.kind(row) === Row.BEGIN ? 'begin' : 'note',
        layer: LAYERS[site?.layer ?? 0]?.id,
        name: site?.name,
        ...(first === undefined ? {} : { [first]: b }),
        ...(second === undefined
          ? {}
          : { [second === 'json' ? 'detail' : second]: second === 'json' ? log.values[c] : c }),
      };
    }
    case Row.END:
      return { kind: 'end', begin: a - 1, result: b };
    case Row.MARK:
      return { kind: 'mark', label: log.strings[a], ns: b, record: log.values[c] };
    case Row.OUT:
      return { kind: 'out', console: log.strings[a], ns: b, text: log.strings[c] };
    case Row.RAM:
      return { kind: 'ram', where: paths.get(a), offset: b, length: log.arena.length(c) };
    case Row.PAGE:
      return { kind: 'page', where: paths.get(a), page: b };
    case Row.CELLS:
      return { kind: 'cells', first: a, count: b, block: log.values[c] };
  }
}
