/** How the line stands on the screen: rows, widths, and the output that draws it (readline's display.c, without multi-column characters). */
import { before, type EditorEvent, type EditorState, type Step } from './state.ts';

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
const rowsAbove = (prompt: string): number => shown(prompt).split('\n').length - 1;

/** Control characters are shown as ^X. */
function visible(text: string): string {
  return text.replace(/[\0-\x1f\x7f]/g, (c) => `^${String.fromCharCode(c.charCodeAt(0) ^ 64)}`);
}
/** Columns of `text`: two for a control character, one for any other. */
function widthOf(text: string): number {
  let width = 0;
  for (const c of text) width += c < ' ' || c === '\x7f' ? 2 : 1;
  return width;
}

/** Draws prompt and line afresh from the prompt's first row and puts the cursor where it belongs. */
export function redraw(state: EditorState, event: EditorEvent | null = null): Step {
  const { columns, text, cursor } = state;
  const prompt = state.search
    ? `(${state.search.failed ? 'failed ' : ''}reverse-i-search)\`${state.search.query}': `
    : state.prompt;
  const lead = promptWidth(prompt);
  const width = widthOf(text);
  const total = lead + width;
  const target = cursor === text.length ? total : lead + widthOf(text.slice(0, cursor));
  let out = '\r';
  if (state.row > 0) out += `\x1b[${state.row}A`;
  out += `\x1b[J${shown(prompt).replaceAll('\n', '\r\n')}${visible(text)}`;
  // A full last row leaves the terminal's cursor hanging: force it down.
  if (total > 0 && total % columns === 0) out += ' \r';
  const endRow = Math.floor(total / columns);
  const row = Math.floor(target / columns);
  if (endRow > row) out += `\x1b[${endRow - row}A`;
  out += '\r';
  if (target % columns > 0) out += `\x1b[${target % columns}C`;
  return { state: { ...state, width, row: row + rowsAbove(prompt) }, output: out, event };
}

/** The line grew at its end, where the cursor is: only what is new is written. Null when that is not enough. */
export function append(
  state: EditorState,
  added: string,
): { readonly output: string; readonly state: EditorState } | null {
  if (state.search || state.cursor !== state.text.length || /[\0-\x1f\x7f]/.test(added)) return null;
  const width = state.width + widthOf(added);
  const total = promptWidth(state.prompt) + width;
  const full = total % state.columns === 0;
  const row = Math.floor(total / state.columns);
  const sameRow = row === Math.floor((promptWidth(state.prompt) + state.width) / state.columns);
  const text = state.text + added;
  return {
    output: full ? `${added} \r` : added,
    state: { ...state, text, width, cursor: text.length, row: sameRow ? state.row : row + rowsAbove(state.prompt) },
  };
}

/** Shows lines below (a list of candidates) and draws the line again. */
export function below(state: EditorState, lines: readonly string[]): Step {
  const drawn = redraw({ ...state, row: 0 });
  return { ...drawn, output: `\r\n${lines.join('\r\n')}\r\n${drawn.output}` };
}

/** Leaves the line on the screen with the cursor below it. */
export function leave(state: EditorState, event: EditorEvent, text = ''): Step {
  const end = redraw({ ...state, cursor: state.text.length, search: null });
  const plain = state.search || state.cursor !== state.text.length ? end.output : '';
  return { state: { ...end.state, row: 0 }, output: `${plain}${text}\r\n`, event };
}

export const still = (state: EditorState, event: EditorEvent | null = null, output = ''): Step => ({
  state,
  output,
  event,
});
export const bell = (state: EditorState): Step => still(state, null, '\x07');

/** Cursor one character to the left or right, at most to the ends. */
export const left = ({ text, cursor }: EditorState): number => Math.max(0, before(text, cursor));
