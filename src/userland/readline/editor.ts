/**
 * The line editor as a pure reducer: (state, byte) → state + output + event. Emacs keys, history, incremental search,
 * kill and yank, wrapping over rows. Knows nothing of terminals, files or the shell; completion is asked for by an event.
 */
export interface EditorState {
  readonly prompt: string;
  readonly columns: number;
  /** Characters (code points) of the line. */
  readonly chars: readonly string[];
  readonly cursor: number;
  readonly history: readonly string[];
  /** Position in history; history.length is the line being typed. */
  readonly at: number;
  /** The typed line while looking at history. */
  readonly typed: string;
  readonly kill: string;
  /** Was the last key a kill (the next one appends) or a yank? */
  readonly last: 'kill' | 'tab' | 'other';
  /** Bytes of an unfinished escape sequence or UTF-8 character. */
  readonly pending: readonly number[];
  readonly search: {
    readonly query: string;
    readonly from: number;
    readonly failed: boolean;
    readonly before: string;
  } | null;
  /** Row of the cursor below the prompt's first row, as last drawn. */
  readonly row: number;
  readonly undo: readonly { readonly chars: readonly string[]; readonly cursor: number }[];
  /** Characters typed since the last entry of `undo`: rl_insert_text joins up to 20 of them. */
  readonly run: number;
  readonly quoted: boolean;
}

export type EditorEvent =
  | { readonly type: 'accept'; readonly line: string }
  | { readonly type: 'interrupt' }
  | { readonly type: 'eof' }
  | { readonly type: 'complete'; readonly again: boolean };

export interface Step {
  readonly state: EditorState;
  readonly output: string;
  readonly event: EditorEvent | null;
}

