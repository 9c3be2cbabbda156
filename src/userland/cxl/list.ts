import { decoderPasses, type ListOptions, memdevPasses, passes, portPasses } from './filter.ts';
import { Fields, type Node } from './json.ts';
import { Objects, type Surroundings } from './objects.ts';
import { Relations } from './relations.ts';
import type { Decoder, Memdev, Port, Region, Topology } from './topology.ts';

/**
 * The tree `cxl list` prints (ndctl v81, cxl/filter.c:cxl_filter_walk): every object passes its own filters or not, and nests
 * under the nearest object above it that is shown.
 */

/** Where objects go that belong to the same shown object, or to none (`null` for the two kinds only roots have). */
interface Arrays {
  ports: Node[];
  endpoints: Node[];
  memdevs: Node[];
  portDecoders: Node[];
  endpointDecoders: Node[];
}

export function list(topology: Topology, options: ListOptions, around: Surroundings): readonly Node[] {
  return new Walk(new Relations(topology), options, around).run();
}

/** The memdevs a decoder decodes for, in the order of a listing (what create-region chooses from). */
export function memdevsUnder(topology: Topology, decoder: string, names: string | null): readonly Memdev[] {
  const relations = new Relations(topology);
  const found: Memdev[] = [];
  const visit = (port: Port): void => {
    for (const endpoint of port.endpoints) {
      const memdev = relations.memdev(endpoint.memdev);
      if (!memdev?.enabled || !endpoint.enabled || !memdevPasses(memdev, names, null)) continue;
      if (mappedBy(relations, memdev, decoder)) found.push(memdev);
    }
    for (const child of port.ports) if (child.enabled) visit(child);
  };
  for (const bus of topology.buses) visit(bus);
  return found;
}

/** Does some decoder that passes the filter have the memdev behind one of its targets? */
function mappedBy(relations: Relations, memdev: Memdev, filter: string | null): boolean {
  if (filter === null) return true;
  const any = (port: Port): boolean =>
    port.decoders.some((decoder) => decoderPasses(decoder, filter) && relations.targets(decoder, memdev)) ||
    port.ports.some(any);
  return relations.topology.buses.some(any);
}

class Walk {
  private readonly objects: Objects;
  private readonly buses: Node[] = [];
  private readonly busDecoders: Node[] = [];
  private readonly regions: Node[] = [];

  constructor(
    private readonly relations: Relations,
    private readonly options: ListOptions,
    around: Surroundings,
  ) {
    this.objects = new Objects(relations, options, around);
  }

  run(): readonly Node[] {
    const { options } = this;
    const { topology } = this.relations;
    // memdevs without a driver stand on their own
    const idle = topology.memdevs.filter((memdev) => !memdev.enabled && options.idle && options.memdevs);
    const anonymous = idle.filter((memdev) => this.wanted(memdev)).map((memdev) => this.objects.memdev(memdev));
    const loose: Arrays = { ports: [], endpoints: [], memdevs: [], portDecoders: [], endpointDecoders: [] };
    for (const bus of topology.buses) this.bus(bus, loose);
    const named: [string, readonly Node[]][] = [
      ['anon memdevs', anonymous],
      ['buses', this.buses],
      ['ports', loose.ports],
      ['endpoints', loose.endpoints],
      ['memdevs', loose.memdevs],
      ['root decoders', this.busDecoders],
      ['port decoders', loose.portDecoders],
      ['endpoint decoders', loose.endpointDecoders],
      ['regions', this.regions],
    ];
    const filled = named.filter(([, items]) => items.length > 0);
    if (filled.length <= 1) return filled[0]?.[1] ?? [];
    return filled.map(([name, items]) => new Fields().add(name, items));
  }

  private wanted(memdev: Memdev): boolean {
    return memdevPasses(memdev, this.options.memdev, this.options.serial);
  }

