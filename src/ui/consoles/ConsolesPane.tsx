import { type KeyboardEvent, lazy, Suspense, useMemo } from 'react';
import type { ConsoleInfo } from '../../mirror/index.ts';
import { useMirror, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';
import styles from './ConsolesPane.module.css';

const ConsoleTerminal = lazy(() => import('./ConsoleTerminal.tsx'));

/** Tabs of consoles. Every terminal stays mounted, so its content and scroll position survive a change of tab. */
export function ConsolesPane() {
  const mirror = useMirror();
  const all = usePageState((state) => state.consoles);
  const consoles = useMemo(() => [...all].sort((one, other) => order(one) - order(other)), [all]);
  const active = usePageState((state) => state.activeConsole);
  const move = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined || consoles.length === 0) return;
    const at = consoles.findIndex((one) => one.id === active);
    const next = consoles[(at + step + consoles.length) % consoles.length];
    if (!next) return;
    mirror.update({ activeConsole: next.id });
    event.currentTarget.querySelector<HTMLElement>(`[data-console="${CSS.escape(next.id)}"]`)?.focus();
  };
  return (
    <section className={styles.pane} aria-label="Consoles" data-pane="consoles">
      <div className={styles.bar}>
        <div className={styles.tabs} role="tablist" aria-label="Consoles" onKeyDown={move}>
          {consoles.map((one) => (
            <Tab
              key={one.id}
              info={one}
              active={one.id === active}
              onPick={() => mirror.update({ activeConsole: one.id })}
            />
          ))}
        </div>
        <NewConsole />
      </div>
      <div className={styles.screens}>
        {consoles.map((one) => (
          <div
            key={one.id}
            id={`screen-${one.id}`}
            role="tabpanel"
            aria-labelledby={`tab-${one.id}`}
            className={styles.screen}
            data-active={one.id === active}
          >
            <Suspense fallback={<p className={controls.empty}>Opening the console…</p>}>
              <ConsoleTerminal id={one.id} active={one.id === active} />
            </Suspense>
          </div>
        ))}
        {consoles.length === 0 ? <p className={controls.empty}>Starting the host…</p> : null}
      </div>
      <BranchBar />
    </section>
  );
}

/** Machines first, then extra logins, then the monitors. */
const order = (info: ConsoleInfo): number => (info.kind === 'monitor' ? 2 : info.id.includes('/') ? 1 : 0);
const upper = (text: string): string => text.replace(/^l([12])\b/, 'L$1');

function Tab(props: { readonly info: ConsoleInfo; readonly active: boolean; readonly onPick: () => void }) {
  const { info, active } = props;
  return (
    <button
      type="button"
      role="tab"
      id={`tab-${info.id}`}
      data-console={info.id}
      data-machine={info.machine}
      aria-selected={active}
      aria-controls={`screen-${info.id}`}
      tabIndex={active ? 0 : -1}
      className={styles.tab}
      onClick={props.onPick}
    >
      {info.kind === 'monitor' ? <span className={styles.kind}>(qemu)</span> : null}
      {upper(info.kind === 'monitor' ? info.machine : info.title)}
    </button>
  );
}

/** Another login on the machine whose console is shown. */
function NewConsole() {
  const mirror = useMirror();
  const live = usePageState((state) => state.live);
  const machine = usePageState((state) => state.consoles.find((one) => one.id === state.activeConsole)?.machine);
  if (!live || machine === undefined) return null;
  const open = async () => {
    const id = await mirror.client.openConsole(machine);
    if (id !== null) mirror.update({ activeConsole: id });
  };
  return (
    <button
      type="button"
      className={styles.tab}
      aria-label={`Another login on ${upper(machine)}`}
      title={`Another login on ${upper(machine)}`}
      onClick={() => void open()}
    >
      +
    </button>
  );
}

/** In the past the consoles only show. Typing asks what to do. */
function BranchBar() {
  const mirror = useMirror();
  const live = usePageState((state) => state.live);
  const ask = usePageState((state) => state.askBranch);
  const cursor = usePageState((state) => state.cursor);
  const head = usePageState((state) => state.head);
  const playing = usePageState((state) => state.playing);
  if (live || playing) return null;
  return (
    <div className={styles.branch} role="status" data-ask={ask}>
      <span>
        {ask
          ? 'Typing here starts a branch: what came after this point is dropped.'
          : `In the past: event ${cursor} of ${head}. Read-only.`}
      </span>
      <button type="button" className={controls.button} onClick={() => void branch()}>
        {ask ? 'Enter: branch here' : 'Branch here'}
      </button>
      <button type="button" className={controls.button} onClick={() => mirror.goLive()}>
        {ask ? 'Esc: back to now' : 'Back to now'}
      </button>
    </div>
  );

  async function branch(): Promise<void> {
    mirror.update({ askBranch: false });
    await mirror.client.branch(cursor);
    mirror.goLive();
  }
}
