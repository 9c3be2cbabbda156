import { bit, bits, block, cites, reg8, reg16, reg32, repeat } from '../dsl/define.ts';
import type { BlockSpec, RegisterSpec } from '../dsl/types.ts';

const pcie = cites('PCIe 6.0');

/** Id and next pointer of a standard capability; the names carry `prefix` because a function has several. */
function capHeader(prefix: string, id: number): Record<string, RegisterSpec> {
  return {
    [`${prefix}_CAP_ID`]: reg8(0, pcie('7.5.3.1', 'Capability List Register'), {
      ID: bits(7, 0, 'hwinit', 'Which capability this is', { reset: id }),
    }),
    [`${prefix}_NEXT`]: reg8(1, pcie('7.5.3.1', 'Capability List Register'), {
      NEXT: bits(7, 0, 'hwinit', 'Offset of the next capability, 0 at the end'),
    }),
  };
}

const SPEEDS = { 1: '2.5 GT/s', 2: '5 GT/s', 3: '8 GT/s', 4: '16 GT/s', 5: '32 GT/s', 6: '64 GT/s' };

/** PCI Express capability, version 2, with all registers; an endpoint’s slot and root registers read 0. */
export const pcieCap = block({
  id: 'pci.cap.express',
  title: 'PCI Express capability',
  size: 0x3c,
  cite: pcie('7.5.3', 'PCI Express Capability Structure'),
  registers: {
    ...capHeader('PCIE', 0x10),
    PCIE_FLAGS: reg16(0x02, pcie('7.5.3.2', 'PCI Express Capabilities Register'), {
      VERSION: bits(3, 0, 'hwinit', 'Version of the structure', { reset: 2 }),
      TYPE: bits(7, 4, 'hwinit', 'What the function is', {
        values: { 0: 'endpoint', 4: 'root port', 5: 'switch upstream port', 6: 'switch downstream port', 9: 'RCiEP' },
      }),
      SLOT: bit(8, 'hwinit', 'The port has a slot'),
      MSG_NUM: bits(13, 9, 'ro', 'MSI/MSI-X message used by this structure'),
      RSVD: bits(15, 14, 'rsvdp', 'Reserved'),
    }),
    DEVCAP: reg32(0x04, pcie('7.5.3.3', 'Device Capabilities Register'), {
      PAYLOAD: bits(2, 0, 'hwinit', 'Largest payload', { values: { 0: '128 B', 1: '256 B', 2: '512 B' } }),
      PHANTOM: bits(4, 3, 'hwinit', 'Phantom functions'),
      EXT_TAG: bit(5, 'hwinit', '8-bit tags', { reset: 1 }),
      LATENCY: bits(11, 6, 'hwinit', 'Acceptable L0s and L1 latency'),
      RSVD: bits(14, 12, 'rsvdp', 'Reserved'),
      RBER: bit(15, 'hwinit', 'Role-based error reporting', { reset: 1 }),
      RSVD2: bits(27, 16, 'hwinit', 'Error codes, slot power'),
      FLR: bit(28, 'hwinit', 'Function level reset can be asked for'),
      RSVD3: bits(31, 29, 'rsvdp', 'Reserved'),
    }),
    DEVCTL: reg16(0x08, pcie('7.5.3.4', 'Device Control Register'), {
      CERE: bit(0, 'rw', 'Report correctable errors', { inert: true }),
      NFERE: bit(1, 'rw', 'Report non-fatal errors', { inert: true }),
      FERE: bit(2, 'rw', 'Report fatal errors', { inert: true }),
      URRE: bit(3, 'rw', 'Report unsupported requests', { inert: true }),
      REST: bits(14, 4, 'ro', 'Ordering, payload and read-request size: fixed in QEMU'),
      FLR: bit(15, 'ro', 'Start a function level reset; only with the capability bit'),
    }),
    DEVSTA: reg16(0x0a, pcie('7.5.3.5', 'Device Status Register'), {
      CED: bit(0, 'rw1c', 'Correctable error detected'),
      NFED: bit(1, 'rw1c', 'Non-fatal error detected'),
      FED: bit(2, 'rw1c', 'Fatal error detected'),
      URD: bit(3, 'rw1c', 'Unsupported request detected'),
      AUX: bit(4, 'ro', 'Auxiliary power present'),
      PENDING: bit(5, 'ro', 'Transactions pending'),
      RSVD: bits(15, 6, 'rsvdz', 'Reserved'),
    }),
    LNKCAP: reg32(0x0c, pcie('7.5.3.6', 'Link Capabilities Register'), {
      SPEED: bits(3, 0, 'hwinit', 'Fastest link speed', { values: SPEEDS }),
      WIDTH: bits(9, 4, 'hwinit', 'Widest link'),
      ASPM: bits(11, 10, 'hwinit', 'Power states of the link', { reset: 1 }),
      LATENCY: bits(17, 12, 'hwinit', 'L0s and L1 exit latency'),
      FLAGS: bits(23, 18, 'hwinit', 'Clock power management, surprise down, link active and bandwidth reporting'),
      PORT: bits(31, 24, 'hwinit', 'Port number: the dport id of the CXL core'),
    }),
    LNKCTL: reg16(0x10, pcie('7.5.3.7', 'Link Control Register'), {
      CONTROL: bits(15, 0, 'ro', 'ASPM, link disable, retrain: not modelled by QEMU'),
    }),
    LNKSTA: reg16(0x12, pcie('7.5.3.8', 'Link Status Register'), {
      SPEED: bits(3, 0, 'ro', 'Speed the link trained to', { values: SPEEDS }),
      WIDTH: bits(9, 4, 'ro', 'Width the link trained to'),
      TRAINING: bits(12, 10, 'ro', 'Training and slot clock'),
      ACTIVE: bit(13, 'ro', 'The data link layer is up'),
      BANDWIDTH: bits(15, 14, 'ro', 'Bandwidth change notifications'),
    }),
    SLTCAP: reg32(0x14, pcie('7.5.3.9', 'Slot Capabilities Register'), {
      ABP: bit(0, 'hwinit', 'Attention button'),
      PCP: bit(1, 'hwinit', 'Power controller'),
      MRLSP: bit(2, 'hwinit', 'Manual retention latch sensor'),
      AIP: bit(3, 'hwinit', 'Attention indicator'),
      PIP: bit(4, 'hwinit', 'Power indicator'),
      HPS: bit(5, 'hwinit', 'Device may be removed without notice'),
      HPC: bit(6, 'hwinit', 'Hot-plug capable'),
      POWER: bits(16, 7, 'hwinit', 'Slot power limit'),
      EIP: bit(17, 'hwinit', 'Electromechanical interlock'),
      NCCS: bit(18, 'hwinit', 'No command completed notification'),
      PSN: bits(31, 19, 'hwinit', 'Physical slot number'),
    }),
    SLTCTL: reg16(0x18, pcie('7.5.3.10', 'Slot Control Register'), {
      ABPE: bit(0, 'rw', 'Notify of the attention button', { inert: true }),
      PFDE: bit(1, 'ro', 'Notify of power faults'),
      MRLSCE: bit(2, 'ro', 'Notify of the latch'),
      PDCE: bit(3, 'rw', 'Notify of presence changes', { inert: true }),
      CCIE: bit(4, 'rw', 'Notify when a command completed', { inert: true }),
      HPIE: bit(5, 'rw', 'Raise the hot-plug interrupt', { inert: true }),
      AIC: bits(7, 6, 'rw', 'Attention indicator', { inert: true, values: { 1: 'on', 2: 'blink', 3: 'off' } }),
      PIC: bits(9, 8, 'rw', 'Power indicator', { inert: true, values: { 1: 'on', 2: 'blink', 3: 'off' } }),
      PCC: bit(10, 'rw', 'Power off', { inert: true }),
      EIC: bit(11, 'ro', 'Toggle the interlock; reads 0'),
      DLLSCE: bit(12, 'ro', 'Notify of link state changes'),
      RSVD: bits(15, 13, 'rsvdp', 'Reserved'),
    }),
    SLTSTA: reg16(0x1a, pcie('7.5.3.11', 'Slot Status Register'), {
      ABP: bit(0, 'rw1c', 'Attention button pressed'),
      PFD: bit(1, 'ro', 'Power fault'),
      MRLSC: bit(2, 'ro', 'Latch changed'),
      PDC: bit(3, 'rw1c', 'Presence changed'),
      CC: bit(4, 'rw1c', 'Command completed'),
      MRLSS: bit(5, 'ro', 'Latch state'),
      PDS: bit(6, 'ro', 'Card present'),
      EIS: bit(7, 'ro', 'Interlock engaged'),
      DLLSC: bit(8, 'rw1c', 'Link state changed'),
      RSVD: bits(15, 9, 'rsvdz', 'Reserved'),
    }),
    RTCTL: reg16(0x1c, pcie('7.5.3.12', 'Root Control Register'), {
      SECEE: bit(0, 'rw', 'System error on correctable', { inert: true }),
      SENFEE: bit(1, 'rw', 'System error on non-fatal', { inert: true }),
      SEFEE: bit(2, 'rw', 'System error on fatal', { inert: true }),
      PMEIE: bit(3, 'ro', 'PME interrupt'),
      CRSSVE: bit(4, 'ro', 'Retry status visible to software'),
      RSVD: bits(15, 5, 'rsvdp', 'Reserved'),
    }),
    RTCAP: reg16(0x1e, pcie('7.5.3.13', 'Root Capabilities Register'), {
      CRS: bit(0, 'hwinit', 'Retry status can be visible to software'),
      RSVD: bits(15, 1, 'rsvdp', 'Reserved'),
    }),
    RTSTA: reg32(0x20, pcie('7.5.3.14', 'Root Status Register'), {
      STATUS: bits(31, 0, 'ro', 'PME requester and status; never set'),
    }),
    DEVCAP2: reg32(0x24, pcie('7.5.3.15', 'Device Capabilities 2 Register'), {
      TIMEOUT: bits(4, 0, 'hwinit', 'Completion timeout ranges'),
      ARI: bit(5, 'hwinit', 'ARI forwarding'),
      ATOMICS: bits(19, 6, 'hwinit', 'Atomics, tags, LTR, TPH: none'),
      EFF: bit(20, 'hwinit', 'Extended fmt field', { reset: 1 }),
      EETLPP: bit(21, 'hwinit', 'End-end TLP prefixes', { reset: 1 }),
      REST: bits(31, 22, 'hwinit', 'Prefix count (0 means 4) and others'),
    }),
    DEVCTL2: reg16(0x28, pcie('7.5.3.16', 'Device Control 2 Register'), {
      TIMEOUT: bits(4, 0, 'ro', 'Completion timeout'),
      ARI: bit(5, 'ro', 'Forward by function number only', { inert: true }),
      REST: bits(14, 6, 'ro', 'Atomics, LTR, OBFF: none'),
      EETLPPB: bit(15, 'rw', 'Block end-end prefixes', { inert: true }),
    }),
    DEVSTA2: reg16(0x2a, pcie('7.5.3.17', 'Device Status 2 Register'), { RSVD: bits(15, 0, 'rsvdz', 'Reserved') }),
    LNKCAP2: reg32(0x2c, pcie('7.5.3.18', 'Link Capabilities 2 Register'), {
      RSVD: bit(0, 'rsvdp', 'Reserved'),
      SPEEDS: bits(7, 1, 'hwinit', 'Supported speeds, one bit each from 2.5 GT/s'),
      REST: bits(31, 8, 'hwinit', 'Crosslink, SKP, retimers: none'),
    }),
    LNKCTL2: reg16(0x30, pcie('7.5.3.19', 'Link Control 2 Register'), {
      SPEED: bits(3, 0, 'ro', 'Target link speed', { values: SPEEDS }),
      REST: bits(15, 4, 'ro', 'Compliance and margining: none'),
    }),
    LNKSTA2: reg16(0x32, pcie('7.5.3.20', 'Link Status 2 Register'), {
      STATUS: bits(9, 0, 'ro', 'De-emphasis, equalization'),
      FLIT: bit(10, 'ro', 'Flit mode: 256-byte flits'),
      REST: bits(15, 11, 'ro', 'Retimers, DRS'),
    }),
    SLTCAP2: reg32(0x34, pcie('7.5.3.21', 'Slot Capabilities 2 Register'), { RSVD: bits(31, 0, 'rsvdp', 'Reserved') }),
    SLTCTL2: reg16(0x38, pcie('7.5.3.22', 'Slot Control 2 Register'), { RSVD: bits(15, 0, 'rsvdp', 'Reserved') }),
    SLTSTA2: reg16(0x3a, pcie('7.5.3.23', 'Slot Status 2 Register'), { RSVD: bits(15, 0, 'rsvdz', 'Reserved') }),
  },
});

