import { bit, bits, block, cites, reg8, reg16, reg32, repeat } from '../dsl/define.ts';
import type { FieldSpec, RegisterSpec } from '../dsl/types.ts';

const pcie = cites('PCIe 6.0');

const IDENTITY: Readonly<Record<string, RegisterSpec>> = {
  VENDOR_ID: reg16(0x00, pcie('7.5.1.1.1', 'Vendor ID Register'), {
    VENDOR: bits(15, 0, 'hwinit', 'Who made the function; all ones means nobody is there'),
  }),
  DEVICE_ID: reg16(0x02, pcie('7.5.1.1.2', 'Device ID Register'), {
    DEVICE: bits(15, 0, 'hwinit', 'Which function this is, in the vendor’s own numbering'),
  }),
  COMMAND: reg16(0x04, pcie('7.5.1.1.3', 'Command Register'), {
    IO: bit(0, 'rw', 'Answers I/O accesses to its BARs'),
    MEMORY: bit(1, 'rw', 'Answers memory accesses to its BARs'),
    MASTER: bit(2, 'rw', 'May start accesses of its own (DMA, MSI)'),
    SPECIAL: bit(3, 'ro', 'Special cycles; always 0 on PCI Express'),
    INVALIDATE: bit(4, 'ro', 'Memory write and invalidate; always 0 on PCI Express'),
    VGA_PALETTE: bit(5, 'ro', 'VGA palette snoop; always 0 on PCI Express'),
    PARITY: bit(6, 'ro', 'Parity error response; QEMU keeps it 0'),
    WAIT: bit(7, 'ro', 'Address stepping; always 0'),
    SERR: bit(8, 'rw', 'May report fatal and non-fatal errors', { inert: true }),
    FAST_BACK: bit(9, 'ro', 'Fast back-to-back; always 0 on PCI Express'),
    INTX_DISABLE: bit(10, 'rw', 'Must not raise INTx'),
    RSVD: bits(15, 11, 'rsvdp', 'Reserved'),
  }),
  STATUS: reg16(0x06, pcie('7.5.1.1.4', 'Status Register'), {
    RSVD: bits(2, 0, 'rsvdz', 'Reserved'),
    INTERRUPT: bit(3, 'ro', 'INTx is pending'),
    CAP_LIST: bit(4, 'hwinit', 'There is a capability list'),
    MHZ66: bit(5, 'hwinit', '66 MHz capable; no meaning on PCI Express'),
    RSVD2: bit(6, 'rsvdz', 'Reserved'),
    FAST_BACK: bit(7, 'hwinit', 'Fast back-to-back capable; no meaning on PCI Express'),
    PARITY: bit(8, 'rw1c', 'Master data parity error'),
    DEVSEL: bits(10, 9, 'ro', 'DEVSEL timing; always 0 on PCI Express'),
    SIG_TARGET_ABORT: bit(11, 'rw1c', 'Signalled completer abort'),
    REC_TARGET_ABORT: bit(12, 'rw1c', 'Received completer abort'),
    REC_MASTER_ABORT: bit(13, 'rw1c', 'Received unsupported request'),
    SIG_SYSTEM_ERROR: bit(14, 'rw1c', 'Sent an error message'),
    DETECTED_PARITY: bit(15, 'rw1c', 'Received a poisoned packet'),
  }),
  REVISION: reg8(0x08, pcie('7.5.1.1.5', 'Revision ID Register'), {
    REVISION: bits(7, 0, 'hwinit', 'Revision of the function'),
  }),
  CLASS_PROG: reg8(0x09, pcie('7.5.1.1.6', 'Class Code Register'), {
    PROG_IF: bits(7, 0, 'hwinit', 'Programming interface within the class'),
  }),
  CLASS_DEVICE: reg16(0x0a, pcie('7.5.1.1.6', 'Class Code Register'), {
    SUBCLASS: bits(7, 0, 'hwinit', 'Sub-class'),
    BASE_CLASS: bits(15, 8, 'hwinit', 'Base class; 05 memory, 06 bridge', {
      values: { 1: 'storage', 5: 'memory', 6: 'bridge', 12: 'serial bus', 18: 'accelerator' },
    }),
  }),
  CACHE_LINE_SIZE: reg8(0x0c, pcie('7.5.1.1.7', 'Cache Line Size Register'), {
    SIZE: bits(7, 0, 'rw', 'Kept for old software; no effect', { inert: true }),
  }),
  LATENCY_TIMER: reg8(0x0d, pcie('7.5.1.1.8', 'Latency Timer Register'), {
    TIMER: bits(7, 0, 'ro', 'Always 0 on PCI Express'),
  }),
  HEADER_TYPE: reg8(0x0e, pcie('7.5.1.1.9', 'Header Type Register'), {
    TYPE: bits(6, 0, 'hwinit', 'Layout of the rest of the header', { values: { 0: 'endpoint', 1: 'bridge' } }),
    MULTIFUNCTION: bit(7, 'hwinit', 'The device has more than one function'),
  }),
  BIST: reg8(0x0f, pcie('7.5.1.1.10', 'BIST Register'), {
    BIST: bits(7, 0, 'ro', 'No self test'),
  }),
};

