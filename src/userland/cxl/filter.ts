/** What `cxl list` was asked to show. */
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
  return {
    memdev: null,
    serial: null,
    bus: null,
    port: null,
    endpoint: null,
    decoder: null,
    region: null,
    memdevs: false,
    buses: false,
    ports: false,
    endpoints: false,
    decoders: false,
    regions: false,
    targets: false,
    dax: false,
    idle: false,
    human: false,
    single: false,
    health: false,
    partition: false,
    firmware: false,
    alert: false,
    mediaErrors: false,
    verbose: 0,
  };
}

/** Does an object pass a filter: its name, its bare number, one of several words, or `all`. */
export function passes(filter: string | null, name: string, prefix: string, alias: string | null = null): boolean {
  if (filter === null) return true;
  return filter
    .split(/[\s,]+/)
    .some(
      (word) =>
        word === 'all' || word === name || word === alias || (/^\d+$/.test(word) && `${prefix}${word}` === name),
    );
}

/** The sections a filter or -v implies (cxl/list.c:cmd_list). */
export function imply(options: ListOptions): void {
  const none = () =>
    !options.memdevs && !options.buses && !options.ports && !options.endpoints && !options.decoders && !options.regions;
  if (options.verbose > 0 || !none()) {
    if (options.verbose >= 1) {
      options.buses =
        options.ports =
        options.endpoints =
        options.decoders =
        options.targets =
        options.regions =
        options.memdevs =
          true;
    }
    if (options.verbose >= 2) options.idle = true;
    if (options.verbose >= 3)
      options.health = options.partition = options.firmware = options.alert = options.dax = options.mediaErrors = true;
  }
  if (none()) {
    if (options.memdev !== null || options.serial !== null) options.memdevs = true;
    if (options.bus !== null) options.buses = true;
    if (options.port !== null) options.ports = true;
    if (options.endpoint !== null) options.endpoints = true;
    if (options.decoder !== null) options.decoders = true;
    if (options.region !== null) options.regions = true;
    if (none()) options.memdevs = options.regions = true;
  }
}
