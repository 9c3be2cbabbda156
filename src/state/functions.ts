import { fromHalves, shiftRight, TWO32 } from '../base/addr.ts';
import type { Json, MachineId } from '../log/index.ts';
import type { StateReader } from './reader.ts';
import { type PciFunctionState, paths, type RegisterRoute } from './schema.ts';

/**
 * Reads published hardware through its routes: functions, their registers and HDM decoders. The shapes are those of
 * schema.ts; the engine is the only writer, so `publishedAs` is the one place where JSON is taken at its word.
 */
export function publishedAs<T>(value: Json): T | null {
  return value as T | null;
}

export function functionOf(reader: StateReader, machine: MachineId, id: string): PciFunctionState | null {
  return publishedAs<PciFunctionState>(reader.object(paths.pciFunction(machine, id)));
}

export function functionsOf(reader: StateReader, machine: MachineId): readonly PciFunctionState[] {
  return reader
    .objectPaths(`hw/${machine}/pci/`)
    .map((path) => publishedAs<PciFunctionState>(reader.object(path)))
    .filter((one) => one !== null);
}

export interface RoutedDword {
  readonly value: number;
  readonly block: string;
  readonly blockOffset: number;
  readonly answeredBy: RegisterRoute['answeredBy'];
}

/** The route that answers a dword: the narrowest one, as a shadow lies over a device's own block. */
export function routeOf(fn: PciFunctionState, space: string, offset: number): RegisterRoute | null {
  let best: RegisterRoute | null = null;
  for (const route of fn.routes) {
    if (route.space !== space || offset < route.offset || offset + 4 > route.offset + route.size) continue;
    if (!best || route.size < best.size) best = route;
  }
  return best;
}

export function readDword(
  reader: StateReader,
  fn: PciFunctionState,
  space: string,
  offset: number,
): RoutedDword | null {
  const route = routeOf(fn, space, offset);
  if (!route) return null;
  return readThrough(reader, route, offset) ?? readKept(reader, fn, space, offset);
}

function readThrough(reader: StateReader, route: RegisterRoute, offset: number): RoutedDword | null {
  const blockOffset = route.blockOffset + (offset - route.offset);
  const value = reader.register(route.block, blockOffset);
  return value === null ? null : { value, block: route.block, blockOffset, answeredBy: route.answeredBy };
}

/** A VMM names the shadow a kernel should have; where that kernel keeps none (without patch 08), what lies below answers. */
function readKept(reader: StateReader, fn: PciFunctionState, space: string, offset: number): RoutedDword | null {
  const routes = fn.routes.filter((route) => reader.register(route.block, 0) !== null);
  const route = routeOf({ ...fn, routes }, space, offset);
  return route ? readThrough(reader, route, offset) : null;
}

/** One HDM decoder as its registers say now (CXL 3.1 8.2.4.20). */
export interface HdmDecoderNow {
  readonly index: number;
  /** Offset of BASE_LO in the space. */
  readonly offset: number;
  readonly base: number;
  readonly size: number;
  readonly ctrl: number;
  readonly granularity: number;
  readonly ways: number;
  readonly commit: boolean;
  readonly committed: boolean;
  readonly error: boolean;
  readonly lockOnCommit: boolean;
  /** Endpoint: DPA skip; switch and host bridge: target list bytes. */
  readonly skip: number;
  readonly targets: readonly number[];
  readonly answeredBy: RegisterRoute['answeredBy'];
}

export interface HdmNow {
  readonly space: string;
  /** Offset of the HDM capability in the space. */
  readonly offset: number;
  readonly capability: number;
  readonly enabled: boolean;
  readonly decoders: readonly HdmDecoderNow[];
}

const COUNTS = [1, 2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32];
/** Component register blocks are 64 KiB, and begin at multiples of it. */
const BLOCK = 0x10000;
const CACHEMEM = 0x1000;
const HDM_CAP = 5;

