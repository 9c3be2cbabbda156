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
} from './cxl/component.ts';
import {
  dvsecDevice,
  dvsecFlexBus,
  dvsecGpfDevice,
  dvsecGpfPort,
  dvsecLocator,
  dvsecPort,
  placeDvsec,
} from './cxl/dvsec.ts';
import type { Layout, Placement } from './dsl/types.ts';
import { msiCap32, msiCap64, msixCap, msixPba, msixTable, pcieCap, sataCap, ssvidCap } from './pci/caps.ts';
import { acsCap, aerCap, dsnCap, extHeaderValue } from './pci/ext-caps.ts';
import { type0Header, type1Header } from './pci/header.ts';
import { ahciBlock, lpcBlock, mchBlock, smbusBlock } from './pci/q35.ts';

interface Identity {
  readonly vendor: number;
  readonly device: number;
  /** 24 bits: base class, sub-class, programming interface. */
  readonly classCode: number;
  readonly revision?: number;
  readonly status?: number;
  readonly command?: number;
  readonly capPtr?: number;
  readonly pin?: number;
  readonly multifunction?: boolean;
}

function identityResets(id: Identity): Record<string, number> {
  return {
    VENDOR_ID: id.vendor,
    DEVICE_ID: id.device,
    STATUS: id.status ?? (id.capPtr ? 0x10 : 0),
    REVISION: id.revision ?? 0,
    CLASS_PROG: id.classCode & 0xff,
    CLASS_DEVICE: id.classCode >>> 8,
    CAP_PTR: id.capPtr ?? 0,
    INTERRUPT_PIN: id.pin ?? 0,
    ...(id.command === undefined ? {} : { COMMAND: id.command }),
  };
}

/** BARs of a function: index → [type bits, size]. */
type Bars = Readonly<Record<number, readonly [type: number, size: number]>>;
const IO = 1;
const MEM64 = 4;

function barMasks(bars: Bars): Record<string, number> {
  const masks: Record<string, number> = {};
  for (const [index, [type, size]] of Object.entries(bars)) {
    masks[`BAR${index}`] = (0x1_0000_0000 - size) >>> 0;
    if (type & MEM64) masks[`BAR${Number(index) + 1}`] = 0xffffffff;
  }
  return masks;
}

function barResets(bars: Bars): Record<string, number> {
  return Object.fromEntries(Object.entries(bars).map(([index, [type]]) => [`BAR${index}`, type]));
}

/** Type-0 header; subsystem 1af4:1100 is what QEMU gives to devices without their own. */
function endpointHeader(id: Identity, bars: Bars = {}): Placement {
  return {
    at: 0,
    block: type0Header,
    writeMasks: barMasks(bars),
    resets: {
      ...identityResets(id),
      HEADER_TYPE: id.multifunction ? 0x80 : 0,
      SUBSYSTEM_VENDOR_ID: 0x1af4,
      SUBSYSTEM_ID: 0x1100,
      ...barResets(bars),
    },
  };
}

const CONVENTIONAL = 256;
const EXPRESS = 4096;

const mch: Layout = {
  id: 'mch.config',
  size: CONVENTIONAL,
  placements: [endpointHeader({ vendor: 0x8086, device: 0x29c0, classCode: 0x060000 }), { at: 0x40, block: mchBlock }],
};

const lpc: Layout = {
  id: 'ich9-lpc.config',
  size: CONVENTIONAL,
  placements: [
    endpointHeader({ vendor: 0x8086, device: 0x2918, classCode: 0x060100, revision: 2, multifunction: true }),
    { at: 0x40, block: lpcBlock },
  ],
};

const ahci: Layout = {
  id: 'ich9-ahci.config',
  size: CONVENTIONAL,
  placements: [
    endpointHeader(
      {
        vendor: 0x8086,
        device: 0x2922,
        classCode: 0x010601,
        revision: 2,
        capPtr: 0x80,
        pin: 1,
        multifunction: true,
      },
      { 4: [IO, 32], 5: [0, 4096] },
    ),
    { at: 0x80, block: msiCap64, resets: { MSI_NEXT: 0xa8, MSI_CONTROL: 0x0080 } },
    { at: 0x90, block: ahciBlock },
    { at: 0xa8, block: sataCap },
  ],
};

