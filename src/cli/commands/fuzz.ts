import { readFileSync } from 'node:fs';
import { UserError } from '../../base/assert.ts';
import { fuzz as run } from '../../lab/fuzz/fuzz.ts';
import { Lab } from '../../lab/lab.ts';
import { options, seedOf } from '../args.ts';
import { nodeHost } from '../node-host.ts';

/** `fuzz [--steps N] [--seed N]`: the tests' fuzz, as long as one likes. */
export async function fuzz(args: string[]): Promise<number> {
  const opts = options(args, [], ['steps']);
  const steps = opts.values.steps ?? '100000';
  if (!/^[1-9]\d{0,8}$/.test(steps)) throw new UserError(`--steps wants a number from 1 to 999999999, not "${steps}"`);
  if (opts.rest.length > 0) throw new UserError(`fuzz takes no "${opts.rest[0]}"; it wants --steps N and --seed N`);
  const text = readFileSync(new URL('../../content/walkthrough.transcript', import.meta.url), 'utf8');
  const { results, deaths, hash } = await run(
    async () => {
      const lab = await Lab.start({ seed: 1, host: nodeHost() });
      await lab.type(text, 'modprobe cxl-accel');
      return lab;
    },
    seedOf(opts),
    Number(steps),
  );
  const counts = [...results].sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`);
  process.stdout.write(`${steps} steps, ${deaths} restarts, every law held; ${counts.join(', ')}; state ${hash}\n`);
  return 0;
}
