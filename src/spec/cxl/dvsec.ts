import { bit, bits, block, cites, reg8, reg16, reg32, repeat } from '../dsl/define.ts';
import type { BlockSpec, FieldSpec, Placement, RegisterSpec } from '../dsl/types.ts';
import { extHeader, extHeaderValue } from '../pci/ext-caps.ts';

const cxl = cites('CXL 3.1');
const pcie = cites('PCIe 6.0');

/** DVSEC vendor id of the CXL consortium. */
export const CXL_VENDOR_ID = 0x1e98;

function dvsecHeader(prefix: string, id: number, revision: number, length: number): Record<string, RegisterSpec> {
  return {
    ...extHeader(prefix, 0x0023, 1),
    [`${prefix}_HEADER1`]: reg32(0x04, pcie('7.9.6.2', 'Designated Vendor-Specific Header 1'), {
      VENDOR: bits(15, 0, 'hwinit', 'Who defined this structure: 1E98 is CXL', { reset: CXL_VENDOR_ID }),
      REVISION: bits(19, 16, 'hwinit', 'Revision of the structure', { reset: revision }),
      LENGTH: bits(31, 20, 'hwinit', 'Its length in bytes, header included', { reset: length }),
    }),
    [`${prefix}_ID`]: reg16(0x08, pcie('7.9.6.3', 'Designated Vendor-Specific Header 2'), {
      ID: bits(15, 0, 'hwinit', 'Which structure of that vendor', { reset: id }),
    }),
  };
}

/** Places a DVSEC and chains it to the next extended capability. */
export function placeDvsec(
  at: number,
  block: BlockSpec,
  prefix: string,
  next: number,
  rest: Omit<Placement, 'at' | 'block'> = {},
): Placement {
  return {
    at,
    block,
    ...rest,
    resets: { [`${prefix}_EXT_HEADER`]: extHeaderValue(0x23, 1, next), ...rest.resets },
  };
}

const LOCK = { lockedBy: 'CXL_LOCK.CONFIG_LOCK' } as const;
const MEDIA = { 0: 'volatile', 1: 'non-volatile', 2: 'see CDAT' };
const CLASS = { 0: 'DRAM', 1: 'storage', 2: 'see CDAT' };

function range(n: 1 | 2, at: number, section: string): Record<string, RegisterSpec> {
  return {
    [`CXL_RANGE${n}_SIZE_HI`]: reg32(at, cxl(section, `DVSEC CXL Range ${n} Size High`), {
      SIZE: bits(31, 0, 'hwinit', 'Size of the memory, bits 63:32'),
    }),
    [`CXL_RANGE${n}_SIZE_LO`]: reg32(at + 4, cxl(section, `DVSEC CXL Range ${n} Size Low`), {
      VALID: bit(0, 'hwinit', 'The size fields can be trusted'),
      ACTIVE: bit(1, 'hwinit', 'The memory is ready'),
      MEDIA: bits(4, 2, 'hwinit', 'Kind of media', { values: MEDIA }),
      CLASS: bits(7, 5, 'hwinit', 'Class of memory', { values: CLASS }),
      INTERLEAVE: bits(12, 8, 'hwinit', 'Interleave granularity it would like'),
      TIMEOUT: bits(15, 13, 'hwinit', 'How long until active: 1 s × 4^n'),
      DEGRADED: bit(16, 'hwinit', 'Active, but not at full size'),
      RSVD: bits(27, 17, 'rsvdp', 'Reserved'),
      SIZE: bits(31, 28, 'hwinit', 'Size of the memory, bits 31:28'),
    }),
    [`CXL_RANGE${n}_BASE_HI`]: reg32(at + 8, cxl(section, `DVSEC CXL Range ${n} Base High`), {
      BASE: bits(31, 0, 'rwl', 'Where the range is mapped, bits 63:32', { ...LOCK }),
    }),
    [`CXL_RANGE${n}_BASE_LO`]: reg32(at + 12, cxl(section, `DVSEC CXL Range ${n} Base Low`), {
      RSVD: bits(27, 0, 'rsvdp', 'Reserved'),
      BASE: bits(31, 28, 'rwl', 'Where the range is mapped, bits 31:28', { ...LOCK }),
    }),
  };
}

