import type { Placement } from '../dsl/types.ts';
import { type0Header } from '../pci/header.ts';

/** What the layouts of PCI functions share: identity, BARs, the type-0 header. */
export interface Identity {
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

export function identityResets(id: Identity): Record<string, number> {
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
export type Bars = Readonly<Record<number, readonly [type: number, size: number]>>;
export const IO = 1;
export const MEM64 = 4;

export function barMasks(bars: Bars): Record<string, number> {
  const masks: Record<string, number> = {};
  for (const [index, [type, size]] of Object.entries(bars)) {
    masks[`BAR${index}`] = (0x1_0000_0000 - size) >>> 0;
    if (type & MEM64) masks[`BAR${Number(index) + 1}`] = 0xffffffff;
  }
  return masks;
}

export function barResets(bars: Bars): Record<string, number> {
  return Object.fromEntries(Object.entries(bars).map(([index, [type]]) => [`BAR${index}`, type]));
}

/** Type-0 header; subsystem 1af4:1100 is what QEMU gives to devices without their own. */
export function endpointHeader(id: Identity, bars: Bars = {}): Placement {
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

export const CONVENTIONAL = 256;
export const EXPRESS = 4096;