const MSI_CONTROL = reg16(0x02, pcie('7.7.1.2', 'Message Control Register for MSI'), {
  ENABLE: bit(0, 'rw', 'Send MSIs instead of INTx'),
  CAPABLE: bits(3, 1, 'hwinit', 'Messages the function can send', { values: { 0: '1', 1: '2', 2: '4', 3: '8' } }),
  ENABLED: bits(6, 4, 'rw', 'Messages software gave it', { values: { 0: '1', 1: '2', 2: '4', 3: '8' } }),
  ADDR64: bit(7, 'hwinit', '64-bit address'),
  MASKABLE: bit(8, 'hwinit', 'Per-vector masking'),
  RSVD: bits(15, 9, 'rsvdp', 'Reserved'),
});
const MSI_ADDRESS = reg32(0x04, pcie('7.7.1.3', 'Message Address Register for MSI'), {
  RSVD: bits(1, 0, 'rsvdp', 'Reserved'),
  ADDRESS: bits(31, 2, 'rw', 'Where the message is written'),
});

/** The four forms of the MSI capability: 32 or 64 address bits, with or without a mask for each vector. */
function msi(id: string, title: string, wide: boolean, masked: boolean): BlockSpec {
  const data = wide ? 0x0c : 0x08;
  return block({
    id,
    title: `MSI capability (${title})`,
    size: masked ? data + 0x0c : data + 2,
    cite: pcie('7.7.1', 'MSI Capability Structures'),
    registers: {
      ...capHeader('MSI', 0x05),
      MSI_CONTROL,
      MSI_ADDRESS,
      ...(wide
        ? {
            MSI_ADDRESS_HI: reg32(0x08, pcie('7.7.1.4', 'Message Upper Address Register for MSI'), {
              ADDRESS: bits(31, 0, 'rw', 'High half of the address'),
            }),
          }
        : {}),
      MSI_DATA: reg16(data, pcie('7.7.1.5', 'Message Data Register for MSI'), {
        DATA: bits(15, 0, 'rw', 'What is written'),
      }),
      ...(masked
        ? {
            MSI_MASK: reg32(data + 4, pcie('7.7.1.7', 'Mask Bits Register for MSI'), {
              MASK: bits(31, 0, 'rw', 'Vectors held back', { inert: true }),
            }),
            MSI_PENDING: reg32(data + 8, pcie('7.7.1.8', 'Pending Bits Register for MSI'), {
              PENDING: bits(31, 0, 'ro', 'Vectors waiting because masked'),
            }),
          }
        : {}),
    },
  });
}

