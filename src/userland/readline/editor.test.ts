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
  test('keeps the cursor inside the line whatever the keys', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 80 }), (bytes) => {
        let { state } = begin('p> ', 12, ['history one', 'two']);
        for (const b of bytes) state = feed(state, b).state;
        expect(state.cursor).toBeGreaterThanOrEqual(0);
        expect(state.cursor).toBeLessThanOrEqual(state.chars.length);
      }),
    );
  });
});
