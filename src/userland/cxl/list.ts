import type { DaxReader } from './dax.ts';
import { type ListOptions, passes } from './filter.ts';
import { Fields, hexNumber, type Node, size } from './json.ts';
import type { Decoder, Dport, Memdev, Port, Region, Topology } from './topology.ts';

/** What was asked of memdevs' mailboxes beforehand, by memdev. */
export type MailboxData = ReadonlyMap<string, { readonly partition?: Fields; readonly firmware?: Fields }>;

/** Groups of a listing in the order cxl prints them. */
interface Groups {
  anonMemdevs: Node[];
  buses: Node[];
  ports: Node[];
  endpoints: Node[];
  memdevs: Node[];
  rootDecoders: Node[];
  portDecoders: Node[];
  endpointDecoders: Node[];
  regions: Node[];
}

/** Where children that the enclosing shown object holds go (`ports:root0` …). */
type Holder = Pick<Groups, 'ports' | 'endpoints' | 'memdevs' | 'regions'> & { decoders: Node[] };

/** The tree `cxl list` prints: objects nest under the nearest ancestor that is shown (cxl/filter.c:cxl_filter_walk). */
export function list(
  topology: Topology,
  options: ListOptions,
  dax: DaxReader,
  errors: string[] = [],
  mailbox: MailboxData = new Map(),
): Node {
  return new Lister(topology, options, dax, errors, mailbox).run();
}

class Lister {
  private readonly groups: Groups = {
    anonMemdevs: [],
    buses: [],
    ports: [],
    endpoints: [],
    memdevs: [],
    rootDecoders: [],
    portDecoders: [],
    endpointDecoders: [],
    regions: [],
  };
  private readonly attached = new Set<string>();

  constructor(
    private readonly topology: Topology,
    private readonly options: ListOptions,
    private readonly dax: DaxReader,
    private readonly errors: string[],
    private readonly mailbox: MailboxData,
  ) {}

  run(): Node {
    const { options, topology, groups } = this;
    for (const bus of topology.buses) this.markAttached(bus);
    for (const memdev of topology.memdevs)
      if (
        !this.attached.has(memdev.name) &&
        options.memdevs &&
        (memdev.enabled || options.idle) &&
        this.memdevPasses(memdev) &&
        this.unplaced()
      )
        groups.anonMemdevs.push(this.memdev(memdev));
    for (const bus of topology.buses)
      if (passes(options.bus, bus.name, 'root', bus.provider)) this.walk(bus, null, null);
    const named: [string, Node[]][] = [
      ['anon memdevs', groups.anonMemdevs],
      ['buses', groups.buses],
      ['ports', groups.ports],
      ['endpoints', groups.endpoints],
      ['memdevs', groups.memdevs],
      ['root decoders', groups.rootDecoders],
      ['port decoders', groups.portDecoders],
      ['endpoint decoders', groups.endpointDecoders],
      ['regions', groups.regions],
    ];
    const filled = named.filter(([, items]) => items.length > 0);
    const first = filled[0];
    if (!first) return [];
    if (filled.length > 1) return filled.map(([name, items]) => new Fields().add(name, items));
    return first[1];
  }

  /** Memdevs without a port are listed only when nothing ties the listing to the topology. */
  private unplaced(): boolean {
    const { options } = this;
    return (
      options.bus === null &&
      options.port === null &&
      options.endpoint === null &&
      options.decoder === null &&
      options.region === null
    );
  }

  private markAttached(port: Port): void {
    for (const endpoint of port.endpoints) if (endpoint.memdev !== null) this.attached.add(endpoint.memdev);
    for (const child of port.ports) this.markAttached(child);
  }

  private memdevPasses(memdev: Memdev): boolean {
    if (!passes(this.options.memdev, memdev.name, 'mem', memdev.host)) return false;
    const { serial } = this.options;
    if (serial === null) return true;
    return serial.split(/[\s,]+/).some((word) => /^(0x[0-9a-fA-F]+|\d+)$/.test(word) && memdev.serial === BigInt(word));
  }

  /** Does the subtree of a port hold a memdev that passes -m/-s? */
  private leadsToMemdev(port: Port): boolean {
    if (this.options.memdev === null && this.options.serial === null) return true;
    return this.memdevsBelow(port).some((memdev) => this.memdevPasses(memdev));
  }

