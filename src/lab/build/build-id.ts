/** A build id: 48 bits over what a build is made of, as 12 hex digits (FNV-1a, two lanes). The same ingredients give the same id. */
export function buildId(ingredients: unknown): string {
  const text = JSON.stringify(ingredients);
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (let n = 0; n < text.length; n++) {
    const code = text.charCodeAt(n);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x5bd1e995);
    b ^= b >>> 13;
  }
  const digits = (value: number) => (value >>> 0).toString(16).padStart(8, '0');
  return (digits(a) + digits(b)).slice(0, 12);
}
