/** Component registers (CXL.cachemem) of every kind of CXL component, as QEMU 10.0 has them; BAR2 of the memory expander. */
import {
  CM_CAP,
  CM_OFFSET,
  capabilityArray,
  capabilityEntry,
  extSecBlock,
  hdmBlock,
  linkBlock,
  rasAbsent,
  rasBlock,
  snoopBlock,
} from '../cxl/component.ts';
import {
  DEVICE_ARRAY_RESETS,
  DEVICE_OFFSET,
  deviceArray,
  deviceMailbox,
  deviceStatus,
  memdevStatus,
} from '../cxl/device.ts';
import type { Layout, Placement } from '../dsl/types.ts';

const CM_SIZE = 4096;
/** QEMU’s write masks of every decoder: no locks, no type restriction, BI and UIO bits read 0. */
function qemuDecoderMasks(decoders: number, targetsLow: number): Record<string, number> {
  const masks: Record<string, number> = {};
  for (let n = 0; n < decoders; n++) {
    masks[`BASE_LO${n}`] = 0xf0000000;
    masks[`BASE_HI${n}`] = 0xffffffff;
    masks[`SIZE_LO${n}`] = 0xf0000000;
    masks[`SIZE_HI${n}`] = 0xffffffff;
    masks[`CTRL${n}`] = 0x13ff;
    masks[`TARGET_LO${n}`] = targetsLow;
    masks[`TARGET_HI${n}`] = 0xffffffff;
  }
  return masks;
}

const array = (entries: readonly number[]): Placement => ({
  at: 0,
  block: capabilityArray(entries.length),
  resets: Object.fromEntries(entries.map((value, n) => [`CM_ENTRY${n}`, value])),
});
const RAS = capabilityEntry(CM_CAP.RAS, 3, CM_OFFSET.RAS);
const LINK = capabilityEntry(CM_CAP.LINK, 2, CM_OFFSET.LINK);
const HDM = capabilityEntry(CM_CAP.HDM, 3, CM_OFFSET.HDM);
const EXTSEC = capabilityEntry(CM_CAP.EXTSEC, 2, CM_OFFSET.EXTSEC);
const SNOOP = capabilityEntry(CM_CAP.SNOOP, 1, CM_OFFSET.SNOOP);
const link: Placement = { at: CM_OFFSET.LINK, block: linkBlock };
const extras: readonly Placement[] = [
  { at: CM_OFFSET.EXTSEC, block: extSecBlock },
  { at: CM_OFFSET.SNOOP, block: snoopBlock },
];
/** @param targetsLow mask of the low target list, or of the low half of the DPA skip */
const hdm = (capability: number, targetsLow: number, decoders = 4): Placement => ({
  at: CM_OFFSET.HDM,
  block: hdmBlock(decoders),
  resets: { HDM_CAP: capability },
  writeMasks: qemuDecoderMasks(decoders, targetsLow),
});
const ras: Placement = { at: CM_OFFSET.RAS, block: rasBlock };
/** RAS room of a component whose array leaves RAS out. */
const noRas: Placement = { at: CM_OFFSET.RAS, block: rasAbsent };

export const rpComponent: Layout = {
  id: 'cxl-rp.component',
  size: CM_SIZE,
  placements: [array([RAS, LINK, 0, EXTSEC, SNOOP]), ras, link, ...extras],
};

export function hostBridge(id: string, passthrough: boolean): Layout {
  return {
    id,
    size: CM_SIZE,
    placements: [
      array([0, LINK, passthrough ? (HDM & ~0xffff) >>> 0 : HDM, EXTSEC, SNOOP]),
      noRas,
      link,
      {
        ...hdm(passthrough ? 0x312 : 0x382, 0xffffffff),
        ...(passthrough ? { title: 'HDM decoders, not announced: one root port only' } : {}),
      },
      ...extras,
    ],
  };
}

export const accelComponent: Layout = {
  id: 'cxl-accel.component',
  size: CM_SIZE,
  placements: [array([0, LINK, HDM]), noRas, link, hdm(0x312, 0xf0000000)],
};

/** The accelerator of the RFC's time: a copy of the memory expander, so with RAS. */
export const accelComponentA: Layout = {
  id: 'cxl-accel-a.component',
  size: CM_SIZE,
  placements: [array([RAS, LINK, HDM]), ras, link, hdm(0x312, 0xf0000000)],
};

/** The accelerator with a single decoder (`hdm-decoders=1`, the lab's own option). */
export const accelComponent1: Layout = {
  id: 'cxl-accel1.component',
  size: CM_SIZE,
  placements: [array([0, LINK, HDM]), noRas, link, hdm(0x310, 0xf0000000, 1)],
};

export const type3Component: Layout = {
  id: 'cxl-type3.component',
  size: CM_SIZE,
  placements: [array([RAS, LINK, HDM]), ras, link, hdm(0x1b12, 0xf0000000)],
};

export const upstreamComponent: Layout = {
  id: 'cxl-upstream.component',
  size: CM_SIZE,
  placements: [array([RAS, LINK, HDM]), ras, link, hdm(0x382, 0xffffffff)],
};

export const downstreamComponent: Layout = {
  id: 'cxl-downstream.component',
  size: CM_SIZE,
  placements: [array([RAS, LINK]), ras, link],
};

/** BAR2 of the memory expander without the mailbox payload (golden A, *.memdev.txt). */
export const type3Device: Layout = {
  id: 'cxl-type3.device',
  size: 4096,
  placements: [
    { at: DEVICE_OFFSET.ARRAY, block: deviceArray, resets: DEVICE_ARRAY_RESETS },
    { at: DEVICE_OFFSET.STATUS, block: deviceStatus },
    {
      at: DEVICE_OFFSET.MAILBOX,
      block: deviceMailbox,
      resets: { MB_CAP: 0x3cb },
      // QEMU keeps what software writes, the whole dword.
      writeMasks: { MB_CTRL: 0xffffffff, MB_CMD_HI: 0xffffffff, MB_BG_LO: 0xffffffff, MB_BG_HI: 0xffffffff },
    },
    { at: DEVICE_OFFSET.MEMDEV, block: memdevStatus, resets: { MEMDEV_STATUS_HI: 0x14 } },
  ],
};
