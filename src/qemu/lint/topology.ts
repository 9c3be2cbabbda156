/** The machine a command line describes, as plain data: what a preview draws and the rules look at. */
import type { Addr } from '../../base/addr.ts';
import type { Span } from './words.ts';

export interface MemoryPlan {
  readonly id: string;
  readonly type: 'memory-backend-ram' | 'memory-backend-file' | 'memory-backend-memfd';
  readonly size: number;
  readonly share: boolean;
  /** `mem-path=` of a file. */
  readonly path: string | null;
  /** Ids of the devices that use it, and for what. */
  readonly users: { readonly device: string; readonly as: 'volatile' | 'persistent' | 'lsa' | 'machine' }[];
  readonly span: Span;
}

/** Anything at the end of a port: a memory device, an accelerator, a passed-through function. */
export interface EndpointPlan {
  readonly kind: 'endpoint';
  readonly type: string;
  /** The user's id, or `''`. */
  readonly id: string;
  readonly volatile: MemoryPlan | null;
  readonly persistent: MemoryPlan | null;
  readonly lsa: MemoryPlan | null;
  /** `sn=`; null without one. */
  readonly serial: number | null;
  /** Slot and function on its bus, as slot * 8 + function. */
  readonly devfn: number;
  readonly span: Span;
}

export interface SwitchPlan {
  readonly kind: 'switch';
  readonly id: string;
  readonly devfn: number;
  readonly ports: readonly PortPlan[];
  /** Functions on the switch's bus that are no downstream ports. */
  readonly strangers: readonly EndpointPlan[];
  readonly span: Span;
}

export interface PortPlan {
  readonly kind: 'root-port' | 'downstream-port';
  readonly id: string;
  readonly port: number;
  readonly chassis: number;
  readonly slot: number;
  readonly devfn: number;
  /** What sits in its slot, function 0 first. */
  readonly children: readonly (EndpointPlan | SwitchPlan)[];
  readonly span: Span;
}

export interface BridgePlan {
  readonly id: string;
  readonly busNumber: number;
  /** Highest bus number its ports and switches need. */
  readonly lastBus: number;
  readonly hdmForPassthrough: boolean;
  /** One root port and no `hdm_for_passthrough`: the bridge has no decoders of its own. */
  readonly passthrough: boolean;
  readonly ports: readonly PortPlan[];
  readonly span: Span;
}

export interface WindowPlan {
  readonly index: number;
  readonly base: Addr;
  readonly size: number;
  readonly granularity: number;
  /** Ids of the bridges, in interleave order. */
  readonly targets: readonly string[];
  readonly span: Span;
}

export interface CommandLineTopology {
  readonly program: string | null;
  readonly machine: string;
  readonly cxl: boolean;
  readonly ramSize: number;
  readonly maxRamSize: number;
  readonly slots: number;
  readonly cpus: number;
  /** Does the guest see the hypervisor bit of CPUID? */
  readonly hypervisorBit: boolean;
  readonly memories: readonly MemoryPlan[];
  readonly bridges: readonly BridgePlan[];
  /** Ports, switches and functions that hang below no CXL host bridge. */
  readonly loose: readonly (PortPlan | SwitchPlan | EndpointPlan)[];
  readonly windows: readonly WindowPlan[];
  /** First address above everything: windows that end beyond the physical address width do not fit. */
  readonly end: Addr;
}

/** Bytes of memory behind a device's decoders. */
export function capacityOf(endpoint: EndpointPlan): number {
  return (endpoint.volatile?.size ?? 0) + (endpoint.persistent?.size ?? 0);
}

/** Devices the window can reach below a port: one switch deep, slot 0 function 0 (QEMU's cxl_cfmws_find_device). */
export function reachable(port: PortPlan): EndpointPlan[] {
  const child = port.children.find((one) => one.devfn === 0);
  if (!child) return [];
  if (child.kind === 'endpoint') return capacityOf(child) > 0 ? [child] : [];
  return child.ports.flatMap((down) => {
    const below = down.children.find((one) => one.devfn === 0);
    return below?.kind === 'endpoint' && capacityOf(below) > 0 ? [below] : [];
  });
}

export function endpointsOf(bridge: BridgePlan): EndpointPlan[] {
  return bridge.ports.flatMap(reachable);
}

/** Everything below a port, at any depth. */
export function allBelow(children: PortPlan['children']): (EndpointPlan | SwitchPlan | PortPlan)[] {
  return children.flatMap((child) =>
    child.kind === 'endpoint'
      ? [child]
      : [child, ...child.strangers, ...child.ports.flatMap((port) => [port, ...allBelow(port.children)])],
  );
}
