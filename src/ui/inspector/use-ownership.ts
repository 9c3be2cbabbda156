import { useEffect, useMemo } from 'react';
import { useStore } from 'zustand';
import type { MachineId } from '../../log/index.ts';
import type { Mirror } from '../../mirror/index.ts';
import { type Measured, OwnershipMeter, registerKey } from '../../mirror/ownership-meter.ts';
import type { Inspector } from '../../views/inspector.view.ts';
import { type OwnershipSubject, ownershipSubject } from '../../views/ownership.view.ts';
import { useFolded, useMirror, usePageState } from '../context.tsx';

const meters = new WeakMap<Mirror, OwnershipMeter>();
const SETTLE_MS = 500;

/** The one meter of a mirror: what it found out stays while the page is open. */
export function meterOf(mirror: Mirror): OwnershipMeter {
  const known = meters.get(mirror);
  if (known) return known;
  const meter = new OwnershipMeter(mirror.client);
  meters.set(mirror, meter);
  return meter;
}

export interface Ownership {
  readonly subject: OwnershipSubject;
  readonly measured: Measured | null;
  /** Asks for all registers, this one first. */
  measure(first?: { readonly space: string; readonly offset: number }): void;
}

/** What is known about who owns the registers of a function's device; null where nothing can be. */
export function useOwnership(machine: MachineId, id: string): Ownership | null {
  const mirror = useMirror();
  const meter = meterOf(mirror);
  const epoch = usePageState((state) => state.epoch);
  const subject = useFolded((log) => ownershipSubject(log, epoch, machine, id), epoch, machine, id);
  const measured = useStore(meter.store, (state) => (subject ? (state.measured.get(subject.key) ?? null) : null));
  return useMemo(() => {
    if (!subject || !meter.able) return null;
    return {
      subject,
      measured,
      measure: (first) => {
        const { cursor } = mirror.store.getState();
        void meter.measure(subject.key, cursor, {
          subject: { machine: 'l1', id: subject.id },
          ...(first ? { first } : {}),
        });
      },
    };
  }, [mirror, meter, subject, measured]);
}

/** Once a passed-through device of the present has not been measured in its configuration, and the page is at rest: does so. */
export function useMeasured(
  ownership: Ownership | null,
  first: { readonly space: string; readonly offset: number },
): void {
  const quiet = usePageState((state) => state.live && !state.booting && !state.playing);
  const wanted = quiet && ownership?.subject.passed === true && ownership.measured === null;
  const measure = ownership?.measure;
  const { space, offset } = first;
  useEffect(() => {
    if (!wanted || !measure) return;
    const timer = setTimeout(() => measure({ space, offset }), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [wanted, measure, space, offset]);
}

/** Does the page show other values than those that were measured? */
export function isStale(view: Inspector, measured: Measured): boolean {
  return view.blocks.some((block) =>
    block.rows.some((row) => {
      const before = measured.rows.get(registerKey(row.space, row.offset))?.before;
      if (!before) return false;
      const { device, l2 } = row.cells;
      return device.value !== before.device || (l2.value !== null && before.l2 !== null && l2.value !== before.l2);
    }),
  );
}
