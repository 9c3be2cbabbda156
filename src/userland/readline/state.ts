/** What the line editor knows between two keys. A character is a code point; positions count UTF-16 units, so that text can be shared. */
export interface EditorState {
  readonly prompt: string;
  readonly columns: number;
  readonly text: string;
  readonly cursor: number;
  /** Columns the text takes on the screen. */
  readonly width: number;
  readonly history: readonly string[];
  /** Position in history; history.length is the line being typed. */
  readonly at: number;
  /** The typed line while looking at history. */
  readonly typed: string;
  readonly kill: string;
  /** Was the last key a kill (the next one appends) or a Tab? */
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
  readonly undo: readonly { readonly text: string; readonly cursor: number }[];
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

const isLow = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;
/** Where the character before a position begins, and where the one at it ends. */
export function before(text: string, at: number): number {
  return at - (at > 1 && isLow(text.charCodeAt(at - 1)) ? 2 : 1);
}
export function after(text: string, at: number): number {
  return at + (at + 1 < text.length && isLow(text.charCodeAt(at + 1)) ? 2 : 1);
}
