import { bit, bits, block, cites, reg32, repeat } from '../dsl/define.ts';
import { type ErrorTable, errorRegisters } from '../error-registers.ts';

const cxl = cites('CXL 3.1');

export const CM_CAP = {
  NULL: 0,
  HEADER: 1,
  RAS: 2,
  SECURITY: 3,
  LINK: 4,
  HDM: 5,
  EXTSEC: 6,
  IDE: 7,
  SNOOP: 8,
} as const;
/** Where QEMU puts the capabilities, from the start of CXL.cachemem (include/hw/cxl/cxl_component.h). */
export const CM_OFFSET = { RAS: 0x80, LINK: 0xd8, HDM: 0x128, EXTSEC: 0x278, SNOOP: 0xaa0 } as const;

/** The capability array with `entries` entries after its header. */
export function capabilityArray(entries: number) {
  return block({
    id: 'cxl.cm.array',
    title: 'CXL.cachemem capability array',
    size: 4 + 4 * entries,
    cite: cxl('8.2.4', 'CXL.cache and CXL.mem Registers'),
    registers: {
      CM_HEADER: reg32(0, cxl('8.2.4.1', 'CXL Capability Header Register'), {
        ID: bits(15, 0, 'hwinit', 'Always 1', { reset: 1 }),
        VERSION: bits(19, 16, 'hwinit', 'Version of the array', { reset: 1 }),
        CACHEMEM_VERSION: bits(23, 20, 'hwinit', 'Version of CXL.cachemem', { reset: 1 }),
        COUNT: bits(31, 24, 'hwinit', 'Entries that follow', { reset: entries }),
      }),
      'CM_ENTRY{n}': repeat(
        entries,
        4,
        reg32(4, cxl('8.2.4.1', 'CXL Capability Header Register'), {
          ID: bits(15, 0, 'hwinit', 'Which capability', {
            values: {
              0: 'none',
              2: 'RAS',
              3: 'security',
              4: 'link',
              5: 'HDM decoder',
              6: 'extended security',
              7: 'IDE',
              8: 'snoop filter',
            },
          }),
          VERSION: bits(19, 16, 'hwinit', 'Its version'),
          POINTER: bits(31, 20, 'hwinit', 'Its offset from the start of this array'),
        }),
      ),
    },
  });
}

/** An array entry: id, version, offset. */
export function capabilityEntry(id: number, version: number, pointer: number): number {
  return (id | (version << 16) | (pointer << 20)) >>> 0;
}

const UNC: ErrorTable = [
  [0, 'CACHE_DATA_PARITY', 'Cache data parity error'],
  [1, 'CACHE_ADDR_PARITY', 'Cache address parity error'],
  [2, 'CACHE_BE_PARITY', 'Cache byte enable parity error'],
  [3, 'CACHE_DATA_ECC', 'Cache data ECC error'],
  [4, 'MEM_DATA_PARITY', 'Memory data parity error'],
  [5, 'MEM_ADDR_PARITY', 'Memory address parity error'],
  [6, 'MEM_BE_PARITY', 'Memory byte enable parity error'],
  [7, 'MEM_DATA_ECC', 'Memory data ECC error'],
  [8, 'REINIT', 'REINIT threshold error'],
  [9, 'ENCODING', 'Reserved encoding error'],
  [10, 'POISON', 'Poison received error'],
  [11, 'OVERFLOW', 'Receiver overflow error'],
  [14, 'INTERNAL', 'Internal error'],
  [15, 'IDE_TX', 'IDE transmit error'],
  [16, 'IDE_RX', 'IDE receive error'],
];
const COR: ErrorTable = [
  [0, 'CACHE_ECC', 'Cache ECC error'],
  [1, 'MEM_ECC', 'Memory ECC error'],
  [2, 'CRC', 'CRC threshold error'],
  [3, 'RETRY', 'Retry threshold error'],
  [4, 'CACHE_POISON', 'Cache poison error'],
  [5, 'MEM_POISON', 'Memory poison error'],
  [6, 'PHYSICAL', 'Physical layer error'],
];
export const rasBlock = block({
  id: 'cxl.ras',
  title: 'CXL RAS capability',
  size: 0x58,
  cite: cxl('8.2.4.17', 'CXL RAS Capability Structure'),
  registers: {
    ...errorRegisters({
      prefix: 'RAS',
      at: 0x00,
      cite: (n, title) => cxl(`8.2.4.17.${n + 1}`, title),
      uncorrectable: UNC,
      correctable: COR,
      masked: 0xffffffff,
      severe: 0xffffffff,
      correctableMasked: 0xffffffff,
    }),
    RAS_CTRL: reg32(0x14, cxl('8.2.4.17.6', 'Error Capabilities and Control Register'), {
      FIRST: bits(5, 0, 'ro', 'Bit number of the first error', { resetClass: 'cold' }),
      RSVD: bits(8, 6, 'rsvdp', 'Reserved'),
      MULTI: bit(9, 'hwinit', 'Can record more than one header', { reset: 1 }),
      RSVD2: bits(12, 10, 'rsvdp', 'Reserved'),
      POISON: bit(13, 'hwinit', 'Poison is supported'),
      RSVD3: bits(31, 14, 'rsvdp', 'Reserved'),
    }),
    'RAS_HEADER_LOG{n}': repeat(
      16,
      4,
      reg32(0x18, cxl('8.2.4.17.7', 'Header Log Registers'), {
        HEADER: bits(31, 0, 'ro', 'What the first error was seen in', { resetClass: 'cold' }),
      }),
    ),
  },
});