  /** With -m or -s: is one of those memdevs among these? */
  private holds(test: (memdev: Memdev) => boolean): boolean {
    const { memdev, serial } = this.options;
    if (memdev === null && serial === null) return true;
    return this.relations.topology.memdevs.some((one) => this.wanted(one) && test(one));
  }

  /** -p means a port and all below it, with -S the port alone. */
  private byPort(port: Port): boolean {
    const { port: filter, single } = this.options;
    const iters = single ? [port] : this.relations.ancestry(port);
    return iters.some((one) => portPasses(one, filter));
  }

  private byBus(port: Port): boolean {
    const bus = this.relations.ancestry(port).at(-1);
    return bus !== undefined && passes(this.options.bus, bus.name, 'root', bus.provider);
  }

  private bus(bus: Port, loose: Arrays): void {
    const { options } = this;
    if (!this.holds((memdev) => this.relations.hosts(bus, memdev))) return;
    const shown = options.buses && this.byBus(bus) && this.byPort(bus);
    const own = { decoders: [] as Node[], regions: [] as Node[] };
    const inside: Arrays = { ports: [], endpoints: [], memdevs: [], ...both(own.decoders) };
    const into = shown ? this.nest(inside, loose, options.ports) : loose;
    const fields = shown ? this.objects.bus(bus) : null;
    if (fields) this.buses.push(fields);
    const decoders = shown && options.decoders ? own.decoders : this.busDecoders;
    this.decoders(bus, decoders, shown && options.regions ? own.regions : this.regions);
    this.endpoints(bus, into);
    this.ports(bus, into);
    if (fields) this.suffix(fields, bus, { ...inside, ...own });
  }

  /** Arrays of a shown object; kinds that are not listed at all keep going where they went (to nobody). */
  private nest(inside: Arrays, outside: Arrays, ports: boolean): Arrays {
    const { options } = this;
    const decoders = options.decoders;
    return {
      ports: ports ? inside.ports : outside.ports,
      endpoints: options.endpoints ? inside.endpoints : outside.endpoints,
      memdevs: options.memdevs ? inside.memdevs : outside.memdevs,
      portDecoders: decoders ? inside.portDecoders : outside.portDecoders,
      endpointDecoders: decoders ? inside.endpointDecoders : outside.endpointDecoders,
    };
  }

  private suffix(
    fields: Fields,
    port: Port,
    own: Omit<Arrays, 'portDecoders' | 'endpointDecoders'> & {
      readonly decoders: readonly Node[];
      readonly regions?: readonly Node[];
    },
  ): void {
    const parts = port.kind === 'root' ? ['ports', 'endpoints', 'decoders', 'regions', 'memdevs'] : PORT_PARTS;
    const arrays: Readonly<Record<string, readonly Node[] | undefined>> = { ...own };
    for (const key of parts) {
      const items = arrays[key] ?? [];
      if (items.length > 0) fields.add(`${key}:${port.name}`, items);
    }
  }

  private ports(parent: Port, outside: Arrays): void {
    const { options } = this;
    for (const port of parent.ports) {
      if (!this.holds((memdev) => this.relations.hosts(port, memdev))) continue;
      let fields: Fields | null = null;
      if (this.byPort(port) && this.byBus(port)) {
        if (!options.idle && !port.enabled) continue;
        if (options.ports) fields = this.objects.port(port);
      }
      const decoders: Node[] = [];
      const inside: Arrays = { ports: [], endpoints: [], memdevs: [], ...both(decoders) };
      const into = fields ? this.nest(inside, outside, true) : outside;
      if (fields) outside.ports.push(fields);
      this.endpoints(port, into);
      this.decoders(port, into.portDecoders, null);
      this.ports(port, into);
      if (fields) this.suffix(fields, port, { ...inside, decoders });
    }
  }

