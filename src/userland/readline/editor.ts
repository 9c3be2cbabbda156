/**
 * The line editor as a pure reducer: (state, byte) → state + output + event. Emacs keys, history, incremental search,
 * kill and yank, wrapping over rows. Knows nothing of terminals, files or the shell; completion is asked for by an event.
 */
import { bell, leave, left, redraw, still } from './display.ts';
import { after, type EditorState, type Step } from './state.ts';
import { blankLeft, edit, erase, insert, killRange, move, recall, wordLeft, wordRight } from './text.ts';

export { below } from './display.ts';
export type { EditorEvent, EditorState, Step } from './state.ts';
export { replaceWord } from './text.ts';

export function begin(prompt: string, columns: number, history: readonly string[], kill = '', text = ''): Step {
  const state: EditorState = {
    prompt,
    columns: Math.max(2, columns),
    text,
    cursor: text.length,
    width: 0,
    history,
    at: history.length,
    typed: '',
    kill,
    last: 'other',
    pending: [],
    search: null,
    row: 0,
    undo: [],
    run: 0,
    quoted: false,
  };
  return redraw(state);
}

export const lineOf = (state: EditorState): string => state.text;

/** Feeds one byte. */
export function feed(state: EditorState, byte: number): Step {
  // By far the most bytes are plain keys.
  if (state.pending.length === 0 && byte < 0x80 && byte !== 0x1b && !state.quoted && !state.search)
    return key(state, byte);
  const pending = [...state.pending, byte];
  const clean = { ...state, pending: [] };
  if (state.quoted) return insert({ ...clean, quoted: false }, String.fromCharCode(byte));
  if (pending[0] === 0x1b) return escapeKey(clean, pending);
  if (byte >= 0x80 || state.pending.length > 0) return utf8(clean, pending);
  if (state.search) return searchKey(clean, byte);
  return key(clean, byte);
}

function utf8(state: EditorState, pending: readonly number[]): Step {
  const first = pending[0] ?? 0;
  const need = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  if (pending.length < need) return still({ ...state, pending });
  const text = new TextDecoder().decode(new Uint8Array(pending));
  return state.search ? search(state, state.search.query + text, state.search.from) : insert(state, text);
}

function key(state: EditorState, byte: number): Step {
  switch (byte) {
    case 0x01:
      return move(state, 0);
    case 0x02:
      return move(state, left(state));
    case 0x03:
      return leave(state, { type: 'interrupt' }, '^C');
    case 0x04:
      if (state.text === '') return still(state, { type: 'eof' });
      return erase(state, state.cursor, after(state.text, state.cursor));
    case 0x05:
      return move(state, state.text.length);
    case 0x06:
      return move(state, after(state.text, state.cursor));
    case 0x07:
      return bell(state);
    case 0x08:
    case 0x7f:
      return state.cursor === 0 ? bell(state) : erase(state, left(state), state.cursor);
    case 0x09:
      return still({ ...state, last: 'tab' }, { type: 'complete', again: state.last === 'tab' });
    case 0x0a:
    case 0x0d:
      return leave(state, { type: 'accept', line: lineOf(state) });
    case 0x0b:
      return killRange(state, state.cursor, state.text.length);
    case 0x0c: {
      const drawn = redraw({ ...state, row: 0 });
      return { ...drawn, output: `\x1b[H\x1b[2J${drawn.output}` };
    }
    case 0x0e:
      return recall(state, state.at + 1);
    case 0x10:
      return recall(state, state.at - 1);
    case 0x12:
      return redraw({ ...state, search: { query: '', from: state.at, failed: false, before: lineOf(state) } });
    case 0x14: {
      const { text } = state;
      const i = state.cursor === text.length ? left(state) : state.cursor;
      const [from, to] = [left({ ...state, cursor: i }), after(text, i)];
      if (i === 0 || to > text.length) return bell(state);
      return edit(state, text.slice(0, from) + text.slice(i, to) + text.slice(from, i) + text.slice(to), to);
    }
    case 0x15:
      return killRange(state, 0, state.cursor);
    case 0x16:
      return still({ ...state, quoted: true });
    case 0x17:
      return killRange(state, blankLeft(state), state.cursor);
    case 0x19:
      return state.kill === '' ? bell(state) : insert(state, state.kill);
    case 0x1f: {
      const back = state.undo.at(-1);
      return back ? redraw({ ...state, ...back, undo: state.undo.slice(0, -1), run: 0 }) : bell(state);
    }
  }
  return byte < 0x20 ? bell(state) : insert(state, String.fromCharCode(byte));
}

