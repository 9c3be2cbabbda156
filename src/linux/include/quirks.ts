import { KERNEL_QUIRKS, type KernelQuirk } from '../../spec/quirks/kernel.ts';
import type { Kernel } from './kernel.ts';

/** True when this kernel shows the posted defect. */
export function posted(kernel: Kernel, quirk: KernelQuirk): boolean {
  return (kernel.build.quirks[quirk] ?? KERNEL_QUIRKS[quirk]) === 'posted';
}

/** Which of the series' patches (1…13) this kernel was built with. */
export function hasPatch(kernel: Kernel, patch: number): boolean {
  return kernel.build.patches.includes(patch);
}