/** cxl-rp. */
export const msiCap32 = msi('pci.cap.msi32', '32-bit, maskable', false, true);
/** ICH9 AHCI. */
export const msiCap64 = msi('pci.cap.msi64', '64-bit', true, false);
/** Ports of CXL switches. */
export const msiCap64Masked = msi('pci.cap.msi64m', '64-bit, maskable', true, true);

export const msixCap = block({
  id: 'pci.cap.msix',
  title: 'MSI-X capability',
  size: 0x0c,
  cite: pcie('7.7.2', 'MSI-X Capability and Table Structure'),
  registers: {
    ...capHeader('MSIX', 0x11),
    MSIX_CONTROL: reg16(0x02, pcie('7.7.2.2', 'Message Control Register for MSI-X'), {
      SIZE: bits(10, 0, 'hwinit', 'Number of vectors minus 1'),
      RSVD: bits(13, 11, 'rsvdp', 'Reserved'),
      MASK_ALL: bit(14, 'rw', 'Hold back every vector'),
      ENABLE: bit(15, 'rw', 'Send MSI-X instead of INTx'),
    }),
    MSIX_TABLE: reg32(0x04, pcie('7.7.2.3', 'Table Offset/Table BIR Register for MSI-X'), {
      BIR: bits(2, 0, 'hwinit', 'BAR holding the table'),
      OFFSET: bits(31, 3, 'hwinit', 'Offset of the table in that BAR, bits 31:3'),
    }),
    MSIX_PBA: reg32(0x08, pcie('7.7.2.4', 'PBA Offset/PBA BIR Register for MSI-X'), {
      BIR: bits(2, 0, 'hwinit', 'BAR holding the pending bits'),
      OFFSET: bits(31, 3, 'hwinit', 'Offset of the pending bits in that BAR, bits 31:3'),
    }),
  },
});

