import { createStore, type StoreApi } from 'zustand/vanilla';
import type { MachineId } from '../log/index.ts';
import type { XlatSpace } from '../state/xlat.ts';
import type { ConsoleId, ConsoleInfo, LabClient, LogBatch } from './lab-client.ts';
import { MirrorLog } from './mirror-log.ts';
import { DEFAULT_SETTINGS, type Settings } from './settings.ts';

/** What the reader looks at. One selection for the whole page; every pane highlights its part of it. */
export type Selection =
  | { readonly kind: 'function'; readonly machine: MachineId; readonly id: string; readonly register?: RegisterRef }
  | { readonly kind: 'object'; readonly path: string }
  | { readonly kind: 'event'; readonly row: number };
export interface RegisterRef {
  readonly space: string;
  readonly offset: number;
}
export interface AddressQuery {
  readonly space: XlatSpace;
  readonly address: number;
  /** Of a DPA or an offset in a backend: whose. */
  readonly device?: string;
}

export type DialogId =
  | 'palette'
  | 'keys'
  | 'settings'
  | 'fidelity'
  | 'goto'
  | 'gallery'
  | 'topology'
  | 'patches'
  | 'museum'
  | 'ownership'
  | 'structs'
  | 'exits'
  | null;

export interface PageState {
  /** Grows whenever the folded state changed (a batch or a seek that changed a cell); the content is in the log. */
  readonly version: number;
  /** Grows when the log starts over (reset, branch). */
  readonly epoch: number;
  readonly head: number;
  readonly cursor: number;
  /** Follows the head. */
  readonly live: boolean;
  readonly playing: boolean;
  /** Playback speed; at 1× an ordinary command takes about half a second. */
  readonly speed: number;
  readonly consoles: readonly ConsoleInfo[];
  readonly activeConsole: ConsoleId;
  readonly selection: Selection | null;
  readonly pinned: readonly Selection[];
  /** Kept lit in the address pane. */
  readonly address: AddressQuery | null;
  readonly hoverAddress: AddressQuery | null;
  readonly settings: Settings;
  readonly dialog: DialogId;
  /** What the open dialog is asked to show: an id of the ledger, a command line. */
  readonly dialogAbout: string;
  /** What the inspector tells of a register below its bits. */
  readonly registerTab: 'fields' | 'owner';
  readonly askBranch: boolean;
  readonly booting: boolean;
  readonly busyMessage: string | null;
  /** Set when the engine died: what it said. */
  readonly died: string | null;
  readonly announcement: string;
}

export interface Mirror {
  readonly log: MirrorLog;
  readonly store: StoreApi<PageState>;
  readonly client: LabClient;
  seek(row: number): void;
  goLive(): void;
  /** Shows the console on which the last command before the cursor was typed. */
  followConsole(): void;
  select(selection: Selection | null): void;
  back(): void;
  update(change: Partial<PageState>): void;
  setSettings(change: Partial<Settings>): void;
  dispose(): void;
}

export const initialPageState: PageState = {
  version: 0,
  epoch: 0,
  head: 0,
  cursor: 0,
  live: true,
  playing: false,
  speed: 1,
  consoles: [],
  activeConsole: 'host',
  selection: null,
  pinned: [],
  address: null,
  hoverAddress: null,
  settings: DEFAULT_SETTINGS,
  dialog: null,
  dialogAbout: '',
  registerTab: 'fields',
  askBranch: false,
  booting: false,
  busyMessage: null,
  died: null,
  announcement: '',
};

/** The console of the last command before the cursor. */
function consoleOfLastCommand(log: MirrorLog): ConsoleId | null {
  const mark = log.time.marks.findLast((row) => row < log.cursor);
  const record = mark === undefined ? null : log.value(log.columns.c[mark] as number);
  if (typeof record !== 'object' || record === null || !('console' in record)) return null;
  const id = record.console;
  return log.consoles.find((one) => one.id === id)?.id ?? null;
}

/** Joins a client to a mirror. `nextFrame` coalesces batches: one fold and one store write a frame. */
export function createMirror(
  client: LabClient,
  settings: Settings,
  nextFrame: (run: () => void) => void = (run) => run(),
): Mirror {
  const store = createStore<PageState>()(() => ({ ...initialPageState, settings }));
  const mirror: { log: MirrorLog } = { log: new MirrorLog() };
  let pending: LogBatch[] = [];
  const history: Selection[] = [];
  let scheduled = false;

  const flush = () => {
    scheduled = false;
    const batches = pending;
    pending = [];
    let restarted = false;
    for (const batch of batches) {
      if (batch.firstRow === 0 && mirror.log.head > 0) {
        mirror.log = new MirrorLog();
        restarted = true;
      }
      mirror.log.append(batch);
    }
    const { log } = mirror;
    store.setState((state) => {
      const live = state.live || restarted;
      const changed = (live && log.seek(log.head)) || restarted;
      const following = state.booting && live ? consoleOfLastCommand(log) : null;
      const cursor = live ? log.head : state.cursor;
      const known = log.consoles.some((console) => console.id === state.activeConsole);
      return {
        version: changed ? state.version + 1 : state.version,
        epoch: restarted ? state.epoch + 1 : state.epoch,
        head: log.head,
        cursor,
        live,
        consoles: log.consoles,
        activeConsole: following ?? (known ? state.activeConsole : (log.consoles[0]?.id ?? state.activeConsole)),
        ...(restarted ? { playing: false, askBranch: false } : {}),
      };
    });
  };
  const unsubscribe = client.subscribe((batch) => {
    pending.push(batch);
    if (scheduled) return;
    scheduled = true;
    nextFrame(flush);
  });

  const seek = (row: number) => {
    const { log } = mirror;
    const to = Math.max(0, Math.min(log.head, Math.round(row)));
    const changed = log.seek(to);
    store.setState((state) => ({
      cursor: to,
      live: to === log.head,
      askBranch: false,
      version: changed ? state.version + 1 : state.version,
    }));
  };

  return {
    get log() {
      return mirror.log;
    },
    store,
    client,
    seek,
    goLive: () => {
      store.setState({ playing: false });
      seek(mirror.log.head);
    },
    followConsole: () => {
      const id = consoleOfLastCommand(mirror.log);
      if (id !== null && id !== store.getState().activeConsole) store.setState({ activeConsole: id });
    },
    select: (selection) => {
      const before = store.getState().selection;
      if (before && selection) history.push(before);
      store.setState({ selection });
    },
    back: () => {
      const previous = history.pop();
      if (previous) store.setState({ selection: previous });
    },
    update: (change) => store.setState(change),
    setSettings: (change) => store.setState((state) => ({ settings: { ...state.settings, ...change } })),
    dispose: unsubscribe,
  };
}