const BAR_FIELDS: Readonly<Record<string, FieldSpec>> = {
  VALUE: bits(31, 0, 'ro', 'Address and type bits; the device’s write mask says which address bits exist', {}),
};

const CAP_AND_INTERRUPT: Readonly<Record<string, RegisterSpec>> = {
  CAP_PTR: reg8(0x34, pcie('7.5.1.1.11', 'Capabilities Pointer'), {
    NEXT: bits(7, 0, 'hwinit', 'Offset of the first capability'),
  }),
  INTERRUPT_LINE: reg8(0x3c, pcie('7.5.1.1.12', 'Interrupt Line Register'), {
    LINE: bits(7, 0, 'rw', 'Scratch byte for firmware: which IRQ the pin is wired to'),
  }),
  INTERRUPT_PIN: reg8(0x3d, pcie('7.5.1.1.13', 'Interrupt Pin Register'), {
    PIN: bits(7, 0, 'hwinit', 'INTx pin in use', { values: { 0: 'none', 1: 'A', 2: 'B', 3: 'C', 4: 'D' } }),
  }),
};

/** Type 0 header: endpoints and host bridges. */
export const type0Header = block({
  id: 'pci.type0',
  title: 'PCI header, type 0',
  size: 0x40,
  cite: pcie('7.5.1.2', 'Type 0 Configuration Space Header'),
  registers: {
    ...IDENTITY,
    'BAR{n}': repeat(6, 4, reg32(0x10, pcie('7.5.1.2.1', 'Base Address Registers'), BAR_FIELDS)),
    CARDBUS_CIS: reg32(0x28, pcie('7.5.1.2.2', 'Cardbus CIS Pointer'), { CIS: bits(31, 0, 'ro', 'Unused') }),
    SUBSYSTEM_VENDOR_ID: reg16(0x2c, pcie('7.5.1.2.3', 'Subsystem Vendor ID Register'), {
      VENDOR: bits(15, 0, 'hwinit', 'Who made the board'),
    }),
    SUBSYSTEM_ID: reg16(0x2e, pcie('7.5.1.2.3', 'Subsystem ID Register'), {
      ID: bits(15, 0, 'hwinit', 'Which board, in that vendor’s numbering'),
    }),
    ROM_BAR: reg32(0x30, pcie('7.5.1.2.4', 'Expansion ROM Base Address Register'), BAR_FIELDS),
    ...CAP_AND_INTERRUPT,
    MIN_GNT: reg8(0x3e, pcie('7.5.1.2.5', 'Min_Gnt Register'), { VALUE: bits(7, 0, 'ro', 'Always 0') }),
    MAX_LAT: reg8(0x3f, pcie('7.5.1.2.5', 'Max_Lat Register'), { VALUE: bits(7, 0, 'ro', 'Always 0') }),
  },
});

