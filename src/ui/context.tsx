import { createContext, type ReactNode, useContext, useMemo } from 'react';
import { useStore } from 'zustand';
import type { Mirror, MirrorLog, PageState } from '../mirror/index.ts';
import type { LayoutOf } from '../views/inspector.view.ts';

interface Page {
  readonly mirror: Mirror;
  readonly layoutOf: LayoutOf;
  /** Whose panes these are, where the same panes stand beside them for something else. */
  readonly label?: string;
}
const PageContext = createContext<Page | null>(null);

export function PageProvider({ page, children }: { readonly page: Page; readonly children: ReactNode }) {
  return <PageContext value={page}>{children}</PageContext>;
}

export function usePage(): Page {
  const page = useContext(PageContext);
  if (!page) throw new Error('PageProvider is missing');
  return page;
}

export function useMirror(): Mirror {
  return usePage().mirror;
}

export function usePageState<T>(select: (state: PageState) => T): T {
  return useStore(useMirror().store, select);
}

/** A view of the folded state, computed again only when the state changed. */
export function useFolded<T>(view: (log: MirrorLog) => T, ...inputs: readonly unknown[]): T {
  const mirror = useMirror();
  const version = usePageState((state) => state.version);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the folded state changes exactly with `version`; `inputs` are what the view closes over
  return useMemo(() => view(mirror.log), [mirror, version, ...inputs]);
}
