import { DRIVER, ERR, type Exhibit, KERNEL_L1 } from './exhibit.ts';

/** Exhibits of patches 09 to 13: what the series changes in vfio-pci-core, and the variant driver. */
export const VFIO_PCI: readonly Exhibit[] = [
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
    id: 'vfio-cxl-bar-not-sparse',
    title: 'A whole BAR kept back for 144 bytes',
    patch: 9,
    function: 'vfio_pci_probe_mmaps',
    point:
      'The component BAR cannot be mapped at all, though a sparse mapping could leave out just the page of the HDM block: every access to it costs the guest an exit to its VMM.',
    part: 'l1',
    until: 'l2',
    lines: [
      ['l1', 'cat /sys/kernel/debug/kvm/mmio_exits'],
      ['l2', 'devmem 0xfe602000'],
      ['l1', 'cat /sys/kernel/debug/kvm/mmio_exits'],
      ['l2', 'devmem 0xfe601128'],
      ['l1', 'cat /sys/kernel/debug/kvm/mmio_exits'],
    ],
  },
  {
    id: 'vfio-cxl-flr-open',
    title: 'A function reset by the back door',
    patch: 9,
    function: 'vfio_exp_config_write',
    point:
      'VFIO_DEVICE_RESET is refused because a function level reset leaves the CXL side alone; a guest that sets Initiate FLR in its configuration space gets one all the same.',
    part: 'l1',
    boot: { accel: ',silicon=strict' },
    until: 'l2',
    lines: [
      ['l1', 'cd /sys/kernel/tracing; echo function > current_tracer'],
      ['l2', 'setpci -s 0d:00.0 CAP_EXP+8.w=8000:8000'],
      ['l1', 'grep pci_try_reset trace'],
    ],
  },
  {
    id: 'vfio-cxl-unbalanced-release',
    title: 'Giving back what was never taken',
    patch: 13,
    function: 'vfio_pci_core_setup_barmap',
    point: 'The request of the BAR is left out, its release on the error path is not.',
    part: 'l1',
    boot: { l1Append: ' cxlab.fail_ioremap=bar' },
    until: 'bound',
    lines: [['l1', 'vfio-poke 0000:0d:00.0 read 0 0x1000 4'], KERNEL_L1],
  },
  {
    id: 'vfio-cxl-no-sanitize',
    title: "The last user's data",
    patch: 9,
    function: 'vfio_pci_core_enable',
    point:
      "A reset has to stand between two users. The function reset is taken away and nothing put in its place, so the next one reads what the last one wrote; a device that cannot do a CXL reset should not be handed out at all. QEMU's own accelerator is one of those: there the open ends with ENOTTY, here the device decodes and resets as the specification says.",
    part: 'l1',
    options: '--fix vfio-cxl-stale-pointers',
    boot: { accel: ',silicon=strict' },
    until: 'bound',
    lines: [
      ['l1', 'vfio-poke 0000:0d:00.0 write 9 0x40 78563412 read 9 0x40 4'],
      ['l1', 'vfio-poke 0000:0d:00.0 read 9 0x40 4'],
    ],
  },
  {
    id: 'vfio-cxl-both-flags',
    title: 'Two kinds of device at once',
    patch: 9,
    function: 'vfio_pci_ioctl_get_info',
    point:
      'The device says PCI and CXL at once, so a VMM that knows PCI only takes it and gives its guest a device whose memory never appears. Said to be CXL and nothing else it would be refused. (The later postings kept both.)',
    part: 'l1',
    options: '--fix vfio-cxl-stale-pointers --fix vfio-cxl-enable-leaks',
    builds: ['qbuild --variant upstream -o qemu-upstream > qbuild.log'],
    boot: { l1Qemu: 'qemu-upstream' },
    until: 'bound',
    lines: [['l1', 'vfio-poke 0000:0d:00.0 info'], ['l1', '@L2'], ['l1', 'pgrep -x qemu-upstream'], ERR],
  },
  {
    id: 'vfio-cxl-ioeventfd-open',
    title: 'A write by another door',
    patch: 8,
    function: 'vfio_pci_ioeventfd',
    point:
      "The shadow stands in read() and write() only. An event file tied to a register of the HDM block writes to the device itself: L1's decoder is let go under the region it carries.",
    part: 'l1',
    until: 'bound',
    lines: [
      [
        'l1',
        'vfio-poke 0000:0d:00.0 write 9 0x40 78563412 signal 0 0x1148 00000000 read 9 0x40 4 hold 5 & sleep 1; devmem 0xfe801148; cat /sys/bus/cxl/devices/region0/commit',
      ],
    ],
  },
];
