/**
 * Numbers and sizes as QEMU reads and prints them (util/cutils.c: qemu_strtosz, qemu_strtou64, size_to_str).
 */
const SUFFIX: Readonly<Record<string, number>> = {
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  p: 2 ** 50,
  e: 2 ** 60,
};

/** qemu_strtosz: bytes, or null if it is no size. @param unit weight of a number without suffix */
export function qemu_strtosz(text: string, unit = 1): number | null {
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return Number.parseInt(text.slice(2), 16) * unit;
  const match = /^(\d+)(\.\d+)?([bBkKmMgGtTpPeE])?$/.exec(text);
  if (!match) return null;
  const weight = match[3] === undefined ? unit : (SUFFIX[match[3].toLowerCase()] as number);
  const value = Number(match[1]) * weight + Math.floor(Number(`0${match[2] ?? ''}`) * weight);
  return value < 2 ** 64 ? value : null;
}

/** qemu_strtou64 with base 0 (decimal, 0x…, 0…), or null. */
export function qemu_strtou64(text: string): number | null {
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return Number.parseInt(text.slice(2), 16);
  if (/^0[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  return /^\d+$/.test(text) ? Number(text) : null;
}

/** size_to_str: three significant digits with a binary unit (`32 GiB`, `4 KiB`, `512 B`). */
export function size_to_str(value: number): string {
  const units = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
  let n = 0;
  let rest = value;
  while (rest >= 1000 && n < units.length - 1) {
    rest /= 1024;
    n++;
  }
  const text = rest >= 100 ? rest.toFixed(0) : String(Number(rest.toPrecision(3)));
  return `${text} ${units[n]}B`;
}
