import { beforeAll, describe, expect, it } from 'vitest';
import { Lab } from '../lab/lab.ts';
import { type Attempt, climb } from '../lab/ladder.ts';
import { host } from '../lab/testing/host.ts';
import { MirrorLog } from '../mirror/mirror-log.ts';
import { BatchCutter } from '../mirror/testing/batches.ts';
import { lanesView } from '../views/lanes.view.ts';
import { passingAt, passingNews, passingText } from '../views/passthrough.view.ts';
import { stageView } from '../views/stage.view.ts';
import { layoutLanes } from './addresses/lane-geometry.ts';
import { layoutStage, type StageLayout } from './stage/stage-layout.ts';

/** The page's log of a climb, to be scrubbed. */
async function recorded(attempt: Attempt): Promise<MirrorLog> {
  const lab = await Lab.start({ seed: 1, host });
  const run = climb(lab, attempt);
  while (!(await run.next()).done);
  const log = new MirrorLog();
  log.append(new BatchCutter(lab.log).cut([]));
  log.seek(log.head);
  lab.stop();
  return log;
}

const drawn = (log: MirrorLog, width: number): StageLayout => layoutStage(stageView(log, passingAt(log)), width);

describe('scrubbing', () => {
  it('shows nothing broken at any moment of a climb that reaches the memory', async () => {
    const log = await recorded({ builds: [], choices: {} });
    const seen = new Set<string>();
    for (let row = 0; row <= log.head; row += 3) {
      log.seek(row);
      const { breaks, ghost } = passingAt(log);
      for (const one of breaks) seen.add(one.full);
      for (const one of ghost?.reasons ?? []) seen.add(one.full);
    }
    expect([...seen]).toEqual([]);
    expect(passingText(passingAt(log))[0]?.text).toContain('memory reaches the device');
  });

  it('shows the break from the line that says it on, and not before', async () => {
    const log = await recorded({ builds: ['kbuild l1 --without 1 -o k'], choices: { l1Kernel: 'k' } });
    const [broken] = passingAt(log).breaks;
    expect(broken).toMatchObject({ link: 'open', short: 'open failed · ENODEV · L1 kernel' });
    const row = broken?.row ?? 0;
    log.seek(row);
    expect(passingAt(log).breaks).toEqual([]);
    const before = passingNews(log);
    log.seek(log.head);
    expect(passingNews(log)).toBeGreaterThan(before);
    expect(passingAt(log).breaks[0]?.row).toBe(row);
  });
});

describe('drawing', () => {
  let missing: MirrorLog;
  let astray: MirrorLog;
  beforeAll(async () => {
    missing = await recorded({ builds: ['kbuild l1 --without 1 -o k'], choices: { l1Kernel: 'k' } });
    astray = await recorded({ builds: ['qbuild --variant branch -o q'], choices: { l1Qemu: 'q' } });
  });

  it.each([340, 500, 620, 1200])('the missing guest stands inside L1 and over nothing, %i wide', (width) => {
    const { machines, ghosts, nodes, bands, threads } = drawn(missing, width);
    const [ghost] = ghosts;
    const l1 = machines.find(({ machine }) => machine.id === 'l1');
    if (!ghost || !l1) throw new Error('L1 and the missing guest are drawn');
    expect(ghost.x + ghost.w).toBeLessThan(l1.x + l1.w);
    expect(ghost.y + ghost.h).toBeLessThan(l1.y + l1.h);
    for (const box of [...nodes, ...bands.filter((one) => one.kind !== 'empty')])
      expect(box.x + box.w <= ghost.x || box.y + box.h <= ghost.y || box.y >= ghost.y + ghost.h, box.key).toBe(true);
    for (const reason of ghost.reasons) expect(reason.y + reason.h).toBeLessThan(ghost.y + ghost.h);
    const [thread] = threads;
    expect(thread?.cut?.broken.link).toBe('open');
    expect(thread?.cut?.rest).not.toBe('');
  });

  it('the thread is cut where the layer that failed is, and L1 says why', () => {
    const layout = drawn(astray, 1200);
    expect(layout.ghosts).toEqual([]);
    const [thread] = layout.threads;
    const [device, guest] = ['l1', 'l2'].map((id) =>
      layout.nodes.find(({ node }) => node.machine === id && node.note.includes(id === 'l1' ? 'vmem0' : 'host=')),
    );
    if (!thread?.cut || !device || !guest) throw new Error('the thread is drawn from device to device');
    // L1's QEMU stands between L1's kernel and L2.
    const share = (thread.cut.x - device.x - device.w) / (guest.x - device.x - device.w);
    expect(share).toBeGreaterThan(0.3);
    expect(share).toBeLessThan(0.7);
    expect(layout.bands.find(({ kind }) => kind === 'break')?.text).toContain('memory not reached');
  });

  it('the lane of L2 ends in a cross at the region that maps nowhere', () => {
    const passing = passingAt(astray);
    const { stops, scales } = layoutLanes(lanesView(astray, passing), 640, 300);
    const lane = scales.find((one) => one.lane.id === 'l2-gpa');
    expect(stops).toHaveLength(1);
    expect(stops[0]?.stop.start).toBe(passing.breaks[0]?.address);
    expect(stops[0]?.x).toBeGreaterThan((lane?.x ?? 0) + (lane?.w ?? 0));
    const region = lane?.marks.find(({ segment }) => segment.kind === 'region');
    expect(stops[0]?.y).toBeCloseTo((region?.y ?? 0) + (region?.h ?? 0) / 2, 0);
  });

  it('an empty lane says why L2 is not there', () => {
    const { lanes, stops } = lanesView(missing, passingAt(missing));
    expect(lanes[0]?.empty).toContain('open failed · ENODEV');
    expect(stops).toEqual([]);
  });
});
