import { init } from '../linux/init/init-program.ts';
import type { Program } from '../linux/uapi/sys.ts';
import type { EventLog, MachineId } from '../log/index.ts';
import { lint } from '../qemu/lint/program.ts';
import { createQemuProgram, DEFAULT_BUILD } from '../qemu/main.ts';
import { deviceTypes } from '../qemu/qdev/device-type.ts';
import { cxl } from '../userland/cxl/index.ts';
import { QEMU_DEVICES } from '../userland/misc/completion.ts';
import { lspci, setpci } from '../userland/pciutils/index.ts';
import { PROGRAMS } from '../userland/programs.ts';
import { createXlatProgram } from './xlat-program.ts';

const COMMON: ReadonlyMap<string, Program> = new Map<string, Program>([
  ...PROGRAMS,
  ['init', init],
  ['lspci', lspci],
  ['setpci', setpci],
  ['cxl', cxl],
  ['lint', lint],
]);
const QEMU = 'qemu-system-x86_64';
const XLAT = 'xlat';
// Tab completion knows what this QEMU's `-device help` and `-device TYPE,help` list.
for (const type of deviceTypes())
  if (type.userCreatable && type.available?.(DEFAULT_BUILD) !== false)
    QEMU_DEVICES.set(type.name, [...new Set(type.properties.map((property) => property.name))]);

/** Names of every executable in the images. */
export function programNames(): readonly string[] {
  return [...COMMON.keys(), QEMU, XLAT];
}

/** Program text on one machine, by the name the executable file carries. QEMU is told where it runs, to say so in the log; `xlat` reads it. */
export function programsOf(log: EventLog, machine: MachineId): ReadonlyMap<string, Program> {
  return new Map([
    ...COMMON,
    [QEMU, createQemuProgram({ log, machine, build: DEFAULT_BUILD })],
    [XLAT, createXlatProgram({ log, machine })],
  ]);
}
