/**
 * The review museum: defects of the posted code that can be *as posted* or *as intended*, each with the reviewer's point in our
 * words and lines that show the consequence. `host`, `l1`, `l2`: lines typed there after the machines are up, in the given order;
 * a line is [machine, text]. `kernel`: the quirk belongs to that machine's kernel; `qemu`: to L1's VMM. What comes of them
 * is computed; src/lab/transcripts/museum holds both settings, recorded. Sources: the fact sheets and the reviews they cite.
 */
export type ExhibitLine = readonly [machine: 'host' | 'l1' | 'l2', line: string];

export interface Exhibit {
  readonly id: string;
  readonly title: string;
  /** Number in the series; `stub`: L1's QEMU; `driver`: L2's driver; `type-2`: the base series. */
  readonly patch: number | 'stub' | 'driver' | 'type-2';
  /** Function whose line it is. */
  readonly function: string;
  readonly point: string;
  readonly part: 'l1' | 'l2' | 'qemu';
  /** More options of the build that carries the quirk. */
  readonly options?: string;
  /** Other builds of the scenario, typed first. */
  readonly builds?: readonly string[];
  /** Text after `cxl-accel,…` and other changes of the start of L1 (see lab/boot-to-l2.ts). */
  readonly boot?: Readonly<Record<string, string>>;
  /** How far the machines are started: only built, L1 up, device bound, or L2 up. */
  readonly until: 'build' | 'l1' | 'bound' | 'l2';
  readonly lines: readonly ExhibitLine[];
}

const DRIVER: ExhibitLine = ['l2', 'modprobe cxl-accel'];
const ERR: ExhibitLine = ['l1', 'cat qemu.err'];
const KERNEL_L1: ExhibitLine = ['l1', 'dmesg -l warn,err,alert'];