const smbus: Layout = {
  id: 'ich9-smb.config',
  size: CONVENTIONAL,
  placements: [
    endpointHeader(
      { vendor: 0x8086, device: 0x2930, classCode: 0x0c0500, revision: 2, pin: 1, multifunction: true },
      { 4: [IO, 64] },
    ),
    { at: 0x40, block: smbusBlock },
  ],
};

const pxbCxl: Layout = {
  id: 'pxb-cxl.config',
  size: CONVENTIONAL,
  placements: [endpointHeader({ vendor: 0x1b36, device: 0x000b, classCode: 0x060000, status: 0xa0 })],
};

/** Root port of QEMU 10.0 (golden A, 0c:00.0): standard capabilities 74 → 60 → 40, extended from 0x100. */
const cxlRp: Layout = {
  id: 'cxl-rp.config',
  size: EXPRESS,
  placements: [
    {
      at: 0,
      block: type1Header,
      resets: {
        ...identityResets({ vendor: 0x8086, device: 0x7075, classCode: 0x060400, capPtr: 0x74, pin: 1 }),
        HEADER_TYPE: 1,
        ...barResets({ 0: [MEM64, 0x10000] }),
      },
      writeMasks: barMasks({ 0: [MEM64, 0x10000] }),
    },
    { at: 0x40, block: ssvidCap, resets: { SSVID_VENDOR: 0x8086 } },
    { at: 0x60, block: msiCap32, resets: { MSI_NEXT: 0x40, MSI_CONTROL: 0x0102 }, writeMasks: { MSI_MASK: 3 } },
    {
      at: 0x74,
      block: pcieCap,
      resets: {
        PCIE_NEXT: 0x60,
        PCIE_FLAGS: 0x0142,
        LNKCAP: 0x00300606,
        LNKSTA: 0x0011,
        SLTCAP: 0x0002007b,
        SLTCTL: 0x07c0,
        DEVCAP2: 0x00300020,
        LNKCAP2: 0x7e,
        LNKCTL2: 6,
      },
      writeMasks: { DEVCTL2: 0x8020, SLTCTL: 0x07f9 },
    },
    {
      at: 0x100,
      block: aerCap,
      resets: { AER_EXT_HEADER: extHeaderValue(1, 2, 0x148), AER_CAP: 0x2a0 },
      writeMasks: { AER_ROOT_COMMAND: 7 },
    },
    { at: 0x148, block: acsCap, resets: { ACS_EXT_HEADER: extHeaderValue(0xd, 1, 0x150) } },
    placeDvsec(0x150, dvsecPort, 'DVSEC3', 0x178),
    placeDvsec(0x178, dvsecGpfPort, 'DVSEC4', 0x188, { resets: { GPF_PHASE1: 1, GPF_PHASE2: 1 } }),
    placeDvsec(0x188, dvsecFlexBus, 'DVSEC7', 0x1a8, {
      resets: { FB_CAP: 0x26, FB_CTRL: 0x02, FB_STATUS: 0x26, FB_TS: 0xef },
    }),
    placeDvsec(0x1a8, dvsecLocator, 'DVSEC8', 0, { resets: { LOCATOR0_LO: 0x100 } }),
  ],
};

/** What QEMU’s own masks let software write in DVSEC 0: the lock locks nothing, status bits do not clear. */
const DVSEC_DEVICE_MASKS = {
  CXL_CTRL: 0x4ffd,
  CXL_CTRL2: 0x000f,
  CXL_LOCK: 0x0001,
  CXL_RANGE1_BASE_HI: 0xffffffff,
  CXL_RANGE1_BASE_LO: 0xf0000000,
  CXL_RANGE2_BASE_HI: 0xffffffff,
  CXL_RANGE2_BASE_LO: 0xf0000000,
} as const;
const DVSEC_DEVICE_W1C = { CXL_STATUS: 0, CXL_STATUS2: 0 } as const;

