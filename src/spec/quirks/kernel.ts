/**
 * Defects of the posted kernel code that the model knows, with what a build gets when it says nothing. `posted` is the
 * rule; `intended` where the posted behaviour would end the kernel before anything can be seen, or where a later build
 * option asks for it. Sources: vfio-cxl RFC v1, its reviews and code; the type-2 RFC v2; the L2 test driver. What each
 * one is about is told in content/museum.ts.
 */
export const KERNEL_QUIRKS = {
  // --- patch 02
  'vfio-cxl-hdm-count': 'posted',
  // --- patch 04
  'vfio-cxl-media-inactive-open': 'posted',
  'vfio-cxl-enable-leaks': 'posted',
  'vfio-cxl-stale-pointers': 'posted',
  'vfio-cxl-serial-zero': 'posted',
  'vfio-cxl-export-kind': 'posted',
  'vfio-cxl-kconfig-depends': 'posted',
  'vfio-cxl-detach-unlocked': 'posted',
  // --- patch 05
  'vfio-cxl-region-rw-unbounded': 'posted',
  'vfio-cxl-region-rw-decoding-off': 'posted',
  'vfio-cxl-region-no-zap': 'posted',
  'vfio-cxl-null-vaddr': 'posted',
  'vfio-cxl-ioremap-check': 'posted',
  'vfio-cxl-noncached': 'posted',
  // --- patch 08
  'vfio-cxl-hdm-last-dword': 'posted',
  'vfio-cxl-dword-only': 'posted',
  'vfio-cxl-block-offset': 'posted',
  'vfio-cxl-bar-64k': 'posted',
  'vfio-cxl-reserved-bits': 'posted',
  'vfio-cxl-committed-writable': 'posted',
  'vfio-cxl-commit-unchecked': 'posted',
  'vfio-cxl-shadow-before-enable': 'posted',
  'vfio-cxl-ioeventfd-open': 'posted',
  // --- patch 09
  'vfio-cxl-no-sanitize': 'posted',
  'vfio-cxl-both-flags': 'posted',
  'vfio-cxl-has-cxl-sticky': 'posted',
  'vfio-cxl-hot-reset-open': 'posted',
  'vfio-cxl-nointx-any': 'posted',
  'vfio-cxl-bar-not-sparse': 'posted',
  'vfio-cxl-flr-open': 'posted',
  // --- patch 10
  'vfio-cxl-dvsec-every-device': 'posted',
  'vfio-cxl-dvsec-writable': 'posted',
  // --- patch 12
  'vfio-cxl-fixed-size': 'posted',
  // --- patch 13
  'vfio-cxl-no-request-all-bars': 'posted',
  'vfio-cxl-unbalanced-release': 'posted',
  // --- L2's test driver
  'cxl-accel-endpoint-error': 'posted',
  // As posted, every failed probe after the endpoint was acquired hangs for good in its own clean-up.
  'cxl-accel-endpoint-held': 'intended',
  'cxl-accel-region-null-only': 'posted',
  'cxl-accel-serial-zero': 'posted',
  'cxl-accel-fixed-size': 'posted',
  'cxl-accel-detach-unlocked': 'posted',
  // --- type-2 RFC v2
  'hpa-freespace-off-by-two': 'intended',
  // As posted, the close that gave its region back well never returns.
  'cxl-region-detach-relock': 'intended',
} as const satisfies Readonly<Record<string, 'posted' | 'intended'>>;

export type KernelQuirk = keyof typeof KERNEL_QUIRKS;
