import { sessionFromFile } from '../../mirror/index.ts';
import { useMirror, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';
import { openSession } from '../state-link.ts';
import styles from './Dialogs.module.css';

export function SettingsForm() {
  const mirror = useMirror();
  const settings = usePageState((state) => state.settings);
  const download = async () => {
    const text = await mirror.client.exportSession();
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    link.download = 'cxlab-session.json';
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };
  const openFile = async (file: File | undefined) => {
    if (!file) return;
    const session = sessionFromFile(await file.text());
    if (typeof session === 'string') mirror.update({ busyMessage: session, dialog: null });
    else await openSession(mirror, session);
  };
  return (
    <div className={styles.form}>
      <fieldset>
        <legend>Theme</legend>
        <Choice
          value={settings.theme}
          options={['system', 'light', 'dark']}
          onPick={(theme) => mirror.setSettings({ theme })}
        />
      </fieldset>
      <fieldset>
        <legend>Motion</legend>
        <Choice
          value={settings.motion}
          options={['system', 'full', 'none']}
          onPick={(motion) => mirror.setSettings({ motion })}
        />
      </fieldset>
      <label>
        <span className={styles.name}>Terminal text</span>
        <input
          type="range"
          min={9}
          max={32}
          value={settings.terminalSize}
          onChange={(event) => mirror.setSettings({ terminalSize: Number(event.target.value) })}
        />
        {settings.terminalSize} px
      </label>
      <label>
        <span className={styles.name}>Screen reader</span>
        <input
          type="checkbox"
          checked={settings.screenReader}
          onChange={(event) => mirror.setSettings({ screenReader: event.target.checked })}
        />
        terminals speak their output
      </label>
      <div>
        <button type="button" className={controls.button} onClick={() => void download()}>
          Save session as a file
        </button>{' '}
        <label className={controls.button}>
          Open a session file
          <input
            type="file"
            accept="application/json,.json"
            className="visually-hidden"
            onChange={(event) => void openFile(event.target.files?.[0])}
          />
        </label>{' '}
        <button
          type="button"
          className={controls.button}
          onClick={() => void mirror.client.reset().then(() => mirror.update({ dialog: null }))}
        >
          Start over
        </button>
        <p className={styles.note}>
          A session is what was typed; starting over switches everything off; the command palette opens what was before.
        </p>
      </div>
    </div>
  );
}

function Choice<T extends string>(props: {
  readonly value: T;
  readonly options: readonly T[];
  readonly onPick: (value: T) => void;
}) {
  return (
    <div className={controls.group}>
      {props.options.map((one) => (
        <button
          key={one}
          type="button"
          className={controls.button}
          aria-pressed={props.value === one}
          onClick={() => props.onPick(one)}
        >
          {one}
        </button>
      ))}
    </div>
  );
}
