/**
 * The gallery: what each transcript in `scenarios/` shows. A scenario is its transcript (typed into a fresh session line by
 * line and checked by the tests); this table only says how to find it.
 */
export interface Scenario {
  /** Name of the transcript, and of the link: `#scenario=<id>`. */
  readonly id: string;
  readonly title: string;
  /** What to look at. */
  readonly about: string;
  readonly group: 'Passthrough' | 'Interleaving' | 'Scale' | 'Instructive mistakes';
  /** Ways, devices and such, in two or three words. */
  readonly facts: string;
}

export const SCENARIO_GROUPS = ['Passthrough', 'Interleaving', 'Scale', 'Instructive mistakes'] as const;

export const SCENARIOS: readonly Scenario[] = [
  {
    id: 'passthrough',
    group: 'Passthrough',
    title: 'The whole walkthrough',
    about:
      'A type-2 accelerator from the host’s QEMU through vfio-cxl in L1 into L2, whose driver creates a region through virtual HDM decoders.',
    facts: 'host, L1, L2',
  },
  {
    id: 'series-v3',
    group: 'Passthrough',
    title: 'The series of 2026',
    about:
      'The same goal by another design: vfio-pci itself takes a device whose decoder firmware committed, and the CXL core keeps the shadows.',
    facts: 'host, L1, L2',
  },
  {
    id: 'one-device',
    group: 'Interleaving',
    title: 'One expander, one region',
    about: 'The smallest topology. One root port: the bridge has no decoders of its own and passes everything on.',
    facts: '1 device · 1 way',
  },
  {
    id: 'two-ports',
    group: 'Interleaving',
    title: 'Two root ports under one bridge',
    about: 'The host bridge’s decoder picks the port. First at 256 bytes, then the same pair at 4 KiB.',
    facts: '2 devices · 2 ways',
  },
  {
    id: 'switch',
    group: 'Interleaving',
    title: 'A switch of four',
    about: 'One more level: the upstream port’s decoder picks among four downstream ports.',
    facts: '4 devices · 4 ways',
  },
  {
    id: 'two-bridges',
    group: 'Interleaving',
    title: 'A window over two bridges',
    about: 'Here the window itself interleaves, by its list of targets; below it each bridge passes through.',
    facts: '2 devices · 2 ways',
  },
  {
    id: 'four-way-two-levels',
    group: 'Interleaving',
    title: 'Four ways on two levels',
    about: 'The window picks the bridge every 1 KiB, the bridge picks the port every 2 KiB.',
    facts: '4 devices · 2 × 2 ways',
  },
  {
    id: 'three-bridges',
    group: 'Interleaving',
    title: 'Three bridges, three ways',
    about: 'No power of two: a division by three decides. The first try names the devices in the wrong order.',
    facts: '3 devices · 3 ways',
  },
  {
    id: 'eight-way',
    group: 'Interleaving',
    title: 'Eight ways across two switches',
    about: 'Window × switch. Which memdev stands at which position is read from the serial numbers first.',
    facts: '8 devices · 2 × 4 ways',
  },
  {
    id: 'persistent',
    group: 'Interleaving',
    title: 'Volatile and persistent',
    about: 'Two partitions in each device: a volatile region, then a persistent pair. Watch the DPA skip.',
    facts: '2 devices · ram and pmem',
  },
  {
    id: 'sixty-four',
    group: 'Scale',
    title: 'Sixty-four devices',
    about: 'Four bridges, eight switches, and a 16-way set over three levels of decoders.',
    facts: '64 devices · 4 × 2 × 2 ways',
  },
  {
    id: 'mock',
    group: 'Scale',
    title: 'The kernel’s mock topology',
    about: 'No CXL hardware at all: modprobe cxl_test builds four bridges and eleven devices out of the same CXL core.',
    facts: '11 mock devices',
  },
  {
    id: 'wrong-hypervisor-bit',
    group: 'Instructive mistakes',
    title: 'The hypervisor bit',
    about: 'Everything is set up right, yet the kernel refuses to commit: it cannot flush CPU caches inside a guest.',
    facts: '-cpu max',
  },
  {
    id: 'wrong-window',
    group: 'Instructive mistakes',
    title: 'A window too small',
    about: 'The line boots. The window holds the memory of one device, so the second never finds room.',
    facts: '512 MiB into 256',
  },
  {
    id: 'wrong-unbalanced',
    group: 'Instructive mistakes',
    title: 'Unbalanced bridges',
    about: 'Two devices left, one right: three ways over two window targets have no encoding.',
    facts: '2 + 1 devices',
  },
  {
    id: 'wrong-no-cxl',
    group: 'Instructive mistakes',
    title: 'The machine without cxl=on',
    about: 'QEMU ends before the guest begins, in its own words.',
    facts: '-M q35',
  },
];
