import { text as decode } from '../../base/bytes.ts';
import { O_RDONLY, S_IFDIR, S_IFLNK } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';

/** CXL objects as libcxl finds them in sysfs: names, numbers and links, in libcxl's order. */
export interface Dport {
  readonly name: string;
  readonly alias: string | null;
  readonly id: number;
}
export interface Decoder {
  readonly name: string;
  readonly kind: 'root' | 'port' | 'endpoint';
  readonly start: bigint;
  readonly size: bigint;
  readonly ways: number;
  readonly granularity: number;
  readonly capabilities: { readonly pmem: boolean; readonly ram: boolean; readonly type2: boolean };
  readonly qosClass: number | null;
  readonly targets: readonly { readonly dport: Dport; readonly position: number }[];
  readonly region: string | null;
  readonly dpaResource: bigint | null;
  readonly dpaSize: bigint | null;
  readonly mode: string | null;
  readonly locked: boolean;
  readonly regions: readonly Region[];
}
export interface Region {
  readonly name: string;
  readonly resource: bigint;
  readonly size: bigint;
  readonly mode: string;
  readonly ways: number;
  readonly granularity: number;
  readonly committed: boolean;
  readonly enabled: boolean;
  readonly targets: readonly { readonly position: number; readonly decoder: string }[];
  /** Positions whose decoder is gone. */
  readonly lost: readonly number[];
  readonly path: string;
}
export interface Memdev {
  readonly name: string;
  readonly host: string;
  readonly serial: bigint | null;
  readonly ramSize: bigint;
  readonly pmemSize: bigint;
  readonly ramQos: number | null;
  readonly pmemQos: number | null;
  readonly numaNode: number;
  readonly firmware: string | null;
  readonly enabled: boolean;
  /** Where its device lies: the way to it through downstream ports. */
  readonly path: string;
}
export interface Port {
  readonly name: string;
  readonly kind: 'root' | 'port' | 'endpoint';
  readonly host: string;
  readonly parentDport: string | null;
  readonly depth: number;
  readonly decodersCommitted: number | null;
  readonly enabled: boolean;
  readonly dports: readonly Dport[];
  readonly ports: readonly Port[];
  readonly endpoints: readonly Port[];
  readonly decoders: readonly Decoder[];
  /** Endpoint: its memdev's name. */
  readonly memdev: string | null;
  readonly provider: string | null;
}
export interface Topology {
  readonly buses: readonly Port[];
  readonly memdevs: readonly Memdev[];
}

const base = (path: string) => path.slice(path.lastIndexOf('/') + 1);

/** Reads sysfs once, the way libcxl scans it. */
export class Scanner {
  constructor(private readonly sys: Sys) {}

  scan(): Topology {
    const names = this.names('/sys/bus/cxl/devices');
    // libcxl prepends what it finds, so later directory entries come first.
    const roots = names.filter((name) => /^root\d+$/.test(name)).reverse();
    const memdevs = names.filter((name) => /^mem\d+$/.test(name)).reverse();
    return {
      buses: roots.map((name) => this.port(this.real(`/sys/bus/cxl/devices/${name}`), 'root', 0)),
      memdevs: memdevs.map((name) => this.memdev(this.real(`/sys/bus/cxl/devices/${name}`))),
    };
  }

  private port(path: string, kind: Port['kind'], depth: number): Port {
    const children = this.names(path);
    const dports = children
      .flatMap((name) => {
        const match = /^dport(\d+)$/.exec(name);
        const target = match && this.sys.readlink(`${path}/${name}`);
        return match && typeof target === 'string' ? [this.dport(`${path}/${target}`, Number(match[1]))] : [];
      })
      .reverse();
    const uport = this.sys.readlink(`${path}/uport`);
    const host = typeof uport === 'string' ? base(uport) : '';
    const parentDport = this.sys.readlink(`${path}/parent_dport`);
    const committed = this.text(`${path}/decoders_committed`);
    return {
      name: base(path),
      kind,
      host,
      parentDport: typeof parentDport === 'string' ? base(parentDport) : null,
      depth,
      decodersCommitted: committed === null ? null : Number(committed),
      enabled: kind === 'root' || typeof this.sys.readlink(`${path}/driver`) === 'string',
      dports,
      ports: children
        .filter((name) => /^port\d+$/.test(name))
        .reverse()
        .map((name) => this.port(`${path}/${name}`, 'port', depth + 1)),
      endpoints: children
        .filter((name) => /^endpoint\d+$/.test(name))
        .reverse()
        .map((name) => this.port(`${path}/${name}`, 'endpoint', depth + 1)),
      decoders: children
        .filter((name) => /^decoder\d+\.\d+$/.test(name))
        .sort((a, b) => Number(a.split('.')[1]) - Number(b.split('.')[1]))
        .map((name) => this.decoder(`${path}/${name}`, kind, dports)),
      memdev: kind === 'endpoint' ? host : null,
      provider:
        kind !== 'root'
          ? null
          : host.startsWith('ACPI0017')
            ? 'ACPI.CXL'
            : host.startsWith('cxl_acpi')
              ? 'cxl_test'
              : host,
    };
  }

