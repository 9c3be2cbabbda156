import { bit, bits, block, cites, reg16, reg32, repeat } from '../dsl/define.ts';
import type { RegisterSpec } from '../dsl/types.ts';
import { type ErrorTable, errorRegisters } from '../error-registers.ts';

const pcie = cites('PCIe 6.0');

/** First dword of an extended capability. */
export function extHeader(prefix: string, id: number, version: number): Record<string, RegisterSpec> {
  return {
    [`${prefix}_EXT_HEADER`]: reg32(0, pcie('7.6.3', 'PCI Express Extended Capability Header'), {
      ID: bits(15, 0, 'hwinit', 'Which extended capability this is', { reset: id }),
      VERSION: bits(19, 16, 'hwinit', 'Version of the structure', { reset: version }),
      NEXT: bits(31, 20, 'hwinit', 'Offset of the next extended capability, 0 at the end'),
    }),
  };
}

/** The value of such a dword, for placements. */
export function extHeaderValue(id: number, version: number, next: number): number {
  return (id | (version << 16) | (next << 20)) >>> 0;
}

const UNCORRECTABLE: ErrorTable = [
  [4, 'DLP', 'Data link protocol error'],
  [5, 'SDN', 'Surprise down'],
  [12, 'POISON', 'Poisoned packet received'],
  [13, 'FCP', 'Flow control protocol error'],
  [14, 'TIMEOUT', 'Completion timeout'],
  [15, 'ABORT', 'Completer abort'],
  [16, 'UNEXPECTED', 'Unexpected completion'],
  [17, 'OVERFLOW', 'Receiver overflow'],
  [18, 'MALFORMED', 'Malformed packet'],
  [19, 'ECRC', 'ECRC error'],
  [20, 'UNSUPPORTED', 'Unsupported request'],
  [21, 'ACS', 'ACS violation'],
  [22, 'INTERNAL', 'Uncorrectable internal error'],
  [23, 'MC_BLOCKED', 'Multicast packet blocked'],
  [24, 'ATOMIC_BLOCKED', 'Atomic egress blocked'],
  [25, 'PREFIX_BLOCKED', 'Packet prefix blocked'],
];
const CORRECTABLE: ErrorTable = [
  [0, 'RECEIVER', 'Receiver error'],
  [6, 'BAD_TLP', 'Bad packet'],
  [7, 'BAD_DLLP', 'Bad link packet'],
  [8, 'ROLLOVER', 'Replay number rollover'],
  [12, 'REPLAY', 'Replay timer timeout'],
  [13, 'ADVISORY', 'Advisory non-fatal error'],
  [14, 'INTERNAL', 'Corrected internal error'],
  [15, 'LOG_OVERFLOW', 'Header log overflow'],
];
/** Advanced Error Reporting; the root registers exist in every function’s block and read 0 in endpoints. */
export const aerCap = block({
  id: 'pci.ext.aer',
  title: 'Advanced Error Reporting',
  size: 0x48,
  cite: pcie('7.8.4', 'Advanced Error Reporting Extended Capability'),
  registers: {
    ...extHeader('AER', 0x0001, 2),
    ...errorRegisters({
      prefix: 'AER',
      at: 0x04,
      cite: (n, title) => pcie(`7.8.4.${n + 2}`, title),
      uncorrectable: UNCORRECTABLE,
      correctable: CORRECTABLE,
      masked: 0x02400000,
      severe: 0x00462030,
      correctableMasked: 0xe000,
    }),
    AER_CAP: reg32(0x18, pcie('7.8.4.7', 'Advanced Error Capabilities and Control Register'), {
      FIRST: bits(4, 0, 'ro', 'Bit number of the first uncorrectable error'),
      ECRC_GEN_CAP: bit(5, 'hwinit', 'Can make ECRC', { reset: 1 }),
      ECRC_GEN: bit(6, 'rws', 'Make ECRC', { inert: true }),
      ECRC_CHK_CAP: bit(7, 'hwinit', 'Can check ECRC', { reset: 1 }),
      ECRC_CHK: bit(8, 'rws', 'Check ECRC', { inert: true }),
      MULTI_CAP: bit(9, 'hwinit', 'Can record more than one header'),
      MULTI: bit(10, 'rws', 'Record more than one header', { inert: true }),
      PREFIX: bit(11, 'ro', 'The prefix log is valid'),
      RSVD: bits(31, 12, 'rsvdp', 'Reserved'),
    }),
    'AER_HEADER_LOG{n}': repeat(
      4,
      4,
      reg32(0x1c, pcie('7.8.4.8', 'Header Log Register'), {
        HEADER: bits(31, 0, 'ro', 'Header of the first bad packet', { resetClass: 'cold' }),
      }),
    ),
    AER_ROOT_COMMAND: reg32(0x2c, pcie('7.8.4.9', 'Root Error Command Register'), {
      COR: bit(0, 'ro', 'Interrupt on correctable errors', { inert: true }),
      NONFATAL: bit(1, 'ro', 'Interrupt on non-fatal errors', { inert: true }),
      FATAL: bit(2, 'ro', 'Interrupt on fatal errors', { inert: true }),
      RSVD: bits(31, 3, 'rsvdp', 'Reserved'),
    }),
    AER_ROOT_STATUS: reg32(0x30, pcie('7.8.4.10', 'Root Error Status Register'), {
      RECEIVED: bits(6, 0, 'rw1cs', 'Which errors were received'),
      RSVD: bits(26, 7, 'rsvdz', 'Reserved'),
      MSG_NUM: bits(31, 27, 'ro', 'Interrupt message number'),
    }),
    AER_ERROR_SOURCE: reg32(0x34, pcie('7.8.4.11', 'Error Source Identification Register'), {
      COR: bits(15, 0, 'ro', 'Requester of the first correctable error', { resetClass: 'cold' }),
      UNCOR: bits(31, 16, 'ro', 'Requester of the first uncorrectable error', { resetClass: 'cold' }),
    }),
    'AER_PREFIX_LOG{n}': repeat(
      4,
      4,
      reg32(0x38, pcie('7.8.4.12', 'TLP Prefix Log Register'), {
        PREFIX: bits(31, 0, 'ro', 'Prefixes of the first bad packet', { resetClass: 'cold' }),
      }),
    ),
  },
});