/** The accelerator, profile B (l0-type2-device.md §2–3). Range 1 carries the size of a 256 MiB backend; the device sets its own. */
const cxlAccel: Layout = {
  id: 'cxl-accel.config',
  size: EXPRESS,
  placements: [
    endpointHeader(
      { vendor: 0x8086, device: 0x0d94, classCode: 0x050310, revision: 1, capPtr: 0x40 },
      { 0: [MEM64, 0x10000], 4: [0, 4096] },
    ),
    {
      at: 0x40,
      block: msixCap,
      title: 'MSI-X of the accelerator',
      resets: { MSIX_NEXT: 0x80, MSIX_CONTROL: 5, MSIX_TABLE: 0x004, MSIX_PBA: 0x804 },
    },
    {
      at: 0x80,
      block: pcieCap,
      resets: { PCIE_FLAGS: 0x0002, LNKCAP: 0x00000411, LNKSTA: 0x0011, DEVCAP2: 0x00300000 },
      writeMasks: { DEVCTL: 0, SLTCTL: 0, RTCTL: 0 },
      w1cMasks: { DEVSTA: 0, SLTSTA: 0 },
    },
    placeDvsec(0x100, dvsecDevice, 'DVSEC0', 0x13c, {
      resets: { CXL_CAP: 0x001e, CXL_CTRL: 0x0002, CXL_STATUS2: 0x0002, CXL_RANGE1_SIZE_LO: 0x1000004b },
      writeMasks: DVSEC_DEVICE_MASKS,
      w1cMasks: DVSEC_DEVICE_W1C,
    }),
    placeDvsec(0x13c, dvsecLocator, 'DVSEC8', 0x160, { resets: { LOCATOR0_LO: 0x100 } }),
    placeDvsec(0x160, dvsecFlexBus, 'DVSEC7', 0, {
      resets: { FB_CAP: 0x26, FB_CTRL: 0x02, FB_STATUS: 0x26, FB_TS: 0xef },
    }),
  ],
};

/** Memory expander of QEMU 10.0 with `sn=` (golden A, 0d:00.0), without DOE: no CDAT is served here. */
const cxlType3: Layout = {
  id: 'cxl-type3.config',
  size: EXPRESS,
  placements: [
    endpointHeader(
      { vendor: 0x8086, device: 0x0d93, classCode: 0x050210, revision: 1, capPtr: 0x40 },
      { 0: [MEM64, 0x10000], 2: [MEM64, 4096], 4: [0, 4096] },
    ),
    { at: 0x40, block: msixCap, resets: { MSIX_NEXT: 0x80, MSIX_CONTROL: 7, MSIX_TABLE: 0x004, MSIX_PBA: 0x804 } },
    {
      at: 0x80,
      block: pcieCap,
      resets: {
        PCIE_FLAGS: 0x0002,
        LNKCAP: 0x00000505,
        LNKSTA: 0x0105,
        DEVCAP2: 0x00300000,
        LNKCAP2: 0x3e,
        LNKCTL2: 5,
      },
      writeMasks: { SLTCTL: 0, RTCTL: 0 },
      w1cMasks: { SLTSTA: 0 },
    },
    { at: 0x100, block: dsnCap, resets: { DSN_EXT_HEADER: extHeaderValue(3, 1, 0x10c) } },
    placeDvsec(0x10c, dvsecDevice, 'DVSEC0', 0x148, {
      resets: { CXL_CAP: 0x001e, CXL_CTRL: 0x0002, CXL_STATUS2: 0x0002, CXL_RANGE1_SIZE_LO: 0x1000004b },
      writeMasks: DVSEC_DEVICE_MASKS,
      w1cMasks: DVSEC_DEVICE_W1C,
    }),
    placeDvsec(0x148, dvsecLocator, 'DVSEC8', 0x16c, { resets: { LOCATOR0_LO: 0x100, LOCATOR1_LO: 0x302 } }),
    placeDvsec(0x16c, dvsecGpfDevice, 'DVSEC5', 0x17c, { resets: { GPF_DURATION: 0x0603, GPF_POWER: 0x33 } }),
    placeDvsec(0x17c, dvsecFlexBus, 'DVSEC7', 0x200, {
      resets: { FB_CAP: 0x26, FB_CTRL: 0x02, FB_STATUS: 0x26, FB_TS: 0xef },
    }),
    { at: 0x200, block: aerCap, resets: { AER_EXT_HEADER: extHeaderValue(1, 2, 0), AER_CAP: 0xa0 } },
  ],
};

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
/** RAS room of a component whose array leaves RAS out. */
const noRas: Placement = { at: CM_OFFSET.RAS, block: rasAbsent };

