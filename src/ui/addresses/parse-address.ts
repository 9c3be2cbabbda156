/** `0x4_9000_0000`, `490000000h`, `4 GiB+0x1000`, decimal with a `d` suffix; bare digits are hexadecimal, as in iomem. */
export function parseAddress(text: string): number | null {
  let sum = 0;
  for (const part of text.trim().split('+')) {
    const value = parseTerm(part.trim());
    if (value === null) return null;
    sum += value;
  }
  return sum >= 0 && sum < 2 ** 52 ? sum : null;
}

const UNITS: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

function parseTerm(text: string): number | null {
  const scaled = /^(\d+)\s*([kmgt])(?:i?b)?$/i.exec(text);
  if (scaled) return Number(scaled[1]) * (UNITS[(scaled[2] ?? '').toLowerCase()] ?? 1);
  const digits = text.replace(/[_:\s]/g, '');
  const hex = /^(?:0x)?([0-9a-f]{1,13})h?$/i.exec(digits);
  return hex ? Number.parseInt(hex[1] ?? '', 16) : null;
}
