import { bit, bits, block, cites, reg32, repeat } from '../dsl/define.ts';

/** CXL device register block of a memory expander (BAR2): what is at which offset is QEMU's (include/hw/cxl/cxl_device.h). */
const cxl = cites('CXL 3.1');

export const DEVICE_OFFSET = { ARRAY: 0, STATUS: 0x80, MAILBOX: 0x88, PAYLOAD: 0xa8, MEMDEV: 0x8a8 } as const;
export const DEVICE_SIZE = { ARRAY: 0x50, STATUS: 8, MAILBOX: 0x820, MEMDEV: 8 } as const;
/** Bytes of the mailbox payload: 2 to the power of the capability's field. */
export const MAILBOX_PAYLOAD = 2048;

const ENTRIES = [
  { id: 1, version: 2, offset: DEVICE_OFFSET.STATUS, length: DEVICE_SIZE.STATUS },
  { id: 2, version: 1, offset: DEVICE_OFFSET.MAILBOX, length: DEVICE_SIZE.MAILBOX },
  { id: 0x4000, version: 1, offset: DEVICE_OFFSET.MEMDEV, length: DEVICE_SIZE.MEMDEV },
] as const;

export const deviceArray = block({
  id: 'cxl.dev.array',
  title: 'CXL device capability array',
  size: DEVICE_SIZE.ARRAY,
  cite: cxl('8.2.8.1', 'CXL Device Capabilities Array Register'),
  registers: {
    DEV_ARRAY_LO: reg32(0, cxl('8.2.8.1', 'CXL Device Capabilities Array Register'), {
      ID: bits(15, 0, 'hwinit', 'Always 0'),
      VERSION: bits(23, 16, 'hwinit', 'Version of the array', { reset: 1 }),
      TYPE: bits(27, 24, 'hwinit', 'What kind of device'),
      RSVD: bits(31, 28, 'rsvdp', 'Reserved'),
    }),
    DEV_ARRAY_HI: reg32(4, cxl('8.2.8.1', 'CXL Device Capabilities Array Register'), {
      COUNT: bits(15, 0, 'hwinit', 'Entries that follow', { reset: ENTRIES.length }),
      RSVD: bits(31, 16, 'rsvdp', 'Reserved'),
    }),
    'DEV_ENTRY{n}_ID': repeat(
      3,
      0x10,
      reg32(0x10, cxl('8.2.8.2', 'CXL Device Capability Header Register'), {
        ID: bits(15, 0, 'hwinit', 'Which capability', {
          values: { 1: 'device status', 2: 'primary mailbox', 3: 'secondary mailbox', 16384: 'memory device status' },
        }),
        VERSION: bits(23, 16, 'hwinit', 'Its version'),
        RSVD: bits(31, 24, 'rsvdp', 'Reserved'),
      }),
    ),
    'DEV_ENTRY{n}_OFFSET': repeat(
      3,
      0x10,
      reg32(0x14, cxl('8.2.8.2', 'CXL Device Capability Header Register'), {
        OFFSET: bits(31, 0, 'hwinit', 'Its offset in the block'),
      }),
    ),
    'DEV_ENTRY{n}_LENGTH': repeat(
      3,
      0x10,
      reg32(0x18, cxl('8.2.8.2', 'CXL Device Capability Header Register'), {
        LENGTH: bits(31, 0, 'hwinit', 'Its length in bytes'),
      }),
    ),
  },
});

/** Reset values of the array QEMU makes. */
export const DEVICE_ARRAY_RESETS: Readonly<Record<string, number>> = Object.fromEntries(
  ENTRIES.flatMap(({ id, version, offset, length }, n) => [
    [`DEV_ENTRY${n}_ID`, id | (version << 16)],
    [`DEV_ENTRY${n}_OFFSET`, offset],
    [`DEV_ENTRY${n}_LENGTH`, length],
  ]),
);

export const deviceStatus = block({
  id: 'cxl.dev.status',
  title: 'CXL device status',
  size: DEVICE_SIZE.STATUS,
  cite: cxl('8.2.8.3', 'Device Status Registers'),
  registers: {
    EVENT_STATUS: reg32(0, cxl('8.2.8.3.1', 'Event Status Register'), {
      INFO: bit(0, 'ro', 'Informational log holds records'),
      WARN: bit(1, 'ro', 'Warning log holds records'),
      FAIL: bit(2, 'ro', 'Failure log holds records'),
      FATAL: bit(3, 'ro', 'Fatal log holds records'),
      DYNAMIC: bit(4, 'ro', 'Dynamic capacity log holds records'),
      RSVD: bits(31, 5, 'rsvdp', 'Reserved'),
    }),
    EVENT_STATUS_HI: reg32(4, cxl('8.2.8.3.1', 'Event Status Register'), { RSVD: bits(31, 0, 'rsvdp', 'Reserved') }),
  },
});

