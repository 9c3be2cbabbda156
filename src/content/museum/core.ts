import { type Exhibit, KERNEL_L1 } from './exhibit.ts';

/** Exhibits of patches 02 and 04: finding the registers, making the region at open, giving it back. */
export const CORE: readonly Exhibit[] = [
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
];
