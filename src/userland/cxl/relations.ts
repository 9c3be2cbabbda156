import type { Decoder, Dport, Memdev, Port, Topology } from './topology.ts';

/** How objects of a scan belong together (libcxl's cxl_*_get_* and cxl_*_maps_*). */
export class Relations {
  private readonly parents = new Map<Port, Port | null>();
  private readonly endpoints = new Map<string, Port>();
  private readonly owners = new Map<string, Port>();

  constructor(readonly topology: Topology) {
    const visit = (port: Port, parent: Port | null): void => {
      this.parents.set(port, parent);
      for (const decoder of port.decoders) this.owners.set(decoder.name, port);
      if (port.kind === 'endpoint' && port.memdev !== null) this.endpoints.set(port.memdev, port);
      for (const child of [...port.ports, ...port.endpoints]) visit(child, port);
    };
    for (const bus of topology.buses) visit(bus, null);
  }

  parent(port: Port): Port | null {
    return this.parents.get(port) ?? null;
  }

  /** The port and all above it. */
  ancestry(port: Port): readonly Port[] {
    const above = this.parent(port);
    return above ? [port, ...this.ancestry(above)] : [port];
  }

  portOf(decoder: Decoder): Port | undefined {
    return this.owners.get(decoder.name);
  }

  memdev(name: string | null): Memdev | undefined {
    return this.topology.memdevs.find((one) => one.name === name);
  }

  memdevOfDecoder(name: string): Memdev | undefined {
    return this.memdev(this.owners.get(name)?.memdev ?? null);
  }

  endpointOf(memdev: Memdev): Port | undefined {
    return this.endpoints.get(memdev.name);
  }

  /** Is the memdev below this port (its endpoint is)? */
  hosts(port: Port, memdev: Memdev): boolean {
    const endpoint = this.endpointOf(memdev);
    return endpoint !== undefined && this.ancestry(endpoint).includes(port);
  }

  /** Does the way to the memdev go through this downstream port? */
  maps(dport: Dport, memdev: Memdev): boolean {
    return memdev.path.includes(`/${dport.name}/`);
  }

  targets(decoder: Decoder, memdev: Memdev): boolean {
    return decoder.targets.some(({ dport }) => this.maps(dport, memdev));
  }
}
