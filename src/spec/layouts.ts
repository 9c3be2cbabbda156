import { hdmBlock } from './cxl/component.ts';
import type { Layout } from './dsl/types.ts';
import { CONVENTIONAL, EXPRESS, endpointHeader, IO } from './layouts/common.ts';
import {
  accelComponent,
  accelComponent1,
  downstreamComponent,
  hostBridge,
  rpComponent,
  type3Component,
  type3Device,
  upstreamComponent,
} from './layouts/cxl-component.ts';
import { cxlAccel, cxlRp, type3Config } from './layouts/cxl-config.ts';
import { cxlDownstream, upstreamConfig } from './layouts/cxl-switch.ts';
import { msiCap64, msixPba, msixTable, sataCap } from './pci/caps.ts';
import { type0Header } from './pci/header.ts';
import { ahciBlock, lpcBlock, mchBlock, smbusBlock } from './pci/q35.ts';

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
  type3Config('cxl-type3.config', true),
  type3Config('cxl-type3-nosn.config', false),
  upstreamConfig('cxl-upstream.config', false),
  upstreamConfig('cxl-upstream-sn.config', true),
  cxlDownstream,
  type3Device,
  rpComponent,
  hostBridge('cxl-host-bridge.component', false),
  hostBridge('cxl-host-bridge-passthrough.component', true),
  accelComponent,
  accelComponent1,
  type3Component,
  upstreamComponent,
  downstreamComponent,
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
