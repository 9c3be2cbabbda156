import { SCENARIO_GROUPS, SCENARIOS, type Scenario } from '../../content/scenarios.ts';
import { useMirror } from '../context.tsx';
import { linkTo, playScenario } from '../links.ts';
import { CopyButton } from '../parts/CopyButton.tsx';
import controls from '../parts/controls.module.css';
import styles from './Gallery.module.css';

/** Scenarios to play: each a transcript of real commands typed into a fresh session, and a link. */
export function Gallery() {
  return (
    <div className={styles.gallery}>
      <p className={styles.lead}>
        Playing one starts a fresh session and types its commands, every one checked by the project’s tests. The session
        you have now is kept: it can be opened again from the command palette.
      </p>
      {SCENARIO_GROUPS.map((group) => (
        <section key={group} aria-label={group}>
          <h3>{group}</h3>
          <ul>
            {SCENARIOS.filter((one) => one.group === group).map((one) => (
              <Card key={one.id} scenario={one} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function Card({ scenario }: { readonly scenario: Scenario }) {
  const mirror = useMirror();
  return (
    <li className={styles.card}>
      <h4>{scenario.title}</h4>
      <p className={styles.facts}>{scenario.facts}</p>
      <p className={styles.about}>{scenario.about}</p>
      <div className={styles.actions}>
        <button
          type="button"
          className={controls.button}
          aria-label={`Play: ${scenario.title}`}
          onClick={() => void playScenario(mirror, scenario.id)}
        >
          Play
        </button>
        <CopyButton
          label="Copy link"
          about={`Copy the link to: ${scenario.title}`}
          text={() => linkTo({ scenario: scenario.id })}
        />
      </div>
    </li>
  );
}
