import '@xterm/xterm/css/xterm.css';
import { SearchAddon } from '@xterm/addon-search';
import { type ITheme, Terminal } from '@xterm/xterm';
import { useEffect, useRef, useState } from 'react';
import type { Mirror } from '../../mirror/index.ts';
import { useMirror, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';
import { textHeight, textWidth } from '../parts/measure.ts';
import styles from './ConsoleTerminal.module.css';
import { OutputReplay } from './output-replay.ts';

interface Held {
  readonly terminal: Terminal;
  readonly search: SearchAddon;
  readonly replay: OutputReplay;
}

function themeFromTokens(): ITheme {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const dark = document.documentElement.dataset.theme === 'dark';
  return {
    background: token('--panel'),
    foreground: token('--text'),
    cursor: token('--accent'),
    cursorAccent: token('--panel'),
    scrollbarSliderBackground: token('--line'),
    scrollbarSliderHoverBackground: token('--line-strong'),
    scrollbarSliderActiveBackground: token('--line-strong'),
    selectionBackground: dark ? '#2f4f75' : '#b9d4f5',
    black: dark ? '#2a313b' : '#12171d',
    red: token('--bad'),
    green: token('--ok'),
    yellow: token('--warn'),
    blue: token('--accent'),
    magenta: token('--device'),
    cyan: token('--l1'),
    white: dark ? '#c9d1da' : '#5d6875',
    brightBlack: token('--muted'),
    brightRed: token('--bad'),
    brightGreen: token('--ok'),
    brightYellow: token('--warn'),
    brightBlue: token('--accent'),
    brightMagenta: token('--device'),
    brightCyan: token('--l1'),
    brightWhite: token('--text'),
  };
}

/** One xterm. What it shows is the console's output up to the cursor; what is typed goes to the engine when live. */
export default function ConsoleTerminal({ id, active }: { readonly id: string; readonly active: boolean }) {
  const mirror = useMirror();
  const settings = usePageState((state) => state.settings);
  const fontSize = settings.terminalSize + (settings.layout === 'present' ? 5 : 0);
  const cursor = usePageState((state) => state.cursor);
  const epoch = usePageState((state) => state.epoch);
  const host = useRef<HTMLDivElement>(null);
  const held = useRef<Held | null>(null);
  const wanted = useRef(fontSize);
  const [finding, setFinding] = useState(false);

  useEffect(() => {
    if (!host.current) return;
    held.current = openTerminal(host.current, id, mirror, wanted.current, () => setFinding(true));
    const { terminal, replay } = held.current;
    replay.showTo(mirror.log, mirror.store.getState().cursor);
    const resize = new ResizeObserver(() => {
      if (host.current && held.current) fitTerminal(held.current.terminal, host.current, wanted.current);
    });
    resize.observe(host.current);
    let told: ReturnType<typeof setTimeout> | null = null;
    const tell = ({ cols, rows }: { readonly cols: number; readonly rows: number }) => {
      if (told !== null) clearTimeout(told);
      told = setTimeout(() => {
        if (mirror.store.getState().live) void mirror.client.resize(id, cols, rows);
      }, SETTLE_MS);
    };
    const sized = terminal.onResize(tell);
    tell(terminal);
    const themed = new MutationObserver(() => {
      terminal.options.theme = themeFromTokens();
    });
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    return () => {
      resize.disconnect();
      sized.dispose();
      if (told !== null) clearTimeout(told);
      themed.disconnect();
      terminal.dispose();
      held.current = null;
    };
  }, [id, mirror]);

  useEffect(() => {
    if (!held.current) return;
    const { terminal } = held.current;
    terminal.options.screenReaderMode = settings.screenReader;
    wanted.current = fontSize;
    if (host.current) fitTerminal(terminal, host.current, fontSize);
  }, [fontSize, settings.screenReader]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new epoch means other output under the same cursor
  useEffect(() => {
    held.current?.replay.showTo(mirror.log, cursor);
  }, [mirror, cursor, epoch]);

  useEffect(() => {
    if (active && document.activeElement?.getAttribute('role') !== 'tab') held.current?.terminal.focus();
  }, [active]);

  return (
    <div className={styles.frame}>
      {finding ? (
        <form
          className={styles.find}
          onSubmit={(event) => {
            event.preventDefault();
            held.current?.search.findPrevious(String(new FormData(event.currentTarget).get('text') ?? ''));
          }}
        >
          <input
            // biome-ignore lint/a11y/noAutofocus: the reader has just asked for this field
            autoFocus
            className={controls.field}
            name="text"
            aria-label="Find in this console"
            placeholder="find, ⏎ for the previous match"
            onKeyDown={(event) => {
              if (event.key === 'Escape') setFinding(false);
            }}
          />
          <button type="button" className={controls.quiet} onClick={() => setFinding(false)}>
            close
          </button>
        </form>
      ) : null}
      <div ref={host} className={styles.host} data-testid={`terminal-${id}`} />
    </div>
  );
}

/** Columns a reader of kernel logs should have; text shrinks a little to give them, never on a projector. */
const COMFORTABLE = 80;
const SMALLEST = 10.75;
/** Room for the scroll bar, px. */
const BESIDE = 14;
const LARGE = 15;

interface Grid {
  readonly fontSize: number;
  readonly cols: number;
  readonly rows: number;
}

/** Text and grid for the element: the wanted size if it gives a comfortable width, smaller text if that helps. */
function gridFor({ clientWidth, clientHeight }: HTMLElement, family: string, wanted: number): Grid | null {
  if (clientWidth < 40 || clientHeight < 20) return null;
  const advance = textWidth('M'.repeat(20), `100px ${family}`) / 2000;
  const fitting = (clientWidth - BESIDE) / COMFORTABLE / advance;
  const least = wanted >= LARGE ? LARGE : Math.min(SMALLEST, wanted);
  const fontSize = Math.max(least, Math.min(wanted, Math.floor(fitting * 4) / 4));
  const line = Math.ceil(textHeight(family, fontSize) * 1.15);
  const cols = Math.max(40, Math.floor((clientWidth - BESIDE) / (advance * fontSize)));
  return { fontSize, cols, rows: Math.max(4, Math.floor(clientHeight / line)) };
}

function fitTerminal(terminal: Terminal, element: HTMLElement, wanted: number): void {
  const grid = gridFor(element, String(terminal.options.fontFamily ?? 'monospace'), wanted);
  if (!grid) return;
  terminal.options.fontSize = grid.fontSize;
  terminal.resize(grid.cols, grid.rows);
  // How high a row really is only the terminal knows, once it has drawn: the estimate leaves a row or two unused.
  const drawn = element.querySelector('.xterm-screen')?.clientHeight ?? 0;
  const real = drawn / terminal.rows;
  if (real > grid.fontSize) terminal.resize(grid.cols, Math.max(4, Math.floor(element.clientHeight / real)));
}

/** Tells the engine a window's size once it has settled. Monitors have no terminal of their own to tell. */
const SETTLE_MS = 120;

function openTerminal(element: HTMLElement, id: string, mirror: Mirror, wanted: number, onFind: () => void): Held {
  const { settings } = mirror.store.getState();
  const fontFamily = getComputedStyle(document.documentElement).getPropertyValue('--font-mono');
  const terminal = new Terminal({
    fontFamily,
    // From the start as it will be: another size afterwards measures every letter again, twice.
    ...(gridFor(element, fontFamily, wanted) ?? { fontSize: wanted }),
    lineHeight: 1.15,
    scrollback: 20_000,
    convertEol: false,
    cursorBlink: false,
    minimumContrastRatio: 4.5,
    screenReaderMode: settings.screenReader,
    theme: themeFromTokens(),
  });
  const search = new SearchAddon();
  terminal.loadAddon(search);
  terminal.open(element);
  fitTerminal(terminal, element, wanted);
  terminal.onData((text) => {
    const { live, askBranch, cursor, playing } = mirror.store.getState();
    if (playing) mirror.goLive();
    else if (live) void mirror.client.input(id, text);
    else if (!askBranch) mirror.update({ askBranch: true });
    else if (text === '\r') void mirror.client.branch(cursor).then(() => mirror.goLive());
    else if (text === '\x1b') mirror.goLive();
  });
  terminal.attachCustomKeyEventHandler((event) => {
    if (event.type !== 'keydown') return true;
    // Keys of the page, which the terminal must not swallow.
    if (event.ctrlKey && event.shiftKey && event.code === 'KeyF') {
      onFind();
      event.preventDefault();
      return false;
    }
    if (event.ctrlKey && event.shiftKey && (event.code === 'KeyP' || event.code === 'Period')) return false;
    if (event.ctrlKey && event.altKey) return false;
    if (event.ctrlKey && event.code === 'KeyG') return false;
    if (event.key === 'F6') return false;
    return !(event.altKey && /^Digit[1-5]$/.test(event.code));
  });
  return { terminal, search, replay: new OutputReplay(terminal, id) };
}