export const MUSEUM: readonly Exhibit[] = [
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
    id: 'vfio-cxl-media-inactive-open',
    title: 'No media, no error, and page 0',
    patch: 4,
    function: 'create_cxl_region',
    point:
      'When the media does not become active the message is printed and the earlier result, 0, returned. The device opens without a region, region 9 is registered all the same, and mapping it gives physical memory from page 0 on.',
    part: 'l1',
    boot: { drop: 'volatile-memdev=vmem0,' },
    until: 'bound',
    lines: [['l1', 'devmem 0xf52a0 64'], ['l1', 'vfio-poke 0000:0d:00.0 regions map 9 0xf52a0'], KERNEL_L1],
  },
  {
    id: 'vfio-cxl-null-vaddr',
    title: 'A read through no mapping',
    patch: 5,
    function: 'vfio_cxl_region_rw',
    point:
      'The region can be read and written by file although it was never mapped into the kernel: the NULL cookie is used as an address.',
    part: 'l1',
    boot: { drop: 'volatile-memdev=vmem0,' },
    until: 'bound',
    lines: [['l1', 'vfio-poke 0000:0d:00.0 read 9 0 4'], KERNEL_L1],
  },
  {
    id: 'vfio-cxl-ioremap-check',
    title: 'The wrong variable is tested',
    patch: 5,
    function: 'create_cxl_region',
    point:
      'After ioremap() the check looks at region.addr, which is set, and not at the mapping. A failed mapping goes unnoticed until somebody reads the file; and the error path would have returned 0.',
    part: 'l1',
    boot: { l1Append: ' cxlab.fail_ioremap' },
    until: 'bound',
    lines: [['l1', 'vfio-poke 0000:0d:00.0 map 9 0 read 9 0 4'], KERNEL_L1],
  },
  {
    id: 'vfio-cxl-region-rw-unbounded',
    title: 'Reading past the end of the region',
    patch: 5,
    function: 'vfio_cxl_region_rw',
    point:
      "Reads and writes of the region's file are not compared with its size; the access runs off the kernel's mapping.",
    part: 'l1',
    until: 'bound',
    lines: [['l1', 'vfio-poke 0000:0d:00.0 read 9 0xffffffc 4 read 9 0x10000000 4'], KERNEL_L1],
  },
  {
    id: 'vfio-cxl-noncached',
    title: 'Coherent memory, uncached',
    patch: 5,
    function: 'vfio_cxl_region_mmap',
    point:
      'The region is mapped noncached although coherence is what CXL memory is about; every load of the guest goes to the device.',
    part: 'l1',
    until: 'l2',
    lines: [['l1', 'cat /sys/kernel/debug/x86/pat_memtype_list']],
  },
  {
    id: 'vfio-cxl-region-no-zap',
    title: 'Memory decoding off, memory still there',
    patch: 5,
    function: 'vfio_pci_zap_bars',
    point:
      'When the guest turns memory decoding off, mappings of the BARs are taken away. The CXL region is not a BAR: its pages stay.',
    part: 'l1',
    until: 'l2',
    lines: [
      DRIVER,
      ['l2', 'devmem 0x110000040 32 0x5678; devmem 0x110000040'],
      ['l2', 'setpci -s 0d:00.0 COMMAND=0:2'],
      ['l2', 'devmem 0x110000040'],
      ERR,
      ['l1', 'pgrep qemu'],
    ],
  },
  {
    id: 'vfio-cxl-enable-leaks',
    title: 'A failed open that leaves things behind',
    patch: 4,
    function: 'enable_cxl',
    point:
      'No step of enable_cxl() is undone when a later one fails: memdev, endpoint and their claims stay until the driver goes, and the next open fails for another reason.',
    part: 'l1',
    options: '--fix vfio-cxl-ioremap-check',
    boot: { l1Append: ' cxlab.fail_ioremap' },
    until: 'bound',
    lines: [
      ['l1', 'vfio-poke 0000:0d:00.0 info'],
      ['l1', 'ls /sys/bus/cxl/devices'],
      ['l1', 'vfio-poke 0000:0d:00.0 info'],
      KERNEL_L1,
    ],
  },
  {
    id: 'vfio-cxl-stale-pointers',
    title: 'The second open',
    patch: 4,
    function: 'disable_cxl',
    point: 'Closing forgets nothing: pointers, memdev and endpoint of the first open meet the second.',
    part: 'l1',
    until: 'bound',
    lines: [
      ['l1', 'vfio-poke 0000:0d:00.0 info'],
      ['l1', 'ls /sys/bus/cxl/devices'],
      ['l1', 'vfio-poke 0000:0d:00.0 info'],
      KERNEL_L1,
    ],
  },
  {
    id: 'vfio-cxl-serial-zero',
    title: 'A serial number that is always zero',
    patch: 4,
    function: 'enable_cxl',
    point:
      'The serial number of the memory device is set from pdev->dev.id, which is 0, and not from the PCIe Device Serial Number.',
    part: 'l1',
    builds: ['qbuild --accel A --no-install -o qemu-a'],
    boot: { hostQemu: './qemu-a', accel: ',sn=0xcafe0005' },
    until: 'bound',
    lines: [
      ['l1', 'vfio-poke 0000:0d:00.0 info hold 5 & sleep 1; cat /sys/bus/cxl/devices/mem0/serial'],
      ['l1', "lspci -vv -s 0d:00.0 | grep 'Serial Number'"],
    ],
  },
  {
    id: 'vfio-cxl-export-kind',
    title: 'EXPORT_SYMBOL without GPL',
    patch: 4,
    function: 'EXPORT_SYMBOL(vfio_cxl_core_enable)',
    point: 'The core exports plainly what stands on GPL-only functions.',
    part: 'l1',
    until: 'l1',
    lines: [['l1', 'grep vfio_cxl_core_ /lib/modules/$(uname -r)/build/Module.symvers']],
  },
  {
    id: 'vfio-cxl-kconfig-depends',
    title: 'A Kconfig symbol without its dependency',
    patch: 4,
    function: 'config VFIO_CXL_CORE',
    point:
      'Nothing says that the module needs the CXL core with regions: a configuration without them fails at the link instead of not offering the driver.',
    part: 'l1',
    options: '--config CONFIG_CXL_REGION=n',
    until: 'build',
    lines: [],
  },
  {
    id: 'vfio-cxl-detach-unlocked',
    title: 'Detaching without the lock',
    patch: 4,
    function: 'disable_cxl',
    point:
      'cxl_region_detach() wants the region lock held; the close path does not take it. A kernel that proves its locking says so.',
    part: 'l1',
    options: '--config CONFIG_PROVE_LOCKING=y',
    until: 'bound',
    lines: [['l1', 'vfio-poke 0000:0d:00.0 info'], KERNEL_L1],
  },
  {
    id: 'vfio-cxl-hdm-count',
    title: 'Ranges counted as decoders',
    patch: 2,
    function: 'cxl_get_hdm_info',
    point:
      'HDM_Count of the DVSEC is the number of ranges (1 or 2) and is handed to user space as the number of decoders, of which there are four.',
    part: 'l1',
    until: 'bound',
    lines: [['l1', 'vfio-poke 0000:0d:00.0 info']],
  },
  {
    id: 'vfio-cxl-hot-reset-open',
    title: 'The reset nobody closed',
    patch: 9,
    function: 'vfio_pci_core_ioctl',
    point:
      "The function reset is kept away because it would hurt the CXL state; the hot reset of the bus is not. L1's VMM asks for it when L2 starts: on a device that honours it, L1's decoder is gone while its region is still listed.",
    part: 'l1',
    builds: ['qbuild --accel-reset --no-install -o qemu-reset'],
    boot: { hostQemu: './qemu-reset' },
    until: 'l2',
    lines: [
      ['l1', 'devmem 0xfe801148'],
      ['l1', 'cat /sys/bus/cxl/devices/region0/commit'],
      DRIVER,
      ['l2', 'devmem 0x110000040 32 0x5678; devmem 0x110000040'],
    ],
  },
  {
    id: 'vfio-cxl-dvsec-writable',
    title: 'A DVSEC made of clay',
    patch: 10,
    function: 'vfio_config_do_rw',
    point:
      'virt_perms makes the whole capability writable for the guest, its header and the vendor included. With another vendor in the copy the next access goes to the device itself.',
    part: 'l1',
    until: 'l2',
    lines: [
      ['l2', 'setpci -s 0d:00.0 0x10a.w=0xffff; setpci -s 0d:00.0 0x10a.w'],
      ['l2', 'setpci -s 0d:00.0 0x10c.w=0xffff; setpci -s 0d:00.0 0x10c.w'],
      ['l2', 'setpci -s 0d:00.0 0x104.w=0; setpci -s 0d:00.0 0x10c.w=2; setpci -s 0d:00.0 0x10c.w'],
      ['l1', 'setpci -s 0d:00.0 0x10c.w'],
    ],
  },
  {
    id: 'vfio-cxl-dvsec-every-device',
    title: 'Every device, CXL driver or not',
    patch: 10,
    function: 'vfio_config_do_rw',
    point:
      'The emulation asks for the vendor of the DVSEC, not whether the device was opened as a CXL one: plain vfio-pci changes its behaviour too.',
    part: 'l1',
    boot: { driver: 'vfio-pci' },
    until: 'l2',
    lines: [
      ['l2', 'setpci -s 0d:00.0 0x10c.w=6; setpci -s 0d:00.0 0x10c.w'],
      ['l1', 'setpci -s 0d:00.0 0x10c.w'],
    ],
  },
  {
    id: 'vfio-cxl-fixed-size',
    title: '256 MiB, whatever the device has',
    patch: 12,
    function: 'cxl_open_device',
    point: "The size of memory and region is a constant of the driver; half of a bigger device's memory is never used.",
    part: 'l1',
    boot: { memory: '512M' },
    until: 'bound',
    lines: [
      ['l1', 'setpci -s 0d:00.0 0x11c.l'],
      ['l1', 'vfio-poke 0000:0d:00.0 info regions map 9 0x18000000'],
    ],
  },
  {
    id: 'vfio-cxl-no-request-all-bars',
    title: 'No BAR is requested at all',
    patch: 13,
    function: 'vfio_pci_core_setup_barmap',
    point:
      'Only the component BAR is claimed by the CXL core, but the workaround leaves out the request for every BAR.',
    part: 'l1',
    until: 'bound',
    lines: [['l1', "vfio-poke 0000:0d:00.0 read 4 0x800 4 hold 5 & sleep 1; grep -A1 'fe810000' /proc/iomem"]],
  },
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
  {
    id: 'cxl-accel-endpoint-error',
    title: 'On with an error for a pointer',
    patch: 'driver',
    function: 'cxl_accel_probe',
    point: 'When no endpoint can be acquired the driver says so and goes on with the error as if it were a port.',
    part: 'l2',
    builds: ['kbuild l1 --without 10 -o k10 > kbuild.log'],
    boot: { l1Kernel: 'k10' },
    until: 'l2',
    lines: [DRIVER, ['l2', 'dmesg -l warn,err,alert'], ['l2', 'lsmod']],
  },
  {
    id: 'cxl-accel-endpoint-held',
    title: 'An endpoint that is never given back',
    patch: 'driver',
    function: 'cxl_accel_probe',
    point:
      'The failing paths after cxl_acquire_endpoint() return with the lock of the endpoint held. The clean-up of the very probe that failed wants that lock.',
    part: 'l2',
    builds: ['kbuild l1 --without 8 -o k8 > kbuild.log'],
    boot: { l1Kernel: 'k8' },
    until: 'l2',
    lines: [
      DRIVER,
      ['l2', 'dmesg -l warn,err,alert | tail -9'],
      ['l2', 'lsmod; ls /sys/bus/cxl/devices'],
      ['l2', "grep -h -B2 'State:.D' /proc/[0-9]*/status"],
    ],
  },
  {
    id: 'hpa-freespace-off-by-two',
    title: 'Free space, two bytes too much',
    patch: 'type-2',
    function: 'cxl_get_hpa_freespace',
    point: 'The hole behind an existing region is computed with both borders counted.',
    part: 'l2',
    until: 'l2',
    lines: [
      DRIVER,
      ['l2', 'echo 0000:0d:00.0 > /sys/bus/pci/drivers/cxl-accel/unbind'],
      ['l2', 'echo 0000:0d:00.0 > /sys/bus/pci/drivers/cxl-accel/bind'],
      ['l2', "dmesg | grep 'free space'"],
    ],
  },
];
