import type { LayoutId } from '../../mirror/index.ts';

export type PaneId = 'consoles' | 'stage' | 'addresses' | 'inspector' | 'time';
/** Sizes in per cent of what is left; a pane that is absent is not drawn. Consoles have 80 columns from a width of 1440 on. */
export interface LayoutSpec {
  readonly label: string;
  readonly columns: Readonly<Partial<Record<'consoles' | 'centre' | 'events' | 'inspector', number>>>;
  readonly centre: Readonly<Partial<Record<'stage' | 'addresses', number>>>;
  readonly time: number;
}

export const LAYOUTS: Readonly<Record<LayoutId, LayoutSpec>> = {
  overview: {
    label: 'Overview',
    columns: { consoles: 38.6, centre: 37.4, inspector: 24 },
    centre: { stage: 53, addresses: 47 },
    time: 18,
  },
  topology: {
    label: 'Topology',
    columns: { consoles: 40, centre: 60 },
    centre: { stage: 52, addresses: 48 },
    time: 18,
  },
  registers: {
    label: 'Registers',
    columns: { consoles: 40, centre: 23, inspector: 37 },
    centre: { stage: 100 },
    time: 18,
  },
  trace: { label: 'Trace', columns: { consoles: 40, events: 34, inspector: 26 }, centre: {}, time: 30 },
  present: { label: 'Present', columns: { consoles: 46, centre: 54 }, centre: { stage: 48, addresses: 52 }, time: 20 },
};