/** A RAS block a device left out of its array: every dword reads 0 (cxl-accel, profile B). */
export const rasAbsent = block({
  id: 'cxl.ras.absent',
  title: 'Room of the RAS capability, not filled',
  size: 0x58,
  cite: { doc: 'hw/mem/cxl_accel.c (Zhi Wang, Dec 2024)', title: 'no RAS init for the type-2 enum' },
  registers: {
    'RAS_ROOM{n}': repeat(
      22,
      4,
      reg32(
        0,
        { doc: 'hw/mem/cxl_accel.c', title: 'not initialised' },
        {
          ZERO: bits(31, 0, 'rsvdz', 'Reads 0: the array does not announce RAS'),
        },
      ),
    ),
  },
});

const LINK_NAMES = ['CAP', 'CTRL_STATUS', 'RX_CREDIT_CTRL', 'RX_CREDIT_RETURN', 'TX_CREDIT', 'ACK_TIMER', 'DEFEATURE'];

export const linkBlock = block({
  id: 'cxl.link',
  title: 'CXL link capability',
  size: 0x50,
  cite: cxl('8.2.4.19', 'CXL Link Capability Structure'),
  registers: Object.fromEntries(
    LINK_NAMES.flatMap((name, n) => [
      [
        `LINK_${name}_LO`,
        reg32(n * 8, cxl('8.2.4.19', `CXL Link ${name}`), {
          VALUE: bits(31, 0, 'ro', 'Link layer detail; QEMU gives 0', { inert: true }),
        }),
      ],
      [
        `LINK_${name}_HI`,
        reg32(n * 8 + 4, cxl('8.2.4.19', `CXL Link ${name}`), {
          VALUE: bits(31, 0, 'ro', 'Link layer detail; QEMU gives 0', { inert: true }),
        }),
      ],
    ]),
  ),
});

const GRANULARITY = { 0: '256 B', 1: '512 B', 2: '1 KiB', 3: '2 KiB', 4: '4 KiB', 5: '8 KiB', 6: '16 KiB' };
const WAYS = { 0: '1', 1: '2', 2: '4', 3: '8', 4: '16', 8: '3', 9: '6', 10: '12' };
/** Decoder fields may be written unless committed with lock: `lock` hook of the device model decides. */
const HELD = { lockedBy: 'CTRL{n} committed with LOCK', resetClass: 'cxl' } as const;

