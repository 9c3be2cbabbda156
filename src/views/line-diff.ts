/** Above this many pairs of lines the order is given up for the question whether a line occurs at all. */
const MAX_PAIRS = 250_000;

/** For each line of `mine`: has it no counterpart in `theirs`? Lines correspond in order (longest common subsequence). */
export function unmatched(mine: readonly string[], theirs: readonly string[]): readonly boolean[] {
  const [m, t] = [mine.length, theirs.length];
  if (m * t > MAX_PAIRS) {
    const known = new Set(theirs);
    return mine.map((line) => !known.has(line));
  }
  const width = t + 1;
  const common = new Uint32Array((m + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] as number;
  for (let i = m - 1; i >= 0; i--)
    for (let j = t - 1; j >= 0; j--)
      common[i * width + j] = mine[i] === theirs[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const alone = new Array<boolean>(m).fill(true);
  for (let i = 0, j = 0; i < m && j < t; )
    if (mine[i] === theirs[j]) {
      alone[i++] = false;
      j++;
    } else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  return alone;
}
