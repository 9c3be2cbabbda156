import { usePageState } from '../context.tsx';

const TALL = 1000;

/** Drawings grow for a room; the rest of the page grows with the root font size. */
export function useScale(): number {
  return usePageState((state) => (state.settings.layout === 'present' ? (innerHeight < TALL ? 1.15 : 1.3) : 1));
}
