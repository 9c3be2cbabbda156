import { usePageState } from '../context.tsx';

/** Drawings grow for a room; the rest of the page grows with the root font size. */
export function useScale(): number {
  return usePageState((state) => (state.settings.layout === 'present' ? 1.3 : 1));
}
