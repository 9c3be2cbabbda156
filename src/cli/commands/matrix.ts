import { UserError } from '../../base/assert.ts';
import { matrix } from '../../lab/matrix.ts';
import { SWITCHES } from '../../lab/switches.ts';
import { type Climb, RUNG_LABELS } from '../../protocol/ladder.ts';
import { options, seedOf } from '../args.ts';
import { nodeHost } from '../node-host.ts';

/** `matrix [--json] [SWITCH…]`: every single-switch-off build, booted towards L2; first failing rung of each. */
export async function matrixCommand(args: string[]): Promise<number> {
  const opts = options(args, ['json'], []);
  for (const id of opts.rest)
    if (!SWITCHES.some((one) => one.id === id))
      throw new UserError(`there is no switch "${id}"; the switches are ${SWITCHES.map((one) => one.id).join(' ')}`);
  const only = opts.rest.length > 0 ? { only: opts.rest } : {};
  for await (const progress of matrix(nodeHost(), { seed: seedOf(opts), ...only })) {
    if (progress.kind !== 'row') continue;
    const { row } = progress;
    if (opts.flags.json) process.stdout.write(`${JSON.stringify(row)}\n`);
    else {
      process.stdout.write(`${row.id.padEnd(WIDTH)} ${told(row)}\n`);
      if (row.linked)
        process.stdout.write(`${''.padEnd(WIDTH)} ${told(row.linked)}   (${row.linked.builds.join('; ')})\n`);
    }
  }
  return 0;
}

/** Of the longest id. */
const WIDTH = Math.max(...SWITCHES.map((one) => one.id.length));

function told({ failure }: Climb): string {
  if (!failure) return 'reaches the memory';
  const errno = failure.errno === null ? '' : ` ${failure.errno}`;
  return `${RUNG_LABELS[failure.rung].padEnd(15)} ${failure.layer.padEnd(10)}${errno}  ${failure.message}`;
}
