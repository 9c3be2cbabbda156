import { useEffect, useState } from 'react';
import { type Exhibit, MUSEUM } from '../../content/museum.ts';
import type { ExhibitStep } from '../../mirror/side-client.ts';
import { useMirror, usePageState } from '../context.tsx';
import { playFresh } from '../header/play.ts';
import { linkTo } from '../links.ts';
import controls from '../parts/controls.module.css';
import { useSide } from '../patches/use-side.ts';
import { ExhibitColumns } from './ExhibitColumns.tsx';
import styles from './Museum.module.css';

const WHERE: Readonly<Record<string, string>> = {
  stub: 'L1’s QEMU',
  driver: 'L2’s driver',
  'type-2': 'type-2 series',
};

/** Defects of the posted code, each played as posted and as intended in two labs beside the session. */
export default function Museum() {
  const mirror = useMirror();
  const about = usePageState((state) => state.dialogAbout);
  const side = useSide();
  const [id, setId] = useState(MUSEUM.some((one) => one.id === about) ? about : (MUSEUM[0]?.id ?? ''));
  const [steps, setSteps] = useState<readonly ExhibitStep[]>([]);
  const [done, setDone] = useState(false);
  const exhibit = MUSEUM.find((one) => one.id === id);
  useEffect(() => {
    let shown = true;
    setSteps([]);
    setDone(false);
    void side
      .exhibit(id, (step) => {
        if (shown) setSteps((known) => [...known, step]);
      })
      .then((all) => {
        if (!shown || !all) return;
        setSteps(all.steps);
        setDone(true);
      });
    return () => {
      shown = false;
    };
  }, [side, id]);
  const play = async (setting: 'posted' | 'intended') => {
    const text = await side.exhibitTranscript(id, setting);
    mirror.update({ dialog: null, dialogAbout: '' });
    await playFresh(mirror, () => mirror.client.playTranscript(text));
  };
  return (
    <div className={styles.museum}>
      <nav className={styles.list} aria-label="Exhibits">
        {about !== '' && !MUSEUM.some((one) => one.id === about) ? (
          <p role="alert">This link asks for an exhibit “{about}”, which the museum does not have.</p>
        ) : null}
        <ol>
          {MUSEUM.map((one) => (
            <li key={one.id}>
              <button
                type="button"
                aria-current={one.id === id}
                ref={one.id === id ? intoView : null}
                onClick={() => setId(one.id)}
              >
                <span className={styles.where}>{whereOf(one)}</span>
                {one.title}
              </button>
            </li>
          ))}
        </ol>
      </nav>
      {exhibit ? (
        <article className={styles.exhibit}>
          <header>
            <h3>{exhibit.title}</h3>
            <p className={styles.place}>
              {whereOf(exhibit)}, <code>{exhibit.function}</code>
            </p>
            <p>{exhibit.point}</p>
            <div className={styles.actions}>
              <button type="button" className={controls.button} onClick={() => void play('posted')}>
                Play as posted here
              </button>
              <button type="button" className={controls.button} onClick={() => void play('intended')}>
                Play as intended here
              </button>
              <button
                type="button"
                className={controls.quiet}
                onClick={() => void navigator.clipboard?.writeText(linkTo({ museum: id }))}
              >
                Copy link
              </button>
              <span role="status" className={styles.state}>
                {done ? 'both played' : `running, ${steps.length} lines typed`}
              </span>
            </div>
          </header>
          <ExhibitColumns steps={steps} />
        </article>
      ) : null}
    </div>
  );
}

/** The chosen exhibit may be far down the list when a link chose it. */
function intoView(button: HTMLButtonElement | null): void {
  button?.scrollIntoView({ block: 'nearest' });
}

function whereOf(exhibit: Exhibit): string {
  return typeof exhibit.patch === 'number'
    ? `patch ${String(exhibit.patch).padStart(2, '0')}`
    : (WHERE[exhibit.patch] ?? exhibit.patch);
}
