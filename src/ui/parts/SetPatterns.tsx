/** Interleave sets are told apart by colour and by pattern, never by hue alone. */
const SET_COUNT = 8;
const MARKS: readonly string[] = [
  '',
  'M-1 5 L5 -1 M1 7 L7 1',
  'M1.5 1.5h.01 M4.5 4.5h.01',
  'M-1 1 L5 7 M1 -1 L7 5',
  'M0 3h6',
  'M3 0v6',
  'M0 0L6 6M6 0L0 6',
  'M0 3h6M3 0v6',
];

export const setFill = (index: number): string => `url(#set-${index % SET_COUNT})`;
export const setColour = (index: number): string => `var(--set-${index % SET_COUNT})`;

/** The patterns, once in the page. */
export function SetPatterns() {
  return (
    <svg width="0" height="0" aria-hidden="true" focusable="false" style={{ position: 'absolute' }}>
      <defs>
        {MARKS.map((path, n) => (
          <pattern key={path} id={`set-${n}`} width="6" height="6" patternUnits="userSpaceOnUse">
            <rect width="6" height="6" style={{ fill: `var(--set-${n})` }} />
            <path
              d={path}
              style={{ stroke: 'var(--panel)', strokeWidth: path.includes('h.01') ? 2.4 : 1.5, strokeLinecap: 'round' }}
            />
          </pattern>
        ))}
      </defs>
    </svg>
  );
}

/** A small sample of a set's colour and pattern. */
export function SetSwatch({ index }: { readonly index: number }) {
  return (
    <svg width="12" height="12" aria-hidden="true">
      <rect width="12" height="12" rx="2" style={{ fill: setFill(index) }} />
    </svg>
  );
}
