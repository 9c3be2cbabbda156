import { Linux, type LinuxOptions } from './kernel/linux.ts';
import { MODULES } from './module-table.ts';

export type { Terminal } from './drivers/tty/tty_core.ts';
export { Linux, type LinuxOptions } from './kernel/linux.ts';

/** A kernel with the whole tree of modules. Throws `UserError` when the kernel image is not one. */
export function createLinux(options: Omit<LinuxOptions, 'modules'>): Linux {
  return new Linux({ ...options, modules: MODULES });
}
