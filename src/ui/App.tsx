import { lazy, Suspense, useEffect } from 'react';
import styles from './App.module.css';
import { useMirror, usePageState } from './context.tsx';
import { ChangeChips } from './header/ChangeChips.tsx';
import { Header } from './header/Header.tsx';
import { NarrowShell } from './layout/NarrowShell.tsx';
import { Workbench } from './layout/Workbench.tsx';
import { followLinks } from './links.ts';
import controls from './parts/controls.module.css';
import { SetPatterns } from './parts/SetPatterns.tsx';
import { useMedia } from './parts/use-media.ts';
import { usePlayback } from './time/use-playback.ts';
import { usePageKeys } from './use-page-keys.ts';

const Dialogs = lazy(() => import('./dialogs/Dialogs.tsx'));

export function App() {
  const mirror = useMirror();
  const live = usePageState((state) => state.live);
  const dialog = usePageState((state) => state.dialog);
  const narrow = useMedia('(max-width: 1023px)');
  const playing = usePageState((state) => state.playing);
  usePageKeys(mirror);
  usePlayback(mirror, playing);
  useAppearance();
  useEffect(() => followLinks(mirror), [mirror]);
  return (
    <div className={styles.app} data-live={live || playing}>
      <SetPatterns />
      <Header />
      <Troubles />
      <Notice />
      <main className={styles.main}>
        <ChangeChips />
        {narrow ? <NarrowShell /> : <Workbench />}
      </main>
      {dialog ? (
        <Suspense fallback={null}>
          <Dialogs />
        </Suspense>
      ) : null}
    </div>
  );
}

function Troubles() {
  const mirror = useMirror();
  const died = usePageState((state) => state.died);
  const message = usePageState((state) => state.busyMessage);
  if (died !== null)
    return (
      <div className={styles.banner} role="alert">
        <span>
          <strong>The engine stopped.</strong> {died} What you typed is kept: restoring replays it.
        </span>
        <span className={styles.choices}>
          <button type="button" className={controls.button} onClick={() => location.reload()}>
            Restore
          </button>
          {mirror.client.dropLastLine ? (
            <button
              type="button"
              className={controls.button}
              onClick={() => void mirror.client.dropLastLine?.().then(() => location.reload())}
            >
              Restore without the last line
            </button>
          ) : null}
        </span>
      </div>
    );
  if (message === null) return null;
  return (
    <div className={styles.banner} role="alert">
      <span>{message}</span>
      <button type="button" className={controls.button} onClick={() => mirror.update({ busyMessage: null })}>
        Dismiss
      </button>
    </div>
  );
}

const NOTICE_MS = 6000;

/** What a thing asked for came to, when nothing on the page shows it: goes by itself. */
function Notice() {
  const mirror = useMirror();
  const text = usePageState((state) => state.announcement);
  useEffect(() => {
    if (text === '') return;
    const timer = setTimeout(() => mirror.update({ announcement: '' }), NOTICE_MS);
    return () => clearTimeout(timer);
  }, [mirror, text]);
  return (
    <div role="status" className={styles.notice} data-shown={text !== ''}>
      {text}
    </div>
  );
}

/** Writes theme and motion to the root element, where the tokens hang. */
function useAppearance(): void {
  const theme = usePageState((state) => state.settings.theme);
  const motion = usePageState((state) => state.settings.motion);
  const layout = usePageState((state) => state.settings.layout);
  const dark = useMedia('(prefers-color-scheme: dark)');
  const still = useMedia('(prefers-reduced-motion: reduce)');
  useEffect(() => {
    const root = document.documentElement;
    root.dataset.theme = theme === 'system' ? (dark ? 'dark' : 'light') : theme;
    root.dataset.motion = motion === 'none' || (motion === 'system' && still) ? 'none' : 'full';
    root.dataset.layout = layout;
  }, [theme, motion, layout, dark, still]);
}