  private dport(path: string, id: number): Dport {
    const real = this.real(path);
    const alias = this.sys.readlink(`${real}/firmware_node`);
    const physical = this.sys.readlink(`${real}/physical_node`);
    return {
      name: base(real),
      alias: typeof alias === 'string' ? base(alias) : typeof physical === 'string' ? base(physical) : null,
      id,
    };
  }

  private decoder(path: string, kind: Decoder['kind'], dports: readonly Dport[]): Decoder {
    const targets = (this.text(`${path}/target_list`) ?? '')
      .split(',')
      .filter((word) => word !== '')
      .flatMap((word, position) => {
        const dport = dports.find((candidate) => candidate.id === Number(word));
        return dport ? [{ dport, position }] : [];
      })
      .reverse();
    const qos = this.text(`${path}/qos_class`);
    const region = this.text(`${path}/region`);
    return {
      name: base(path),
      kind,
      start: this.number(`${path}/start`),
      size: this.number(`${path}/size`),
      ways: Number(this.number(`${path}/interleave_ways`)),
      granularity: Number(this.number(`${path}/interleave_granularity`)),
      capabilities: {
        pmem: this.text(`${path}/cap_pmem`) === '1',
        ram: this.text(`${path}/cap_ram`) === '1',
        type2: this.text(`${path}/cap_type2`) === '1',
      },
      qosClass: qos === null ? null : Number(qos),
      targets,
      region: region === null || region === '' ? null : region,
      dpaResource: kind === 'endpoint' ? this.number(`${path}/dpa_resource`) : null,
      dpaSize: kind === 'endpoint' ? this.number(`${path}/dpa_size`) : null,
      mode: kind === 'endpoint' ? this.text(`${path}/mode`) : null,
      locked: this.text(`${path}/locked`) === '1',
      regions:
        kind !== 'root'
          ? []
          : this.names(path)
              .filter((name) => /^region\d+$/.test(name))
              .map((name) => this.region(`${path}/${name}`))
              .sort((a, b) => (a.resource < b.resource ? -1 : a.resource > b.resource ? 1 : 0)),
    };
  }

  private region(path: string): Region {
    const ways = Number(this.number(`${path}/interleave_ways`));
    const targets: { position: number; decoder: string }[] = [];
    const lost: number[] = [];
    for (let position = ways - 1; position >= 0; position--) {
      const decoder = this.text(`${path}/target${position}`);
      if (decoder) targets.push({ position, decoder });
      else lost.unshift(position);
    }
    return {
      name: base(path),
      resource: this.number(`${path}/resource`),
      size: this.number(`${path}/size`),
      mode: this.text(`${path}/mode`) ?? 'none',
      ways,
      granularity: Number(this.number(`${path}/interleave_granularity`)),
      committed: this.text(`${path}/commit`) === '1',
      enabled: typeof this.sys.readlink(`${path}/driver`) === 'string',
      targets,
      lost,
      path,
    };
  }

  private memdev(path: string): Memdev {
    const serial = this.text(`${path}/serial`);
    const qos = (which: string) => {
      const value = this.text(`${path}/${which}/qos_class`);
      return value === null ? null : Number(value);
    };
    return {
      name: base(path),
      host: base(path.slice(0, path.lastIndexOf('/'))),
      serial: serial === null ? null : BigInt(serial),
      ramSize: this.number(`${path}/ram/size`),
      pmemSize: this.number(`${path}/pmem/size`),
      ramQos: qos('ram'),
      pmemQos: qos('pmem'),
      numaNode: Number(this.text(`${path}/numa_node`) ?? -1),
      firmware: this.text(`${path}/firmware_version`),
      enabled: typeof this.sys.readlink(`${path}/driver`) === 'string',
      path,
    };
  }

  /** Directory entries that are directories or links, in the kernel's order. */
  names(path: string): readonly string[] {
    const fd = this.sys.open(path, O_RDONLY);
    if (fd < 0) return [];
    const entries = this.sys.getdents(fd);
    this.sys.close(fd);
    return typeof entries === 'number'
      ? []
      : entries.filter((entry) => entry.type === S_IFDIR || entry.type === S_IFLNK).map((entry) => entry.name);
  }

  text(path: string): string | null {
    const fd = this.sys.open(path, O_RDONLY);
    if (fd < 0) return null;
    const buffer = new Uint8Array(4096);
    const count = this.sys.pread(fd, buffer, 0);
    this.sys.close(fd);
    return count < 0 ? null : decode(buffer.subarray(0, count)).replace(/\n$/, '');
  }

  private number(path: string): bigint {
    const text = this.text(path);
    return text === null || !/^(0x[0-9a-fA-F]+|\d+)$/.test(text) ? 0n : BigInt(text);
  }

  /** Resolves a link (one level of sysfs links) and dots to a plain path. */
  private real(path: string): string {
    const target = this.sys.readlink(path);
    const full =
      typeof target !== 'string'
        ? path
        : target.startsWith('/')
          ? target
          : `${path.slice(0, path.lastIndexOf('/'))}/${target}`;
    const parts: string[] = [];
    for (const part of full.split('/')) {
      if (part === '..') parts.pop();
      else if (part !== '' && part !== '.') parts.push(part);
    }
    return `/${parts.join('/')}`;
  }
}
