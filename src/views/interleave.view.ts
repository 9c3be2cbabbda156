import type { MachineId } from '../log/index.ts';
import { decodeHpa } from '../state/decode.ts';
import { functionsOf, type HdmDecoderNow, hdmOf, publishedAs } from '../state/functions.ts';
import type { StateReader } from '../state/reader.ts';
import type { CxlObjectState } from '../state/schema.ts';
import { coreSets } from './core-tree.view.ts';

/**
 * Interleave sets as the endpoints' committed decoders say now, whoever programmed them; the kernel's region lends its name
 * where one stands at the same address. Positions are found by decoding one address of each granule from the window down.
 */
export interface InterleaveMember {
  readonly position: number;
  /** Id of the function, and which of its decoders. */
  readonly id: string;
  readonly decoder: number;
  /** DPA of the set's first granule in this member. */
  readonly dpa: number;
}

export interface InterleaveSet {
  readonly machine: MachineId;
  /** Which colour and pattern: the order of appearance by address. */
  readonly index: number;
  readonly name: string;
  /** The kernel's region object, if there is one. */
  readonly path: string | null;
  readonly base: number;
  readonly size: number;
  readonly ways: number;
  readonly granularity: number;
  readonly members: readonly InterleaveMember[];
}

export function interleaveSets(reader: StateReader, machine: MachineId): readonly InterleaveSet[] {
  const found = new Map<string, HdmDecoderNow>();
  for (const fn of functionsOf(reader, machine)) {
    if (!fn.backend && !fn.host) continue;
    for (const decoder of hdmOf(reader, fn)?.decoders ?? [])
      if (decoder.committed && decoder.size > 0) found.set(`${decoder.base}+${decoder.size}`, decoder);
  }
  const regions = regionsOf(reader, machine);
  const sets = [...found.values()]
    .toSorted((one, other) => one.base - other.base)
    .map((decoder, index) => {
      const region = regions.find((one) => one.start === decoder.base);
      return {
        machine,
        index,
        name: region?.name ?? 'decoder set',
        path: region?.path ?? null,
        base: decoder.base,
        size: decoder.size,
        ways: decoder.ways,
        granularity: decoder.granularity,
        members: membersOf(reader, machine, decoder),
      };
    });
  return [...sets, ...coreSets(reader, machine, sets)];
}

function membersOf(reader: StateReader, machine: MachineId, decoder: HdmDecoderNow): readonly InterleaveMember[] {
  const members: InterleaveMember[] = [];
  for (let position = 0; position < decoder.ways; position++) {
    const { target } = decodeHpa(reader, machine, decoder.base + position * decoder.granularity);
    if (target) members.push({ position, id: target.fn.id, decoder: target.decoder, dpa: target.dpa });
  }
  return members;
}

function regionsOf(reader: StateReader, machine: MachineId) {
  return reader.objectPaths(`cxl/${machine}/`).flatMap((path) => {
    const object = publishedAs<CxlObjectState>(reader.object(path));
    return object?.kind === 'region' ? [{ path, name: object.name, start: object.start }] : [];
  });
}

/** Which sets a function takes part in, and where. */
export function membership(
  sets: readonly InterleaveSet[],
): ReadonlyMap<string, readonly { readonly set: InterleaveSet; readonly position: number }[]> {
  const map = new Map<string, { readonly set: InterleaveSet; readonly position: number }[]>();
  for (const set of sets)
    for (const { id, position } of set.members) {
      const known = map.get(id);
      if (known) known.push({ set, position });
      else map.set(id, [{ set, position }]);
    }
  return map;
}