/** HDM decoder capability with `decoders` decoders; register names as in the specification without "Decoder n". */
export function hdmBlock(decoders: number) {
  return block({
    id: 'cxl.hdm',
    title: 'CXL HDM decoder capability',
    size: 0x10 + 0x20 * decoders,
    cite: cxl('8.2.4.20', 'CXL HDM Decoder Capability Structure'),
    registers: {
      HDM_CAP: reg32(0x00, cxl('8.2.4.20.1', 'CXL HDM Decoder Capability Register'), {
        DECODER_COUNT: bits(3, 0, 'hwinit', 'How many decoders (encoded)', {
          values: {
            0: '1',
            1: '2',
            2: '4',
            3: '6',
            4: '8',
            5: '10',
            6: '12',
            7: '14',
            8: '16',
            9: '20',
            10: '24',
            11: '28',
            12: '32',
          },
        }),
        TARGET_COUNT: bits(7, 4, 'hwinit', 'Targets per decoder', { values: { 1: '1', 2: '2', 4: '4', 8: '8' } }),
        A11_8: bit(8, 'hwinit', 'Can interleave on address bits 11:8'),
        A14_12: bit(9, 'hwinit', 'Can interleave on address bits 14:12'),
        POISON_ON_ERROR: bit(10, 'hwinit', 'Can poison reads that decode nowhere'),
        WAYS_3_6_12: bit(11, 'hwinit', 'Can interleave 3, 6 or 12 ways'),
        WAYS_16: bit(12, 'hwinit', 'Can interleave 16 ways'),
        UIO: bit(13, 'hwinit', 'Can do UIO'),
        RSVD: bits(15, 14, 'rsvdp', 'Reserved'),
        UIO_COUNT: bits(19, 16, 'hwinit', 'Decoders that can do UIO'),
        MEMDATA_NXM: bit(20, 'hwinit', 'Answers MemData-NXM'),
        COHERENCY: bits(22, 21, 'hwinit', 'Coherency models', {
          values: { 0: 'unknown', 1: 'device', 2: 'host only', 3: 'both' },
        }),
        RSVD2: bits(31, 23, 'rsvdp', 'Reserved'),
      }),
      HDM_GLOBAL: reg32(0x04, cxl('8.2.4.20.2', 'CXL HDM Decoder Global Control Register'), {
        POISON_ON_ERROR: bit(0, 'rw', 'Poison reads that decode nowhere', { resetClass: 'cxl', inert: true }),
        ENABLE: bit(1, 'rw', 'Decoders are on; QEMU decodes without asking for it', {
          resetClass: 'cxl',
        }),
        RSVD: bits(31, 2, 'rsvdp', 'Reserved'),
      }),
      'BASE_LO{n}': repeat(
        decoders,
        0x20,
        reg32(0x10, cxl('8.2.4.20.3', 'CXL HDM Decoder n Base Low Register'), {
          RSVD: bits(27, 0, 'rsvdp', 'Reserved'),
          BASE: bits(31, 28, 'rwl', 'Host physical base, bits 31:28: windows sit on 256 MiB', HELD),
        }),
      ),
      'BASE_HI{n}': repeat(
        decoders,
        0x20,
        reg32(0x14, cxl('8.2.4.20.4', 'CXL HDM Decoder n Base High Register'), {
          BASE: bits(31, 0, 'rwl', 'Host physical base, bits 63:32', HELD),
        }),
      ),
      'SIZE_LO{n}': repeat(
        decoders,
        0x20,
        reg32(0x18, cxl('8.2.4.20.5', 'CXL HDM Decoder n Size Low Register'), {
          RSVD: bits(27, 0, 'rsvdp', 'Reserved'),
          SIZE: bits(31, 28, 'rwl', 'Size of the host range, bits 31:28', HELD),
        }),
      ),
      'SIZE_HI{n}': repeat(
        decoders,
        0x20,
        reg32(0x1c, cxl('8.2.4.20.6', 'CXL HDM Decoder n Size High Register'), {
          SIZE: bits(31, 0, 'rwl', 'Size of the host range, bits 63:32', HELD),
        }),
      ),
      'CTRL{n}': repeat(
        decoders,
        0x20,
        reg32(0x20, cxl('8.2.4.20.7', 'CXL HDM Decoder n Control Register'), {
          IG: bits(3, 0, 'rwl', 'Bytes that go to one target before the next takes over', {
            ...HELD,
            values: GRANULARITY,
          }),
          IW: bits(7, 4, 'rwl', 'Targets sharing the range', { ...HELD, values: WAYS }),
          LOCK: bit(8, 'rwl', 'Freeze this decoder once committed', HELD),
          COMMIT: bit(9, 'rwl', 'Software asks the decoder to take effect', HELD),
          COMMITTED: bit(10, 'ro', 'Hardware accepted the programming', { resetClass: 'cxl' }),
          ERROR: bit(11, 'ro', 'Hardware refused the programming', { resetClass: 'cxl' }),
          TYPE: bit(12, 'rwl', 'What memory is behind it', {
            ...HELD,
            values: { 0: 'device coherent (type 2)', 1: 'host-only coherent (type 3)' },
          }),
          BI: bit(13, 'rwl', 'Back invalidation', { ...HELD, inert: true }),
          UIO: bit(14, 'rwl', 'Unordered I/O', { ...HELD, inert: true }),
          RSVD: bit(15, 'rsvdp', 'Reserved'),
          UIG: bits(19, 16, 'rwl', 'UIO: upstream granularity', { ...HELD, inert: true }),
          UIW: bits(23, 20, 'rwl', 'UIO: upstream ways', { ...HELD, inert: true }),
          ISP: bits(27, 24, 'rwl', 'UIO: interleave set position', { ...HELD, inert: true }),
          RSVD2: bits(31, 28, 'rsvdp', 'Reserved'),
        }),
      ),
      'TARGET_LO{n}': repeat(
        decoders,
        0x20,
        reg32(0x24, cxl('8.2.4.20.8', 'CXL HDM Decoder n Target List Low / DPA Skip Low'), {
          TARGETS: bits(
            31,
            0,
            'rwl',
            'Ports: target 0…3, a byte each. Endpoints: DPA bytes skipped before this decoder, low half',
            HELD,
          ),
        }),
      ),
      'TARGET_HI{n}': repeat(
        decoders,
        0x20,
        reg32(0x28, cxl('8.2.4.20.9', 'CXL HDM Decoder n Target List High / DPA Skip High'), {
          TARGETS: bits(31, 0, 'rwl', 'Ports: target 4…7, a byte each. Endpoints: DPA bytes skipped, high half', HELD),
        }),
      ),
      'HDM_RSVD{n}': repeat(
        decoders,
        0x20,
        reg32(0x2c, cxl('8.2.4.20', 'CXL HDM Decoder Capability Structure'), {
          RSVD: bits(31, 0, 'rsvdp', 'Reserved'),
        }),
      ),
    },
  });
}

