import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../mirror/settings.ts';
import { createMirror } from '../mirror/store.ts';
import { FakeLab } from '../mirror/testing/fake-lab.ts';
import { parseCommandLineTopology } from '../qemu/lint/index.ts';
import { accessPath, lastStore } from './access-path.view.ts';
import { fewGranules, granulesIn, zoomed } from './granules.view.ts';
import type { InterleaveSet } from './interleave.view.ts';
import { interleaveSets } from './interleave.view.ts';
import { parseLedger, searchLedger } from './ledger.view.ts';
import { asTyped, lacksKernel, plannedStage, withoutOptions } from './plan-stage.view.ts';

const SET: InterleaveSet = {
  ...{ machine: 'l1', index: 0, name: 'region0', path: null, base: 0x4_9000_0000, size: 3 * 0x1000_0000 },
  ways: 3,
  granularity: 256,
  members: [
    { position: 0, id: 'a', decoder: 0, dpa: 0 },
    { position: 1, id: 'b', decoder: 0, dpa: 0 },
    { position: 2, id: 'c', decoder: 1, dpa: 0x1000 },
  ],
};

describe('granules', () => {
  it('go round the members, and each turn goes one granule further in every device', () => {
    const view = fewGranules(SET);
    const granules = granulesIn(SET, view.from, view.to, 100) ?? [];
    expect(granules.slice(0, 5).map((one) => [one.member?.id, one.dpa])).toEqual([
      ['a', 0],
      ['b', 0],
      ['c', 0x1000],
      ['a', 0x100],
      ['b', 0x100],
    ]);
    expect(granulesIn(SET, SET.base, SET.base + SET.size, 100)).toBeNull();
    expect(granulesIn(SET, 0, SET.base + 300, 100)).toHaveLength(2);
  });

  it('show the turn around an address', () => {
    expect(fewGranules(SET, SET.base + 256 * 7).from).toBe(SET.base + 256 * 6);
    expect(fewGranules(SET, 12).from).toBe(SET.base);
  });

  it('are reached by zooming, which keeps the place and the limits', () => {
    const limits = { from: 0, to: 2 ** 40 };
    let view = limits;
    for (let n = 0; n < 64; n++) view = zoomed(view, 0.5, SET.base, limits, 256);
    expect(view.to - view.from).toBe(256);
    expect(view.from).toBeLessThanOrEqual(SET.base);
    expect(view.to).toBeGreaterThanOrEqual(SET.base);
    for (let n = 0; n < 64; n++) view = zoomed(view, 2, SET.base, limits, 256);
    expect(view).toEqual(limits);
  });
});

describe('the ledger', () => {
  const entries = parseLedger(
    '# Title\n\nWords.\n\n## QEMU\n\n- **one** The `first` thing.\n  More of it.\n- **two** Second.\n\n## Tools\n\n- **three** Third thing.\n',
  );
  it('is read as entries with their sections', () => {
    expect(entries).toEqual([
      { id: 'one', section: 'QEMU', text: 'The `first` thing. More of it.' },
      { id: 'two', section: 'QEMU', text: 'Second.' },
      { id: 'three', section: 'Tools', text: 'Third thing.' },
    ]);
  });
  it('is searched by all words at once, in id, section and text', () => {
    expect(searchLedger(entries, 'thing QEMU').map((one) => one.id)).toEqual(['one']);
    expect(searchLedger(entries, ' ')).toHaveLength(3);
    expect(searchLedger(entries, 'nothing of this')).toEqual([]);
  });
});

describe('a planned machine', () => {
  const LINE =
    'qemu-system-x86_64 -M q35,cxl=on -object memory-backend-ram,id=m0,size=256M -device pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1 -device cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2 -device cxl-upstream,bus=rp0,id=us0 -device cxl-downstream,port=0,bus=us0,id=d0,chassis=0,slot=4 -device cxl-type3,bus=d0,volatile-memdev=m0,id=mem -M cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G';

  it('is the same tree the running one would be, each part at its place in the line', () => {
    const { stage, places } = plannedStage(parseCommandLineTopology(LINE));
    const [bridge] = stage.host.guest?.roots ?? [];
    const ids: string[] = [];
    for (let at = bridge; at; at = at.children[0]) ids.push(at.id);
    expect(ids).toEqual(['cxl.1', 'rp0', 'us0', 'd0', 'mem']);
    const place = places.get('mem');
    expect(LINE.slice(place?.start, place?.end)).toContain('cxl-type3,bus=d0');
    expect(stage.host.guest?.windows[0]?.text).toContain('4 GiB → cxl.1');
  });

  it('loses options with their arguments, whole', () => {
    const at = LINE.length + 1;
    const line = `${LINE} -netdev user,id=n0 -nographic`;
    expect(withoutOptions(line, [{ start: at + 8, end: at + 12 }])).toBe(`${LINE} -nographic`);
    expect(lacksKernel(line)).toBe(true);
    expect(lacksKernel(`${line} -kernel x`)).toBe(false);
  });

  it('is typed as one line, whatever it was pasted as', () => {
    expect(asTyped('# my machine\n$ qemu -a \\\n  -b\n\n  -c \n')).toBe('qemu -a -b -c');
  });
});

describe('what happened at the end of the story', () => {
  const { log } = createMirror(new FakeLab(0, 6), DEFAULT_SETTINGS);

  it('forms one set of one device, under the name of the kernel’s region', () => {
    expect(interleaveSets(log, 'l1').map((set) => [set.name, set.ways, set.members.map((one) => one.id)])).toEqual([
      ['region0', 1, ['cxl-accel0']],
    ]);
  });

  it('leads a store from the guest’s bridge to its device and on to the device it stands for', () => {
    const row = lastStore(log, 0, log.head);
    expect(row).toBeGreaterThan(0);
    const path = accessPath(log, row);
    expect(path.slice(-2)).toEqual(['l2/accel0', 'l1/cxl-accel0']);
    expect(path[0]).toBe('l2/cxl.1');
    expect(accessPath(log, 0)).toEqual([]);
  });

  it('leads the first touch of a mapped page to the device whose memory it is, and a page of its own memory nowhere', () => {
    const lab = new FakeLab(0, 6);
    const base = interleaveSets(createMirror(lab, DEFAULT_SETTINGS).log, 'l2')[0]?.base ?? 0;
    const page = (kind: string, phys: number | null) => ({
      vmas: [{ start: 0x7000, size: 4096, kind, name: '', extents: phys === null ? [] : [{ phys, size: 4096 }] }],
    });
    lab.log.publish('vma/l2/8', page('anon', 0x2000));
    lab.log.publish('vma/l2/9', page('devmem', null));
    lab.log.publish('vma/l2/9', page('devmem', base));
    const { log } = createMirror(lab, DEFAULT_SETTINGS);
    const row = lastStore(log, log.head - 5, log.head);
    expect(row).toBe(log.head - 1);
    expect(accessPath(log, row)).toEqual(['l2/cxl.1', 'l2/rp0', 'l2/accel0', 'l1/cxl-accel0']);
    expect(lastStore(log, log.head - 5, row)).toBe(-1);
  });
});
