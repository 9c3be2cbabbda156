import type { Kernel } from '../../../include/kernel.ts';

/** True when the kernel's release is at least major.minor. */
export function at_least(kernel: Kernel, major: number, minor: number): boolean {
  const [a = 0, b = 0] = kernel.build.release.split('.').map(Number);
  return a > major || (a === major && b >= minor);
}
