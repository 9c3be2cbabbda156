import { DRIVER, ERR, type Exhibit, KERNEL_L1 } from './exhibit.ts';

/** Exhibits of patch 08: the copy of the component registers and the emulated HDM block. */
export const HDM_SHADOW: readonly Exhibit[] = [
  {
    id: 'vfio-cxl-hdm-last-dword',
    title: 'The last dword of the HDM block',
    patch: 8,
    function: 'is_hdm_regblock',
    point:
      'The end of the access is compared with < where <= is meant: the last dword of the block is not emulated and goes to the device.',
    part: 'l1',
    until: 'l2',
    lines: [
      ['l2', 'devmem 0xfe6011b4 32 0x1234; devmem 0xfe6011b4'],
      ['l2', 'devmem 0xfe6011ac 32 0x1234; devmem 0xfe6011ac'],
    ],
  },
  {
    id: 'vfio-cxl-dword-only',
    title: 'A backtrace for a byte',
    patch: 8,
    function: 'vfio_cxl_core_rw',
    point:
      'Any access of the component BAR that is not an aligned dword warns with a backtrace and fails, also far from the HDM block: a guest can make its host complain.',
    part: 'l1',
    until: 'l2',
    lines: [['l2', 'devmem 0xfe601000 8'], ['l2', 'devmem 0xfe601148 8'], KERNEL_L1, ERR],
  },
  {
    id: 'vfio-cxl-block-offset',
    title: 'A component block further up in its BAR',
    patch: 8,
    function: 'emulate_hdm_regblock',
    point:
      'The HDM offset counts from the component block, the position from the start of the BAR; they are compared as if both were the same. With a block at 64 KiB the guest reaches the real decoders.',
    part: 'l1',
    boot: { accel: ',x-bar0-size=128K,x-component-offset=64K' },
    until: 'l2',
    lines: [
      ['l2', 'modprobe cxl-accel'],
      ['l2', "lspci -v -s 0d:00.0 | grep 'size=128K'"],
      ['l2', 'devmem $((0x$(setpci -s 0d:00.0 0x10.l) / 16 * 16 + 0x11138))'],
    ],
  },
  {
    id: 'vfio-cxl-bar-64k',
    title: 'A BAR that is not 64 KiB',
    patch: 8,
    function: 'find_bar',
    point:
      'The block is taken to be 64 KiB and has to fit into a BAR; a device with a smaller BAR is refused without a message.',
    part: 'l1',
    boot: { accel: ',x-bar0-size=8K' },
    until: 'bound',
    lines: [['l1', 'vfio-poke 0000:0d:00.0 info'], KERNEL_L1],
  },
  {
    id: 'vfio-cxl-reserved-bits',
    title: 'Reserved bits kept as written',
    patch: 8,
    function: 'write_hdm_decoder_n',
    point: 'Base, size and control are stored raw: bits that are reserved read back as ones, as no device does.',
    part: 'l1',
    until: 'l2',
    lines: [
      ['l2', 'devmem 0xfe601158 32 0x12345678; devmem 0xfe601158'],
      ['l2', 'devmem 0xfe601168 32 0xfffffcff; devmem 0xfe601168'],
      ['l2', 'devmem 0xfe601174 32 0x77; devmem 0xfe601174'],
    ],
  },
  {
    id: 'vfio-cxl-committed-writable',
    title: 'A committed decoder that moves',
    patch: 8,
    function: 'write_hdm_decoder_n',
    point:
      'Only a locked decoder is protected. Base and size of a committed one can be changed, which the specification makes read-only; the shadow then says one thing and the mapping another.',
    part: 'l1',
    until: 'l2',
    lines: [
      DRIVER,
      ['l2', 'devmem 0xfe601138 32 0x50000000; devmem 0xfe601138'],
      ['l2', 'devmem 0x110000040 32 0x5678; devmem 0x110000040'],
    ],
  },
  {
    id: 'vfio-cxl-commit-unchecked',
    title: 'Every commit succeeds',
    patch: 8,
    function: 'write_hdm_decoder_n',
    point:
      'COMMITTED follows COMMIT at once: no order of decoders, no size, no alignment is asked for, and Commit Error is never set. The guest is told of a decoder that no device would have.',
    part: 'l1',
    until: 'l2',
    lines: [
      ['l2', 'devmem 0xfe60115c 32 1; devmem 0xfe601158 32 0x10000000'],
      ['l2', 'devmem 0xfe601168 32 0x200; devmem 0xfe601168'],
      DRIVER,
      ['l2', 'dmesg -l warn,err,alert'],
    ],
  },
  {
    id: 'vfio-cxl-shadow-before-enable',
    title: 'A copy of a device that does not answer',
    patch: 8,
    function: 'setup_virt_comp_regs',
    point:
      'The registers are copied before the device is enabled. With memory decoding off (or in D3hot) every load gives ones: in the copy all decoders are committed and locked, and no write of the guest gets through.',
    part: 'l1',
    boot: { rootPort: ',silicon=strict' },
    until: 'bound',
    lines: [
      ['l1', 'setpci -s 0d:00.0 COMMAND=0:2'],
      ['l1', '@L2'],
      ['l2', 'devmem 0xfe601128; devmem 0xfe601148'],
      ['l2', 'devmem 0xfe601148 32 0; devmem 0xfe601148'],
      DRIVER,
      ['l2', 'dmesg -l warn,err,alert'],
    ],
  },
];
