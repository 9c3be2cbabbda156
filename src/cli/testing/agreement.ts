/** Every key that occurs in a JSON value. */
function keysOf(value: unknown, into = new Set<string>()): ReadonlySet<string> {
  if (typeof value !== 'object' || value === null) return into;
  for (const [key, one] of Object.entries(value)) {
    into.add(key);
    keysOf(one, into);
  }
  return into;
}

/** Without the keys that `kept` lacks, and in an order that does not depend on the order directories were read in. */
function canonical(value: unknown, kept: ReadonlySet<string>): unknown {
  if (Array.isArray(value))
    return value.map((one) => canonical(one, kept)).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => kept.has(key))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, canonical(one, kept)]),
  );
}

/**
 * Two tools' JSON, to be compared: an older tool knows fewer keys, and none of those that need a device to talk to; what it
 * says must be what ours says.
 */
export function comparable(real: string, ours: string): readonly [real: unknown, ours: unknown] {
  const theirs: unknown = JSON.parse(real);
  const keys = keysOf(theirs);
  return [canonical(theirs, keys), canonical(JSON.parse(ours), keys)];
}
