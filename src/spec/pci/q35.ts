import { bit, bits, block, reg8, reg16, reg32, repeat } from '../dsl/define.ts';

const q35 = (section: string, title: string) => ({ doc: 'Intel 3 Series Express Chipset (Q35)', section, title });
const ich9 = (section: string, title: string) => ({ doc: 'Intel ICH9 datasheet', section, title });

/** The q35 host bridge’s own registers as far as firmware uses them. */
export const mchBlock = block({
  id: 'q35.mch',
  title: 'q35 memory controller hub',
  size: 0xc0,
  cite: q35('5.1', 'DRAM Controller Registers'),
  registers: {
    EXT_TSEG: reg16(
      0x50 - 0x40,
      { doc: 'QEMU hw/pci-host/q35.c', title: 'MCH_HOST_BRIDGE_EXT_TSEG_MBYTES' },
      {
        MBYTES: bits(15, 0, 'ro', 'QEMU’s own: TSEG size in MiB it offers', { reset: 16 }),
      },
    ),
    PCIEXBAR_LO: reg32(0x60 - 0x40, q35('5.1.16', 'PCIEXBAR'), {
      ENABLE: bit(0, 'rw', 'The memory-mapped configuration window is on'),
      LENGTH: bits(2, 1, 'rw', 'Buses it covers', { values: { 0: '256', 1: '128', 2: '64' } }),
      RSVD: bits(25, 3, 'rsvdp', 'Reserved'),
      ADDRESS: bits(31, 26, 'rw', 'Base, bits 31:26'),
    }),
    PCIEXBAR_HI: reg32(0x64 - 0x40, q35('5.1.16', 'PCIEXBAR'), {
      ADDRESS: bits(31, 0, 'rw', 'Base, high half'),
    }),
    'PAM{n}': repeat(
      7,
      1,
      reg8(0x90 - 0x40, q35('5.1.19', 'Programmable Attribute Map'), {
        LOENABLE: bits(1, 0, 'rw', 'Lower range: read and write go to RAM', { inert: true }),
        RSVD: bits(3, 2, 'rsvdp', 'Reserved'),
        HIENABLE: bits(5, 4, 'rw', 'Upper range: read and write go to RAM', { inert: true }),
        RSVD2: bits(7, 6, 'rsvdp', 'Reserved'),
      }),
    ),
    SMRAM: reg8(0x9d - 0x40, q35('5.1.29', 'System Management RAM Control'), {
      CONTROL: bits(7, 0, 'rw', 'Where SMM memory is and who may see it', { reset: 0x02, inert: true }),
    }),
    ESMRAMC: reg8(0x9e - 0x40, q35('5.1.30', 'Extended SMRAM Control'), {
      CONTROL: bits(7, 0, 'rw', 'Extended SMM memory', { reset: 0x38, inert: true }),
    }),
  },
});

/** ICH9 LPC bridge: the registers firmware fills. */
export const lpcBlock = block({
  id: 'ich9.lpc',
  title: 'ICH9 LPC bridge',
  size: 0xc0,
  cite: ich9('13.1', 'LPC Interface Bridge (D31:F0)'),
  registers: {
    PMBASE: reg32(0x40 - 0x40, ich9('13.1.8', 'PMBASE'), {
      IO: bit(0, 'hwinit', 'It is an I/O address', { reset: 1 }),
      RSVD: bits(6, 1, 'rsvdp', 'Reserved'),
      BASE: bits(15, 7, 'rw', 'ACPI power management I/O base, bits 15:7'),
      RSVD2: bits(31, 16, 'rsvdp', 'Reserved'),
    }),
    ACPI_CNTL: reg8(0x44 - 0x40, ich9('13.1.9', 'ACPI_CNTL'), {
      SCI: bits(2, 0, 'rw', 'Which IRQ the SCI is', { inert: true }),
      RSVD: bits(6, 3, 'rsvdp', 'Reserved'),
      ENABLE: bit(7, 'rw', 'The ACPI I/O block is on'),
    }),
    'PIRQ_A_D{n}': repeat(
      4,
      1,
      reg8(0x60 - 0x40, ich9('13.1.18', 'PIRQ[n]_ROUT'), {
        IRQ: bits(3, 0, 'rw', 'ISA IRQ the line goes to', { inert: true }),
        RSVD: bits(6, 4, 'rsvdp', 'Reserved'),
        DISABLE: bit(7, 'rw', 'Not routed to an ISA IRQ', { reset: 1, inert: true }),
      }),
    ),
    'PIRQ_E_H{n}': repeat(
      4,
      1,
      reg8(0x68 - 0x40, ich9('13.1.20', 'PIRQ[n]_ROUT'), {
        IRQ: bits(3, 0, 'rw', 'ISA IRQ the line goes to', { inert: true }),
        RSVD: bits(6, 4, 'rsvdp', 'Reserved'),
        DISABLE: bit(7, 'rw', 'Not routed to an ISA IRQ', { reset: 1, inert: true }),
      }),
    ),
    LPC_EN: reg16(0x82 - 0x40, ich9('13.1.23', 'LPC_EN'), {
      DECODE: bits(15, 0, 'hwinit', 'Legacy I/O ranges sent to the LPC bus', { reset: 7 }),
    }),
    GEN_PMCON_1: reg16(0xa0 - 0x40, ich9('13.8.1.1', 'GEN_PMCON_1'), {
      CONTROL: bits(15, 0, 'rw', 'Power management odds and ends', { reset: 0x10, inert: true }),
    }),
    RCBA: reg32(0xf0 - 0x40, ich9('13.1.38', 'RCBA'), {
      ENABLE: bit(0, 'rw', 'The chipset register window is on'),
      RSVD: bits(13, 1, 'rsvdp', 'Reserved'),
      BASE: bits(31, 14, 'rw', 'Its base, bits 31:14'),
    }),
  },
});

export const ahciBlock = block({
  id: 'ich9.ahci',
  title: 'ICH9 SATA mode',
  size: 4,
  cite: ich9('15.1.24', 'MAP'),
  registers: {
    SATA_MAP: reg32(0, ich9('15.1.24', 'Address Map Register'), {
      MODE: bits(31, 0, 'hwinit', 'AHCI mode', { reset: 0x40 }),
    }),
  },
});

export const smbusBlock = block({
  id: 'ich9.smbus',
  title: 'ICH9 SMBus configuration',
  size: 4,
  cite: ich9('19.1.13', 'HOSTC'),
  registers: {
    HOSTC: reg8(0, ich9('19.1.13', 'Host Configuration'), {
      ENABLE: bit(0, 'rw', 'The SMBus host is on'),
      RSVD: bits(7, 1, 'rsvdp', 'Reserved'),
    }),
  },
});
