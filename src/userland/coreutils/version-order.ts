/** The order of `sort -V` and `ls -v` (GNU filevercmp): digits by value, letters before other characters, `~` before the end. */

/** What a character weighs outside digits; the end of the text is 0. */
function weight(c: string): number {
  if (c === '' || /\d/.test(c)) return 0;
  if (/[A-Za-z]/.test(c)) return c.charCodeAt(0);
  return c === '~' ? -1 : c.charCodeAt(0) + 256;
}

function compareRuns(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !/\d/.test(a[i] as string)) || (j < b.length && !/\d/.test(b[j] as string))) {
      const r = weight(a[i] ?? '') - weight(b[j] ?? '');
      if (r !== 0) return r;
      i++;
      j++;
    }
    while (a[i] === '0') i++;
    while (b[j] === '0') j++;
    const x = /^\d*/.exec(a.slice(i))?.[0] ?? '';
    const y = /^\d*/.exec(b.slice(j))?.[0] ?? '';
    if (x.length !== y.length) return x.length - y.length;
    if (x !== y) return x < y ? -1 : 1;
    i += x.length;
    j += y.length;
  }
  return 0;
}

const SUFFIX = /(\.[A-Za-z~][A-Za-z0-9~]*)*$/;

export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  for (const special of ['', '.', '..']) {
    if (a === special) return -1;
    if (b === special) return 1;
  }
  if (a.startsWith('.') !== b.startsWith('.')) return a.startsWith('.') ? -1 : 1;
  const r = compareRuns(a.replace(SUFFIX, ''), b.replace(SUFFIX, ''));
  return r || compareRuns(a, b) || (a < b ? -1 : 1);
}
