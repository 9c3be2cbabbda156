import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { MAY_IMPORT } from './layers.ts';

const SRC = resolve(import.meta.dirname, '..');

function sources(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return entry.name === 'testing' || entry.name === 'fixtures' ? [] : sources(path);
    return /\.tsx?$/.test(entry.name) && !/\.(test|bench)\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

const files = sources(SRC);

test('there are sources to check', () => {
  expect(files.length).toBeGreaterThan(50);
});

test('every import between rooms is one the table allows', () => {
  const wrong: string[] = [];
  for (const file of files) {
    const name = relative(SRC, file);
    const room = name.split('/')[0] as string;
    const allowed = MAY_IMPORT[room];
    if (!allowed) {
      wrong.push(`${name}: its room is not in the table`);
      continue;
    }
    for (const match of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g)) {
      const target = relative(SRC, resolve(dirname(file), (match[1] as string).replace(/\?.*$/, '')));
      if (target.split('/')[0] === room) continue;
      if (!allowed.some((door) => target === door || target.startsWith(`${door}/`)))
        wrong.push(`${name} imports ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

/** The DOM, timers and `fetch` are kept out by the compiler (tsconfig.core.json has no library that declares them). */
test('nothing below the page uses wall clocks, unseeded randomness or Node', () => {
  const forbidden = /\b(Math\.random|Date\.now|new Date\(\)|performance\.now)\b/;
  const wrong = files.filter((file) => {
    const room = relative(SRC, file).split('/')[0] as string;
    if (['worker', 'cli', 'mirror', 'views', 'ui', 'main.tsx', 'dev'].includes(room)) return false;
    const text = readFileSync(file, 'utf8');
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    return forbidden.test(code) || /from 'node:/.test(code);
  });
  expect(wrong.map((file) => relative(SRC, file))).toEqual([]);
});
