import { describe, expect, it } from 'vitest';
import { EventLog } from '../log/index.ts';
import { MirrorLog } from './mirror-log.ts';
import { DEFAULT_SETTINGS, parseSettings } from './settings.ts';
import { createMirror } from './store.ts';
import { BatchCutter } from './testing/batches.ts';
import { FakeLab } from './testing/fake-lab.ts';
import { lastLineStart, typedLines } from './worker-client.ts';

describe('the mirror', () => {
  it('holds at the head what the engine holds', () => {
    const lab = new FakeLab(0, 6);
    const mirror = createMirror(lab, DEFAULT_SETTINGS);
    for (const { block } of lab.log.blocks)
      if (block.kind === 'object') expect(mirror.log.object(block.path)).toEqual(lab.log.object(block.path));
    expect(mirror.store.getState().cursor).toBe(lab.log.length);
  });

  it('comes back to the same state after seeking away and back', () => {
    const lab = new FakeLab(0, 6);
    const mirror = createMirror(lab, DEFAULT_SETTINGS);
    const before = mirror.log.objectPaths('').map((path) => mirror.log.object(path));
    mirror.seek(3);
    expect(mirror.log.objectPaths('')).toEqual(['machine/host']);
    expect(mirror.store.getState().live).toBe(false);
    mirror.seek(mirror.log.head);
    expect(mirror.log.objectPaths('').map((path) => mirror.log.object(path))).toEqual(before);
    expect(mirror.store.getState().live).toBe(true);
  });

  it('stays in the past while new rows arrive, and starts over when the log does', async () => {
    const lab = new FakeLab(0, 2);
    const mirror = createMirror(lab, DEFAULT_SETTINGS);
    mirror.seek(5);
    await lab.bootToL2();
    expect(mirror.store.getState().cursor).toBe(5);
    await lab.reset();
    expect(mirror.store.getState().live).toBe(true);
    expect(mirror.log.object('machine/l1')).toBeNull();
  });

  it('seeks anywhere in a log of 100,000 rows within a frame', () => {
    const log = new EventLog();
    const first = log.registerCells('hw/test', 'x', 256);
    for (let n = 0; n < 100_000; n++) log.set(first + (n % 256), n + 1);
    const mirror = new MirrorLog();
    mirror.append(new BatchCutter(log).cut([]));
    mirror.seek(mirror.head);
    const times: number[] = [];
    for (let n = 0; n < 20; n++) {
      const start = performance.now();
      mirror.seek(n % 2 === 0 ? n * 17 : mirror.head - n);
      times.push(performance.now() - start);
    }
    expect(times.toSorted((one, other) => one - other)[10]).toBeLessThan(16);
  });

  it('takes any text for settings', () => {
    expect(parseSettings('{"theme":"dark","terminalSize":900}')).toEqual({ ...DEFAULT_SETTINGS, theme: 'dark' });
    expect(parseSettings('nonsense')).toEqual(DEFAULT_SETTINGS);
    expect(parseSettings(null)).toEqual(DEFAULT_SETTINGS);
  });
});

describe('a stored session', () => {
  const key = (console: string, text: string) => ({ console, text, idle: true, position: 0, timersFired: 0 });
  const keys = (console: string, line: string) => [...line].map((one) => key(console, one));

  it('knows where the keys of its last line begin, among other consoles and sizes', () => {
    const first = [...keys('host', 'ls\r'), key('resize:host', '80x24')];
    const last = [...keys('l1', 'dme'), ...keys('host', 'boom'), key('host', '\r')];
    expect(lastLineStart([...first, ...last])).toBe(first.length + 3);
    expect(lastLineStart([...first, key('host', 'whole line\r')])).toBe(first.length);
    expect(lastLineStart([])).toBe(0);
  });

  it('tells the lines somebody typed', () => {
    const inputs = [...keys('host', 'ls\r'), key('open:host', 'host:2'), key('host', 'uname -r\r')];
    expect(typedLines({ version: 1, seed: 1, inputs })).toEqual(['ls', 'uname -r']);
  });
});
