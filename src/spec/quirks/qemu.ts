/** "vfio: support CXL device in VFIO stub": absent, the patch as posted, the later branch, corrected; `v3`: the one for the kernel series of June 2026. */
export type VfioStub = 'off' | 'posted' | 'branch' | 'fixed' | 'v3';

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
} as const satisfies Readonly<Record<string, readonly VfioStub[]>>;

export type QemuQuirk = keyof typeof QEMU_QUIRKS;