/** DVSEC id 0: PCIe DVSEC for CXL devices, revision 3. */
export const dvsecDevice = block({
  id: 'cxl.dvsec.device',
  title: 'PCIe DVSEC for CXL Devices',
  size: 0x3c,
  cite: cxl('8.1.3', 'PCIe DVSEC for CXL Devices'),
  registers: {
    ...dvsecHeader('DVSEC0', 0, 3, 0x3c),
    CXL_CAP: reg16(0x0a, cxl('8.1.3.1', 'DVSEC CXL Capability'), {
      CACHE: bit(0, 'hwinit', 'Speaks CXL.cache'),
      IO: bit(1, 'hwinit', 'Speaks CXL.io'),
      MEM: bit(2, 'hwinit', 'Speaks CXL.mem'),
      MEM_HWINIT: bit(3, 'hwinit', 'Memory is ready without software'),
      HDM_COUNT: bits(5, 4, 'hwinit', 'Memory ranges: 1 or 2'),
      WBI: bit(6, 'hwinit', 'Can write back and invalidate its cache'),
      RESET: bit(7, 'hwinit', 'Can do a CXL reset'),
      RESET_TIMEOUT: bits(10, 8, 'hwinit', 'How long a CXL reset takes', {
        values: { 0: '10 ms', 1: '100 ms', 2: '1 s', 3: '10 s', 4: '100 s' },
      }),
      MEM_CLR: bit(11, 'hwinit', 'A CXL reset can clear memory'),
      TSP: bit(12, 'hwinit', 'Trusted security protocol'),
      MLD: bit(13, 'hwinit', 'Multiple logical device'),
      VIRAL: bit(14, 'hwinit', 'Understands viral'),
      PM_INIT: bit(15, 'hwinit', 'Reports power management init'),
    }),
    CXL_CTRL: reg16(0x0c, cxl('8.1.3.2', 'DVSEC CXL Control'), {
      CACHE_ENABLE: bit(0, 'rwl', 'May use CXL.cache', { ...LOCK, inert: true }),
      IO_ENABLE: bit(1, 'hwinit', 'CXL.io is on', { reset: 1 }),
      MEM_ENABLE: bit(2, 'rwl', 'May use CXL.mem; QEMU stores it and does not ask for it', {
        ...LOCK,
      }),
      SF_COVERAGE: bits(7, 3, 'rwl', 'Snoop filter coverage', { ...LOCK, inert: true }),
      SF_GRANULARITY: bits(10, 8, 'rwl', 'Snoop filter granularity', { ...LOCK, inert: true }),
      CLEAN_EVICTION: bit(11, 'rwl', 'Clean evictions need not be reported', { ...LOCK, inert: true }),
      P2P_MEM: bit(12, 'rwl', 'Direct peer-to-peer memory', { ...LOCK, inert: true }),
      RSVD: bit(13, 'rsvdp', 'Reserved'),
      VIRAL_ENABLE: bit(14, 'rwl', 'Handle viral', { ...LOCK, inert: true }),
      RSVD2: bit(15, 'rsvdp', 'Reserved'),
    }),
    CXL_STATUS: reg16(0x0e, cxl('8.1.3.3', 'DVSEC CXL Status'), {
      RSVD: bits(13, 0, 'rsvdz', 'Reserved'),
      VIRAL: bit(14, 'rw1cs', 'Viral happened', { inert: true }),
      RSVD2: bit(15, 'rsvdz', 'Reserved'),
    }),
    CXL_CTRL2: reg16(0x10, cxl('8.1.3.4', 'DVSEC CXL Control2'), {
      DISABLE_CACHING: bit(0, 'rw', 'Stop caching', { inert: true }),
      INIT_WBI: bit(1, 'rw', 'Start write back and invalidate; reads 0', { inert: true }),
      INIT_RESET: bit(2, 'rw', 'Start a CXL reset; QEMU stores the bit and does nothing', { inert: true }),
      RESET_MEM_CLR: bit(3, 'rw', 'Let the reset clear memory', { inert: true }),
      HDM_AFTER_HOT_RESET: bit(4, 'rw', 'Volatile memory state wanted after hot reset', { inert: true }),
      MODIFIED_COMPLETION: bit(5, 'rw', 'Modified completion', { inert: true }),
      RSVD: bits(15, 6, 'rsvdp', 'Reserved'),
    }),
    CXL_STATUS2: reg16(0x12, cxl('8.1.3.5', 'DVSEC CXL Status2'), {
      CACHE_INVALID: bit(0, 'ro', 'The cache is empty'),
      RESET_COMPLETE: bit(1, 'ro', 'A CXL reset finished', { reset: 1 }),
      RESET_ERROR: bit(2, 'ro', 'A CXL reset failed'),
      HDM_ERROR: bit(3, 'rw1cs', 'Memory was not preserved', { inert: true }),
      RSVD: bits(14, 4, 'rsvdz', 'Reserved'),
      PM_INIT: bit(15, 'ro', 'Power management init finished'),
    }),
    CXL_LOCK: reg16(0x14, cxl('8.1.3.6', 'DVSEC CXL Lock'), {
      CONFIG_LOCK: bit(0, 'rwo', 'Freezes Control and the range bases until reset'),
      RSVD: bits(15, 1, 'rsvdp', 'Reserved'),
    }),
    CXL_CAP2: reg16(0x16, cxl('8.1.3.7', 'DVSEC CXL Capability2'), {
      CACHE_UNIT: bits(3, 0, 'hwinit', 'Unit of the cache size', {
        values: { 0: 'not reported', 1: '64 KiB', 2: '1 MiB' },
      }),
      FALLBACK: bits(5, 4, 'hwinit', 'What it can fall back to'),
      MODIFIED_COMPLETION: bit(6, 'hwinit', 'Can do modified completions'),
      NO_CLEAN_WB: bit(7, 'hwinit', 'Never writes back clean lines'),
      CACHE_SIZE: bits(15, 8, 'hwinit', 'Cache size in those units'),
    }),
    ...range(1, 0x18, '8.1.3.8'),
    ...range(2, 0x28, '8.1.3.9'),
    CXL_CAP3: reg16(0x38, cxl('8.1.3.10', 'DVSEC CXL Capability3'), {
      AFTER_COLD: bit(0, 'hwinit', 'Volatile memory is kept over a cold reset'),
      AFTER_WARM: bit(1, 'hwinit', 'Volatile memory is kept over a warm reset'),
      AFTER_HOT: bit(2, 'hwinit', 'Volatile memory is kept over a hot reset'),
      HOT_CONFIGURABLE: bit(3, 'hwinit', 'That can be chosen'),
      P2P_MEM: bit(4, 'hwinit', 'Direct peer-to-peer memory'),
      RSVD: bits(15, 5, 'rsvdp', 'Reserved'),
    }),
  },
});

