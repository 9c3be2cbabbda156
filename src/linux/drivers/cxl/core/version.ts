import type { Kernel } from '../../../include/kernel.ts';

/** True when the kernel's release is at least major.minor. */
export function at_least(kernel: Kernel, major: number, minor: number): boolean {
  const [a = 0, b = 0] = kernel.build.release.split('.').map(Number);
  return a > major || (a === major && b >= minor);
}

/** Does this tree have the type-2 interface of series v28 (on a core of 2026), where the RFC's trees have that of 2024? */
export function has_type2_v28(kernel: Kernel): boolean {
  return kernel.build.series === 'v3' || kernel.config('CXL_ACCEL_V28') !== 'n';
}
