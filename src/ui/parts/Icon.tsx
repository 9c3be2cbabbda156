const PATHS = {
  'previous-command': 'M3 3v10M13 3L6 8l7 5z',
  'step-back': 'M12 3L5 8l7 5z',
  play: 'M4 3l9 5-9 5z',
  pause: 'M5 3v10M11 3v10',
  'step-forward': 'M4 3l7 5-7 5z',
  'next-command': 'M13 3v10M3 3l7 5-7 5z',
} as const;

/** Small signs drawn as paths: fonts disagree about media symbols. */
export function Icon({ name }: { readonly name: keyof typeof PATHS }) {
  return (
    <svg
      width="14"
      height="14"
      viewBox="0 0 16 16"
      aria-hidden="true"
      fill="currentColor"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
