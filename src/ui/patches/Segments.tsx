import { useId } from 'react';
import controls from '../parts/controls.module.css';
import styles from './Patches.module.css';

export interface Segment<T extends string> {
  readonly value: T;
  readonly label: string;
  readonly title?: string;
}

/** One of a few, side by side. */
export function Segments<T extends string>(props: {
  readonly label: string;
  readonly value: T;
  readonly options: readonly Segment<T>[];
  readonly onChange: (value: T) => void;
}) {
  const id = useId();
  return (
    <div className={styles.switch}>
      <span id={id}>{props.label}</span>
      <div className={controls.group} role="radiogroup" aria-labelledby={id}>
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