const PLAIN = (meaning: string, access: FieldSpec['access'] = 'rw', inert = true) => ({
  VALUE: bits(15, 0, access, meaning, { inert }),
});

/** DVSEC id 3: CXL extensions for ports. */
export const dvsecPort = block({
  id: 'cxl.dvsec.port',
  title: 'CXL Extensions DVSEC for Ports',
  size: 0x28,
  cite: cxl('8.1.5', 'CXL Extensions DVSEC for Ports'),
  registers: {
    ...dvsecHeader('DVSEC3', 3, 0, 0x28),
    PORT_STATUS: reg16(0x0a, cxl('8.1.5.1', 'CXL Port Extension Status'), {
      PM_INIT: bit(0, 'ro', 'Power management init finished'),
      RSVD: bits(13, 1, 'rsvdz', 'Reserved'),
      VIRAL: bit(14, 'rw1cs', 'Viral happened', { inert: true }),
      RSVD2: bit(15, 'rsvdz', 'Reserved'),
    }),
    PORT_CTRL: reg16(0x0c, cxl('8.1.5.2', 'Port Control Extensions'), {
      UNMASK_SBR: bit(0, 'rw', 'Let a secondary bus reset through to a CXL link (QEMU never holds it back)', {
        inert: true,
      }),
      UNMASK_LINK_DISABLE: bit(1, 'rw', 'Let a link disable through', { inert: true }),
      ALT_MEM: bit(2, 'rw', 'Use the alternate windows', { inert: true }),
      ALT_BME: bit(3, 'rw', 'Alternate bus master enable', { inert: true }),
      UIO_TO_HDM: bit(4, 'ro', 'UIO to HDM', { inert: true }),
      RSVD: bits(13, 5, 'rsvdp', 'Reserved'),
      VIRAL_ENABLE: bit(14, 'rw', 'Handle viral', { inert: true }),
      RSVD2: bit(15, 'rsvdp', 'Reserved'),
    }),
    ALT_BUS_BASE: reg8(0x0e, cxl('8.1.5.3', 'Alternate Bus Base'), {
      BUS: bits(7, 0, 'rw', 'First bus', { inert: true }),
    }),
    ALT_BUS_LIMIT: reg8(0x0f, cxl('8.1.5.4', 'Alternate Bus Limit'), {
      BUS: bits(7, 0, 'rw', 'Last bus', { inert: true }),
    }),
    ALT_MEM_BASE: reg16(0x10, cxl('8.1.5.5', 'Alternate Memory Base'), {
      RSVD: bits(3, 0, 'rsvdp', 'Reserved'),
      BASE: bits(15, 4, 'rw', 'Address bits 31:20', { inert: true }),
    }),
    ALT_MEM_LIMIT: reg16(0x12, cxl('8.1.5.6', 'Alternate Memory Limit'), {
      RSVD: bits(3, 0, 'rsvdp', 'Reserved'),
      LIMIT: bits(15, 4, 'rw', 'Address bits 31:20', { inert: true }),
    }),
    ALT_PREF_BASE: reg16(0x14, cxl('8.1.5.7', 'Alternate Prefetchable Memory Base'), {
      RSVD: bits(3, 0, 'rsvdp', 'Reserved'),
      BASE: bits(15, 4, 'rw', 'Address bits 31:20', { inert: true }),
    }),
    ALT_PREF_LIMIT: reg16(0x16, cxl('8.1.5.8', 'Alternate Prefetchable Memory Limit'), {
      RSVD: bits(3, 0, 'rsvdp', 'Reserved'),
      LIMIT: bits(15, 4, 'rw', 'Address bits 31:20', { inert: true }),
    }),
    ALT_PREF_BASE_HI: reg32(0x18, cxl('8.1.5.9', 'Alternate Memory Positive Decode Base High'), {
      BASE: bits(31, 0, 'rw', 'Address bits 63:32', { inert: true }),
    }),
    ALT_PREF_LIMIT_HI: reg32(0x1c, cxl('8.1.5.10', 'Alternate Memory Positive Decode Limit High'), {
      LIMIT: bits(31, 0, 'rw', 'Address bits 63:32', { inert: true }),
    }),
    RCRB_BASE: reg32(0x20, cxl('8.1.5.11', 'CXL RCRB Base'), {
      ENABLE: bit(0, 'ro', 'The RCRB is used (RCH only)'),
      RSVD: bits(12, 1, 'rsvdp', 'Reserved'),
      BASE: bits(31, 13, 'ro', 'Its base, bits 31:13'),
    }),
    RCRB_BASE_HI: reg32(0x24, cxl('8.1.5.12', 'CXL RCRB Base High'), {
      BASE: bits(31, 0, 'ro', 'Its base, bits 63:32'),
    }),
  },
});

