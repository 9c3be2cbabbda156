import { shiftRight } from '../../base/addr.ts';
import type { FieldView } from '../../views/inspector.view.ts';
import styles from './BitBar.module.css';

/** Bits of one register, high first, grouped by field. Decoration of the table below it: hidden from readers. */
export function BitBar({
  fields,
  width,
  value,
}: {
  readonly fields: readonly FieldView[];
  readonly width: number;
  readonly value: number | null;
}) {
  const bits = Array.from({ length: width }, (_, n) => width - 1 - n);
  return (
    <div className={styles.bar} style={{ gridTemplateColumns: `repeat(${width}, minmax(0, 1fr))` }} aria-hidden="true">
      {bits.map((bit) => {
        const field = fields.find((one) => bit <= one.hi && bit >= one.lo);
        const on = value !== null && shiftRight(value, bit) % 2 === 1;
        return (
          <span
            key={bit}
            className={styles.bit}
            data-on={on}
            data-first={field?.hi === bit}
            data-reserved={!field || field.access.startsWith('rsvd')}
            title={field ? `${bit} ${field.name}` : `${bit} reserved`}
          >
            {on ? 1 : 0}
          </span>
        );
      })}
    </div>
  );
}
