/**
 * The monitor's line editor (util/readline.c): insertion, erasing, cursor keys, history, Tab completion. Left out: password
 * prompts. Redraws only what changed, where QEMU repaints the line on every key.
 */
import { text, utf8 } from '../../base/bytes.ts';

export interface ReadlineHooks {
  print(text: string): void;
  /** A finished line. */
  line(text: string): void;
  /** Words that could stand in place of the last word of `before`. */
  complete(before: string): readonly string[];
}

const HISTORY = 64;

export class Readline {
  private buffer = '';
  private cursor = 0;
  private escape = '';
  private readonly history: string[] = [];
  private browsing = -1;

  constructor(
    private readonly prompt: string,
    private readonly hooks: ReadlineHooks,
  ) {}

  /** Shows the prompt on a new, empty line. */
  start(): void {
    this.buffer = '';
    this.cursor = 0;
    this.browsing = -1;
    this.hooks.print(this.prompt);
  }

  /** Shows prompt and unfinished line again (focus came back). */
  show(): void {
    this.hooks.print(this.prompt + this.buffer);
    this.move(this.buffer.length, this.cursor);
  }

  feed(bytes: Uint8Array): void {
    for (const char of text(bytes)) this.key(char);
  }

  private key(char: string): void {
    if (this.escape !== '') {
      this.escape += char;
      if (this.escape === '\x1b[' || this.escape === '\x1bO') return;
      if (/^\x1b\[\d+$/.test(this.escape)) return;
      const sequence = this.escape;
      this.escape = '';
      this.sequence(sequence);
      return;
    }
    switch (char) {
      case '\x1b':
        this.escape = char;
        break;
      case '\r':
      case '\n':
        this.finish();
        break;
      case '\b':
      case '\x7f':
        if (this.cursor > 0) this.replace(this.cursor - 1, this.cursor, '');
        break;
      case '\x01':
        this.go(0);
        break;
      case '\x05':
        this.go(this.buffer.length);
        break;
      case '\x04':
        this.replace(this.cursor, this.cursor + 1, '');
        break;
      case '\x0b':
        this.replace(this.cursor, this.buffer.length, '');
        break;
      case '\x15':
        this.replace(0, this.cursor, '');
        break;
      case '\x17': {
        const start = /\S*\s*$/.exec(this.buffer.slice(0, this.cursor))?.index ?? 0;
        this.replace(start, this.cursor, '');
        break;
      }
      case '\x0e':
        this.browse(1);
        break;
      case '\x10':
        this.browse(-1);
        break;
      case '\t':
        this.tab();
        break;
      default:
        if (char >= ' ') this.replace(this.cursor, this.cursor, char);
    }
  }

  private sequence(sequence: string): void {
    switch (sequence.slice(2)) {
      case 'A':
        this.browse(-1);
        break;
      case 'B':
        this.browse(1);
        break;
      case 'C':
        this.go(Math.min(this.cursor + 1, this.buffer.length));
        break;
      case 'D':
        this.go(Math.max(this.cursor - 1, 0));
        break;
      case 'H':
      case '1~':
        this.go(0);
        break;
      case 'F':
      case '4~':
        this.go(this.buffer.length);
        break;
      case '3~':
        this.replace(this.cursor, this.cursor + 1, '');
        break;
    }
  }

  private finish(): void {
    const line = this.buffer;
    this.hooks.print('\n');
    if (line.trim() !== '') {
      const known = this.history.indexOf(line);
      if (known >= 0) this.history.splice(known, 1);
      this.history.push(line);
      if (this.history.length > HISTORY) this.history.shift();
    }
    this.buffer = '';
    this.cursor = 0;
    this.browsing = -1;
    this.hooks.line(line);
  }

  private browse(step: number): void {
    const at = this.browsing < 0 ? this.history.length : this.browsing;
    const next = at + step;
    if (next < 0 || next > this.history.length) return;
    this.browsing = next;
    this.replace(0, this.buffer.length, this.history[next] ?? '');
  }

  private tab(): void {
    const before = this.buffer.slice(0, this.cursor);
    const word = /\S*$/.exec(before)?.[0] ?? '';
    const found = this.hooks.complete(before);
    if (found.length === 0) return;
    let common = found[0] as string;
    for (const other of found) while (!other.startsWith(common)) common = common.slice(0, -1);
    if (common.length > word.length || found.length === 1) {
      this.replace(this.cursor, this.cursor, common.slice(word.length) + (found.length === 1 ? ' ' : ''));
      return;
    }
    const width = Math.max(...found.map((name) => name.length)) + 2;
    const columns = Math.max(1, Math.floor(80 / width));
    let listing = '\n';
    for (let n = 0; n < found.length; n += columns)
      listing += `${found
        .slice(n, n + columns)
        .map((name) => name.padEnd(width))
        .join('')
        .trimEnd()}\n`;
    this.hooks.print(listing);
    this.show();
  }

  private replace(from: number, to: number, by: string): void {
    const rest = this.buffer.slice(to);
    const wasEnd = this.buffer.length;
    if (to > wasEnd && by === '') return;
    this.move(this.cursor, from);
    this.buffer = this.buffer.slice(0, from) + by + rest;
    this.hooks.print(by + rest + (this.buffer.length < wasEnd || (by === '' && rest === '') ? '\x1b[K' : ''));
    this.cursor = from + by.length;
    this.move(this.buffer.length, this.cursor);
  }

  private go(to: number): void {
    this.move(this.cursor, to);
    this.cursor = to;
  }

  private move(from: number, to: number): void {
    if (to < from) this.hooks.print('\x1b[D'.repeat(from - to));
    else if (to > from) this.hooks.print('\x1b[C'.repeat(to - from));
  }
}

/** Bytes a terminal gets for `text`: every newline with its carriage return. */
export function terminalBytes(output: string): Uint8Array {
  return utf8(output.replace(/\n/g, '\r\n'));
}