const GPF_TIME = {
  BASE: bits(3, 0, 'rw', 'Timeout base', { inert: true }),
  RSVD: bits(7, 4, 'rsvdp', 'Reserved'),
  SCALE: bits(11, 8, 'rw', 'Timeout unit', {
    inert: true,
    values: { 0: '1 µs', 1: '10 µs', 2: '100 µs', 3: '1 ms', 4: '10 ms', 5: '100 ms', 6: '1 s', 7: '10 s' },
  }),
  RSVD2: bits(15, 12, 'rsvdp', 'Reserved'),
} as const;

/** DVSEC id 4: GPF for ports. */
export const dvsecGpfPort = block({
  id: 'cxl.dvsec.gpf-port',
  title: 'GPF DVSEC for CXL Ports',
  size: 0x10,
  cite: cxl('8.1.6', 'GPF DVSEC for CXL Port'),
  registers: {
    ...dvsecHeader('DVSEC4', 4, 0, 0x10),
    GPF_RSVD: reg16(0x0a, cxl('8.1.6', 'GPF DVSEC for CXL Port'), { RSVD: bits(15, 0, 'rsvdp', 'Reserved') }),
    GPF_PHASE1: reg16(0x0c, cxl('8.1.6.1', 'GPF Phase 1 Control'), GPF_TIME),
    GPF_PHASE2: reg16(0x0e, cxl('8.1.6.2', 'GPF Phase 2 Control'), GPF_TIME),
  },
});

/** DVSEC id 5: GPF for devices. */
export const dvsecGpfDevice = block({
  id: 'cxl.dvsec.gpf-device',
  title: 'GPF DVSEC for CXL Devices',
  size: 0x10,
  cite: cxl('8.1.7', 'GPF DVSEC for CXL Device'),
  registers: {
    ...dvsecHeader('DVSEC5', 5, 0, 0x10),
    GPF_DURATION: reg16(0x0a, cxl('8.1.7.1', 'GPF Phase 2 Duration'), PLAIN('Time it needs in phase 2', 'hwinit')),
    GPF_POWER: reg32(0x0c, cxl('8.1.7.2', 'GPF Phase 2 Power'), {
      MILLIWATTS: bits(31, 0, 'hwinit', 'Power it needs in phase 2'),
    }),
  },
});

