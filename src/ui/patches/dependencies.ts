import { MUSEUM } from '../../content/museum.ts';
import { RFC_V1_CREATES, RFC_V1_PATCHES, RFC_V1_SYMBOLS, RFC_V1_USES } from '../../content/series/rfc-v1.ts';

/** What a patch has to do with the others, and the functions it touches, as far as symbols, callers and exhibits tell. */
export interface PatchFacts {
  /** Patches whose exports its code calls: it does not link without them. */
  readonly needs: readonly number[];
  readonly neededBy: readonly number[];
  /** Patch that creates a file it changes: without that one its hunks are nowhere. */
  readonly within: number | null;
  readonly functions: readonly string[];
}

const unique = <T>(list: readonly T[]): readonly T[] => [...new Set(list)];
const ascending = (list: readonly number[]): readonly number[] => [...new Set(list)].sort((a, b) => a - b);

const owner = new Map(RFC_V1_SYMBOLS.map(({ name, patch }) => [name, patch]));
const calls = RFC_V1_USES.flatMap(({ patch, symbols }) =>
  symbols.map((name) => ({ from: patch, to: owner.get(name) ?? null })),
).filter(({ from, to }) => from !== null && to !== null && from !== to);

function factsOf(number: number, files: readonly string[]): PatchFacts {
  const creators = files.map((file) => RFC_V1_CREATES[file]).filter((one) => one !== undefined && one !== number);
  return {
    needs: ascending(calls.flatMap(({ from, to }) => (from === number && to !== null ? [to] : []))),
    neededBy: ascending(calls.flatMap(({ from, to }) => (to === number && from !== null ? [from] : []))),
    within: creators[0] ?? null,
    functions: unique([
      ...RFC_V1_SYMBOLS.filter(({ patch }) => patch === number).map(({ name }) => name),
      ...RFC_V1_USES.filter(({ patch }) => patch === number).map(({ caller }) => caller),
      ...MUSEUM.filter(({ patch }) => patch === number).map((one) => one.function),
    ]).filter((name) => /^[a-z_][a-z0-9_]*$/.test(name)),
  };
}

export const PATCH_FACTS: ReadonlyMap<number, PatchFacts> = new Map(
  RFC_V1_PATCHES.map(({ number, files }) => [number, factsOf(number, files)]),
);

export const two = (number: number): string => String(number).padStart(2, '0');
