import { publishedAs } from '../../state/functions.ts';
import type { MachineState } from '../../state/schema.ts';
import { useFolded, useMirror } from '../context.tsx';
import styles from './ChangeChips.module.css';

interface BuildChip {
  readonly path: string;
  readonly machine: string;
  readonly what: string;
  readonly all: string;
}

/** Which builds of kbuild and qbuild run at this moment, as their machines say; nothing where all are as installed. */
export function BuildChips() {
  const mirror = useMirror();
  const chips = useFolded((log): readonly BuildChip[] =>
    (['l1', 'l2'] as const).flatMap((id) => {
      const path = `machine/${id}`;
      const state = publishedAs<MachineState>(log.object(path));
      if (!state || state.state === 'off') return [];
      const { notes, vmmBuild } = state;
      const vmm = id === 'l1' ? 'host' : 'l1';
      return [
        ...(notes ? [{ path, machine: id, what: `kernel ${short(notes)}`, all: notes.join('\n') }] : []),
        ...(vmmBuild === undefined ? [] : [{ path, machine: vmm, what: `QEMU ${vmmBuild}`, all: vmmBuild }]),
      ];
    }),
  );
  if (chips.length === 0) return null;
  return (
    <ul className={styles.builds} aria-label="Builds that run here">
      {chips.map(({ path, machine, what, all }) => (
        <li key={`${machine} ${what}`}>
          <button
            type="button"
            className={styles.chip}
            data-machine={machine}
            title={all}
            onClick={() => mirror.select({ kind: 'object', path })}
          >
            <span className={styles.machine}>{machine.toUpperCase()}</span> {what}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** What sets a build apart: of its series only what is left out, then stand-ins and defects. */
function short(notes: readonly string[]): string {
  const told = notes
    .slice(1)
    .map((note) => note.replace(/, patches [\d ]+, left out/, ' without').replace(/, patches [\d ]+$/, ''));
  return told.join(', ');
}