  private memdevsBelow(port: Port): readonly Memdev[] {
    const own = port.endpoints.flatMap((endpoint) =>
      this.topology.memdevs.filter((memdev) => memdev.name === endpoint.memdev),
    );
    return [...own, ...port.ports.flatMap((child) => this.memdevsBelow(child))];
  }

  private regionPasses(name: string | null): boolean {
    return this.options.region === null || (name !== null && passes(this.options.region, name, 'region'));
  }

  /** One root or switch port; `holder` collects what nests under the nearest shown ancestor. */
  private walk(port: Port, holder: Holder | null, insidePort: Port | null): void {
    const { options } = this;
    if (!this.leadsToMemdev(port)) return;
    const isRoot = port.kind === 'root';
    const here =
      insidePort !== null ||
      options.port === null ||
      passes(options.port, port.name, isRoot ? 'root' : 'port', port.host);
    const inside = insidePort ?? (here && options.port !== null ? port : null);
    const counts = options.port === null || inside !== null;
    const shown = (port.enabled || options.idle) && (isRoot ? options.buses : options.ports && counts);
    const own: Holder = { ports: [], endpoints: [], memdevs: [], regions: [], decoders: [] };
    const target = shown ? own : holder;

    if (options.decoders && (counts || options.port === null)) this.decoders(port, shown ? own.decoders : null);
    else if (options.regions && isRoot) this.regionsOf(port, target);

    for (const child of port.ports) this.walk(child, target, inside);
    for (const endpoint of port.endpoints) if (counts) this.endpoint(endpoint, target);

    if (!shown) return;
    const fields = isRoot ? this.bus(port) : this.port(port);
    for (const key of ['ports', 'endpoints', 'decoders', 'memdevs', 'regions'] as const)
      if (own[key].length > 0) fields.add(`${key}:${port.name}`, own[key]);
    if (isRoot) this.groups.buses.push(fields);
    else (holder?.ports ?? this.groups.ports).push(fields);
  }

  private regionsOf(root: Port, target: Holder | null): void {
    for (const decoder of root.decoders)
      for (const region of decoder.regions)
        if (this.regionShown(region)) (target?.regions ?? this.groups.regions).push(this.region(region, decoder));
  }

  private regionShown(region: Region): boolean {
    return (region.enabled || this.options.idle) && this.regionPasses(region.name) && this.regionTouchesMemdev(region);
  }

  private regionTouchesMemdev(region: Region): boolean {
    if (this.options.memdev === null && this.options.serial === null) return true;
    return region.targets.some(({ decoder }) => {
      const memdev = this.memdevOfDecoder(decoder);
      return memdev !== undefined && this.memdevPasses(memdev);
    });
  }

  private decoders(port: Port, nested: Node[] | null): void {
    const { options } = this;
    for (const decoder of port.decoders) {
      if (!decoderPasses(options.decoder, decoder)) continue;
      if (decoder.size === 0n && !options.idle) continue;
      if (options.region !== null && port.kind !== 'root' && !this.regionPasses(decoder.region)) continue;
      if (
        options.region !== null &&
        port.kind === 'root' &&
        !decoder.regions.some((region) => this.regionPasses(region.name))
      )
        continue;
      const fields = this.decoder(decoder);
      if (options.regions && decoder.kind === 'root') {
        const regions = decoder.regions
          .filter((region) => this.regionShown(region))
          .map((region) => this.region(region, decoder));
        if (regions.length > 0) fields.add(`regions:${decoder.name}`, regions);
      }
      if (nested) nested.push(fields);
      else this.looseDecoder(decoder, fields);
    }
  }

  private looseDecoder(decoder: Decoder, fields: Fields): void {
    const { groups } = this;
    if (decoder.kind === 'root') groups.rootDecoders.push(fields);
    else if (decoder.kind === 'port') groups.portDecoders.push(fields);
    else groups.endpointDecoders.push(fields);
  }

