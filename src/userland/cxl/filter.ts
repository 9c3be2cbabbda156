import type { Decoder, Memdev, Port } from './topology.ts';

/** Options of `cxl list` and which objects pass its filters (ndctl v81, cxl/filter.c). */
export interface ListOptions {
  memdev: string | null;
  serial: string | null;
  bus: string | null;
  port: string | null;
  endpoint: string | null;
  decoder: string | null;
  region: string | null;
  memdevs: boolean;
  buses: boolean;
  ports: boolean;
  endpoints: boolean;
  decoders: boolean;
  regions: boolean;
  targets: boolean;
  dax: boolean;
  idle: boolean;
  human: boolean;
  single: boolean;
  health: boolean;
  partition: boolean;
  firmware: boolean;
  alert: boolean;
  mediaErrors: boolean;
  verbose: number;
}

export function noOptions(): ListOptions {
  const filters = { memdev: null, serial: null, bus: null, port: null, endpoint: null, decoder: null, region: null };
  const kinds = { memdevs: false, buses: false, ports: false, endpoints: false, decoders: false, regions: false };
  const detail = { targets: false, dax: false, idle: false, human: false, single: false, verbose: 0 };
  const asked = { health: false, partition: false, firmware: false, alert: false, mediaErrors: false };
  return { ...filters, ...kinds, ...detail, ...asked };
}

/** Words of a filter: parted by spaces, or by commas when there are no spaces. */
export function filterWords(filter: string): readonly string[] {
  return filter.split(filter.includes(' ') ? /[ ]+/ : /,+/).filter((word) => word !== '');
}

/** sscanf of a number, bare or behind the kind's name: what follows the digits does not matter. */
function numbered(word: string, prefix: string, name: string): boolean {
  const id = new RegExp(`^(?:${prefix})?\\s*([+-]?\\d+)`).exec(word)?.[1];
  return id !== undefined && Number(id) === Number(/\d+$/.exec(name)?.[0] ?? Number.NaN);
}

/** Does an object pass a filter: its name, its bare number, one of several words, or `all`. */
export function passes(filter: string | null, name: string, prefix: string, alias: string | null = null): boolean {
  if (filter === null) return true;
  return filterWords(filter).some(
    (word) => word === 'all' || word === name || word === alias || numbered(word, prefix, name),
  );
}

export function memdevPasses(memdev: Memdev, ident: string | null, serial: string | null): boolean {
  if (!passes(ident, memdev.name, 'mem', memdev.host)) return false;
  if (serial === null) return true;
  return filterWords(serial).some((word) => /^(0x[0-9a-f]+|\d+)$/i.test(word) && memdev.serial === BigInt(word));
}

const KINDS: Readonly<Record<string, Port['kind']>> = { root: 'root', switch: 'port', endpoint: 'endpoint' };

export function portPasses(port: Port, filter: string | null): boolean {
  if (filter === null) return true;
  return filterWords(filter).some((word) => KINDS[word] === port.kind) || passes(filter, port.name, 'port', port.host);
}

/** `P.N` or a name; the words root, switch and endpoint mean a kind of decoder. */
export function decoderPasses(decoder: Decoder, filter: string | null): boolean {
  if (filter === null) return true;
  return filterWords(filter).some((word) => {
    if (word === 'all' || word === decoder.name || KINDS[word] === decoder.kind) return true;
    const id = /^(?:decoder)?(\d+)\.(\d+)/.exec(word);
    return id !== null && decoder.name === `decoder${Number(id[1])}.${Number(id[2])}`;
  });
}

/** The sections that filters and -v ask for (cxl/list.c:cmd_list). */
export function imply(options: ListOptions): void {
  const none = () =>
    !options.memdevs && !options.buses && !options.ports && !options.endpoints && !options.decoders && !options.regions;
  if (none()) {
    if (options.memdev !== null || options.serial !== null) options.memdevs = true;
    if (options.bus !== null) options.buses = true;
    if (options.port !== null) options.ports = true;
    if (options.endpoint !== null) options.endpoints = true;
    if (options.decoder !== null) options.decoders = true;
    options.single = true;
    if (options.region !== null) options.regions = true;
  }
  if (none()) options.memdevs = options.regions = true;
  if (options.verbose >= 3)
    options.health = options.partition = options.firmware = options.alert = options.dax = options.mediaErrors = true;
  if (options.verbose >= 2) options.idle = true;
  if (options.verbose >= 1) {
    options.buses = options.ports = options.endpoints = options.decoders = true;
    options.targets = options.regions = true;
  }
  // cxl_filter_has looks for the kind anywhere in a word: `root0` asks for buses too
  const asks = (kind: string) => options.ports && filterWords(options.port ?? '').some((word) => word.includes(kind));
  if (asks('root')) options.buses = true;
  if (asks('endpoint')) options.endpoints = true;
}