export const ssvidCap = block({
  id: 'pci.cap.ssvid',
  title: 'Subsystem ID capability',
  size: 8,
  cite: pcie('7.9.23', 'Subsystem ID and Subsystem Vendor ID Capability'),
  registers: {
    ...capHeader('SSVID', 0x0d),
    SSVID_VENDOR: reg16(0x04, pcie('7.9.23', 'Subsystem Vendor ID'), {
      VENDOR: bits(15, 0, 'hwinit', 'Who made the board'),
    }),
    SSVID_ID: reg16(0x06, pcie('7.9.23', 'Subsystem ID'), { ID: bits(15, 0, 'hwinit', 'Which board') }),
  },
});

/** SATA capability of the AHCI function, two constant registers. */
export const sataCap = block({
  id: 'pci.cap.sata',
  title: 'SATA capability',
  size: 8,
  cite: { doc: 'Serial ATA AHCI 1.3.1', section: '2.4', title: 'SATA Capability' },
  registers: {
    ...capHeader('SATA', 0x12),
    SATA_REV: reg16(
      0x02,
      { doc: 'Serial ATA AHCI 1.3.1', section: '2.4.2', title: 'SATACR0' },
      {
        REVISION: bits(7, 0, 'hwinit', 'Revision 1.0', { reset: 0x10 }),
        RSVD: bits(15, 8, 'rsvdp', 'Reserved'),
      },
    ),
    SATA_INDEX: reg32(
      0x04,
      { doc: 'Serial ATA AHCI 1.3.1', section: '2.4.3', title: 'SATACR1' },
      {
        PLACE: bits(31, 0, 'hwinit', 'Where the index/data pair is: BAR4 + 4', { reset: 0x48 }),
      },
    ),
  },
});

