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
        ...(vmmBuild === undefined
          ? []
          : [{ path, machine: vmm, what: `QEMU ${partOf(vmmBuild, vmm)}`, all: vmmBuild }]),
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

/** What sets a build apart: a later series, or what of the RFC's is left out; then stand-ins, defects, options. */
function short(notes: readonly string[]): string {
  const [, series = '', ...rest] = notes;
  const [, name, without] = /^series (\S+?),? .*?(?:, left out (.*))?$/.exec(series) ?? [];
  const own = [name === undefined || name === 'rfc-v1' ? '' : name, without === undefined ? '' : `without ${without}`];
  return [...own, ...rest].filter((one) => one !== '').join(', ');
}

/** Of the host's VMM the device counts, of L1's the VFIO stub. */
function partOf(words: string, vmm: 'host' | 'l1'): string {
  return vmm === 'host' ? words.replace(/^VFIO stub [^,]*, /, '') : words.replace(/, cxl-accel [^,]*/, '');
}
