/** Who owns each register of a device in a running session: measured on copies that live through the same inputs. */
import type { SessionRecord } from '../../protocol/client.ts';
import { Lab, type LabHost } from '../lab.ts';
import { type OwnershipRow, ownership, type Wanted } from './ownership.ts';

export interface SessionMoment {
  /** The session's inputs up to the moment. */
  readonly record: SessionRecord;
  /** Length of the session's log at the moment. */
  readonly row: number;
}

/** As `ownership`, of the session as it stood at a moment. */
export function ownershipOfSession(
  { record, row }: SessionMoment,
  wanted: Wanted,
  host: LabHost,
): AsyncGenerator<OwnershipRow> {
  const { seed, inputs } = record;
  return ownership(() => Lab.start({ seed, inputs, host, untilRow: row }), wanted);
}
