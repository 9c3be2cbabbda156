import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../mirror/settings.ts';
import { createMirror } from '../mirror/store.ts';
import { FakeLab } from '../mirror/testing/fake-lab.ts';
import { layoutById } from '../spec/layouts.ts';
import { commandAt, commandChange } from './chips.view.ts';
import { whyChain } from './events.view.ts';
import { cellOf, fieldsOf, inspectorView, withField, writeCommand } from './inspector.view.ts';
import { coalesceSmall, lanesView, paint, withHoles } from './lanes.view.ts';
import { stageText, stageView } from './stage.view.ts';
import { neighbourMark, timeLanes } from './time.view.ts';

const at = (steps: number) => createMirror(new FakeLab(0, steps), DEFAULT_SETTINGS).log;

describe('the stage', () => {
  it('nests the machines and ties the device to its appearance in L2', () => {
    const stage = stageView(at(6));
    expect(stage.host.guest?.guest?.id).toBe('l2');
    expect(stage.host.vmm?.backends).toBe('vmem0 256 MiB');
    expect(stage.threads).toEqual([
      {
        device: { machine: 'l1', id: 'cxl-accel0' },
        vfio: { bdf: '0000:0d:00.0', driver: 'cxl_accel_vfio_pci', opened: true },
        guest: { machine: 'l2', id: 'accel0' },
      },
    ]);
  });

  it('shows decoders as their registers say, the guest’s through the shadow', () => {
    const l1 = stageView(at(4)).host.guest;
    const accel = l1?.roots[0]?.children[0]?.children[0];
    expect(accel?.slots.map((slot) => slot.state)).toEqual(['committed', 'idle', 'idle', 'idle']);
    const guest = l1?.guest?.roots[0]?.children[0]?.children[0];
    expect(guest?.slots.map((slot) => [slot.state, slot.answeredBy])[0]).toEqual(['idle', 'vfio-shadow']);
  });

  it('has the host alone before anything is started, and says everything as text', () => {
    expect(stageView(at(0)).host.guest).toBeNull();
    const lines = stageText(stageView(at(6))).map((line) => line.text);
    expect(
      lines.some((line) => line.includes('CXL type-2 accelerator 0d:00.0') && line.includes('1 of 4 decoders')),
    ).toBe(true);
  });
});

describe('the lanes', () => {
  it('name RAM, windows, regions and holes, and tie them by ribbons', () => {
    const { lanes, ribbons } = lanesView(at(6));
    expect(lanes.map((lane) => lane.segments.map((one) => one.name))).toEqual([
      ['RAM', 'MMIO, 5 ranges', 'region0 (commit)', 'CXL window 0'],
      ['vfio region 9 (CXL)', 'pc.ram'],
      ['RAM', 'MMIO, 5 ranges', 'RAM', 'hole 12 GiB', 'cxl.1 component registers', 'region0 (commit)', 'CXL window 0'],
      ['HDM decoder 0'],
    ]);
    expect(ribbons.filter((one) => one.kind === 'device').map((one) => one.from.lane)).toEqual([
      'l2-gpa',
      'l1-hva',
      'l1-hpa',
    ]);
  });

  it('give the higher priority the overlap', () => {
    const segments = paint([
      { start: 0, end: 100, kind: 'window', name: 'w', priority: 1 },
      { start: 20, end: 40, kind: 'region', name: 'r', priority: 2 },
    ]);
    expect(segments.map((one) => [one.start, one.end, one.name])).toEqual([
      [0, 20, 'w'],
      [20, 40, 'r'],
      [40, 100, 'w'],
    ]);
    expect(
      coalesceSmall(
        withHoles([
          { start: 0, end: 1, kind: 'ram', name: 'a' },
          { start: 9, end: 10, kind: 'ram', name: 'b' },
        ]),
      )[1]?.kind,
    ).toBe('hole');
  });
});

describe('what changed', () => {
  it('tells a command by the objects it changed, the heaviest first', () => {
    const log = at(5);
    const change = commandAt(log, log.head);
    expect(change?.label).toBe('modprobe cxl-accel');
    expect(change?.chips.map((chip) => `${chip.sign}${chip.machine} ${chip.text}`)).toEqual(
      [
        '+l2 region0 256 MiB commit',
        '+l2 GPA 0x110000000 mapped, 256 MiB',
        '+l2 decoder2.0 committed',
        '→l2 0000:0d:00.0 bound to cxl-accel',
        '+l2 module cxl_accel',
        '+l2 mem0',
        '+l2 endpoint2',
      ].map((text) => text.replace('+l2 decoder', '→l2 decoder')),
    );
    expect(change?.exits).toBe(5);
    expect(change?.registers).toBe(4);
  });

  it('is nothing before the first command', () => {
    expect(commandAt(at(0), 2)).toBeNull();
    expect(commandChange(at(1), 0).chips[0]?.text).toBe('L1 running');
  });
});

describe('the inspector', () => {
  it('puts the same register side by side and flags what differs', () => {
    const view = inspectorView(at(6), layoutById, 'l1', 'cxl-accel0', 'bar0');
    const base = view?.blocks.flatMap((block) => block.rows).find((row) => row.name === 'BASE_LO0');
    expect(base?.cells.device.text).toBe('90000000');
    expect(base?.cells['l1-kernel'].text).toBe('90000000');
    expect(base?.cells['vfio-shadow']).toMatchObject({ text: '10000000', differs: true });
    expect(base?.cells.l2).toMatchObject({ text: '10000000', differs: true });
  });

  it('explains fields, and types the command that writes one', () => {
    const log = at(6);
    const view = inspectorView(log, layoutById, 'l2', 'accel0', 'bar0');
    const row = view?.blocks.flatMap((block) => block.rows).find((one) => one.name === 'CTRL0');
    if (!view || !row) throw new Error('CTRL0 is there');
    const commit = fieldsOf(row).find((field) => field.name === 'COMMIT');
    if (!commit) throw new Error('COMMIT is there');
    expect(commit.now).toBe(1);
    expect(withField(0x600, commit, 0)).toBe(0x400);
    expect(writeCommand(view.fn, 'l2', { space: 'bar0', offset: row.offset }, 4, 0x400)).toEqual({
      console: 'l2',
      line: 'devmem 0xfe801148 32 0x00000400',
    });
    expect(writeCommand(view.fn, 'l2', { space: 'config', offset: 0x10c }, 2, 6)).toEqual({
      console: 'l2',
      line: 'setpci -s 0d:00.0 10c.W=0006',
    });
    const cell = cellOf(log, view.fn, { space: 'bar0', offset: row.offset });
    const chain = whyChain(log, log.lastChange(cell ?? -1));
    expect(chain.map((line) => line.layer)).toEqual(['L1 kernel', 'L1 kernel', 'L1 QEMU', 'L2 kernel', 'a command']);
  });
});

describe('time', () => {
  it('has a lane for each layer that did something, and steps by commands', () => {
    const log = at(6);
    expect(timeLanes(log).map((lane) => lane.id)).toEqual([
      'l2.kernel',
      'l1.kvm',
      'l1.qemu',
      'l1.kernel',
      'host.kvm',
      'host.qemu',
    ]);
    const [first = 0, second = 0] = log.time.marks;
    expect(neighbourMark(log, second, -1)).toBe(first);
    expect(neighbourMark(log, first, 1)).toBe(second);
    expect(neighbourMark(log, log.head, 1)).toBe(log.head);
    expect(neighbourMark(log, 0, -1)).toBe(0);
  });
});