  private endpoints(port: Port, outside: Arrays): void {
    const { options } = this;
    if (!options.endpoints && !options.memdevs && !options.decoders) return;
    for (const endpoint of port.endpoints) {
      if (!passes(options.endpoint, endpoint.name, 'endpoint', endpoint.host)) continue;
      if (!this.byBus(endpoint)) continue;
      if (!portPasses(endpoint, options.port) && !this.byPort(port)) continue;
      if (!this.holds((memdev) => memdev.name === endpoint.memdev)) continue;
      if (!options.idle && !endpoint.enabled) continue;
      const fields = options.endpoints ? this.objects.endpoint(endpoint) : null;
      if (fields) outside.endpoints.push(fields);
      if (options.memdevs) {
        const memdev = this.relations.memdev(endpoint.memdev);
        if (!memdev || !this.memdevShown(memdev)) continue;
        const object = this.objects.memdev(memdev);
        if (fields) fields.add('memdev', object);
        else outside.memdevs.push(object);
      }
      if (!options.decoders) continue;
      const own: Node[] = [];
      this.decoders(endpoint, fields ? own : outside.endpointDecoders, null);
      if (fields && own.length > 0) fields.add(`decoders:${endpoint.name}`, own);
    }
  }

  private memdevShown(memdev: Memdev): boolean {
    const { options } = this;
    if (!this.wanted(memdev) || !mappedBy(this.relations, memdev, options.decoder)) return false;
    if (!options.idle && !memdev.enabled) return false;
    return this.memdevByPort(memdev);
  }

  /** Below a port (or bus) that passes by itself. */
  private memdevByPort(memdev: Memdev): boolean {
    const { bus, port: filter } = this.options;
    if (bus === null && filter === null) return true;
    const endpoint = this.relations.endpointOf(memdev);
    const above = endpoint ? this.relations.ancestry(endpoint).slice(1) : [];
    return above.some(
      (port) =>
        (port.kind === 'root' && passes(bus, port.name, 'root', port.provider) && bus !== null) ||
        portPasses(port, filter),
    );
  }

  private decoders(port: Port, into: Node[], regions: Node[] | null): void {
    const { options } = this;
    for (const decoder of port.decoders) {
      let fields: Fields | null = null;
      if (options.decoders && this.decoderShown(port, decoder)) {
        if (!options.idle && decoder.size === 0n) continue;
        fields = this.objects.decoder(decoder);
        into.push(fields);
      }
      if (!options.regions || regions === null) continue;
      const own: Node[] = [];
      this.regionsOf(decoder, port, fields ? own : regions);
      if (fields && own.length > 0) fields.add(`regions:${decoder.name}`, own);
    }
  }

  private decoderShown(port: Port, decoder: Decoder): boolean {
    const { options, relations } = this;
    return (
      decoderPasses(decoder, options.decoder) &&
      this.byBus(port) &&
      this.byPort(port) &&
      this.holds((memdev) => relations.targets(decoder, memdev) || port.memdev === memdev.name) &&
      this.byRegion(decoder)
    );
  }

  private byRegion(decoder: Decoder): boolean {
    const filter = this.options.region;
    if (filter === null) return true;
    const names = [...decoder.regions.map(({ name }) => name), ...(decoder.region === null ? [] : [decoder.region])];
    return names.some((name) => passes(filter, name, 'region'));
  }

  private regionsOf(decoder: Decoder, port: Port, into: Node[]): void {
    const { options } = this;
    const shown = (region: Region) => passes(options.region, region.name, 'region') && (options.idle || region.enabled);
    if (!this.byBus(port) || !portPasses(port, options.port) || !decoderPasses(decoder, options.decoder)) return;
    for (const region of decoder.regions) if (shown(region)) into.push(this.objects.region(region, decoder));
  }
}

const PORT_PARTS: readonly string[] = ['ports', 'endpoints', 'decoders', 'memdevs'];
/** A shown object holds decoders of ports and of endpoints below it in one array. */
const both = (decoders: Node[]) => ({ portDecoders: decoders, endpointDecoders: decoders });