export function decodeWays(encoded: number): number {
  return encoded < 8 ? 2 ** encoded : 3 * 2 ** (encoded - 8);
}

/** Where CXL.cachemem registers can be: 4 KiB into a 64 KiB block of a BAR that something answers. */
function componentBlocks(fn: PciFunctionState): readonly { readonly space: string; readonly start: number }[] {
  const places = new Map<string, { space: string; start: number }>();
  for (const { space, offset } of fn.routes) {
    if (space === 'config') continue;
    const start = offset - (offset % BLOCK) + CACHEMEM;
    places.set(`${space} ${start}`, { space, start });
  }
  return [...places.values()];
}

/** The HDM decoder capability of a function, found as software finds it: through the capability array. */
export function hdmOf(reader: StateReader, fn: PciFunctionState): HdmNow | null {
  for (const { space, start } of componentBlocks(fn)) {
    const header = readDword(reader, fn, space, start)?.value;
    if (header === undefined || header % 0x10000 !== 1) continue;
    const entries = shiftRight(header, 24);
    for (let n = 1; n <= entries; n++) {
      const entry = readDword(reader, fn, space, start + 4 * n)?.value ?? 0;
      if (entry % 0x10000 === HDM_CAP) return readHdm(reader, fn, space, start + shiftRight(entry, 20));
    }
  }
  return null;
}

function readHdm(reader: StateReader, fn: PciFunctionState, space: string, offset: number): HdmNow | null {
  const capability = readDword(reader, fn, space, offset)?.value;
  if (capability === undefined) return null;
  const count = COUNTS[capability % 16] ?? 1;
  const decoders: HdmDecoderNow[] = [];
  for (let index = 0; index < count; index++) {
    const at = offset + 0x10 + 0x20 * index;
    const first = readDword(reader, fn, space, at);
    if (!first) break;
    const word = (n: number): number => readDword(reader, fn, space, at + n)?.value ?? 0;
    const ctrl = word(0x10);
    const targetsLo = word(0x14);
    const targetsHi = word(0x18);
    const bit = (n: number): boolean => shiftRight(ctrl, n) % 2 === 1;
    decoders.push({
      index,
      offset: at,
      base: fromHalves(word(4) % 0x100000, first.value - (first.value % 0x10000000)),
      size: fromHalves(word(0xc) % 0x100000, word(8) - (word(8) % 0x10000000)),
      ctrl,
      granularity: 256 * 2 ** (ctrl % 16),
      ways: decodeWays(shiftRight(ctrl, 4) % 16),
      lockOnCommit: bit(8),
      commit: bit(9),
      committed: bit(10),
      error: bit(11),
      skip: (targetsHi % 0x100000) * TWO32 + (targetsLo - (targetsLo % 0x10000000)),
      targets: [targetsLo, targetsHi].flatMap((v) => [0, 8, 16, 24].map((shift) => shiftRight(v, shift) % 256)),
      answeredBy: readDword(reader, fn, space, at + 0x10)?.answeredBy ?? first.answeredBy,
    });
  }
  const global = readDword(reader, fn, space, offset + 4)?.value ?? 0;
  return { space, offset, capability, enabled: shiftRight(global, 1) % 2 === 1, decoders };
}

/** Port number of a port: Link Capabilities 31:24 of its PCI Express capability. */
export function portNumber(reader: StateReader, fn: PciFunctionState): number | null {
  let at = (readDword(reader, fn, 'config', 0x34)?.value ?? 0) % 256;
  for (let guard = 0; at >= 0x40 && guard < 48; guard++) {
    const header = readDword(reader, fn, 'config', at - (at % 4))?.value ?? 0;
    if (header % 256 === 0x10) {
      const link = readDword(reader, fn, 'config', at + 0xc)?.value;
      return link === undefined ? null : shiftRight(link, 24);
    }
    at = shiftRight(header, 8) % 256;
  }
  return null;
}
