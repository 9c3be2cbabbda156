import { expect, it, vi } from 'vitest';
import { MUSEUM } from '../content/museum.ts';
import { exhibitRun } from '../lab/exhibit-run.ts';
import { Lab } from '../lab/lab.ts';
import { LogStream } from '../worker/log-stream.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import { SideLab } from './side-lab.ts';

const host = {
  yieldToHost: () => new Promise<void>((resolve) => setImmediate(resolve)),
  pace: () => Promise.resolve(),
};

const start = () => Lab.start({ seed: 1, host });
const noBytes = () => Promise.resolve(null);

/** Everything a page can read of a lab is read the same from the rows it was sent. */
function expectSame(side: SideLab, lab: Lab): void {
  const { log } = side.mirror;
  expect(log.head).toBe(lab.log.length);
  for (const { first, count, block } of lab.log.blocks) {
    if (block.kind === 'object') expect(log.object(block.path)).toEqual(lab.log.object(block.path));
    else for (let n = 0; n < count; n++) expect(log.register(block.path, 4 * n)).toBe(lab.log.cells[first + n]);
  }
}

it('a side lab folded from streamed rows is the lab that ran, and starts over with the next', async () => {
  const exhibit = MUSEUM.find((one) => one.id === 'qemu-map-swapped');
  if (!exhibit) throw new Error('the exhibit is gone');
  const side = new SideLab(DEFAULT_SETTINGS);
  const forget = vi.fn();
  const first = side.watch(noBytes, forget);
  const lab = await start();
  const stream = new LogStream(lab, first.port);
  const lines: string[] = [];
  for await (const { line, from, to } of exhibitRun(lab, exhibit, 'posted')) {
    lines.push(line);
    expect(to).toBeGreaterThan(from);
    stream.flush();
  }
  lab.stop();
  await vi.waitFor(() => expect(side.mirror.log.head).toBe(lab.log.length));
  expectSame(side, lab);
  expect(lines).toContain('cat qemu.err');
  expect(side.mirror.log.object('machine/l2')).toMatchObject({ state: 'off' });

  // Moving in its past changes its own mirror only, and the present comes back.
  side.mirror.seek(10);
  expect(side.mirror.store.getState().live).toBe(false);
  side.mirror.goLive();
  expectSame(side, lab);

  const second = side.watch(noBytes, forget);
  expect(forget).toHaveBeenCalledExactlyOnceWith(first.key);
  expect(side.mirror.log.head).toBe(0);
  const other = await start();
  new LogStream(other, second.port).flush();
  other.stop();
  await vi.waitFor(() => expect(side.mirror.log.head).toBe(other.log.length));
  expectSame(side, other);
  side.release();
});

it('a run that a machine did not live to see the end of says at which line', async () => {
  const exhibit = MUSEUM.find((one) => one.id === 'qemu-map-swapped');
  if (!exhibit) throw new Error('the exhibit is gone');
  const lab = await start();
  const run = exhibitRun(
    lab,
    {
      ...exhibit,
      lines: [
        ['l2', 'modprobe cxl-accel'],
        ['l2', 'lsmod'],
      ],
    },
    'posted',
  );
  let last = await run.next();
  while (!last.done) last = await run.next();
  lab.stop();
  expect(last.value).toBe('l2# lsmod: l2 is not running at this point');
});
