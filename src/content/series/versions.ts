/**
 * The five postings of the idea, side by side: what is known of each from its own text (reference sheet successors.md, section 1). Where a
 * posting is known in part only, the field says so; two of them can be built here, the others are listed because they are not.
 */
export interface SeriesVersion {
  readonly name: string;
  readonly posted: string;
  /** Name for `kbuild --series`, where the lab has it. */
  readonly series: string | null;
  readonly patches: number;
  readonly base: string;
  readonly driver: string;
  readonly detected: string;
  readonly commits: string;
  readonly regions: string;
  readonly bar: string;
  readonly mapping: string;
  readonly capability: string;
  readonly reset: string;
}

export const SERIES_VERSIONS: readonly SeriesVersion[] = [
  {
    name: 'RFC v1',
    posted: '20 Sep 2024',
    series: 'rfc-v1',
    patches: 13,
    base: 'type-2 RFC v2',
    driver: 'vfio-cxl-core and a variant driver',
    detected: 'at open, one device id',
    commits: 'vfio-cxl creates the region at open',
    regions: 'CXL (1)',
    bar: 'not mapped at all',
    mapping: 'noncached',
    capability: '40 bytes: count, BAR, size, offset, DPA size',
    reset: 'all switched off',
  },
  {
    name: 'RFC v2',
    posted: '9 Dec 2025',
    series: null,
    patches: 15,
    base: 'type-2 v20, v6.18-rc2',
    driver: 'the same, the core device embedding the PCI one',
    detected: 'at open',
    commits: 'the variant driver creates the region, or takes over a committed one',
    regions: 'CXL (1), made separately',
    bar: 'sparse mmap',
    mapping: 'noncached as an option',
    capability: '32 bytes: count, BAR, size, offset from the start of the BAR',
    reset: 'switched off',
  },
  {
    name: 'v1',
    posted: '11 Mar 2026',
    series: null,
    patches: 20,
    base: 'type-2 v23',
    driver: 'no variant driver: an option inside vfio-pci-core',
    detected: 'at register and open, by DVSEC and HDM block',
    commits: 'the kernel, or firmware before it',
    regions: 'DPA and COMP_REGS',
    bar: 'sparse mmap',
    mapping: 'a page per fault (cache attribute not known)',
    capability: 'count, BAR, size, offset, DPA size, flags (order and length not known)',
    reset: 'FLR, pages taken away',
  },
  {
    name: 'v2',
    posted: '1 Apr 2026',
    series: null,
    patches: 20,
    base: 'as v1',
    driver: 'as v1',
    detected: 'at register: Mem_Capable, not a memory expander, decoder committed',
    commits: 'its documentation wants firmware, its cover still has both',
    regions: 'DPA (1) and COMP_REGS (2)',
    bar: 'sparse mmap, one or two areas',
    mapping: 'write-back',
    capability: '32 bytes: BAR, flags, offset, both region indices',
    reset: 'FLR with preparation and afterwards a new look at the registers',
  },
  {
    name: 'v3',
    posted: '25 Jun 2026',
    series: 'v3',
    patches: 11,
    base: 'type-2 v28',
    driver: 'vfio-pci with CONFIG_VFIO_PCI_CXL; registers in the CXL core',
    detected: 'at bind: CXL link, one decoder',
    commits: 'firmware alone, else the bind fails',
    regions: 'HDM (1) and COMP_REGS (2), 64 KiB',
    bar: 'sparse mmap',
    mapping: 'write-back',
    capability: '48 bytes: flags, both region indices, place of the component block',
    reset: 'FLR not integrated: the shadows go stale',
  },
];
