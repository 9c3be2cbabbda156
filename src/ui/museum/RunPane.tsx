import type { SideLab } from '../../mirror/index.ts';
import type { ExhibitSetting, ExhibitStep } from '../../mirror/side-client.ts';
import { machineFates } from '../../views/machine-fate.view.ts';
import { PageProvider, useFolded, usePage } from '../context.tsx';
import { type LabPane, LabPanes } from '../sidelab/LabPanes.tsx';
import styles from './RunPane.module.css';
import { Transcript } from './Transcript.tsx';

export const TITLES: Readonly<Record<ExhibitSetting, string>> = { posted: 'As posted', intended: 'As intended' };

/** One of the two runs: what was typed, and the machines it left, at this run's own cursor. */
export function RunPane(props: {
  readonly setting: ExhibitSetting;
  readonly lab: SideLab;
  readonly steps: readonly ExhibitStep[];
  readonly others: readonly ExhibitStep[];
  readonly stopped: string | null;
  readonly terminal: boolean;
  readonly panes: readonly LabPane[];
}) {
  const { setting, lab, steps, others, stopped, terminal, panes } = props;
  const { layoutOf } = usePage();
  const title = TITLES[setting];
  return (
    <section className={styles.run} aria-label={title} data-setting={setting}>
      <header className={styles.head}>
        <p className={styles.title}>{title}</p>
        <PageProvider page={{ mirror: lab.mirror, layoutOf }}>
          <Fates />
        </PageProvider>
      </header>
      {stopped === null ? null : (
        <p role="alert" className={styles.stopped}>
          <strong>Stopped early.</strong> {stopped}
        </p>
      )}
      <LabPanes mirror={lab.mirror} panes={panes} label={title.toLowerCase()}>
        {terminal ? (
          <div className={styles.terminal}>
            <Transcript steps={steps} others={others} />
          </div>
        ) : null}
      </LabPanes>
    </section>
  );
}

/** How the guests are at the cursor, in words. */
function Fates() {
  const fates = useFolded(machineFates);
  return (
    <p className={styles.fates}>
      {fates.length === 0 ? <span>the host alone</span> : null}
      {fates.map((fate) => (
        <span key={fate.machine} data-well={fate.well} title={fate.text}>
          {fate.well ? null : <span aria-hidden="true">✕ </span>}
          {fate.text}
        </span>
      ))}
    </p>
  );
}
