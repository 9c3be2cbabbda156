import { DRIVER, ERR, type Exhibit } from './exhibit.ts';

/** Exhibits of L1's QEMU: "vfio: support CXL device in VFIO stub". */
export const QEMU_STUB: readonly Exhibit[] = [
  {
    id: 'qemu-map-swapped',
    title: 'Commit unmaps, de-commit maps',
    patch: 'stub',
    function: 'vfio_cxl_hdm_regs_changed',
    point:
      'The two branches are the wrong way round: the first commit takes out a region that was never put in, and the memory API asserts.',
    part: 'qemu',
    until: 'l2',
    lines: [DRIVER, ERR, ['l1', 'pgrep -x q']],
  },
  {
    id: 'qemu-base-shift',
    title: 'Shifted where it should be masked',
    patch: 'stub',
    function: 'vfio_cxl_hdm_regs_changed',
    point:
      'BASE_LO is shifted right by 28 instead of masked: the address is right only on multiples of 4 GiB, elsewhere not even a page boundary, and KVM refuses the slot.',
    part: 'qemu',
    until: 'l2',
    lines: [
      ['l2', 'modprobe cxl-accel && devmem 0x110000040 64 0x1122334455667788; devmem 0x110000040 64'],
      ERR,
      ['l1', 'pgrep -x q'],
    ],
  },
  {
    id: 'qemu-map-target',
    title: 'Mapped into the bus, below the window',
    patch: 'stub',
    function: 'vfio_cxl_hdm_regs_changed',
    point:
      "The region goes into the memory of the device's bus with priority 0, where the fixed window in system memory lies over it.",
    part: 'qemu',
    until: 'l2',
    lines: [DRIVER, ['l2', 'devmem 0x110000040 64 0x1122334455667788; devmem 0x110000040 64']],
  },
  {
    id: 'qemu-notifier-range',
    title: 'Any dword may be a control register',
    patch: 'stub',
    function: 'vfio_cxl_hdm_regs_changed',
    point:
      'The notifier divides without looking whether the offset lies in the block: every dword congruent to it passes for a control register, far above and below.',
    part: 'qemu',
    until: 'l2',
    lines: [
      ['l2', 'devmem 0xfe6011c8 32 0x200'],
      ['l2', 'devmem 0xfe6011c8'],
      DRIVER,
      ['l2', 'devmem 0x110000040 32 0x5678; devmem 0x110000040'],
      ERR,
    ],
  },
  {
    id: 'qemu-size-goes-on',
    title: 'Complains and goes on',
    patch: 'stub',
    function: 'vfio_cxl_hdm_regs_changed',
    point: 'An access of another size is reported, for the whole BAR, and then treated as if it had been a dword.',
    part: 'qemu',
    until: 'l2',
    lines: [['l2', 'devmem 0xfe601000 16 0'], ['l2', 'devmem 0xfe601148 16 0x200'], ERR],
  },
  {
    id: 'qemu-setup-no-error',
    title: 'Failing without an error',
    patch: 'stub',
    function: 'vfio_realize',
    point: 'vfio_cxl_setup() fails without setting an error; the label it jumps to puts a prefix before one.',
    part: 'qemu',
    builds: ['kbuild l1 --without 11 -o k11 > kbuild.log'],
    boot: { l1Kernel: 'k11' },
    until: 'bound',
    lines: [['l1', '@L2'], ['l1', 'echo $?'], ERR],
  },
  {
    id: 'qemu-no-unmap',
    title: 'A mapping that outlives its decoder',
    patch: 'stub',
    function: 'vfio_cxl_hdm_regs_changed',
    point:
      'The later branch returns at once when the decoder is committed, so that a de-commit is never seen: the memory stays in the guest.',
    part: 'qemu',
    until: 'l2',
    lines: [
      DRIVER,
      ['l2', 'devmem 0x110000040 32 0x5678; devmem 0x110000040'],
      ['l2', 'rmmod cxl-accel'],
      ['l2', 'devmem 0xfe601148'],
      ['l2', 'devmem 0x110000040'],
    ],
  },
];
