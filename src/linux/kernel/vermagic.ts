import type { KernelBuild } from '../include/build.ts';

/** vermagic.h: release, then the configuration that changes the ABI. */
export function vermagic(build: KernelBuild): string {
  return `${build.release} SMP preempt mod_unload ${build.config.MODVERSIONS === 'y' ? 'modversions ' : ''}`;
}
