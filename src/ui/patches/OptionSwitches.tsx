import { L1_BUILD, L2_BUILD } from '../../content/machines/builds.ts';
import { KCONFIG } from '../../content/series/kconfig.ts';
import { type BuildChoice, CONFIG_SWITCHES, configFault } from '../../protocol/build-choice.ts';
import controls from '../parts/controls.module.css';
import { Box } from './PartSwitches.tsx';
import styles from './Patches.module.css';

const BASE: Readonly<Record<'l1' | 'l2', Readonly<Record<string, string>>>> = {
  l1: L1_BUILD.config,
  l2: L2_BUILD.config,
};

/** Options of the two kernels: the ones the outcome hangs on as switches, any other from a list. */
export function OptionSwitches(props: {
  readonly choice: BuildChoice;
  readonly onChange: (choice: BuildChoice) => void;
}) {
  const { choice, onChange } = props;
  const known = CONFIG_SWITCHES.filter((word) => configFault(word, 'l1', choice.series) === null);
  const others = choice.config.filter((word) => !known.some((one) => one === word));
  const setL1 = (config: readonly string[]) => onChange({ ...choice, config });
  return (
    <div className={styles.switches}>
      <fieldset className={styles.boxes}>
        <legend className="visually-hidden">Options of L1’s kernel</legend>
        {known.map((option) => (
          <Box
            key={option}
            label={`CONFIG_${option}`}
            on={choice.config.includes(option)}
            onChange={(on) => setL1(on ? asked(choice.config, option) : choice.config.filter((one) => one !== option))}
          />
        ))}
      </fieldset>
      <More
        machine="l1"
        series={choice.series}
        words={others}
        onAdd={(word) => setL1(asked(choice.config, word))}
        onDrop={(word) => setL1(choice.config.filter((one) => one !== word))}
      />
      <More
        machine="l2"
        series={choice.series}
        words={choice.configL2}
        onAdd={(word) => onChange({ ...choice, configL2: asked(choice.configL2, word) })}
        onDrop={(word) => onChange({ ...choice, configL2: choice.configL2.filter((one) => one !== word) })}
      />
    </div>
  );
}

/** One value an option. */
function asked(words: readonly string[], word: string): readonly string[] {
  const name = word.split('=')[0];
  return [...words.filter((one) => one.split('=')[0] !== name), word];
}

function More(props: {
  readonly machine: 'l1' | 'l2';
  readonly series: string;
  readonly words: readonly string[];
  readonly onAdd: (word: string) => void;
  readonly onDrop: (word: string) => void;
}) {
  const { machine, series, words } = props;
  const named = machine.toUpperCase();
  const addable = KCONFIG.flatMap(({ name }) =>
    ['y', 'm', 'n']
      .filter((value) => value !== (BASE[machine][name] ?? 'n'))
      .map((value) => `${name}=${value}`)
      .filter((word) => configFault(word, machine, series) === null),
  ).sort();
  return (
    <div className={styles.more}>
      <select
        className={controls.field}
        aria-label={`Another option of ${named}’s kernel`}
        value=""
        onChange={(event) => props.onAdd(event.target.value)}
      >
        <option value="">another option of {named}’s kernel …</option>
        {addable.map((word) => (
          <option key={word} value={word}>
            CONFIG_{word}
          </option>
        ))}
      </select>
      {words.map((word) => (
        <button
          key={word}
          type="button"
          className={controls.button}
          aria-label={`Take back CONFIG_${word}`}
          title="Take it back"
          onClick={() => props.onDrop(word)}
        >
          CONFIG_{word} ✕
        </button>
      ))}
    </div>
  );
}
