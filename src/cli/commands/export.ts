import { writeFileSync } from 'node:fs';
import { UserError } from '../../base/assert.ts';
import { E, strerror } from '../../base/errno.ts';
import { backendBytes } from '../../lab/export/backend.ts';
import { configDump, configDumps } from '../../lab/export/config.ts';
import { eventLines } from '../../lab/export/events.ts';
import { readFile } from '../../lab/export/files.ts';
import { sysfsTree } from '../../lab/export/sysfs.ts';
import type { Lab } from '../../lab/lab.ts';
import { MACHINES, type MachineId } from '../../log/index.ts';
import { options, readText, reason, seedOf } from '../args.ts';
import { playTranscript } from '../play.ts';
import { writeTree } from '../tree.ts';

type Export = (lab: Lab, machine: MachineId, args: readonly string[]) => Promise<void>;

/** What can be exported: number of arguments, their names, the work. */
const KINDS: Readonly<Record<string, { readonly args: readonly string[]; readonly run: Export }>> = {
  sysfs: { args: ['DIR'], run: exportSysfs },
  config: {
    args: ['BDF'],
    run: async (lab, machine, [bdf]) =>
      void process.stdout.write(await lab.withProcess(machine, (sys) => configDump(sys, bdf as string))),
  },
  configs: {
    args: ['FILE'],
    run: async (lab, machine, [file]) => save(file as string, await lab.withProcess(machine, configDumps)),
  },
  acpi: { args: ['SIGNATURE', 'FILE'], run: exportAcpi },
  backend: {
    args: ['ID', 'FILE'],
    run: async (lab, machine, [id, file]) => save(file as string, backendBytes(lab, machine, id as string)),
  },
  events: { args: ['FILE'], run: async (lab, _machine, [file]) => save(file as string, eventLines(lab.log)) },
};

/** `export --after FILE --machine host|l1|l2 WHAT …` */
export async function exportFiles(args: string[]): Promise<number> {
  const opts = options(args, [], ['after', 'machine']);
  const { after, machine: name } = opts.values;
  if (after === undefined) throw new UserError('export wants --after FILE, the transcript after which to export');
  const [what, ...rest] = opts.rest;
  const kind = what !== undefined && Object.hasOwn(KINDS, what) ? KINDS[what] : undefined;
  if (!kind)
    throw new UserError(
      `export ${what === undefined ? 'wants something to export' : `does not know "${what}"`}; there are ${Object.entries(
        KINDS,
      )
        .map(([key, { args: names }]) => `${key} ${names.join(' ')}`)
        .join(', ')}`,
    );
  if (rest.length !== kind.args.length) throw new UserError(`export ${what} wants ${kind.args.join(' ')}`);
  const machine = MACHINES.find((id) => id === (name ?? (what === 'events' ? 'host' : '')));
  if (!machine)
    throw new UserError(
      name === undefined
        ? 'export wants --machine host, l1 or l2'
        : `there is no machine "${name}"; the machines are ${MACHINES.join(', ')}`,
    );
  const lab = await playTranscript(readText(after, 'transcript'), after, seedOf(opts), () => {});
  await kind.run(lab, machine, rest);
  return 0;
}

function save(file: string, content: string | Uint8Array): void {
  try {
    writeFileSync(file, content);
  } catch (error) {
    throw new UserError(`cannot write "${file}": ${reason(error)}`);
  }
}

async function exportAcpi(lab: Lab, machine: MachineId, [signature, file]: readonly string[]): Promise<void> {
  const bytes = await lab.withProcess(machine, (sys) => readFile(sys, `/sys/firmware/acpi/tables/${signature}`));
  if (typeof bytes === 'number')
    throw new UserError(
      bytes === -E.ENOENT
        ? `${machine} has no ACPI table "${signature}"`
        : `cannot read ACPI table "${signature}" on ${machine}: ${strerror(bytes)}`,
    );
  save(file as string, bytes);
}

async function exportSysfs(lab: Lab, machine: MachineId, [dir]: readonly string[]): Promise<void> {
  const entries = await lab.withProcess(machine, (sys) => sysfsTree(sys));
  try {
    writeTree(dir as string, entries);
  } catch (error) {
    throw new UserError(`cannot write the tree to "${dir}": ${reason(error)}`);
  }
}
