import { useEffect, useMemo } from 'react';
import { SideLab } from '../../mirror/index.ts';
import { useMirror, usePageState } from '../context.tsx';

/** A lab beside the session for as long as the component lives, to be given to `SideClient.climb` or `exhibit`. */
export function useSideLab(): SideLab {
  const page = useMirror();
  const settings = usePageState((state) => state.settings);
  const lab = useMemo(() => new SideLab(page.store.getState().settings, (run) => requestAnimationFrame(run)), [page]);
  useEffect(() => lab.mirror.update({ settings }), [lab, settings]);
  useEffect(() => () => lab.release(), [lab]);
  return lab;
}