/** The registers of the mailbox without its payload, which is kept as bytes. */
export const deviceMailbox = block({
  id: 'cxl.dev.mailbox',
  title: 'CXL primary mailbox',
  size: 0x20,
  cite: cxl('8.2.8.4', 'Mailbox Registers'),
  registers: {
    MB_CAP: reg32(0x00, cxl('8.2.8.4.3', 'Mailbox Capabilities Register'), {
      PAYLOAD: bits(4, 0, 'hwinit', 'Payload size, as a power of two'),
      DOORBELL_IRQ: bit(5, 'hwinit', 'Interrupt when the doorbell clears'),
      BG_IRQ: bit(6, 'hwinit', 'Interrupt when a background operation ends'),
      MSG_NUM: bits(10, 7, 'hwinit', 'Message of those interrupts'),
      READY_TIME: bits(18, 11, 'hwinit', 'Seconds until the mailbox is ready after reset'),
      TYPE: bits(22, 19, 'hwinit', 'What the mailbox is for'),
      RSVD: bits(31, 23, 'rsvdp', 'Reserved'),
    }),
    MB_CTRL: reg32(0x04, cxl('8.2.8.4.4', 'Mailbox Control Register'), {
      DOORBELL: bit(0, 'rw', 'Software rings; the device clears it when done'),
      DOORBELL_IRQ: bit(1, 'rw', 'Interrupt when the doorbell clears', { inert: true }),
      BG_IRQ: bit(2, 'rw', 'Interrupt when a background operation ends', { inert: true }),
      RSVD: bits(31, 3, 'rsvdp', 'Reserved'),
    }),
    MB_CMD_LO: reg32(0x08, cxl('8.2.8.4.5', 'Command Register'), {
      OPCODE: bits(15, 0, 'rw', 'Command'),
      LENGTH: bits(31, 16, 'rw', 'Bytes of payload: of the input, then of the output'),
    }),
    MB_CMD_HI: reg32(0x0c, cxl('8.2.8.4.5', 'Command Register'), {
      LENGTH_HI: bits(4, 0, 'rw', 'High bits of the length'),
      RSVD: bits(31, 5, 'rsvdp', 'Reserved'),
    }),
    MB_STATUS_LO: reg32(0x10, cxl('8.2.8.4.6', 'Mailbox Status Register'), {
      BACKGROUND: bit(0, 'ro', 'A background operation runs'),
      RSVD: bits(31, 1, 'rsvdp', 'Reserved'),
    }),
    MB_STATUS_HI: reg32(0x14, cxl('8.2.8.4.6', 'Mailbox Status Register'), {
      RETURN_CODE: bits(15, 0, 'ro', 'What the last command answered'),
      VENDOR: bits(31, 16, 'ro', 'Vendor detail'),
    }),
    MB_BG_LO: reg32(0x18, cxl('8.2.8.4.7', 'Background Command Status Register'), {
      OPCODE: bits(15, 0, 'ro', 'Last background command'),
      PERCENT: bits(22, 16, 'ro', 'How far it is'),
      RSVD: bits(31, 23, 'rsvdp', 'Reserved'),
    }),
    MB_BG_HI: reg32(0x1c, cxl('8.2.8.4.7', 'Background Command Status Register'), {
      RETURN_CODE: bits(15, 0, 'ro', 'What it answered'),
      VENDOR: bits(31, 16, 'ro', 'Vendor detail'),
    }),
  },
});

export const memdevStatus = block({
  id: 'cxl.dev.memdev',
  title: 'Memory device status',
  size: DEVICE_SIZE.MEMDEV,
  cite: cxl('8.2.8.5.1', 'Memory Device Status Register'),
  registers: {
    MEMDEV_STATUS: reg32(0, cxl('8.2.8.5.1', 'Memory Device Status Register'), {
      FATAL: bit(0, 'ro', 'Device failed'),
      FW_HALT: bit(1, 'ro', 'Firmware halted'),
      MEDIA: bits(3, 2, 'ro', 'Media', { reset: 1, values: { 0: 'not ready', 1: 'ready', 2: 'error', 3: 'disabled' } }),
      MAILBOX_READY: bit(4, 'ro', 'Mailbox takes commands', { reset: 1 }),
      RESET_NEEDED: bits(7, 5, 'ro', 'Reset that would help'),
      RSVD: bits(31, 8, 'rsvdp', 'Reserved'),
    }),
    // QEMU answers every dword of the register with its low half.
    MEMDEV_STATUS_HI: reg32(4, cxl('8.2.8.5.1', 'Memory Device Status Register'), {
      AGAIN: bits(31, 0, 'ro', 'Reads as the low half does'),
    }),
  },
});
