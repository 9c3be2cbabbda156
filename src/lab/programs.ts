import { init } from '../linux/init/init-program.ts';
import type { Program } from '../linux/uapi/sys.ts';
import { qemuSystemX8664 } from '../qemu/index.ts';
import { cxl } from '../userland/cxl/index.ts';
import { lspci, setpci } from '../userland/pciutils/index.ts';
import { PROGRAMS } from '../userland/programs.ts';

/** Program text of every executable in the images, by the name the file carries. */
export const ALL_PROGRAMS: ReadonlyMap<string, Program> = new Map<string, Program>([
  ...PROGRAMS,
  ['init', init],
  ['lspci', lspci],
  ['setpci', setpci],
  ['cxl', cxl],
  ['qemu-system-x86_64', qemuSystemX8664],
]);

export function programNames(): readonly string[] {
  return [...ALL_PROGRAMS.keys()];
}
