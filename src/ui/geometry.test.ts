import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../mirror/settings.ts';
import { createMirror } from '../mirror/store.ts';
import { FakeLab } from '../mirror/testing/fake-lab.ts';
import { lanesView } from '../views/lanes.view.ts';
import { stageView } from '../views/stage.view.ts';
import { layoutLanes } from './addresses/lane-geometry.ts';
import { parseAddress } from './addresses/parse-address.ts';
import { OutputReplay } from './consoles/output-replay.ts';
import { layoutStage } from './stage/stage-layout.ts';

const log = createMirror(new FakeLab(0, 6), DEFAULT_SETTINGS).log;

describe('stage geometry', () => {
  it('keeps every node inside the machine it belongs to, at any width', () => {
    for (const width of [320, 600, 1200]) {
      const layout = layoutStage(stageView(log), width);
      for (const node of layout.nodes) {
        const box = layout.machines.find((one) => one.machine.id === node.node.machine);
        if (!box) throw new Error('a node has a machine');
        expect(node.x).toBeGreaterThan(box.x);
        expect(node.x + node.w).toBeLessThan(box.x + box.w);
        expect(node.y + node.h).toBeLessThan(box.y + box.h);
      }
      expect(layout.machines[0]?.h).toBeLessThan(layout.height);
    }
  });

  it('draws one thread from the device to where L2 sees it', () => {
    expect(layoutStage(stageView(log), 700).threads.map((one) => one.solid)).toEqual([true]);
  });
});

describe('lane geometry', () => {
  it('goes from address to pixel and back', () => {
    const { scales } = layoutLanes(lanesView(log), 640, 300);
    for (const scale of scales)
      for (const { segment } of scale.marks) {
        const y = scale.y(segment.start);
        expect(y).not.toBeNull();
        expect(scale.address((y ?? 0) + 0.001)).toBeGreaterThanOrEqual(segment.start);
      }
    expect(scales[0]?.y(2 ** 50)).toBeNull();
    expect(scales[0]?.address(-5)).toBeNull();
  });

  it('gives every segment room for its name', () => {
    const { scales } = layoutLanes(lanesView(log), 640, 60);
    for (const scale of scales) for (const mark of scale.marks) expect(mark.h).toBeGreaterThanOrEqual(12);
  });
});

describe('an address typed', () => {
  it('may be hexadecimal, grouped, scaled or a sum', () => {
    expect(parseAddress('0x1_1000_1000')).toBe(0x1_1000_1000);
    expect(parseAddress('110001000')).toBe(0x1_1000_1000);
    expect(parseAddress('4g+0x1000')).toBe(0x1_0000_1000);
    expect(parseAddress('4 GiB')).toBe(0x1_0000_0000);
  });
  it('is refused when it is none', () => {
    for (const text of ['', 'hello', '0x', '-5', '0x10000000000000', '1e9999zz', '0x1+'])
      expect(parseAddress(text)).toBeNull();
  });
});

describe('a console in the past', () => {
  it('shows what had been printed by then', () => {
    let screen = '';
    const replay = new OutputReplay({ write: (text) => (screen += text), reset: () => (screen = '') }, 'l2');
    replay.showTo(log, log.head);
    expect(screen).toContain('QEMU ACCEL device driver is loaded');
    const rows = log.output.get('l2')?.rows ?? [];
    replay.showTo(log, rows[1] ?? 0);
    expect(screen).not.toContain('QEMU ACCEL');
    replay.showTo(log, log.head);
    expect(screen.match(/QEMU ACCEL/g)).toHaveLength(1);
  });
});
