import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { UserError } from '../../base/assert.ts';
import { type Difference, type Replay, replay } from '../../lab/golden/replay.ts';
import { scoresOf } from '../../lab/golden/scores.ts';
import { options } from '../args.ts';
import { capturesIn, readCapture } from '../golden-folder.ts';
import { nodeHost } from '../node-host.ts';

/**
 * `golden [--all] [--maps] [--write FILE] DIR…`: replays unpacked captures (or every capture in a folder), prints scores per
 * tool and the first differences. `golden --pack FILE DIR`: the capture as one file, the form of the tests' fixtures.
 */

const FIRST = 12;
const out = (line: string) => process.stdout.write(`${line}\n`);

function show(one: Difference): string {
  const { want, have } = one;
  const lines: string[] = [`  ${one.id} ${one.stream}: ${one.command}`];
  for (const line of want.filter((text) => !have.includes(text)).slice(0, 8)) lines.push(`    -${line}`);
  for (const line of have.filter((text) => !want.includes(text)).slice(0, 8)) lines.push(`    +${line}`);
  if (lines.length === 1) lines.push('    (same lines, other order or number)');
  return lines.join('\n');
}

const percent = (equal: number, all: number) => (all === 0 ? '100.0' : ((100 * equal) / all).toFixed(1));

function report(result: Replay, all: boolean): void {
  out(result.name);
  for (const [tool, { equal, compared, statusEqual, commands }] of result.scores) {
    const codes = commands === 0 ? '' : `, exit codes ${statusEqual}/${commands}`;
    out(`  ${tool.padEnd(12)} lines ${equal}/${compared} (${percent(equal, compared)} %)${codes}`);
  }
  const { points } = result;
  if (points.length > 0) {
    const sum = (pick: (one: (typeof points)[number]) => number) => points.reduce((total, one) => total + pick(one), 0);
    const [equal, total] = [sum((one) => one.equal), sum((one) => one.points)];
    out(`  map points   ${equal}/${total} (${percent(equal, total)} %) in ${points.length} maps`);
    for (const one of points.filter(({ differences }) => differences.length > 0)) {
      out(`    ${one.label}: ${one.equal}/${one.points}`);
      for (const line of one.differences.slice(0, all ? 20 : 2)) out(`      ${line}`);
    }
  }
  for (const [reason, count] of result.skipped) out(`  not compared: ${count} (${reason})`);
  const shown = all ? result.differences : result.differences.slice(0, FIRST);
  for (const one of shown) out(show(one));
  if (shown.length < result.differences.length) out(`  … ${result.differences.length - shown.length} more (--all)`);
}

export async function golden(args: readonly string[]): Promise<number> {
  const { flags, values, rest } = options([...args], ['all', 'maps'], ['pack', 'write']);
  const dirs = rest.flatMap((dir) => capturesIn(resolve(dir)));
  const [first] = dirs;
  if (first === undefined) throw new UserError('golden needs at least one folder of a capture');
  if (values.pack !== undefined) {
    const text = JSON.stringify(readCapture(first));
    const params = { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_QUALITY]: 11 };
    writeFileSync(values.pack, brotliCompressSync(text, { params }));
    return 0;
  }
  const results: Replay[] = [];
  for (const dir of dirs) {
    const result = await replay(readCapture(dir), nodeHost(), flags.maps ? 'maps' : 'all');
    report(result, flags.all === true);
    results.push(result);
  }
  if (values.write !== undefined) writeFileSync(values.write, `${JSON.stringify(scoresOf(results), null, 1)}\n`);
  return 0;
}