export const extSecBlock = block({
  id: 'cxl.extsec',
  title: 'CXL extended security capability (inert)',
  size: 0x0c,
  cite: cxl('8.2.4.21', 'CXL Extended Security Capability Structure'),
  registers: {
    EXTSEC_COUNT: reg32(0, cxl('8.2.4.21.1', 'CXL Extended Security Structure Entry Count'), {
      COUNT: bits(7, 0, 'hwinit', 'Root ports with an entry; QEMU gives 0', { inert: true }),
      RSVD: bits(31, 8, 'rsvdp', 'Reserved'),
    }),
    EXTSEC_POLICY: reg32(4, cxl('8.2.4.21.2', 'Root Port 1 Security Policy'), {
      TRUST: bits(1, 0, 'ro', 'Trust level', { inert: true }),
      RSVD: bits(31, 2, 'rsvdp', 'Reserved'),
    }),
    EXTSEC_ID: reg32(8, cxl('8.2.4.21.3', 'Root Port 1 ID'), {
      PORT: bits(7, 0, 'ro', 'Port number', { inert: true }),
      RSVD: bits(31, 8, 'rsvdp', 'Reserved'),
    }),
  },
});

export const snoopBlock = block({
  id: 'cxl.snoop',
  title: 'CXL snoop filter capability (inert)',
  size: 8,
  cite: cxl('8.2.4.23', 'CXL Snoop Filter Capability Structure'),
  registers: {
    SNOOP_GROUP: reg32(0, cxl('8.2.4.23.1', 'Snoop Filter Group ID'), {
      GROUP: bits(15, 0, 'hwinit', 'Group; QEMU gives 0', { inert: true }),
      RSVD: bits(31, 16, 'rsvdp', 'Reserved'),
    }),
    SNOOP_SIZE: reg32(4, cxl('8.2.4.23.2', 'Snoop Filter Effective Size'), {
      SIZE: bits(31, 0, 'hwinit', 'Effective size; QEMU gives 0', { inert: true }),
    }),
  },
});

/** Decoder count field for a number of decoders (cxl_decoder_count_enc). */
export function decoderCountEncoding(count: number): number {
  if (count === 1) return 0;
  return count <= 16 ? count / 2 : 9 + (count - 20) / 4;
}
