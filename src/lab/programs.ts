import { init } from '../linux/init/init-program.ts';
import type { Program } from '../linux/uapi/sys.ts';
import type { EventLog, MachineId } from '../log/index.ts';
import { lint } from '../qemu/lint/program.ts';
import { createQemuProgram, DEFAULT_BUILD } from '../qemu/main.ts';
import type { QemuBuild } from '../qemu/qdev/build.ts';
import { deviceTypes } from '../qemu/qdev/device-type.ts';
import { cxl } from '../userland/cxl/index.ts';
import { daxctl } from '../userland/daxctl/daxctl.ts';
import { QEMU_DEVICES } from '../userland/misc/completion.ts';
import { lspci, setpci } from '../userland/pciutils/index.ts';
import { PROGRAMS } from '../userland/programs.ts';
import { kbuild } from './build/kbuild.ts';
import { qbuild, qemuBuildOf } from './build/qbuild.ts';
import { createXlatProgram } from './xlat-program.ts';

const COMMON: ReadonlyMap<string, Program> = new Map<string, Program>([
  ...PROGRAMS,
  ['init', init],
  ['lspci', lspci],
  ['setpci', setpci],
  ['cxl', cxl],
  ['daxctl', daxctl],
  ['lint', lint],
]);
const QEMU = 'qemu-system-x86_64';
const XLAT = 'xlat';
// Tab completion knows what this QEMU's `-device help` and `-device TYPE,help` list.
for (const type of deviceTypes())
  if (type.userCreatable && type.available?.(DEFAULT_BUILD) !== false)
    QEMU_DEVICES.set(type.name, [...new Set(type.properties.map((property) => property.name))]);

/** Commands of the lab's own that only the host has. */
const HOST_ONLY: ReadonlyMap<string, Program> = new Map([
  ['kbuild', kbuild],
  ['qbuild', qbuild],
]);

/** Names of every executable in a machine's image. */
export function programNames(machine: 'host' | 'guest'): readonly string[] {
  return [...COMMON.keys(), QEMU, XLAT, ...(machine === 'host' ? HOST_ONLY.keys() : [])];
}

/** Program text by the name an executable carries; the name of a QEMU that qbuild made tells what it was built with. */
class ProgramTable extends Map<string, Program> {
  constructor(
    programs: Iterable<readonly [string, Program]>,
    private readonly qemu: (build: QemuBuild) => Program,
  ) {
    super(programs);
  }
  override get(name: string): Program | undefined {
    const known = super.get(name);
    if (known) return known;
    const build = qemuBuildOf(name);
    if (!build) return undefined;
    const program = this.qemu(build);
    this.set(name, program);
    return program;
  }
}

/** Program text on one machine. QEMU is told where it runs, to say so in the log; `xlat` reads it. */
export function programsOf(log: EventLog, machine: MachineId): ReadonlyMap<string, Program> {
  const qemu = (build: QemuBuild) => createQemuProgram({ log, machine, build });
  return new ProgramTable(
    [...COMMON, ...HOST_ONLY, [QEMU, qemu(DEFAULT_BUILD)], [XLAT, createXlatProgram({ log, machine })]],
    qemu,
  );
}