/** One MSI-X table of `vectors` entries at 0 and its pending bits at `pba` of a BAR. */
export function msixTable(vectors: number) {
  return block({
    id: 'pci.msix.table',
    title: 'MSI-X table',
    size: vectors * 16,
    cite: pcie('7.7.2.5', 'MSI-X Table'),
    registers: {
      'MSIX{n}_ADDR_LO': repeat(
        vectors,
        16,
        reg32(0, pcie('7.7.2.6', 'Message Address Register for MSI-X'), {
          ADDRESS: bits(31, 0, 'rw', 'Where the message is written'),
        }),
      ),
      'MSIX{n}_ADDR_HI': repeat(
        vectors,
        16,
        reg32(4, pcie('7.7.2.7', 'Message Upper Address Register for MSI-X'), {
          ADDRESS: bits(31, 0, 'rw', 'High half of the address'),
        }),
      ),
      'MSIX{n}_DATA': repeat(
        vectors,
        16,
        reg32(8, pcie('7.7.2.8', 'Message Data Register for MSI-X'), {
          DATA: bits(31, 0, 'rw', 'What is written'),
        }),
      ),
      'MSIX{n}_CTRL': repeat(
        vectors,
        16,
        reg32(12, pcie('7.7.2.9', 'Vector Control Register for MSI-X'), {
          MASK: bit(0, 'rw', 'Hold this vector back', { reset: 1 }),
          REST: bits(31, 1, 'rw', 'Steering tag and reserved; QEMU stores them', { inert: true }),
        }),
      ),
    },
  });
}

export function msixPba(vectors: number) {
  return block({
    id: 'pci.msix.pba',
    title: 'MSI-X pending bits',
    size: Math.ceil(vectors / 64) * 8,
    cite: pcie('7.7.2.10', 'Pending Bits Register for MSI-X PBA Entries'),
    registers: {
      'MSIX_PBA{n}': repeat(
        Math.ceil(vectors / 64) * 2,
        4,
        reg32(0, pcie('7.7.2.10', 'Pending Bits'), {
          PENDING: bits(31, 0, 'ro', 'Vectors that fired while held back'),
        }),
      ),
    },
  });
}
