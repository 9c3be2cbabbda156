import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { begin, type EditorEvent, type EditorState, feed, lineOf } from './editor.ts';

function type(text: string, history: string[] = []): { state: EditorState; output: string; events: EditorEvent[] } {
  let { state, output } = begin('$ ', 20, history);
  const events: EditorEvent[] = [];
  for (const byte of new TextEncoder().encode(text)) {
    const step = feed(state, byte);
    state = step.state;
    output += step.output;
    if (step.event) events.push(step.event);
  }
  return { state, output, events };
}

/** What a terminal of 20 columns shows after `output`: its rows joined, and where the cursor is (a full row leaves it hanging). */
function screen(output: string): { text: string; cursor: number } {
  const cells: string[] = [];
  let at = 0;
  let hanging = false;
  for (const [, csi, count, final, c = ''] of output.matchAll(/(\x1b\[(\d*)([A-Z]))|([^\x1b])/gs)) {
    const n = Number(count || 1);
    if (csi) {
      hanging = false;
      if (final === 'A') at -= 20 * n;
      else if (final === 'C') at += n;
      else cells.length = at;
    } else if (c === '\r') {
      at -= hanging ? 20 : at % 20;
      hanging = false;
    } else {
      cells[at++] = c;
      hanging = at % 20 === 0;
    }
  }
  return { text: cells.join('').trimEnd(), cursor: hanging ? -1 : at };
}

describe('the line editor', () => {
  test('gives the line on Enter', () => {
    expect(type('echo hi\r').events).toEqual([{ type: 'accept', line: 'echo hi' }]);
  });
  test('moves, kills and yanks as emacs does', () => {
    expect(lineOf(type('one two\x01\x0b\x19\x19').state)).toBe('one twoone two');
    expect(lineOf(type('one two three\x17\x17\x19').state)).toBe('one two three');
    expect(lineOf(type('one two\x1bb\x1bd').state)).toBe('one ');
    expect(lineOf(type('ab\x1b[D\x1b[Dx\x1b[3~').state)).toBe('xb');
  });
  test('walks through history and comes back to the typed line', () => {
    expect(lineOf(type('new\x1b[A\x1b[A', ['a', 'b']).state)).toBe('a');
    expect(lineOf(type('new\x1b[A\x1b[A\x1b[B\x1b[B', ['a', 'b']).state)).toBe('new');
  });
  test('searches backwards with Ctrl-R', () => {
    expect(type('\x12ec\r', ['echo 1', 'ls', 'echo 2']).events).toEqual([{ type: 'accept', line: 'echo 2' }]);
    expect(type('\x12ec\x12\r', ['echo 1', 'ls', 'echo 2']).events).toEqual([{ type: 'accept', line: 'echo 1' }]);
  });
  test('tells of Ctrl-C, Ctrl-D on an empty line, and Tab', () => {
    expect(type('ab\x03').events).toEqual([{ type: 'interrupt' }]);
    expect(type('\x04').events).toEqual([{ type: 'eof' }]);
    expect(type('l\t\t').events).toEqual([
      { type: 'complete', again: false },
      { type: 'complete', again: true },
    ]);
  });
  test('keeps any printable text whole', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 60 }), (text) => {
        expect(lineOf(type(text).state)).toBe(text);
      }),
    );
  });
  test('a long line costs as much output as it has characters, a row’s end included', () => {
    const text = 'x'.repeat(4096);
    const { output, state } = type(text);
    expect(lineOf(state)).toBe(text);
    expect(output.length).toBeLessThan(text.length * 1.2);
  });
  test('shows prompt and line, and the cursor where it is, whatever was typed', () => {
    const keys = fc.constantFrom(
      'a',
      'bc',
      'é',
      '😀',
      ' ',
      'x'.repeat(17),
      '\x02',
      '\x06',
      '\x01',
      '\x05',
      '\x7f',
      '\x04',
      '\x17',
      '\x19',
      '\x14',
      '\x1f',
    );
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 30 }), (parts) => {
        const { output, state } = type(`z${parts.join('')}`);
        const seen = screen(output.replaceAll('\x07', '').replace(/[\ud800-\udbff][\udc00-\udfff]/g, 'Q'));
        const all = `$ ${lineOf(state)}`;
        expect(seen.text).toBe(all.replace(/[\ud800-\udbff][\udc00-\udfff]/g, 'Q').trimEnd());
        expect(seen.cursor).toBe(2 + [...lineOf(state).slice(0, state.cursor)].length);
      }),
    );
  });
  test('keeps the cursor inside the line whatever the keys', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 80 }), (bytes) => {
        let { state } = begin('p> ', 12, ['history one', 'two']);
        for (const b of bytes) state = feed(state, b).state;
        expect(state.cursor).toBeGreaterThanOrEqual(0);
        expect(state.cursor).toBeLessThanOrEqual(state.text.length);
      }),
    );
  });
});
