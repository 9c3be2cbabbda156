import { type BuildChoice, CONFIG_SWITCHES } from '../../protocol/build-choice.ts';
import controls from '../parts/controls.module.css';
import styles from './Patches.module.css';

interface Choice<T extends string> {
  readonly value: T;
  readonly label: string;
  readonly title: string;
}

const DEVICES: readonly Choice<BuildChoice['device']>[] = [
  { value: 'B', label: 'profile B', title: 'cxl-accel of December 2024: component registers on BAR 0, four decoders' },
  { value: 'A', label: 'profile A', title: 'cxl-accel of the RFC’s time, with device registers and a mailbox' },
  { value: 'none', label: 'absent', title: 'a QEMU without cxl-accel' },
];
const QEMUS: readonly Choice<BuildChoice['qemu']>[] = [
  { value: 'intended', label: 'intended', title: 'the VFIO stub as its author meant it' },
  { value: 'posted', label: 'posted', title: 'as mailed: commit and de-commit swapped' },
  { value: 'branch', label: 'branch', title: 'the later branch: base_lo >> 28' },
  { value: 'upstream', label: 'upstream', title: 'no CXL support in vfio-pci' },
];
const DRIVERS: readonly Choice<BuildChoice['driver']>[] = [
  { value: 'rfc', label: 'RFC', title: 'the dummy driver of the series' },
  { value: '2025', label: '2025 sample', title: 'samples/cxl/accel.c' },
];

function Segments<T extends string>(props: {
  readonly label: string;
  readonly value: T;
  readonly options: readonly Choice<T>[];
  readonly onChange: (value: T) => void;
}) {
  return (
    <div className={styles.switch}>
      <span id={`switch-${props.label}`}>{props.label}</span>
      <div className={controls.group} role="radiogroup" aria-labelledby={`switch-${props.label}`}>
        {props.options.map((option) => (
          // biome-ignore lint/a11y/useSemanticElements: a segmented control; radio inputs cannot carry it
          <button
            key={option.value}
            type="button"
            role="radio"
            aria-checked={props.value === option.value}
            className={controls.button}
            title={option.title}
            onClick={() => props.onChange(option.value)}
          >
            {option.label}
          </button>
        ))}
      </div>
    </div>
  );
}

/** Everything that is no patch: the device, L1's QEMU, L2's driver, options, the hypervisor bit. */
export function OtherSwitches(props: {
  readonly choice: BuildChoice;
  readonly onChange: (choice: BuildChoice) => void;
}) {
  const { choice, onChange } = props;
  const box = (label: string, checked: boolean, change: (on: boolean) => BuildChoice) => (
    <label key={label} className={styles.box}>
      <input type="checkbox" checked={checked} onChange={(event) => onChange(change(event.target.checked))} />
      {label}
    </label>
  );
  return (
    <section className={styles.switches} aria-label="Other switches">
      <Segments
        label="Host’s device"
        value={choice.device}
        options={DEVICES}
        onChange={(device) => onChange({ ...choice, device })}
      />
      <Segments
        label="L1’s QEMU"
        value={choice.qemu}
        options={QEMUS}
        onChange={(qemu) => onChange({ ...choice, qemu })}
      />
      <Segments
        label="L2’s driver"
        value={choice.driver}
        options={DRIVERS}
        onChange={(driver) => onChange({ ...choice, driver })}
      />
      <fieldset className={styles.boxes}>
        <legend className="visually-hidden">Options</legend>
        {CONFIG_SWITCHES.map((option) =>
          box(`CONFIG_${option}`, choice.config.includes(option), (on) => ({
            ...choice,
            config: on ? [...choice.config, option] : choice.config.filter((one) => one !== option),
          })),
        )}
        {box('device has a reset handler', choice.reset, (reset) => ({ ...choice, reset }))}
        {box('guests see the hypervisor bit', choice.hypervisor, (hypervisor) => ({ ...choice, hypervisor }))}
        {box('stand-ins for missing functions (--soft)', choice.soft, (soft) => ({ ...choice, soft }))}
      </fieldset>
    </section>
  );
}