export function begin(prompt: string, columns: number, history: readonly string[], kill = '', text = ''): Step {
  const state: EditorState = {
    prompt,
    columns: Math.max(2, columns),
    chars: [...text],
    cursor: [...text].length,
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

export const lineOf = (state: EditorState): string => state.chars.join('');

/** Prompt as shown: without the \x01 \x02 marks. */
const shown = (prompt: string): string => prompt.replace(/[\x01\x02]/g, '');
/** Width of the prompt's last line: nothing between the marks, no escape sequences. */
let measured = { prompt: '', width: 0 };
function promptWidth(prompt: string): number {
  if (prompt !== measured.prompt) measured = { prompt, width: measure(prompt) };
  return measured.width;
}
function measure(prompt: string): number {
  const last = prompt.slice(prompt.lastIndexOf('\n') + 1);
  return [...last.replace(/\x01[^\x02]*\x02/g, '').replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '')].length;
}

/** Control characters are shown as ^X. */
const show = (c: string): string => (c < ' ' || c === '\x7f' ? `^${String.fromCharCode(c.charCodeAt(0) ^ 64)}` : c);
/** The line measured last: a typed character does not measure the whole line again. */
let line: { chars: readonly string[]; width: number } = { chars: [], width: 0 };
function widthOf(chars: readonly string[]): number {
  if (chars === line.chars) return line.width;
  let width = 0;
  for (const c of chars) width += show(c).length;
  return width;
}

/** Draws prompt and line afresh from the prompt's first row and puts the cursor where it belongs. */
function redraw(state: EditorState, event: EditorEvent | null = null): Step {
  const { columns } = state;
  const prompt = state.search
    ? `(${state.search.failed ? 'failed ' : ''}reverse-i-search)\`${state.search.query}': `
    : state.prompt;
  const extra = shown(prompt).split('\n').length - 1;
  const lead = promptWidth(prompt);
  const body = state.chars.map(show).join('');
  const total = lead + [...body].length;
  const target = lead + widthOf(state.chars.slice(0, state.cursor));
  let out = '\r';
  if (state.row > 0) out += `\x1b[${state.row}A`;
  out += `\x1b[J${shown(prompt).replaceAll('\n', '\r\n')}${body}`;
  // A full last row leaves the terminal's cursor hanging: force it down.
  if (total > 0 && total % columns === 0) out += ' \r';
  const endRow = Math.floor(total / columns);
  const row = Math.floor(target / columns);
  if (endRow > row) out += `\x1b[${endRow - row}A`;
  out += '\r';
  if (target % columns > 0) out += `\x1b[${target % columns}C`;
  return { state: { ...state, row: row + extra }, output: out, event };
}

const still = (state: EditorState, event: EditorEvent | null = null, output = ''): Step => ({ state, output, event });
const bell = (state: EditorState): Step => still(state, null, '\x07');

function edit(state: EditorState, chars: readonly string[], cursor: number, more: Partial<EditorState> = {}): Step {
  const undo = state.undo.slice(-200).concat({ chars: state.chars, cursor: state.cursor });
  return redraw({ ...state, chars, cursor, undo, run: 0, last: 'other', ...more });
}

/** Puts text at the cursor. */
export function insert(state: EditorState, text: string): Step {
  const added = [...text];
  const atEnd = state.cursor === state.chars.length;
  const chars = atEnd
    ? state.chars.concat(added)
    : [...state.chars.slice(0, state.cursor), ...added, ...state.chars.slice(state.cursor)];
  const width = widthOf(state.chars);
  const more = widthOf(added);
  line = { chars, width: width + more };
  const before = promptWidth(state.prompt) + width;
  const fits = (before % state.columns) + more < state.columns;
  if (atEnd && fits && !state.search && added.every((c) => c >= ' ' && c !== '\x7f')) {
    const join = state.run > 0 && state.run < 20;
    const undo = join ? state.undo : state.undo.slice(-200).concat({ chars: state.chars, cursor: state.cursor });
    const run = join ? state.run + 1 : 1;
    return still({ ...state, chars, cursor: state.cursor + added.length, undo, run, last: 'other' }, null, text);
  }
  return edit(state, chars, state.cursor + added.length);
}

/** Replaces the characters from `start` to the cursor (a completion). */
export function replaceWord(state: EditorState, start: number, text: string): Step {
  const added = [...text];
  const chars = [...state.chars.slice(0, start), ...added, ...state.chars.slice(state.cursor)];
  return edit(state, chars, start + added.length);
}

/** Shows lines below (a list of candidates) and draws the line again. */
export function below(state: EditorState, lines: readonly string[]): Step {
  const drawn = redraw({ ...state, row: 0 });
  return { ...drawn, output: `\r\n${lines.join('\r\n')}\r\n${drawn.output}` };
}

const isWord = (c: string | undefined): boolean => c !== undefined && /[\p{L}\p{N}_]/u.test(c);

function wordLeft(state: EditorState): number {
  let i = state.cursor;
  while (i > 0 && !isWord(state.chars[i - 1])) i--;
  while (i > 0 && isWord(state.chars[i - 1])) i--;
  return i;
}
function wordRight(state: EditorState): number {
  let i = state.cursor;
  while (i < state.chars.length && !isWord(state.chars[i])) i++;
  while (i < state.chars.length && isWord(state.chars[i])) i++;
  return i;
}
function blankLeft(state: EditorState): number {
  let i = state.cursor;
  while (i > 0 && state.chars[i - 1] === ' ') i--;
  while (i > 0 && state.chars[i - 1] !== ' ') i--;
  return i;
}

function killRange(state: EditorState, from: number, to: number): Step {
  if (from === to) return bell(state);
  const text = state.chars.slice(from, to).join('');
  const kill = state.last !== 'kill' ? text : from < state.cursor ? text + state.kill : state.kill + text;
  return edit(state, [...state.chars.slice(0, from), ...state.chars.slice(to)], from, { kill, last: 'kill' });
}
const move = (state: EditorState, cursor: number): Step =>
  redraw({ ...state, cursor: Math.max(0, Math.min(state.chars.length, cursor)), last: 'other' });

function recall(state: EditorState, at: number): Step {
  if (at < 0 || at > state.history.length) return bell(state);
  const typed = state.at === state.history.length ? lineOf(state) : state.typed;
  const chars = [...(at === state.history.length ? typed : (state.history[at] ?? ''))];
  return redraw({ ...state, chars, cursor: chars.length, at, typed, last: 'other', undo: [], run: 0 });
}

/** Leaves the line on the screen with the cursor below it. */
function leave(state: EditorState, event: EditorEvent, text = ''): Step {
  const end = redraw({ ...state, cursor: state.chars.length, search: null });
  const plain = state.search || state.cursor !== state.chars.length ? end.output : '';
  return { state: { ...end.state, row: 0 }, output: `${plain}${text}\r\n`, event };
}

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
      return move(state, state.cursor - 1);
    case 0x03:
      return leave(state, { type: 'interrupt' }, '^C');
    case 0x04:
      if (state.chars.length === 0) return still(state, { type: 'eof' });
      return erase(state, state.cursor, state.cursor + 1);
    case 0x05:
      return move(state, state.chars.length);
    case 0x06:
      return move(state, state.cursor + 1);
    case 0x07:
      return bell(state);
    case 0x08:
    case 0x7f:
      return erase(state, state.cursor - 1, state.cursor);
    case 0x09:
      return still({ ...state, last: 'tab' }, { type: 'complete', again: state.last === 'tab' });
    case 0x0a:
    case 0x0d:
      return leave(state, { type: 'accept', line: lineOf(state) });
    case 0x0b:
      return killRange(state, state.cursor, state.chars.length);
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
      const i = state.cursor === state.chars.length ? state.cursor - 1 : state.cursor;
      const a = state.chars[i - 1];
      const b = state.chars[i];
      if (a === undefined || b === undefined) return bell(state);
      return edit(state, state.chars.toSpliced(i - 1, 2, b, a), i + 1);
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

function erase(state: EditorState, from: number, to: number): Step {
  if (from < 0 || to > state.chars.length) return bell(state);
  return edit(state, [...state.chars.slice(0, from), ...state.chars.slice(to)], from);
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
      return move(base, base.cursor + 1);
    case '[D':
    case 'OD':
      return move(base, base.cursor - 1);
    case '[H':
    case 'OH':
    case '[1~':
    case '[7~':
      return move(base, 0);
    case '[F':
    case 'OF':
    case '[4~':
    case '[8~':
      return move(base, base.chars.length);
    case '[3~':
      return erase(base, base.cursor, base.cursor + 1);
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
      const word = base.chars.slice(base.cursor, end).join('');
      const made =
        text === 'u'
          ? word.toUpperCase()
          : text === 'l'
            ? word.toLowerCase()
            : word.toLowerCase().replace(/[a-z]/, (c) => c.toUpperCase());
      return edit(base, [...base.chars.slice(0, base.cursor), ...made, ...base.chars.slice(end)], end);
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
        chars: [...line],
        cursor: [...line.slice(0, hit)].length,
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
    const chars = [...s.before];
    return redraw({ ...state, chars, cursor: chars.length, search: null, at: state.history.length });
  }
  if (byte >= 0x20) return search(state, s.query + String.fromCharCode(byte), s.failed ? s.from : state.at);
  const out = redraw({ ...state, search: null });
  if (byte === 0x03) return leave({ ...state, search: null }, { type: 'interrupt' }, '^C');
  const next = byte === 0x1b ? still({ ...out.state, pending: [byte] }) : key(out.state, byte);
  return { ...next, output: out.output + next.output };
}
