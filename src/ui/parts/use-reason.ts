import { useCallback } from 'react';
import type { Reason } from '../../views/passthrough.view.ts';
import { useMirror } from '../context.tsx';

/** Shows why a link is broken: the event that says it, the address that gets lost, else the device itself. */
export function useReason(): (reason: Reason) => void {
  const mirror = useMirror();
  return useCallback(
    ({ row, device, address }: Reason) => {
      if (address !== null) mirror.update({ address: { space: 'l2-gpa', address } });
      if (row !== null) mirror.select({ kind: 'event', row });
      else if (device !== null) mirror.select({ kind: 'function', machine: 'l1', id: device });
    },
    [mirror],
  );
}