function escapeKey(state: EditorState, pending: readonly number[]): Step {
  const text = String.fromCharCode(...pending.slice(1));
  if (text === '' || text === '[' || text === 'O' || /^\[[0-9;?]+$/.test(text)) return still({ ...state, pending });
  const base = state.search ? { ...state, search: null } : state;
  switch (text) {
    case '[A':
    case 'OA':
      return recall(base, base.at - 1);
    case '[B':
    case 'OB':
      return recall(base, base.at + 1);
    case '[C':
    case 'OC':
      return move(base, after(base.text, base.cursor));
    case '[D':
    case 'OD':
      return move(base, left(base));
    case '[H':
    case 'OH':
    case '[1~':
    case '[7~':
      return move(base, 0);
    case '[F':
    case 'OF':
    case '[4~':
    case '[8~':
      return move(base, base.text.length);
    case '[3~':
      return erase(base, base.cursor, after(base.text, base.cursor));
    case '[1;5C':
    case '[1;3C':
    case 'f':
      return move(base, wordRight(base));
    case '[1;5D':
    case '[1;3D':
    case 'b':
      return move(base, wordLeft(base));
    case 'd':
      return killRange(base, base.cursor, wordRight(base));
    case '\x7f':
    case '\b':
      return killRange(base, wordLeft(base), base.cursor);
    case '<':
      return recall(base, 0);
    case '>':
      return recall(base, base.history.length);
    case 'u':
    case 'l':
    case 'c': {
      const end = wordRight(base);
      const word = base.text.slice(base.cursor, end);
      const made =
        text === 'u'
          ? word.toUpperCase()
          : text === 'l'
            ? word.toLowerCase()
            : word.toLowerCase().replace(/[a-z]/, (c) => c.toUpperCase());
      return edit(base, base.text.slice(0, base.cursor) + made + base.text.slice(end), end);
    }
    case '.': {
      const word = (base.history.at(-1) ?? '').trim().split(/\s+/).at(-1);
      return word ? insert(base, word) : bell(base);
    }
    case '[200~':
    case '[201~':
      return still(base);
  }
  return text.length > 8 || !text.startsWith('[') || /[A-Za-z~]$/.test(text)
    ? still(base)
    : still({ ...state, pending });
}

function search(state: EditorState, query: string, from: number): Step {
  const before = state.search?.before ?? '';
  for (let i = Math.min(from, state.history.length - 1); i >= 0; i--) {
    const line = state.history[i] ?? '';
    const hit = line.lastIndexOf(query);
    if (hit >= 0 && query !== '')
      return redraw({
        ...state,
        text: line,
        cursor: hit,
        at: i,
        search: { query, from: i, failed: false, before },
      });
  }
  const drawn = redraw({ ...state, search: { query, from: state.search?.from ?? from, failed: query !== '', before } });
  return query === '' ? drawn : { ...drawn, output: `\x07${drawn.output}` };
}

function searchKey(state: EditorState, byte: number): Step {
  const s = state.search;
  if (!s) return key(state, byte);
  if (byte === 0x12) return search(state, s.query, s.failed ? s.from : Math.min(state.at, s.from) - 1);
  if (byte === 0x7f || byte === 0x08) return search(state, [...s.query].slice(0, -1).join(''), state.history.length);
  if (byte === 0x07) {
    return redraw({ ...state, text: s.before, cursor: s.before.length, search: null, at: state.history.length });
  }
  if (byte >= 0x20) return search(state, s.query + String.fromCharCode(byte), s.failed ? s.from : state.at);
  const out = redraw({ ...state, search: null });
  if (byte === 0x03) return leave({ ...state, search: null }, { type: 'interrupt' }, '^C');
  const next = byte === 0x1b ? still({ ...out.state, pending: [byte] }) : key(out.state, byte);
  return { ...next, output: out.output + next.output };
}
