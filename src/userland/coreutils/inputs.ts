/** Files named on a command line, one after the other, and sizes with units. */
import { openPath, strerror } from '../misc/io.ts';
import type { Tool } from '../misc/tool.ts';

/** Opens each operand (`-` or none: standard input) and hands it on; complains of those that cannot be opened. */
export async function eachInput(
  t: Tool,
  run: (fd: number, name: string) => Promise<void>,
  describe = (path: string, error: number): string => `${path}: ${strerror(error)}`,
): Promise<void> {
  for (const path of t.args.length ? t.args : ['-']) {
    if (path === '-') {
      await run(0, '-');
      continue;
    }
    const fd = openPath(t.sys, path);
    if (fd < 0) {
      await t.fail(describe(path, fd));
      continue;
    }
    await run(fd, path);
    t.sys.close(fd);
  }
}

/** A count with a multiplier (`10`, `2K`, `1MB`); NaN if malformed. */
export function parseSize(text: string): number {
  const m = /^(0[xX][0-9a-fA-F]+|\d+)(?:(c|w|b)|([kKMGTP])(i?B)?)?$/.exec(text);
  if (!m) return Number.NaN;
  const unit = m[2]
    ? ({ c: 1, w: 2, b: 512 }[m[2]] ?? 1)
    : m[3]
      ? (m[4] === 'B' ? 1000 : 1024) ** ('KMGTP'.indexOf(m[3].toUpperCase()) + 1)
      : 1;
  return Number(m[1]) * unit;
}

export const COUNT_OPTIONS = [
  ['-c, --bytes=NUM', 'NUM bytes'],
  ['-n, --lines=NUM', 'NUM lines (10)'],
  ['-q, --quiet, --silent', 'no file names'],
  ['-v, --verbose', 'always file names'],
] as const;