/** Type 1 header: PCI-to-PCI bridges, root ports. */
export const type1Header = block({
  id: 'pci.type1',
  title: 'PCI header, type 1 (bridge)',
  size: 0x40,
  cite: pcie('7.5.1.3', 'Type 1 Configuration Space Header'),
  registers: {
    ...IDENTITY,
    'BAR{n}': repeat(2, 4, reg32(0x10, pcie('7.5.1.3.1', 'Base Address Registers'), BAR_FIELDS)),
    PRIMARY_BUS: reg8(0x18, pcie('7.5.1.3.2', 'Primary Bus Number Register'), {
      BUS: bits(7, 0, 'rw', 'Bus the bridge sits on, for old software'),
    }),
    SECONDARY_BUS: reg8(0x19, pcie('7.5.1.3.3', 'Secondary Bus Number Register'), {
      BUS: bits(7, 0, 'rw', 'Bus directly below the bridge'),
    }),
    SUBORDINATE_BUS: reg8(0x1a, pcie('7.5.1.3.4', 'Subordinate Bus Number Register'), {
      BUS: bits(7, 0, 'rw', 'Highest bus number below the bridge'),
    }),
    SECONDARY_LATENCY: reg8(0x1b, pcie('7.5.1.3.5', 'Secondary Latency Timer'), {
      TIMER: bits(7, 0, 'rw', 'No meaning on PCI Express; QEMU lets it be written', { inert: true }),
    }),
    IO_BASE: reg8(0x1c, pcie('7.5.1.3.6', 'I/O Base Register'), {
      TYPE: bits(3, 0, 'ro', 'Width of I/O addresses', { values: { 0: '16 bit', 1: '32 bit' } }),
      BASE: bits(7, 4, 'rw', 'I/O window base, address bits 15:12'),
    }),
    IO_LIMIT: reg8(0x1d, pcie('7.5.1.3.6', 'I/O Limit Register'), {
      TYPE: bits(3, 0, 'ro', 'Width of I/O addresses', { values: { 0: '16 bit', 1: '32 bit' } }),
      LIMIT: bits(7, 4, 'rw', 'Last 4 KiB of the I/O window, address bits 15:12'),
    }),
    SECONDARY_STATUS: reg16(0x1e, pcie('7.5.1.3.7', 'Secondary Status Register'), {
      LOW: bits(7, 0, 'ro', 'Timing bits of conventional PCI; 0'),
      PARITY: bit(8, 'rw1c', 'Master data parity error below'),
      DEVSEL: bits(10, 9, 'ro', 'Always 0'),
      SIG_TARGET_ABORT: bit(11, 'rw1c', 'Signalled completer abort below'),
      REC_TARGET_ABORT: bit(12, 'rw1c', 'Received completer abort from below'),
      REC_MASTER_ABORT: bit(13, 'rw1c', 'Received unsupported request from below'),
      REC_SYSTEM_ERROR: bit(14, 'rw1c', 'Received an error message from below'),
      DETECTED_PARITY: bit(15, 'rw1c', 'Received a poisoned packet from below'),
    }),
    MEMORY_BASE: reg16(0x20, pcie('7.5.1.3.8', 'Memory Base Register'), {
      TYPE: bits(3, 0, 'ro', 'Always 0: 32-bit window'),
      BASE: bits(15, 4, 'rw', 'Memory window base, address bits 31:20'),
    }),
    MEMORY_LIMIT: reg16(0x22, pcie('7.5.1.3.8', 'Memory Limit Register'), {
      TYPE: bits(3, 0, 'ro', 'Always 0: 32-bit window'),
      LIMIT: bits(15, 4, 'rw', 'Last MiB of the memory window, address bits 31:20'),
    }),
    PREF_BASE: reg16(0x24, pcie('7.5.1.3.9', 'Prefetchable Memory Base Register'), {
      TYPE: bits(3, 0, 'hwinit', 'Width of the prefetchable window', {
        reset: 1,
        values: { 0: '32 bit', 1: '64 bit' },
      }),
      BASE: bits(15, 4, 'rw', 'Prefetchable window base, address bits 31:20'),
    }),
    PREF_LIMIT: reg16(0x26, pcie('7.5.1.3.9', 'Prefetchable Memory Limit Register'), {
      TYPE: bits(3, 0, 'hwinit', 'Width of the prefetchable window', {
        reset: 1,
        values: { 0: '32 bit', 1: '64 bit' },
      }),
      LIMIT: bits(15, 4, 'rw', 'Last MiB of the prefetchable window, address bits 31:20'),
    }),
    PREF_BASE_HI: reg32(0x28, pcie('7.5.1.3.10', 'Prefetchable Base Upper 32 Bits Register'), {
      BASE: bits(31, 0, 'rw', 'Prefetchable window base, address bits 63:32'),
    }),
    PREF_LIMIT_HI: reg32(0x2c, pcie('7.5.1.3.10', 'Prefetchable Limit Upper 32 Bits Register'), {
      LIMIT: bits(31, 0, 'rw', 'Prefetchable window limit, address bits 63:32'),
    }),
    IO_BASE_HI: reg16(0x30, pcie('7.5.1.3.11', 'I/O Base Upper 16 Bits Register'), {
      BASE: bits(15, 0, 'ro', 'I/O window base, address bits 31:16; 0 with 16-bit I/O'),
    }),
    IO_LIMIT_HI: reg16(0x32, pcie('7.5.1.3.11', 'I/O Limit Upper 16 Bits Register'), {
      LIMIT: bits(15, 0, 'ro', 'I/O window limit, address bits 31:16; 0 with 16-bit I/O'),
    }),
    ...CAP_AND_INTERRUPT,
    ROM_BAR: reg32(0x38, pcie('7.5.1.3.12', 'Expansion ROM Base Address Register'), BAR_FIELDS),
    BRIDGE_CONTROL: reg16(0x3e, pcie('7.5.1.3.13', 'Bridge Control Register'), {
      PARITY: bit(0, 'rw', 'Parity error response below', { inert: true }),
      SERR: bit(1, 'rw', 'Forward error messages from below', { inert: true }),
      ISA: bit(2, 'rw', 'ISA: skip the upper 768 bytes of each I/O KiB', { inert: true }),
      VGA: bit(3, 'rw', 'Forward VGA ranges', { inert: true }),
      VGA16: bit(4, 'rw', 'Decode VGA I/O with 16 bits', { inert: true }),
      MASTER_ABORT: bit(5, 'ro', 'No meaning on PCI Express'),
      BUS_RESET: bit(6, 'rw', 'Secondary bus reset: hot reset of everything below while 1'),
      FAST_BACK: bit(7, 'ro', 'No meaning on PCI Express'),
      DISCARD: bits(11, 8, 'ro', 'Discard timers; no meaning on PCI Express'),
      RSVD: bits(15, 12, 'rsvdp', 'Reserved'),
    }),
  },
});
