/** What the page remembers about its reader (not about the session): one versioned record in local storage. */
export interface Settings {
  readonly theme: 'system' | 'light' | 'dark';
  readonly motion: 'system' | 'full' | 'none';
  readonly terminalSize: number;
  readonly screenReader: boolean;
  readonly layout: LayoutId;
}
export type LayoutId = 'overview' | 'topology' | 'registers' | 'trace' | 'present';
export const LAYOUT_IDS: readonly LayoutId[] = ['overview', 'topology', 'registers', 'trace', 'present'];

export const DEFAULT_SETTINGS: Settings = {
  theme: 'system',
  motion: 'system',
  terminalSize: 13,
  screenReader: false,
  layout: 'overview',
};

const KEY = 'cxlab.settings.1';

function pick<T extends string>(value: unknown, allowed: readonly T[], otherwise: T): T {
  return allowed.find((one) => one === value) ?? otherwise;
}

/** Any text in, valid settings out. */
export function parseSettings(text: string | null): Settings {
  let raw: unknown = null;
  try {
    raw = text === null ? null : JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (typeof raw !== 'object' || raw === null) return DEFAULT_SETTINGS;
  const get = (key: string): unknown => Reflect.get(raw, key);
  const size = get('terminalSize');
  return {
    theme: pick(get('theme'), ['system', 'light', 'dark'], DEFAULT_SETTINGS.theme),
    motion: pick(get('motion'), ['system', 'full', 'none'], DEFAULT_SETTINGS.motion),
    terminalSize:
      typeof size === 'number' && size >= 9 && size <= 32 ? Math.round(size) : DEFAULT_SETTINGS.terminalSize,
    screenReader: get('screenReader') === true,
    layout: pick(get('layout'), LAYOUT_IDS, DEFAULT_SETTINGS.layout),
  };
}

export function loadSettings(storage: Pick<Storage, 'getItem'> | undefined): Settings {
  try {
    return parseSettings(storage?.getItem(KEY) ?? null);
  } catch {
    // Storage can be refused (private windows, embedding): the defaults serve.
    return DEFAULT_SETTINGS;
  }
}

export function saveSettings(storage: Pick<Storage, 'setItem'> | undefined, settings: Settings): void {
  try {
    storage?.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Full or refused storage loses only preferences.
  }
}
