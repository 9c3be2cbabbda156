/** Configuration spaces of CXL root port, accelerator and memory expander. */
import {
  dvsecDevice,
  dvsecFlexBus,
  dvsecFlexBusCut,
  dvsecGpfDevice,
  dvsecGpfPort,
  dvsecLocator,
  dvsecPort,
  placeDvsec,
} from '../cxl/dvsec.ts';
import type { Layout, Placement } from '../dsl/types.ts';
import { msiCap32, msixCap, pcieCap, ssvidCap } from '../pci/caps.ts';
import { acsCap, aerCap, doeCap, dsnCap, extHeaderValue } from '../pci/ext-caps.ts';
import { type1Header } from '../pci/header.ts';
import { barMasks, barResets, EXPRESS, endpointHeader, identityResets, MEM64 } from './common.ts';

/** Root port of QEMU 10.0 (golden A, 0c:00.0): standard capabilities 74 → 60 → 40, extended from 0x100. */
export const cxlRp: Layout = {
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
      // cxl_rp_realize: without an I/O reservation the port cannot be told to answer I/O
      writeMasks: { ...barMasks({ 0: [MEM64, 0x10000] }), COMMAND: 0x0506 },
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
export const cxlAccel: Layout = cxlAccelConfig(0x10000, 0);

/** The same with another BAR 0 and the component block elsewhere in it (the lab's own x- properties). */
export function cxlAccelConfig(bar0: number, componentOffset: number): Layout {
  return {
    id: 'cxl-accel.config',
    size: EXPRESS,
    placements: [
      endpointHeader(
        { vendor: 0x8086, device: 0x0d94, classCode: 0x050310, revision: 1, capPtr: 0x40 },
        { 0: [MEM64, bar0], 4: [0, 4096] },
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
      placeDvsec(0x13c, dvsecLocator, 'DVSEC8', 0x160, { resets: { LOCATOR0_LO: 0x100 + componentOffset } }),
      placeDvsec(0x160, dvsecFlexBus, 'DVSEC7', 0, {
        resets: { FB_CAP: 0x26, FB_CTRL: 0x02, FB_STATUS: 0x26, FB_TS: 0xef },
      }),
    ],
  };
}

/** What follows the optional serial number: DVSECs from `at`, DOE fixed at 0x190 (QEMU 10.0), AER at 0x200. */
function type3Extended(at: number): Placement[] {
  const cut = at + 0x90 > TYPE3_DOE;
  return [
    placeDvsec(at, dvsecDevice, 'DVSEC0', at + 0x3c, {
      resets: { CXL_CAP: 0x001e, CXL_CTRL: 0x0002, CXL_STATUS2: 0x0002, CXL_RANGE1_SIZE_LO: 0x1000004b },
      writeMasks: DVSEC_DEVICE_MASKS,
      w1cMasks: DVSEC_DEVICE_W1C,
    }),
    placeDvsec(at + 0x3c, dvsecLocator, 'DVSEC8', at + 0x60, { resets: { LOCATOR0_LO: 0x100, LOCATOR1_LO: 0x302 } }),
    placeDvsec(at + 0x60, dvsecGpfDevice, 'DVSEC5', at + 0x70, { resets: { GPF_DURATION: 0x0603, GPF_POWER: 0x33 } }),
    placeDvsec(at + 0x70, cut ? dvsecFlexBusCut : dvsecFlexBus, 'DVSEC7', TYPE3_DOE, {
      resets: { FB_CAP: 0x26, FB_CTRL: 0x02, FB_STATUS: 0x26, FB_TS: 0xef },
    }),
    { at: TYPE3_DOE, block: doeCap, resets: { DOE_EXT_HEADER: extHeaderValue(0x2e, 1, 0x200), DOE_CAP: 1 } },
    { at: 0x200, block: aerCap, resets: { AER_EXT_HEADER: extHeaderValue(1, 2, 0), AER_CAP: 0xa0 } },
  ];
}
const TYPE3_DOE = 0x190;

/** The accelerator as a copy of the memory expander (profile A): its own ids and class, memory-device registers on BAR 2. */
export function accelAConfig(serial: boolean): Layout {
  const type3 = type3Config('cxl-accel-a.config', serial);
  return {
    ...type3,
    placements: [
      endpointHeader(
        { vendor: 0x8086, device: 0x0d94, classCode: 0x050310, revision: 1, capPtr: 0x40 },
        { 0: [MEM64, 0x10000], 2: [MEM64, 4096], 4: [0, 4096] },
      ),
      {
        at: 0x40,
        block: msixCap,
        title: 'MSI-X of the accelerator',
        resets: { MSIX_NEXT: 0x80, MSIX_CONTROL: 5, MSIX_TABLE: 0x004, MSIX_PBA: 0x804 },
      },
      ...type3.placements.slice(2),
    ],
  };
}

/** Memory expander of QEMU 10.0 (golden A, 0d:00.0), with and without `sn=`. */
export function type3Config(id: string, serial: boolean): Layout {
  return {
    id,
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
      ...(serial
        ? [
            { at: 0x100, block: dsnCap, resets: { DSN_EXT_HEADER: extHeaderValue(3, 1, 0x10c) } },
            ...type3Extended(0x10c),
          ]
        : type3Extended(0x100)),
    ],
  };
}
