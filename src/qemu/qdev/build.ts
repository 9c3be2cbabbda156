/** What a QEMU binary was built with (ARCHITECTURE, decision 4). Every flag travels in links and in the binary's first line. */
export interface QemuBuild {
  /** Zhi Wang's patches of December 2024: the `cxl-accel` device. */
  readonly accel: boolean;
  /**
   * Fixed windows reach memory expanders only, as upstream and in the tree of the RFC's time. Absent (not false), they reach `cxl-accel`
   * too: the change of cxl-host.c in the same series.
   */
  readonly type3Window?: true;
  /** Which device `cxl-accel` is: of the RFC's time (A: memory-device registers on BAR 2) or of December 2024 (B). */
  readonly profile: 'A' | 'B';
  /** "vfio: support CXL device in VFIO stub": off, the patch as posted, the later branch, or corrected; `v3`: the one for the kernel series of June 2026. */
  readonly vfioCxl: 'off' | 'posted' | 'branch' | 'fixed' | 'v3';
  /** Reset handler of the accelerator (profile B has one; the tree used with the RFC has none). */
  readonly accelReset: boolean;
  /** Single defects of the VFIO stub set apart from the variant. */
  readonly quirks: Readonly<Partial<Record<QemuQuirk, 'posted' | 'intended'>>>;
  /** Build id shown by `--version`; absent in the stock binary. */
  readonly id?: string;
}

/**
 * Defects of the VFIO stub (21 Sep 2024), with the variants that show them. Sources: posted patch, branch @5ed52bda, review.
 */
export const QEMU_QUIRKS = {
  /** Map on de-commit, unmap on commit. The branch has them the right way round. */
  'qemu-map-swapped': ['posted'],
  /** BASE_LO shifted by 28 instead of masked. */
  'qemu-base-shift': ['posted', 'branch'],
  /** Any dword of the BAR congruent to a control register passes for one. */
  'qemu-notifier-range': ['posted', 'branch'],
  /** Accesses of other sizes are complained about, then treated all the same. */
  'qemu-size-goes-on': ['posted', 'branch'],
  /** The region goes into the bus's address space, below the fixed window. */
  'qemu-map-target': ['posted', 'branch'],
  /** A failed vfio_cxl_setup leaves without an error set: the error path dereferences it. */
  'qemu-setup-no-error': ['posted', 'branch'],
  /** Once committed, a control write is ignored: the mapping outlives the decoder. */
  'qemu-no-unmap': ['branch'],
  /** The write is acted on before the kernel has seen it, whatever becomes of it there. */
  'qemu-notify-first': ['posted', 'branch', 'fixed'],
  /** The whole region is mapped, whatever SIZE says. */
  'qemu-size-ignored': ['posted', 'branch', 'fixed'],
  /** Whichever decoder is committed, it shows the region from its start. */
  'qemu-decoder-ignored': ['posted', 'branch', 'fixed'],
  /** The DPA skip of a decoder moves nothing. */
  'qemu-skip-ignored': ['posted', 'branch', 'fixed'],
  /** A decoder that is one of several ways is mapped as if it had all granules. */
  'qemu-interleave-ignored': ['posted', 'branch', 'fixed'],
  /** BASE is taken as it is, inside a fixed window or not. */
  'qemu-base-unchecked': ['posted', 'branch', 'fixed'],
  /** A reset of the machine leaves the virtual decoders and the mapping as they are. */
  'qemu-reset-keeps-decoders': ['posted', 'branch', 'fixed'],
} as const satisfies Readonly<Record<string, readonly QemuBuild['vfioCxl'][]>>;

export type QemuQuirk = keyof typeof QEMU_QUIRKS;

/** True when this binary shows the defect. */
export function qemuPosted(build: QemuBuild, quirk: QemuQuirk): boolean {
  const shownBy: readonly string[] = QEMU_QUIRKS[quirk];
  return (build.quirks[quirk] ?? (shownBy.includes(build.vfioCxl) ? 'posted' : 'intended')) === 'posted';
}

/** What a binary of qbuild was built with. */
export function buildWords(build: QemuBuild): string {
  const stub = { off: 'upstream', posted: 'posted', branch: 'branch', fixed: 'intended', v3: 'v3' }[build.vfioCxl];
  const accel = build.accel ? `profile ${build.profile}${build.accelReset ? ' with reset' : ''}` : 'absent';
  const quirks = Object.entries(build.quirks).map(([id, how]) => `, ${id} ${how}`);
  const window = build.type3Window ? ', windows for cxl-type3 only' : '';
  return `VFIO stub ${stub}, cxl-accel ${accel}${window}${quirks.join('')}`;
}
