import type { DaxReader } from './dax.ts';
import { type ListOptions, memdevPasses } from './filter.ts';
import { Fields, hexNumber, size } from './json.ts';
import type { PoisonEvent } from './poison.ts';
import type { Relations } from './relations.ts';
import type { Decoder, Dport, Memdev, Port, Region } from './topology.ts';

/** What was asked of memdevs' mailboxes beforehand, by memdev. */
export type MailboxData = ReadonlyMap<
  string,
  { readonly partition?: Fields; readonly firmware?: Fields; readonly health?: Fields }
>;

/** What a listing needs besides the scan, and what it leaves behind. */
export interface Surroundings {
  readonly dax: DaxReader;
  readonly mailbox: MailboxData;
  /** Lines for stderr, in order. */
  readonly errors: string[];
  /** A memdev's poison records (-L), or null when it cannot be asked. */
  readonly poison: (memdev: string) => readonly PoisonEvent[] | null;
}

/** CXL objects as `cxl list` prints them (ndctl v81, cxl/json.c). */
export class Objects {
  private readonly missed = new Set<string>();

  constructor(
    private readonly relations: Relations,
    private readonly options: ListOptions,
    private readonly around: Surroundings,
  ) {}

  bus(port: Port): Fields {
    return this.dports(port, new Fields().add('bus', port.name).add('provider', port.provider ?? undefined));
  }

  port(port: Port): Fields {
    return this.dports(port, this.portFields(port, 'port'));
  }

  endpoint(port: Port): Fields {
    return this.portFields(port, 'endpoint');
  }

  private portFields(port: Port, key: string): Fields {
    const fields = new Fields().add(key, port.name).add('host', port.host);
    if (port.depth > 1) fields.add('parent_dport', port.parentDport ?? undefined);
    fields.add('depth', port.depth);
    if (!port.enabled) fields.add('state', 'disabled');
    return fields.add('decoders_committed', port.decodersCommitted ?? undefined);
  }

  private dports(port: Port, fields: Fields): Fields {
    if (!this.options.targets) return fields;
    fields.add('nr_dports', port.dports.length);
    const shown = port.dports.filter((dport) => this.leads(dport));
    return port.dports.length === 0
      ? fields
      : fields.add(
          'dports',
          shown.map((dport) => this.dport(dport, 'dport')),
        );
  }

  /** With -m or -s only downstream ports on the way to such a memdev are shown. */
  private leads(dport: Dport): boolean {
    const { memdev, serial } = this.options;
    if (memdev === null && serial === null) return true;
    return this.relations.topology.memdevs.some(
      (one) => memdevPasses(one, memdev, serial) && this.relations.maps(dport, one),
    );
  }

  private dport(dport: Dport, key: string, position?: number): Fields {
    return new Fields()
      .add(key, dport.name)
      .add('alias', dport.alias ?? undefined)
      .add('position', position)
      .add('id', hexNumber(BigInt(dport.id), this.options.human));
  }

  memdev(memdev: Memdev): Fields {
    const { human } = this.options;
    const fields = new Fields().add('memdev', memdev.name);
    if (memdev.pmemSize > 0n) fields.add('pmem_size', size(memdev.pmemSize, human));
    if (memdev.pmemSize > 0n && memdev.pmemQos !== null) fields.add('pmem_qos_class', memdev.pmemQos);
    if (memdev.ramSize > 0n) fields.add('ram_size', size(memdev.ramSize, human));
    if (memdev.ramSize > 0n && memdev.ramQos !== null) fields.add('ram_qos_class', memdev.ramQos);
    const asked = this.around.mailbox.get(memdev.name);
    if (this.options.health) fields.add('health', asked?.health);
    if (memdev.serial !== null) fields.add('serial', hexNumber(memdev.serial, human));
    if (memdev.numaNode >= 0) fields.add('numa_node', memdev.numaNode);
    fields.add('host', memdev.host);
    if (memdev.firmware !== null) fields.add('firmware_version', memdev.firmware);
    if (!memdev.enabled) fields.add('state', 'disabled');
    if (this.options.partition) fields.add('partition_info', asked?.partition);
    if (this.options.firmware) fields.add('firmware', asked?.firmware);
    if (this.options.mediaErrors)
      this.mediaErrors(
        fields,
        this.poison(memdev.name).map((event) => ({ ...event, offset: event.dpa })),
      );
    return fields;
  }

  private poison(memdev: string): readonly PoisonEvent[] {
    const events = this.around.poison(memdev);
    if (!events)
      this.around.errors.push(
        `libcxl: cxl_memdev_trigger_poison_list: ${memdev}: trigger_poison_list unsupported by device`,
      );
    return events ?? [];
  }

