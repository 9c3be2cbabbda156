import { LAYOUT_IDS } from '../../mirror/index.ts';
import { useMirror, usePageState } from '../context.tsx';
import { LAYOUTS } from '../layout/layouts.ts';
import controls from '../parts/controls.module.css';
import { BootButton } from './BootButton.tsx';
import styles from './Header.module.css';

export function Header() {
  const mirror = useMirror();
  const layout = usePageState((state) => state.settings.layout);
  return (
    <header className={styles.header}>
      <h1 className={styles.brand}>
        cxlab <span>CXL type-2 passthrough, register by register</span>
      </h1>
      <div className={`${controls.group} ${styles.layouts}`} role="radiogroup" aria-label="Layout">
        {LAYOUT_IDS.map((id, n) => (
          // biome-ignore lint/a11y/useSemanticElements: a segmented control; radio inputs cannot carry it
          <button
            key={id}
            type="button"
            role="radio"
            aria-checked={layout === id}
            className={controls.button}
            title={`Alt+${n + 1}`}
            onClick={() => mirror.setSettings({ layout: id })}
          >
            {LAYOUTS[id].label}
          </button>
        ))}
      </div>
      <div className={styles.right}>
        <button
          type="button"
          className={`${controls.quiet} ${styles.wide}`}
          onClick={() => mirror.update({ dialog: 'gallery' })}
        >
          Scenarios
        </button>
        <button
          type="button"
          className={`${controls.quiet} ${styles.spare}`}
          onClick={() => mirror.update({ dialog: 'topology' })}
        >
          Command line
        </button>
        <button
          type="button"
          className={`${controls.quiet} ${styles.wide}`}
          onClick={() => mirror.update({ dialog: 'patches' })}
        >
          Patches
        </button>
        <button
          type="button"
          className={`${controls.quiet} ${styles.wide}`}
          onClick={() => mirror.update({ dialog: 'museum' })}
        >
          Museum
        </button>
        <button
          type="button"
          className={controls.quiet}
          onClick={() => mirror.update({ dialog: 'palette' })}
          title="Ctrl+Shift+P"
        >
          Commands
        </button>
        <button
          type="button"
          className={`${controls.quiet} ${styles.spare}`}
          onClick={() => mirror.update({ dialog: 'fidelity' })}
        >
          Fidelity
        </button>
        <button
          type="button"
          className={`${controls.quiet} ${styles.spare}`}
          onClick={() => mirror.update({ dialog: 'keys' })}
          title="?"
        >
          Keys
        </button>
        <button type="button" className={controls.quiet} onClick={() => mirror.update({ dialog: 'settings' })}>
          Settings
        </button>
        <BootButton />
      </div>
    </header>
  );
}
