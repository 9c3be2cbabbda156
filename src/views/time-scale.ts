/**
 * The time axis: rows between two commands share a stretch whose length grows with the square root of their number, so
 * a boot of 60,000 rows leaves room for the store of one register. Monotone and piecewise linear, both ways.
 */
export interface TimeScale {
  /** Length of the whole axis. */
  readonly length: number;
  /** Length given to the command that begins at mark n (0 = what came before the first). */
  toUnits(row: number): number;
  toRow(units: number): number;
}

const LEAST = 12;

export function timeScale(marks: readonly number[], head: number): TimeScale {
  const rows: number[] = [0];
  for (const mark of marks) if (mark > (rows.at(-1) ?? 0) && mark < head) rows.push(mark);
  rows.push(Math.max(head, (rows.at(-1) ?? 0) + 1));
  const units: number[] = [0];
  for (let n = 1; n < rows.length; n++) {
    const count = (rows[n] as number) - (rows[n - 1] as number);
    units.push((units[n - 1] as number) + LEAST + Math.sqrt(count));
  }
  const length = units.at(-1) as number;
  return {
    length,
    toUnits: (row) => interpolate(rows, units, row),
    toRow: (at) => interpolate(units, rows, at),
  };
}

function interpolate(from: readonly number[], to: readonly number[], value: number): number {
  let low = 0;
  let high = from.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((from[middle] as number) <= value) low = middle;
    else high = middle;
  }
  const a = from[low] as number;
  const b = from[high] as number;
  const c = to[low] as number;
  const d = to[high] as number;
  const part = Math.min(1, Math.max(0, (value - a) / (b - a)));
  return c + part * (d - c);
}