const rpComponent: Layout = {
  id: 'cxl-rp.component',
  size: CM_SIZE,
  placements: [array([RAS, LINK, 0, EXTSEC, SNOOP]), { at: CM_OFFSET.RAS, block: rasBlock }, link, ...extras],
};

function hostBridge(id: string, passthrough: boolean): Layout {
  return {
    id,
    size: CM_SIZE,
    placements: [
      array([0, LINK, passthrough ? (HDM & ~0xffff) >>> 0 : HDM, EXTSEC, SNOOP]),
      noRas,
      link,
      {
        at: CM_OFFSET.HDM,
        block: hdmBlock(4),
        resets: { HDM_CAP: passthrough ? 0x312 : 0x382 },
        writeMasks: qemuDecoderMasks(4, 0xffffffff),
        ...(passthrough ? { title: 'HDM decoders, not announced: one root port only' } : {}),
      },
      ...extras,
    ],
  };
}

const accelComponent: Layout = {
  id: 'cxl-accel.component',
  size: CM_SIZE,
  placements: [
    array([0, LINK, HDM]),
    noRas,
    link,
    {
      at: CM_OFFSET.HDM,
      block: hdmBlock(4),
      resets: { HDM_CAP: 0x312 },
      writeMasks: qemuDecoderMasks(4, 0xf0000000),
    },
  ],
};

const type3Component: Layout = {
  id: 'cxl-type3.component',
  size: CM_SIZE,
  placements: [
    array([RAS, LINK, HDM]),
    { at: CM_OFFSET.RAS, block: rasBlock },
    link,
    {
      at: CM_OFFSET.HDM,
      block: hdmBlock(4),
      resets: { HDM_CAP: 0x1b12 },
      writeMasks: qemuDecoderMasks(4, 0xf0000000),
    },
  ],
};

/** Layout of the 4 KiB BAR `msix_init_exclusive_bar` makes: table at 0, pending bits at 0x800. */
function msixBar(vectors: number): Layout {
  return {
    id: `msix-bar.${vectors}`,
    size: 4096,
    placements: [
      { at: 0, block: msixTable(vectors) },
      { at: 0x800, block: msixPba(vectors) },
    ],
  };
}

/** A type-0 configuration space nobody described: for a passed-through function whose capabilities are copied at run time. */
const rawType0: Layout = {
  id: 'pci-type0.config',
  size: EXPRESS,
  placements: [{ at: 0, block: type0Header }],
};

/** A lone HDM decoder block, offset 0 = HDM capability: the shadow vfio-cxl keeps. */
function hdmShadow(decoders: number): Layout {
  return {
    id: `hdm-shadow.${decoders}`,
    size: 0x10 + 0x20 * decoders,
    placements: [{ at: 0, block: hdmBlock(decoders), resets: { HDM_CAP: 0x312 } }],
  };
}

const LAYOUTS: readonly Layout[] = [
  mch,
  lpc,
  ahci,
  smbus,
  pxbCxl,
  cxlRp,
  cxlAccel,
  cxlType3,
  rpComponent,
  hostBridge('cxl-host-bridge.component', false),
  hostBridge('cxl-host-bridge-passthrough.component', true),
  accelComponent,
  type3Component,
  msixBar(6),
  msixBar(8),
  rawType0,
  ...[1, 2, 4, 6, 8, 10].map(hdmShadow),
];

const BY_ID: ReadonlyMap<string, Layout> = new Map(LAYOUTS.map((layout) => [layout.id, layout]));

/** Ids of all layouts, in a stable order. */
export const layoutIds: readonly string[] = LAYOUTS.map((layout) => layout.id);

/** The layout that explains the cells of a register block, or undefined for an id of another engine version. */
export function layoutById(id: string): Layout | undefined {
  return BY_ID.get(id);
}

/** The same for code that names a layout itself: an unknown id is a mistake in the program. */
export function layout(id: string): Layout {
  const found = BY_ID.get(id);
  if (!found) throw new RangeError(`no layout ${id}`);
  return found;
}
