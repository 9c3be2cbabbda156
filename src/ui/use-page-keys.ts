import { useEffect } from 'react';
import { LAYOUT_IDS, type Mirror } from '../mirror/index.ts';
import { neighbourMark } from '../views/time.view.ts';
import { copyStateLink } from './state-link.ts';

/** Keys of the page. Plain keys belong to terminals and fields; ours carry modifiers, except `?`, Esc and Backspace. */
export function usePageKeys(mirror: Mirror): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (handle(mirror, event)) event.preventDefault();
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, [mirror]);
}

function handle(mirror: Mirror, event: KeyboardEvent): boolean {
  const state = mirror.store.getState();
  if (event.altKey && !event.ctrlKey && /^Digit[1-5]$/.test(event.code)) {
    const layout = LAYOUT_IDS[Number(event.code.slice(5)) - 1];
    if (layout) mirror.setSettings({ layout });
    return true;
  }
  if (event.key === 'F6') return cyclePane(event.shiftKey ? -1 : 1);
  if (event.ctrlKey && event.shiftKey && event.code === 'KeyP') return open(mirror, 'palette');
  if (event.ctrlKey && event.shiftKey && event.code === 'Period') return cyclePane(1);
  if (event.ctrlKey && !event.altKey && !event.shiftKey && event.code === 'KeyG') return open(mirror, 'goto');
  if (event.ctrlKey && event.altKey && event.code === 'KeyL') {
    void copyStateLink(mirror);
    return true;
  }
  if (event.ctrlKey && event.altKey) return timeKey(mirror, event.code);
  const typing = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (typing || state.dialog !== null || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.key === '?') return open(mirror, 'keys');
  // It has closed a dialog: the selection behind stays.
  if (event.key === 'Escape' && event.defaultPrevented) return false;
  if (event.key === 'Escape' && state.playing) {
    mirror.goLive();
    return true;
  }
  if (event.key === 'Escape') {
    mirror.update({ address: null, hoverAddress: null });
    mirror.select(null);
    return true;
  }
  if (event.key === 'Backspace') {
    mirror.back();
    return true;
  }
  return false;
}

function open(mirror: Mirror, dialog: 'palette' | 'goto' | 'keys'): boolean {
  mirror.update({ dialog });
  return true;
}

/** Moves a mirror's cursor by one of the keys that work from anywhere. */
export function timeKey(mirror: Mirror, code: string): boolean {
  const { cursor, playing, live } = mirror.store.getState();
  const run: Record<string, () => void> = {
    ArrowLeft: () => mirror.seek(cursor - 1),
    ArrowRight: () => mirror.seek(cursor + 1),
    KeyZ: () => mirror.seek(neighbourMark(mirror.log, cursor, -1)),
    KeyY: () => mirror.seek(neighbourMark(mirror.log, cursor, 1)),
    Space: () => mirror.update({ playing: !playing }),
    KeyB: () => {
      if (!live && !mirror.client.readOnly) void mirror.client.branch(cursor).then(() => mirror.goLive());
    },
  };
  const act = run[code];
  act?.();
  return act !== undefined;
}

const FOCUSABLE = 'textarea.xterm-helper-textarea, button:not([disabled]), [tabindex="0"], input, select';

function cyclePane(step: 1 | -1): boolean {
  const among = document.querySelector('[role=dialog]') ?? document;
  const panes = [...among.querySelectorAll<HTMLElement>('[data-pane]')];
  const at = panes.findIndex((pane) => pane.contains(document.activeElement));
  const next = panes[(at + step + panes.length) % panes.length];
  next?.querySelector<HTMLElement>(FOCUSABLE)?.focus();
  return true;
}
