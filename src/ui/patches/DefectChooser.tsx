import { useState } from 'react';
import { MUSEUM } from '../../content/museum.ts';
import { type BuildChoice, PARTS, type Part, quirksOf, type Setting } from '../../protocol/build-choice.ts';
import controls from '../parts/controls.module.css';
import { two } from './dependencies.ts';
import styles from './Patches.module.css';

const PART_NAMES: Readonly<Record<Part, string>> = { l1: 'L1’s kernel', l2: 'L2’s kernel', qemu: 'L1’s QEMU' };

interface Defect {
  readonly id: string;
  readonly title: string;
  readonly function: string;
  /** `patch 08`, or where else it comes from. */
  readonly from: string;
  readonly builtIn: Setting;
}

/** How many defects are set apart from what the build has by itself. */
export function changedDefects(choice: BuildChoice): number {
  return PARTS.reduce((sum, part) => sum + Object.keys(choice.quirks[part]).length, 0);
}

function defectsOf(part: Part, qemu: BuildChoice['qemu']): readonly Defect[] {
  return Object.entries(quirksOf(part, qemu)).flatMap(([id, builtIn]) => {
    const exhibit = MUSEUM.find((one) => one.id === id);
    // The base series is under both kernels.
    const here = part === 'qemu' || (exhibit?.part ?? 'l1') === part || exhibit?.patch === 'type-2';
    if (!here) return [];
    const patch = exhibit?.patch;
    return {
      id,
      title: exhibit?.title ?? id,
      function: exhibit?.function ?? '',
      from: typeof patch === 'number' ? `patch ${two(patch)}` : patch === 'type-2' ? 'type-2 series' : '',
      builtIn,
    };
  });
}

/** The museum's defects as switches of this build, by machine and patch. */
export function DefectChooser(props: {
  readonly choice: BuildChoice;
  readonly onChange: (choice: BuildChoice) => void;
}) {
  const { choice, onChange } = props;
  const [wanted, setWanted] = useState('');
  const set = (part: Part, id: string, how: Setting, builtIn: Setting) => {
    const rest = Object.fromEntries(Object.entries(choice.quirks[part]).filter(([one]) => one !== id));
    const own = how === builtIn ? rest : { ...rest, [id]: how };
    onChange({ ...choice, quirks: { ...choice.quirks, [part]: own } });
  };
  const words = wanted.toLowerCase().split(/\s+/);
  const matches = (defect: Defect) =>
    words.every((word) =>
      `${defect.id} ${defect.title} ${defect.function} ${defect.from}`.toLowerCase().includes(word),
    );
  return (
    <div className={styles.defects}>
      <input
        type="search"
        className={controls.field}
        placeholder="Find a defect: title, function, patch 08"
        aria-label="Find a defect"
        value={wanted}
        onChange={(event) => setWanted(event.target.value)}
      />
      {PARTS.map((part) => {
        if (part === 'l1' && choice.series === 'v3')
          return (
            <p key={part} className={styles.note}>
              The defects of L1’s kernel are the RFC’s; the v3 series has none of its own here.
            </p>
          );
        const found = defectsOf(part, choice.qemu)
          .filter(matches)
          // What no exhibit tells of comes last.
          .sort(
            (a, b) =>
              Number(a.from === '') - Number(b.from === '') ||
              a.from.localeCompare(b.from) ||
              a.title.localeCompare(b.title),
          );
        if (found.length === 0) return null;
        return (
          <section key={part} aria-label={`Defects of ${PART_NAMES[part]}`}>
            <h3>{PART_NAMES[part]}</h3>
            <ul>
              {found.map((defect) => (
                <Row
                  key={defect.id}
                  defect={defect}
                  now={choice.quirks[part][defect.id] ?? defect.builtIn}
                  onSet={(how) => set(part, defect.id, how, defect.builtIn)}
                />
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}

function Row(props: { readonly defect: Defect; readonly now: Setting; readonly onSet: (how: Setting) => void }) {
  const { defect, now, onSet } = props;
  return (
    <li data-changed={now !== defect.builtIn}>
      <span>
        {defect.title}
        <span className={styles.touched} title={defect.id}>
          {[defect.from, defect.function].filter((one) => one !== '').join(' · ')}
        </span>
      </span>
      <div className={controls.group} role="radiogroup" aria-label={defect.title}>
        {(['posted', 'intended'] as const).map((how) => (
          // biome-ignore lint/a11y/useSemanticElements: a segmented control; radio inputs cannot carry it
          <button
            key={how}
            type="button"
            role="radio"
            aria-checked={now === how}
            className={controls.button}
            onClick={() => onSet(how)}
          >
            {how}
          </button>
        ))}
      </div>
    </li>
  );
}
