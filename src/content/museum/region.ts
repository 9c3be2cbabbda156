import { DRIVER, ERR, type Exhibit, KERNEL_L1 } from './exhibit.ts';

/** Exhibits of patch 05: the region user space maps. */
export const REGION: readonly Exhibit[] = [
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
    id: 'vfio-cxl-region-rw-decoding-off',
    title: 'Reads with memory decoding off',
    patch: 5,
    function: 'vfio_cxl_region_rw',
    point:
      'The helper is called with test_mem false: a BAR refuses reads and writes while the guest has memory decoding off, the region answers them.',
    part: 'l1',
    until: 'bound',
    lines: [['l1', 'vfio-poke 0000:0d:00.0 write 9 0 78563412 write 7 4 0000 read 0 0x1000 4 read 9 0 4']],
  },
];
