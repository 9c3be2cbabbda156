/** Counting: lines that are exactly the same, exit codes that are equal. */
export interface Score {
  equal: number;
  compared: number;
  statusEqual: number;
  commands: number;
}

export const noScore = (): Score => ({ equal: 0, compared: 0, statusEqual: 0, commands: 0 });

/** Length of the longest common subsequence of lines, the measure of "lines exact". */
export function commonLines(a: readonly string[], b: readonly string[]): number {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const left = a.slice(head, a.length - tail);
  const right = b.slice(head, b.length - tail);
  let previous = new Uint32Array(right.length + 1);
  for (const line of left) {
    const row = new Uint32Array(right.length + 1);
    for (let n = 1; n <= right.length; n++)
      row[n] =
        line === right[n - 1] ? (previous[n - 1] as number) + 1 : Math.max(previous[n] as number, row[n - 1] as number);
    previous = row;
  }
  return head + tail + (previous[right.length] as number);
}
