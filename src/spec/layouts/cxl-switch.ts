/** Configuration spaces and component registers of QEMU's CXL switch (golden D). */
import { dvsecFlexBus, dvsecGpfPort, dvsecLocator, dvsecPort, placeDvsec } from '../cxl/dvsec.ts';
import type { Layout, Placement } from '../dsl/types.ts';
import { msiCap64Masked, pcieCap } from '../pci/caps.ts';
import { aerCap, doeCap, dsnCap, extHeaderValue } from '../pci/ext-caps.ts';
import { type1Header } from '../pci/header.ts';
import { barMasks, barResets, EXPRESS, identityResets, MEM64 } from './common.ts';

/** Header of a switch port: 64 KiB of component registers in BAR0, no interrupt pin. */
function switchHeader(device: number): Placement {
  return {
    at: 0,
    block: type1Header,
    resets: {
      ...identityResets({ vendor: 0x19e5, device, classCode: 0x060400, capPtr: 0x90 }),
      HEADER_TYPE: 1,
      ...barResets({ 0: [MEM64, 0x10000] }),
    },
    writeMasks: barMasks({ 0: [MEM64, 0x10000] }),
  };
}

/** Upstream port of QEMU's switch (golden D, 0d:00.0); room for a serial number at 0x148. */
export function upstreamConfig(id: string, serial: boolean): Layout {
  return {
    id,
    size: EXPRESS,
    placements: [
      switchHeader(0xa128),
      { at: 0x70, block: msiCap64Masked, resets: { MSI_CONTROL: 0x0182 }, writeMasks: { MSI_MASK: 3 } },
      {
        at: 0x90,
        block: pcieCap,
        resets: {
          PCIE_NEXT: 0x70,
          PCIE_FLAGS: 0x0052,
          DEVCAP: 0x10008020,
          LNKCAP: 0x00000505,
          LNKSTA: 0x0105,
          DEVCAP2: 0x00300000,
          LNKCAP2: 0x3e,
          LNKCTL2: 5,
        },
        writeMasks: { SLTCTL: 0, RTCTL: 0 },
        w1cMasks: { SLTSTA: 0 },
      },
      {
        at: 0x100,
        block: aerCap,
        resets: { AER_EXT_HEADER: extHeaderValue(1, 2, serial ? 0x148 : 0x154), AER_CAP: 0x2a0 },
      },
      ...(serial ? [{ at: 0x148, block: dsnCap, resets: { DSN_EXT_HEADER: extHeaderValue(3, 1, 0x154) } }] : []),
      placeDvsec(0x154, dvsecPort, 'DVSEC3', 0x17c, { resets: { PORT_STATUS: 1 } }),
      placeDvsec(0x17c, dvsecFlexBus, 'DVSEC7', 0x19c, {
        resets: { FB_CAP: 0x27, FB_CTRL: 0x27, FB_STATUS: 0x26, FB_TS: 0xef },
      }),
      placeDvsec(0x19c, dvsecLocator, 'DVSEC8', 0x1c0, { resets: { LOCATOR0_LO: 0x100 } }),
      { at: 0x1c0, block: doeCap, resets: { DOE_EXT_HEADER: extHeaderValue(0x2e, 1, 0), DOE_CAP: 3 } },
    ],
  };
}

/** Downstream port of QEMU's switch (golden D, 0e:00.0 … 0e:03.0). */
export const cxlDownstream: Layout = {
  id: 'cxl-downstream.config',
  size: EXPRESS,
  placements: [
    switchHeader(0xa129),
    { at: 0x70, block: msiCap64Masked, resets: { MSI_CONTROL: 0x0180 }, writeMasks: { MSI_MASK: 1 } },
    {
      at: 0x90,
      block: pcieCap,
      resets: {
        PCIE_NEXT: 0x70,
        PCIE_FLAGS: 0x0162,
        DEVCAP: 0x10008020,
        LNKCAP: 0x00300506,
        LNKSTA: 0x0011,
        SLTCAP: 0x00020079,
        SLTCTL: 0x03c0,
        DEVCAP2: 0x00300020,
        LNKCAP2: 0x7e,
        LNKCTL2: 6,
      },
      writeMasks: { DEVCTL2: 0x8020, SLTCTL: 0x03f9, RTCTL: 0 },
    },
    { at: 0x100, block: aerCap, resets: { AER_EXT_HEADER: extHeaderValue(1, 2, 0x148), AER_CAP: 0x2a0 } },
    placeDvsec(0x148, dvsecPort, 'DVSEC3', 0x170),
    placeDvsec(0x170, dvsecFlexBus, 'DVSEC7', 0x190, {
      resets: { FB_CAP: 0x27, FB_CTRL: 0x02, FB_STATUS: 0x26, FB_TS: 0xef },
    }),
    placeDvsec(0x190, dvsecGpfPort, 'DVSEC4', 0x1a0, { resets: { GPF_PHASE1: 1, GPF_PHASE2: 1 } }),
    placeDvsec(0x1a0, dvsecLocator, 'DVSEC8', 0, { resets: { LOCATOR0_LO: 0x100 } }),
  ],
};