  private endpoint(endpoint: Port, holder: Holder | null): void {
    const { options, groups } = this;
    const memdev = this.topology.memdevs.find((candidate) => candidate.name === endpoint.memdev);
    if (memdev && !this.memdevPasses(memdev)) return;
    if (!passes(options.endpoint, endpoint.name, 'endpoint', endpoint.host)) return;
    const shown = options.endpoints && (endpoint.enabled || options.idle);
    const fields = this.endpointFields(endpoint);
    const own: Holder = { ports: [], endpoints: [], memdevs: [], regions: [], decoders: [] };
    if (options.memdevs && memdev && (memdev.enabled || options.idle)) {
      if (shown) fields.add('memdev', this.memdev(memdev));
      else (holder?.memdevs ?? groups.memdevs).push(this.memdev(memdev));
    }
    if (options.decoders) this.decoders(endpoint, shown ? own.decoders : null);
    if (!shown) return;
    if (own.decoders.length > 0) fields.add(`decoders:${endpoint.name}`, own.decoders);
    (holder?.endpoints ?? groups.endpoints).push(fields);
  }

  private memdevOfDecoder(name: string): Memdev | undefined {
    const find = (port: Port): Port | undefined =>
      port.endpoints.find((endpoint) => endpoint.decoders.some((decoder) => decoder.name === name)) ??
      port.ports.map(find).find((found) => found !== undefined);
    const endpoint = this.topology.buses.map(find).find((found) => found !== undefined);
    return this.topology.memdevs.find((memdev) => memdev.name === endpoint?.memdev);
  }

  // --- objects ---------------------------------------------------------------------------------------------------

  private dports(port: Port, fields: Fields): void {
    if (!this.options.targets) return;
    fields.add('nr_dports', port.dports.length);
    if (port.dports.length > 0)
      fields.add(
        'dports',
        port.dports.map((dport) => this.dport(dport, 'dport')),
      );
  }

  private dport(dport: Dport, key: string, position?: number): Fields {
    return new Fields()
      .add(key, dport.name)
      .add('alias', dport.alias ?? undefined)
      .add('position', position)
      .add('id', hexNumber(BigInt(dport.id), this.options.human));
  }

  private bus(port: Port): Fields {
    const fields = new Fields().add('bus', port.name).add('provider', port.provider ?? undefined);
    this.dports(port, fields);
    return fields;
  }

  private port(port: Port): Fields {
    const fields = new Fields().add('port', port.name).add('host', port.host);
    if (port.depth > 1) fields.add('parent_dport', port.parentDport ?? undefined);
    fields.add('depth', port.depth);
    if (port.decodersCommitted !== null) fields.add('decoders_committed', port.decodersCommitted);
    if (!port.enabled) fields.add('state', 'disabled');
    this.dports(port, fields);
    return fields;
  }

  private endpointFields(endpoint: Port): Fields {
    const fields = new Fields()
      .add('endpoint', endpoint.name)
      .add('host', endpoint.host)
      .add('parent_dport', endpoint.parentDport ?? undefined)
      .add('depth', endpoint.depth);
    if (endpoint.decodersCommitted !== null) fields.add('decoders_committed', endpoint.decodersCommitted);
    if (!endpoint.enabled) fields.add('state', 'disabled');
    return fields;
  }

  private memdev(memdev: Memdev): Fields {
    const { human } = this.options;
    const fields = new Fields().add('memdev', memdev.name);
    if (memdev.pmemSize > 0n) fields.add('pmem_size', size(memdev.pmemSize, human));
    if (memdev.pmemSize > 0n && memdev.pmemQos !== null) fields.add('pmem_qos_class', memdev.pmemQos);
    if (memdev.ramSize > 0n) fields.add('ram_size', size(memdev.ramSize, human));
    if (memdev.ramSize > 0n && memdev.ramQos !== null) fields.add('ram_qos_class', memdev.ramQos);
    if (memdev.serial !== null) fields.add('serial', hexNumber(memdev.serial, human));
    if (memdev.numaNode >= 0) fields.add('numa_node', memdev.numaNode);
    fields.add('host', memdev.host);
    if (memdev.firmware !== null) fields.add('firmware_version', memdev.firmware);
    if (!memdev.enabled) fields.add('state', 'disabled');
    const asked = this.mailbox.get(memdev.name);
    if (this.options.partition) fields.add('partition_info', asked?.partition);
    if (this.options.firmware) fields.add('firmware', asked?.firmware);
    return fields;
  }

