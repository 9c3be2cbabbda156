/** Who owns each register of a device in a running session: measured on copies that live through the same inputs. */
import type { SessionRecord } from '../../protocol/client.ts';
import type { Lab, LabOptions } from '../lab.ts';
import type { MakeLab } from './ownership.ts';

export interface SessionMoment {
  /** The session's inputs up to the moment. */
  readonly record: SessionRecord;
  /** Length of the session's log at the moment. */
  readonly row: number;
}

/** Makes copies of the session as it stood at a moment, for `ownership`. */
export function copiesOf(
  { record, row }: SessionMoment,
  start: (options: Omit<LabOptions, 'host'>) => Promise<Lab>,
): MakeLab {
  const { seed, inputs } = record;
  return () => start({ seed, inputs, untilRow: row });
}
