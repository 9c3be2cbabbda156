import { RFC_V1_PATCHES, RFC_V1_SYMBOLS, RFC_V1_USES } from '../../content/series/rfc-v1.ts';

/** For each patch, the patches whose code calls what it exports: leaving it out without them does not link. */
export const NEEDED_BY: ReadonlyMap<number, readonly number[]> = new Map(
  RFC_V1_PATCHES.map(({ number }) => {
    const exported = new Set(RFC_V1_SYMBOLS.filter(({ patch }) => patch === number).map(({ name }) => name));
    const callers = RFC_V1_USES.filter(
      ({ patch, symbols }) => patch !== number && symbols.some((name) => exported.has(name)),
    );
    return [number, [...new Set(callers.map(({ patch }) => patch ?? 0))].sort((a, b) => a - b)];
  }),
);