  /** poison_event_to_json: by host address in a region, by device address in a memdev. */
  private mediaErrors(fields: Fields, events: readonly (PoisonEvent & { readonly offset: bigint | null })[]): void {
    if (events.length === 0) return;
    const { human } = this.options;
    fields.add(
      'media_errors',
      events.map(({ offset, length, source, flags }) =>
        new Fields()
          .add('offset', offset === null ? undefined : hexNumber(offset, human))
          .add('length', size(length, human))
          .add('source', source)
          .add('flags', flags === '' ? undefined : flags),
      ),
    );
  }

  decoder(decoder: Decoder): Fields {
    const { human } = this.options;
    const { capabilities } = decoder;
    const fields = new Fields().add('decoder', decoder.name);
    if (decoder.size > 0n)
      fields.add('resource', hexNumber(decoder.start, human)).add('size', size(decoder.size, human));
    if (decoder.ways > 0) fields.add('interleave_ways', decoder.ways);
    if (decoder.ways > 1) fields.add('interleave_granularity', decoder.granularity);
    if (decoder.region !== null) fields.add('region', decoder.region);
    if (decoder.size === 0n) fields.add('state', 'disabled');
    if (decoder.kind === 'endpoint') {
      const { dpaResource, dpaSize, mode } = decoder;
      if (dpaResource !== null && dpaSize !== null && dpaSize > 0n)
        fields.add('dpa_resource', hexNumber(dpaResource, human));
      if (dpaSize !== null && dpaSize > 0n) fields.add('dpa_size', size(dpaSize, human));
      if (mode !== null && mode !== 'none') fields.add('mode', mode);
    }
    if (decoder.kind === 'root') {
      if (capabilities.pmem || capabilities.ram) {
        fields.add('max_available_extent', size(largestHole(decoder), human));
        if (capabilities.pmem) fields.add('pmem_capable', true);
        if (capabilities.ram) fields.add('volatile_capable', true);
      }
      if (capabilities.type2) fields.add('accelmem_capable', true);
      if (decoder.qosClass !== null) fields.add('qos_class', decoder.qosClass);
    }
    if (decoder.kind === 'endpoint') return fields;
    fields.add('nr_targets', decoder.targets.length);
    if (!this.options.targets || decoder.targets.length === 0) return fields;
    const shown = decoder.targets.filter(({ dport }) => this.leads(dport));
    return fields.add(
      'targets',
      shown.map(({ dport, position }) => this.dport(dport, 'target', position)),
    );
  }

  region(region: Region, root: Decoder): Fields {
    const { human } = this.options;
    const fields = new Fields()
      .add('region', region.name)
      .add('resource', region.resource === NO_ADDRESS ? undefined : hexNumber(region.resource, human))
      .add('size', size(region.size, human));
    if (region.mode !== 'none') fields.add('type', region.mode);
    fields.add('interleave_ways', region.ways).add('interleave_granularity', region.granularity);
    fields.add('decode_state', region.committed ? 'commit' : 'reset');
    if (!region.enabled) fields.add('state', 'disabled');
    // positions are looked up once, whatever asks for them first
    if (!this.missed.has(region.name))
      for (const position of region.lost)
        this.around.errors.push(`libcxl: cxl_mappings_init: ${region.name} target${position}:  lookup failure`);
    this.missed.add(region.name);
    const memdevs = region.targets.map(({ decoder }) => this.relations.memdevOfDecoder(decoder));
    if (this.options.mediaErrors) {
      const events = memdevs.flatMap((memdev) => (memdev ? this.poison(memdev.name) : []));
      const own = events.filter((event) => event.region === region.name);
      this.mediaErrors(
        fields,
        own.map((event) => ({ ...event, offset: event.hpa === NO_ADDRESS ? null : event.hpa - region.resource })),
      );
    }
    if (this.options.targets && region.ways > 0)
      fields.add(
        'mappings',
        region.targets.map(({ position, decoder }, n) =>
          new Fields().add('position', position).add('memdev', memdevs[n]?.name).add('decoder', decoder),
        ),
      );
    if (this.options.dax) fields.add('daxregion', this.around.dax(region.path, human));
    const mismatch = memdevs.some(
      (memdev) => memdev && (region.mode === 'pmem' ? memdev.pmemQos : memdev.ramQos) !== root.qosClass,
    );
    if (mismatch) fields.add('qos_class_mismatch', true);
    return fields;
  }
}

const NO_ADDRESS = 0xffffffffffffffffn;

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
