import { spawn } from 'node:child_process';
import { UserError } from '../../base/assert.ts';
import { E, type ErrnoName } from '../../base/errno.ts';
import { Bridge } from '../../lab/bridge/bridge.ts';
import { options } from '../args.ts';
import { FuseServer } from '../fuse/server.ts';
import { runningMachine } from './serve.ts';

/** `mount --after FILE --machine host|l1|l2 DIR`: the machine's /sys as a FUSE mount, until it is unmounted or Ctrl-C. */
export async function mount(args: string[]): Promise<number> {
  const opts = options(args, [], ['after', 'machine']);
  const [dir, ...more] = opts.rest;
  if (dir === undefined || more.length > 0) throw new UserError('mount wants exactly one DIR to mount at');
  const { lab, machine } = await runningMachine('mount', opts);
  const bridge = new Bridge(lab, machine);
  const mounted = await FuseServer.mount(dir, async (request) => {
    const answer = await bridge.answer(JSON.stringify({ id: 0, ...request }));
    return 'ok' in answer ? answer.ok : -E[answer.err as ErrnoName];
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void spawn('umount', ['-l', dir]));
  process.stderr.write(`lab: /sys of ${machine} is at ${dir} until it is unmounted\n`);
  await mounted.done;
  lab.stop();
  return 0;
}
