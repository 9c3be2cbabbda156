/** Changes of the line: insert, erase, kill, words, history (readline's text.c and kill.c). */
import { append, bell, redraw, still } from './display.ts';
import type { EditorState, Step } from './state.ts';

export function edit(state: EditorState, text: string, cursor: number, more: Partial<EditorState> = {}): Step {
  return redraw({ ...state, text, cursor, undo: remembered(state), run: 0, last: 'other', ...more });
}
const remembered = ({ undo, text, cursor }: EditorState): EditorState['undo'] =>
  undo.slice(-200).concat({ text, cursor });

/** Puts text at the cursor. */
export function insert(state: EditorState, added: string): Step {
  const { text, cursor } = state;
  const grown = append(state, added);
  if (!grown) return edit(state, text.slice(0, cursor) + added + text.slice(cursor), cursor + added.length);
  const join = state.run > 0 && state.run < 20;
  const undo = join ? state.undo : remembered(state);
  return still({ ...grown.state, undo, run: join ? state.run + 1 : 1, last: 'other' }, null, grown.output);
}

/** Replaces what stands from `start` to the cursor (a completion). */
export function replaceWord(state: EditorState, start: number, added: string): Step {
  const text = state.text.slice(0, start) + added + state.text.slice(state.cursor);
  return edit(state, text, start + added.length);
}

export function erase(state: EditorState, from: number, to: number): Step {
  if (from < 0 || to > state.text.length) return bell(state);
  return edit(state, state.text.slice(0, from) + state.text.slice(to), from);
}

export function killRange(state: EditorState, from: number, to: number): Step {
  if (from === to) return bell(state);
  const text = state.text.slice(from, to);
  const kill = state.last !== 'kill' ? text : from < state.cursor ? text + state.kill : state.kill + text;
  return edit(state, state.text.slice(0, from) + state.text.slice(to), from, { kill, last: 'kill' });
}

export const move = (state: EditorState, cursor: number): Step =>
  redraw({ ...state, cursor: Math.max(0, Math.min(state.text.length, cursor)), last: 'other' });

/** A line of history, or with `at` behind the last the one being typed. */
export function recall(state: EditorState, at: number): Step {
  if (at < 0 || at > state.history.length) return bell(state);
  const typed = state.at === state.history.length ? state.text : state.typed;
  const text = at === state.history.length ? typed : (state.history[at] ?? '');
  return redraw({ ...state, text, cursor: text.length, at, typed, last: 'other', undo: [], run: 0 });
}

const WORD = /[\p{L}\p{N}_]/u;
/** Start of the word before the cursor, end of the one after it, and start of what stands between blanks. */
export function wordLeft({ text, cursor }: EditorState): number {
  const chars = [...text.slice(0, cursor)];
  let i = chars.length;
  while (i > 0 && !WORD.test(chars[i - 1] ?? '')) i--;
  while (i > 0 && WORD.test(chars[i - 1] ?? '')) i--;
  return chars.slice(0, i).join('').length;
}
export function wordRight({ text, cursor }: EditorState): number {
  const chars = [...text.slice(cursor)];
  let i = 0;
  while (i < chars.length && !WORD.test(chars[i] ?? '')) i++;
  while (i < chars.length && WORD.test(chars[i] ?? '')) i++;
  return cursor + chars.slice(0, i).join('').length;
}
export function blankLeft({ text, cursor }: EditorState): number {
  let i = cursor;
  while (i > 0 && text[i - 1] === ' ') i--;
  while (i > 0 && text[i - 1] !== ' ') i--;
  return i;
}