export const acsCap = block({
  id: 'pci.ext.acs',
  title: 'Access Control Services',
  size: 8,
  cite: pcie('7.7.11', 'ACS Extended Capability'),
  registers: {
    ...extHeader('ACS', 0x000d, 1),
    ACS_CAP: reg16(0x04, pcie('7.7.11.2', 'ACS Capability Register'), {
      SERVICES: bits(6, 0, 'hwinit', 'Services the port has: V B R C U E T', { reset: 0x5f }),
      RSVD: bits(15, 7, 'rsvdp', 'Reserved'),
    }),
    ACS_CTRL: reg16(0x06, pcie('7.7.11.3', 'ACS Control Register'), {
      VALIDATION: bit(0, 'rw', 'Check requester bus numbers: what makes an IOMMU group of its own', { inert: true }),
      BLOCKING: bit(1, 'rw', 'Block translated requests', { inert: true }),
      REDIRECT: bit(2, 'rw', 'Send peer-to-peer requests up', { inert: true }),
      COMPLETION: bit(3, 'rw', 'Send peer-to-peer completions up', { inert: true }),
      UPSTREAM: bit(4, 'rw', 'Forward requests that point back', { inert: true }),
      EGRESS: bit(5, 'ro', 'Egress control'),
      DIRECT: bit(6, 'rw', 'Direct translated peer-to-peer', { inert: true }),
      RSVD: bits(15, 7, 'rsvdp', 'Reserved'),
    }),
  },
});

export const dsnCap = block({
  id: 'pci.ext.dsn',
  title: 'Device Serial Number',
  size: 12,
  cite: pcie('7.9.3', 'Device Serial Number Extended Capability'),
  registers: {
    ...extHeader('DSN', 0x0003, 1),
    DSN_LO: reg32(0x04, pcie('7.9.3.2', 'Serial Number Register (Lower DW)'), {
      SERIAL: bits(31, 0, 'hwinit', 'Low half of the serial number'),
    }),
    DSN_HI: reg32(0x08, pcie('7.9.3.2', 'Serial Number Register (Upper DW)'), {
      SERIAL: bits(31, 0, 'hwinit', 'High half of the serial number'),
    }),
  },
});

/** Data Object Exchange: a mailbox in configuration space, through which CDAT is read. */
export const doeCap = block({
  id: 'pci.ext.doe',
  title: 'Data Object Exchange',
  size: 0x18,
  cite: pcie('7.9.24', 'Data Object Exchange Extended Capability'),
  registers: {
    ...extHeader('DOE', 0x002e, 1),
    DOE_CAP: reg32(0x04, pcie('7.9.24.2', 'DOE Capabilities Register'), {
      INTERRUPT: bit(0, 'hwinit', 'Can interrupt when an object is ready'),
      MSG_NUM: bits(11, 1, 'hwinit', 'Message of that interrupt'),
      RSVD: bits(31, 12, 'rsvdp', 'Reserved'),
    }),
    DOE_CTRL: reg32(0x08, pcie('7.9.24.3', 'DOE Control Register'), {
      ABORT: bit(0, 'rw', 'Forget everything; reads 0'),
      INTERRUPT: bit(1, 'rw', 'Interrupt when an object is ready', { inert: true }),
      RSVD: bits(30, 2, 'rsvdp', 'Reserved'),
      GO: bit(31, 'rw', 'The request is complete; reads 0'),
    }),
    DOE_STATUS: reg32(0x0c, pcie('7.9.24.4', 'DOE Status Register'), {
      BUSY: bit(0, 'ro', 'Working'),
      INTERRUPT: bit(1, 'rw1c', 'An interrupt was sent'),
      ERROR: bit(2, 'ro', 'Something went wrong'),
      RSVD: bits(30, 3, 'rsvdp', 'Reserved'),
      READY: bit(31, 'ro', 'The response can be read'),
    }),
    DOE_WRITE: reg32(0x10, pcie('7.9.24.5', 'DOE Write Data Mailbox Register'), {
      DATA: bits(31, 0, 'rw', 'Next dword of the request; reads 0'),
    }),
    DOE_READ: reg32(0x14, pcie('7.9.24.6', 'DOE Read Data Mailbox Register'), {
      DATA: bits(31, 0, 'rw', 'Present dword of the response; any write gives the next one'),
    }),
  },
});
