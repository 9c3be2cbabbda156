import { readFileSync } from 'node:fs';
import { hex } from '../../base/addr.ts';
import { UserError } from '../../base/assert.ts';
import { Lab } from '../../lab/lab.ts';
import { ruleText } from '../../lab/ownership/access-rule.ts';
import {
  type ByHolder,
  type OwnershipRow,
  ownership as rowsOf,
  type WriteEffect,
} from '../../lab/ownership/ownership.ts';
import { options, readText, seedOf } from '../args.ts';
import { nodeHost } from '../node-host.ts';

/** `ownership [--json] [--after FILE]`: who owns each register, found out by writing it from every layer. */
export async function ownership(args: string[]): Promise<number> {
  const opts = options(args, ['json'], ['after']);
  if (opts.rest.length > 0)
    throw new UserError(`ownership takes no "${opts.rest[0]}"; it wants --json or --after FILE`);
  const file = opts.values.after;
  const own = readFileSync(new URL('../../content/walkthrough.transcript', import.meta.url), 'utf8');
  const text = file === undefined ? own : readText(file, 'transcript');
  // In the walkthrough L2 has the device and a committed region from here on.
  const until = file === undefined ? 'modprobe cxl-accel' : undefined;
  const seed = seedOf(opts);
  const rows: OwnershipRow[] = [];
  for await (const row of rowsOf(async () => {
    const lab = await Lab.start({ seed, host: nodeHost() });
    await lab.type(text, until);
    return lab;
  }))
    rows.push(row);
  process.stdout.write(opts.flags.json ? `${JSON.stringify(rows)}\n` : table(rows));
  return 0;
}

const HEAD = [
  'register',
  'where',
  'owner',
  'L2 / L1 user / L1 kernel / device',
  'L2 is answered by',
  'rule for L2',
  'write from L2',
  'from L1 user',
  'from L1 kernel',
];

function table(rows: readonly OwnershipRow[]): string {
  const cells = rows.map((row) => {
    const digits = row.width * 2;
    const { before, writes, answers } = row;
    const bits = (by: ByHolder): string =>
      Object.entries(by)
        .map(([holder, mask]) => `${holder} ${hex(mask ?? 0, digits)}`)
        .join(', ');
    const effect = (write: WriteEffect | null): string => {
      if (write === null) return '-';
      const refused = write.refused === null ? '' : ` (${write.refused.errno})`;
      return `${bits(write.changed) || 'nothing'}${refused}`;
    };
    const reads = [before.l2, before['l1.user'], before['l1.kernel'], before.device];
    return [
      row.name,
      `${row.space}+${hex(row.offset, 4)}`,
      row.owner,
      reads.map((value) => (value === null ? '-'.repeat(digits) : hex(value, digits))).join(' '),
      bits(answers.l2) || 'nobody',
      ruleText(row.rule, digits),
      effect(writes.l2),
      effect(writes['l1.user']),
      effect(writes['l1.kernel']),
    ];
  });
  const widths = HEAD.map((name, n) => Math.max(name.length, ...cells.map((row) => (row[n] ?? '').length)));
  return [HEAD, ...cells]
    .map(
      (row) =>
        `${row
          .map((cell, n) => cell.padEnd(widths[n] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
