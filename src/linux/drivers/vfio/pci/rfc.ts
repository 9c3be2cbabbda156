import type { Kernel } from '../../../include/kernel.ts';

/** Which of the RFC's patches (1…13) this kernel was built with. */
export function hasPatch(kernel: Kernel, patch: number): boolean {
  return kernel.build.patches.includes(patch);
}

/**
 * Defects of the posted vfio-cxl RFC v1 that the model knows, with what a build gets when it says nothing. `posted` is
 * the rule; `intended` only where the posted behaviour would end the kernel. Source: vfio-cxl RFC v1, review and code.
 */
export const VFIO_CXL_QUIRKS = {
  /** Patch 08: the emulated window ends one dword early (`pos + 4 < end` instead of `<=`). */
  'vfio-cxl-hdm-last-dword': 'posted',
  /** Patch 04: media not ready is reported but the open succeeds without a region. */
  'vfio-cxl-media-inactive-open': 'posted',
  /** Patch 04: a failed enable_cxl undoes nothing (memdev, DPA and root-decoder references leak). */
  'vfio-cxl-enable-leaks': 'posted',
  /** Patch 04: close leaves its pointers set, so a second open warns in set_region_size. */
  'vfio-cxl-stale-pointers': 'posted',
  /** Patch 04: the serial number is `dev.id` (always 0), not the PCIe Device Serial Number. */
  'vfio-cxl-serial-zero': 'posted',
  /** Patch 02: HDM_Count of the DVSEC (ranges) is handed on as the number of decoders. */
  'vfio-cxl-hdm-count': 'posted',
  /** Patch 05: region reads and writes have no bound check against the region's size. */
  'vfio-cxl-region-rw-unbounded': 'posted',
  /** Patch 05: disabling memory does not unmap the CXL region (only BAR offsets are zapped). */
  'vfio-cxl-region-no-zap': 'posted',
  /** Patch 05: a region access through a NULL mapping (open without media) is an oops; intended: -ENXIO. */
  'vfio-cxl-null-vaddr': 'intended',
  /** Patch 09: has_cxl is never cleared again. */
  'vfio-cxl-has-cxl-sticky': 'posted',
  /** Patch 10: DVSEC virtualisation applies to every vfio-pci device with CXL DVSECs, not only to has_cxl ones. */
  'vfio-cxl-dvsec-every-device': 'posted',
  /** Patch 13: BAR requests are skipped for all BARs, not only the component one. */
  'vfio-cxl-no-request-all-bars': 'posted',
} as const satisfies Readonly<Record<string, 'posted' | 'intended'>>;

export type VfioCxlQuirk = keyof typeof VFIO_CXL_QUIRKS;

/** True when this kernel shows the posted defect. */
export function posted(kernel: Kernel, quirk: VfioCxlQuirk): boolean {
  return (kernel.build.quirks[quirk] ?? VFIO_CXL_QUIRKS[quirk]) === 'posted';
}