const FLEX = (access: 'hwinit' | 'rw' | 'ro'): Record<string, FieldSpec> => ({
  CACHE: bit(0, access, 'CXL.cache', { inert: true }),
  IO: bit(1, access === 'rw' ? 'ro' : access, 'CXL.io', { inert: true }),
  MEM: bit(2, access, 'CXL.mem', { inert: true }),
  SYNC_BYPASS: bit(3, access, 'Sync header bypass', { inert: true }),
  DRIFT: bit(4, access, 'Drift buffer', { inert: true }),
  FLIT68: bit(5, access, '68-byte flits and virtual hierarchies', { inert: true }),
  MLD: bit(6, access, 'Multiple logical devices', { inert: true }),
  REST: bits(15, 7, 'ro', 'Retimers, 256-byte flits, PBR, errors'),
});

/** DVSEC id 7: Flex Bus port, revision 2. */
export const dvsecFlexBus = block({
  id: 'cxl.dvsec.flexbus',
  title: 'PCIe DVSEC for Flex Bus Port',
  size: 0x20,
  cite: cxl('8.2.1.3', 'Flex Bus Port DVSEC'),
  registers: {
    ...dvsecHeader('DVSEC7', 7, 2, 0x20),
    FB_CAP: reg16(0x0a, cxl('8.2.1.3.1', 'DVSEC Flex Bus Port Capability'), FLEX('hwinit')),
    FB_CTRL: reg16(0x0c, cxl('8.2.1.3.2', 'DVSEC Flex Bus Port Control'), FLEX('hwinit')),
    FB_STATUS: reg16(0x0e, cxl('8.2.1.3.3', 'DVSEC Flex Bus Port Status'), FLEX('ro')),
    FB_TS: reg32(0x10, cxl('8.2.1.3.4', 'DVSEC Flex Bus Port Received Modified TS Data Phase1'), {
      DATA: bits(23, 0, 'ro', 'What the other end said while training'),
      RSVD: bits(31, 24, 'rsvdp', 'Reserved'),
    }),
    FB_CAP2: reg32(0x14, cxl('8.2.1.3.5', 'DVSEC Flex Bus Port Capability2'), {
      NOP_HINT: bits(31, 0, 'ro', 'NOP hint'),
    }),
    FB_CTRL2: reg32(0x18, cxl('8.2.1.3.6', 'DVSEC Flex Bus Port Control2'), {
      NOP_HINT: bits(31, 0, 'ro', 'NOP hint'),
    }),
    FB_STATUS2: reg32(0x1c, cxl('8.2.1.3.7', 'DVSEC Flex Bus Port Status2'), {
      NOP_HINT: bits(31, 0, 'ro', 'NOP hint'),
    }),
  },
});

/**
 * The same where QEMU 10 lays DOE over its end (cxl-type3 with `sn=`: DOE is fixed at 0x190). The header still says 0x20
 * bytes; whoever reads the last twelve gets DOE's registers.
 */
export const dvsecFlexBusCut = block({
  ...dvsecFlexBus,
  id: 'cxl.dvsec.flexbus-cut',
  title: 'PCIe DVSEC for Flex Bus Port (DOE lies over its end)',
  size: 0x14,
  registers: Object.fromEntries(Object.entries(dvsecFlexBus.registers).filter(([, spec]) => spec.offset < 0x14)),
});

/** DVSEC id 8: register locator with three entries, as QEMU always makes it. */
export const dvsecLocator = block({
  id: 'cxl.dvsec.locator',
  title: 'Register Locator DVSEC',
  size: 0x24,
  cite: cxl('8.1.9', 'Register Locator DVSEC'),
  registers: {
    ...dvsecHeader('DVSEC8', 8, 0, 0x24),
    LOCATOR_RSVD: reg16(0x0a, cxl('8.1.9', 'Register Locator DVSEC'), { RSVD: bits(15, 0, 'rsvdp', 'Reserved') }),
    'LOCATOR{n}_LO': repeat(
      3,
      8,
      reg32(0x0c, cxl('8.1.9.1', 'Register Offset Low'), {
        BIR: bits(2, 0, 'hwinit', 'BAR the block is in'),
        RSVD: bits(7, 3, 'rsvdp', 'Reserved'),
        BLOCK: bits(15, 8, 'hwinit', 'What the block is', {
          values: {
            0: 'empty',
            1: 'component registers',
            2: 'BAR virtualization ACL',
            3: 'CXL device registers',
            4: 'CPMU',
          },
        }),
        OFFSET: bits(31, 16, 'hwinit', 'Offset in that BAR, bits 31:16'),
      }),
    ),
    'LOCATOR{n}_HI': repeat(
      3,
      8,
      reg32(0x10, cxl('8.1.9.2', 'Register Offset High'), {
        OFFSET: bits(31, 0, 'hwinit', 'Offset in that BAR, bits 63:32'),
      }),
    ),
  },
});
