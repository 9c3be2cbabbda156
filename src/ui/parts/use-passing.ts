import { type Passing, passingAt, passingNews } from '../../views/passthrough.view.ts';
import { useFolded, useMirror, usePageState } from '../context.tsx';

/** Where passing devices on to L2 stands at the cursor. A function that fails changes no cell: it is asked for by itself. */
export function usePassing(): Passing {
  const mirror = useMirror();
  const news = usePageState(() => passingNews(mirror.log));
  return useFolded(passingAt, news);
}
