import { xlatOf } from '../../views/lanes.view.ts';
import { AddressForm } from '../addresses/AddressPane.tsx';
import { ChainTable } from '../addresses/ChainTable.tsx';
import { useFolded, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';
import styles from './Dialogs.module.css';

/** One address in every space it passes. */
export function GotoForm({ onDone }: { readonly onDone: () => void }) {
  const query = usePageState((state) => state.address);
  const chain = useFolded((log) => (query ? xlatOf(log, query) : null), query);
  return (
    <div className={styles.form}>
      <div style={{ display: 'flex' }}>
        <AddressForm />
      </div>
      {chain ? (
        <ChainTable chain={chain} />
      ) : (
        <p className={styles.note}>Hexadecimal, with or without 0x; 4g+0x1000 works too.</p>
      )}
      <div>
        <button type="button" className={controls.button} onClick={onDone}>
          Show it in the lanes
        </button>
      </div>
    </div>
  );
}
