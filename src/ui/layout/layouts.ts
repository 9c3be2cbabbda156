import type { LayoutId } from '../../mirror/index.ts';

export type PaneId = 'consoles' | 'stage' | 'addresses' | 'inspector' | 'time';
/** Sizes in per cent of what is left; a pane that is absent is not drawn. */
export interface LayoutSpec {
  readonly label: string;
  readonly columns: Readonly<Partial<Record<'consoles' | 'centre' | 'events' | 'inspector', number>>>;
  readonly centre: Readonly<Partial<Record<'stage' | 'addresses', number>>>;
  readonly time: number;
}

export const LAYOUTS: Readonly<Record<LayoutId, LayoutSpec>> = {
  overview: {
    label: 'Overview',
    columns: { consoles: 37, centre: 38, inspector: 25 },
    centre: { stage: 54, addresses: 46 },
    time: 18,
  },
  topology: {
    label: 'Topology',
    columns: { consoles: 38, centre: 62 },
    centre: { stage: 52, addresses: 48 },
    time: 18,
  },
  registers: {
    label: 'Registers',
    columns: { consoles: 34, centre: 26, inspector: 40 },
    centre: { stage: 100 },
    time: 18,
  },
  trace: { label: 'Trace', columns: { consoles: 34, events: 38, inspector: 28 }, centre: {}, time: 30 },
  present: { label: 'Present', columns: { consoles: 42, centre: 58 }, centre: { stage: 52, addresses: 48 }, time: 20 },
};