  private decoder(decoder: Decoder): Fields {
    const { human } = this.options;
    const fields = new Fields().add('decoder', decoder.name);
    if (decoder.size > 0n || decoder.start > 0n) fields.add('resource', hexNumber(decoder.start, human));
    if (decoder.size > 0n) fields.add('size', size(decoder.size, human));
    if (decoder.ways > 0) {
      fields.add('interleave_ways', decoder.ways);
      if (decoder.ways > 1) fields.add('interleave_granularity', decoder.granularity);
    }
    if (decoder.region !== null) fields.add('region', decoder.region);
    if (decoder.size === 0n) fields.add('state', 'disabled');
    if (decoder.kind === 'endpoint') {
      if (decoder.dpaResource !== null && decoder.dpaSize !== null && decoder.dpaSize > 0n)
        fields.add('dpa_resource', hexNumber(decoder.dpaResource, human));
      if (decoder.dpaSize !== null && decoder.dpaSize > 0n) fields.add('dpa_size', size(decoder.dpaSize, human));
      if (decoder.mode !== null && decoder.mode !== 'none') fields.add('mode', decoder.mode);
    }
    if (decoder.kind === 'root') {
      if (decoder.size > 0n) fields.add('max_available_extent', size(largestHole(decoder), human));
      if (decoder.capabilities.pmem) fields.add('pmem_capable', true);
      if (decoder.capabilities.ram) fields.add('volatile_capable', true);
      if (decoder.capabilities.type2) fields.add('accelmem_capable', true);
      if (decoder.qosClass !== null) fields.add('qos_class', decoder.qosClass);
    }
    if (decoder.kind !== 'endpoint') {
      fields.add('nr_targets', decoder.targets.length);
      if (this.options.targets && decoder.targets.length > 0)
        fields.add(
          'targets',
          decoder.targets.map(({ dport, position }) => this.dport(dport, 'target', position)),
        );
    }
    return fields;
  }

  private region(region: Region, root: Decoder): Fields {
    const { human } = this.options;
    const fields = new Fields()
      .add('region', region.name)
      .add('resource', hexNumber(region.resource, human))
      .add('size', size(region.size, human));
    if (region.mode !== 'none') fields.add('type', region.mode);
    if (region.ways > 0) fields.add('interleave_ways', region.ways).add('interleave_granularity', region.granularity);
    fields.add('decode_state', region.committed ? 'commit' : 'reset');
    if (!region.enabled) fields.add('state', 'disabled');
    if (this.options.targets) {
      for (const position of region.lost)
        this.errors.push(`libcxl: cxl_mappings_init: ${region.name} target${position}:  lookup failure`);
      fields.add(
        'mappings',
        region.targets.map(({ position, decoder }) =>
          new Fields()
            .add('position', position)
            .add('memdev', this.memdevOfDecoder(decoder)?.name)
            .add('decoder', decoder),
        ),
      );
    }
    if (this.options.dax) fields.add('daxregion', this.dax(region.path, human));
    const mismatch = region.targets.some(({ decoder }) => {
      const memdev = this.memdevOfDecoder(decoder);
      const qos = region.mode === 'pmem' ? memdev?.pmemQos : memdev?.ramQos;
      return root.qosClass !== null && qos !== root.qosClass;
    });
    if (mismatch) fields.add('qos_class_mismatch', true);
    return fields;
  }
}

/** Largest run of a root decoder's range that no region holds (libcxl: max available extent). */
export function largestHole(decoder: Decoder): bigint {
  let at = decoder.start;
  let largest = 0n;
  for (const region of [...decoder.regions]
    .filter((candidate) => candidate.size > 0n && candidate.committed)
    .sort((a, b) => (a.resource < b.resource ? -1 : 1))) {
    if (region.resource - at > largest) largest = region.resource - at;
    at = region.resource + region.size;
  }
  const rest = decoder.start + decoder.size - at;
  return rest > largest ? rest : largest;
}

/** -d takes names, and the words root, switch and endpoint for a kind of decoder. */
function decoderPasses(filter: string | null, decoder: Decoder): boolean {
  if (filter === null) return true;
  const kind = decoder.kind === 'port' ? 'switch' : decoder.kind;
  return filter.split(/[\s,]+/).includes(kind) || passes(filter, decoder.name, 'decoder');
}
