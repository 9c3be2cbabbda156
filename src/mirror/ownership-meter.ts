import { createStore, type StoreApi } from 'zustand/vanilla';
import type { LabClient } from './lab-client.ts';
import { type OwnershipRow, SideClient, type Wanted } from './side-client.ts';

/** What was found out about one device in one configuration of the session. */
export interface Measured {
  /** Event the copies were played up to; null: they are of the walkthrough, not of this session. */
  readonly at: number | null;
  readonly rows: ReadonlyMap<string, OwnershipRow>;
  /** Registers there are; 0 until that is known. */
  readonly of: number;
  readonly state: 'running' | 'done' | 'stopped';
  /** Why it stopped, in a sentence. */
  readonly message: string | null;
}

export const registerKey = (space: string, offset: number): string => `${space}+${offset}`;

const SHOW_MS = 150;

/**
 * Ownership of registers, found out in a worker on copies of a session and kept by the configuration it holds for. One
 * measurement at a time; its worker ends with it.
 */
export class OwnershipMeter {
  readonly store: StoreApi<{ readonly measured: ReadonlyMap<string, Measured> }> = createStore(() => ({
    measured: new Map<string, Measured>(),
  }));
  private side: SideClient | null = null;
  private run = 0;

  constructor(private readonly client: Pick<LabClient, 'record'>) {}

  /** Can this session be copied? */
  get able(): boolean {
    return this.client.record !== undefined;
  }

  /** @param at event of the session; null measures the walkthrough instead */
  async measure(key: string, at: number | null, wanted: Omit<Wanted, 'counted'>): Promise<void> {
    const mine = ++this.run;
    this.side?.stop();
    this.setAll((one) => (one.state === 'running' ? { ...one, state: 'stopped' } : one));
    const rows = new Map(this.store.getState().measured.get(key)?.rows ?? []);
    let of = 0;
    let shownAt = 0;
    const show = (state: Measured['state'], message: string | null = null): void => {
      if (mine === this.run) this.set(key, { at, rows: new Map(rows), of, state, message });
    };
    const side = new SideClient((message) => show('stopped', message));
    this.side = side;
    show('running');
    try {
      const record = at === null ? null : await this.client.record?.(at);
      if (record === undefined) throw new Error('The inputs of this lab are not known.');
      const all = await side.ownership(record && { record, row: at ?? 0 }, wanted, (row, count) => {
        rows.set(registerKey(row.space, row.offset), row);
        of = count;
        const now = performance.now();
        if (now - shownAt < SHOW_MS && rows.size > 1) return;
        shownAt = now;
        show('running');
      });
      for (const row of all ?? []) rows.set(registerKey(row.space, row.offset), row);
      show(all ? 'done' : 'stopped');
    } catch (error) {
      show('stopped', error instanceof Error ? error.message : String(error));
    } finally {
      side.stop();
    }
  }

  private set(key: string, measured: Measured): void {
    this.store.setState(({ measured: all }) => ({ measured: new Map(all).set(key, measured) }));
  }
  private setAll(change: (one: Measured) => Measured): void {
    this.store.setState(({ measured: all }) => ({
      measured: new Map([...all].map(([key, one]) => [key, change(one)] as const)),
    }));
  }
}
