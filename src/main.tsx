import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createMirror, type LabClient, loadSettings, type PageState, saveSettings } from './mirror/index.ts';
import { indexedSessionStore } from './mirror/session-store.ts';
import { WorkerClient } from './mirror/worker-client.ts';
import { layoutById } from './spec/layouts.ts';
import { App } from './ui/App.tsx';
import { PageProvider } from './ui/context.tsx';
import './ui/theme/tokens.css';
import './ui/theme/base.css';

/** Composition root of the page: a client, a mirror of its log, the app on it. */
async function connect(): Promise<LabClient> {
  const fake = new URLSearchParams(location.search).get('fake');
  if (fake !== null) {
    // States written by hand, to draw the page without an engine; a chunk of its own that nothing else loads.
    const { FakeLab } = await import('./mirror/testing/fake-lab.ts');
    return new FakeLab(350, Number(fake));
  }
  const client = new WorkerClient(
    indexedSessionStore((message) => report({ busyMessage: message })),
    (message) => report({ died: message }),
  );
  await client.open();
  return client;
}

/** What happened before there was a mirror to say it. */
let early: Partial<PageState> = {};
let report: (change: Partial<PageState>) => void = (change) => {
  early = { ...early, ...change };
};

const storage = safeStorage();
const settings = loadSettings(storage);
const root = document.documentElement;
const prefersDark = matchMedia('(prefers-color-scheme: dark)').matches;
root.dataset.theme = settings.theme === 'system' ? (prefersDark ? 'dark' : 'light') : settings.theme;

const mirror = createMirror(await connect(), settings, (run) => requestAnimationFrame(run));
mirror.update(early);
report = (change) => mirror.update(change);
mirror.store.subscribe((state, before) => {
  if (state.settings !== before.settings) saveSettings(storage, state.settings);
});

// Offline after the first visit (vite.config.ts makes the worker's script; there is none while developing).
if (import.meta.env.PROD && 'serviceWorker' in navigator) void navigator.serviceWorker.register('./sw.js');

// For journeys and for the console of a curious reader: the page's own copy of everything it shows.
Object.assign(window, { __cxlab: mirror });

const element = document.getElementById('root');
if (element)
  createRoot(element).render(
    <StrictMode>
      <PageProvider page={{ mirror, layoutOf: layoutById }}>
        <App />
      </PageProvider>
    </StrictMode>,
  );

function safeStorage(): Storage | undefined {
  try {
    return window.localStorage;
  } catch {
    // Storage refused: settings last as long as the page.
    return undefined;
  }
}
