import type { Addr, Width } from '../../base/addr.ts';
import type { EventLog, SiteId } from '../../log/index.ts';
import { paths } from '../../state/schema.ts';
import type { RamRef } from '../bus/cpu-bus.ts';
import type { MemoryRegionOps } from '../memory/api.ts';
import type { MemoryRegion } from '../memory/memory-region.ts';
import type { CxlComponent, CxlEnv, HdmDecoder } from './cxl-component.ts';
import { hdm_find_target, NOWHERE } from './decode-path.ts';
import { DecodePlan } from './decode-plan.ts';
import { explain, type Hop } from './explain.ts';
import {
  type CxlDownstreamPort,
  type CxlHostBridge,
  type CxlMemoryDevice,
  type CxlRootPort,
  type CxlSwitch,
  device_address,
  port_by_number,
} from './topology.ts';

/**
 * A CXL fixed memory window (QEMU hw/cxl/cxl-host.c, with Zhi Wang's extension that also dispatches to cxl-accel).
 * Every access walks window → host bridge → root port → (one switch) → endpoint from the registers. Left out: XOR arithmetic,
 * switches below switches.
 */
export class FixedWindow {
  readonly memory: MemoryRegion;
  private readonly deadEnd: SiteId;
  private readonly log: EventLog;
  private readonly plan: DecodePlan;
  /** Device of the address decoded last. */
  private device: CxlMemoryDevice | null = null;

  constructor(
    env: CxlEnv,
    readonly index: number,
    readonly base: Addr,
    readonly size: number,
    /** Bytes; 256 … 16384. */
    readonly granularity: number,
    readonly targets: readonly CxlHostBridge[],
  ) {
    const window = this;
    this.deadEnd = env.log.site({
      layer: env.layer,
      name: 'fixed window: nobody decodes this address',
      args: ['hpa', 'write'],
      cite: 'QEMU hw/cxl/cxl-host.c cxl_cfmws_find_device; CXL 3.1 8.2.4.20',
    });
    const { log } = env;
    this.log = log;
    this.plan = new DecodePlan(env.core, granularity, targets);
    const ops: MemoryRegionOps = {
      hi: 0,
      memoryLike: true,
      valid: { min: 1, max: 8 },
      impl: { min: 1, max: 8, unaligned: true },
      read(offset: number, width: Width): number {
        const at = window.base + offset;
        const dpa = window.decode(at);
        if (dpa === NOWHERE) {
          ops.hi = 0;
          log.note(window.deadEnd, at, 0);
          return 0;
        }
        const device = window.device as CxlMemoryDevice;
        const value = device.read(dpa, width);
        ops.hi = device.hi;
        return value;
      },
      write(offset: number, width: Width, lo: number, hi: number): void {
        const at = window.base + offset;
        const dpa = window.decode(at);
        if (dpa === NOWHERE) log.note(window.deadEnd, at, 1);
        else (window.device as CxlMemoryDevice).write(dpa, width, lo, hi);
      },
      resolve(offset: number, out: RamRef): boolean {
        const at = window.base + offset;
        const dpa = window.decode(at);
        const { device } = window;
        if (dpa === NOWHERE || device === null || !device.resolve(dpa, out)) return false;
        out.limit = Math.min(out.limit, window.contiguous(at, device), device.capacity - dpa);
        return true;
      },
      readBytes(offset: number, into: Uint8Array): boolean {
        window.readBulk(offset, into);
        return true;
      },
      writeBytes(offset: number, from: Uint8Array): boolean {
        window.writeBulk(offset, from);
        return true;
      },
      peek(offset: number, width: Width): number | null {
        const hpa = window.base + offset;
        const device = window.find_device(hpa);
        const dpa = device === null ? NOWHERE : device_address(device, hpa);
        return device === null || dpa === NOWHERE ? 0 : device.read(dpa, width);
      },
    };
    this.memory = env.core.memory_region_init_io(ops, 'cxl-fixed-memory-region', size);
    log.publish(paths.fixedWindow(env.machine, index), {
      base,
      size,
      granularity,
      targets: targets.map((target) => target.id),
    });
  }

  /** Device address behind a host address, its device in `device`; NOWHERE if it ends nowhere. */
  private decode(hpa: Addr): number {
    const { plan } = this;
    const known = plan.find(hpa);
    if (known !== NOWHERE) {
      this.device = plan.device;
      return known;
    }
    const device = this.find_device(hpa);
    const dpa = device === null ? NOWHERE : device_address(device, hpa);
    this.device = device;
    if (device !== null && dpa !== NOWHERE) plan.learn(hpa, device, dpa, this.path(hpa, device));
    return dpa;
  }

  /** The components whose decoders decide about an address, down to the device's own. */
  private path(hpa: Addr, device: CxlMemoryDevice): CxlComponent[] {
    const bridge = this.target(hpa);
    const upstream = this.root_port(bridge, hpa)?.upstream;
    return [
      ...(bridge.passthrough ? [] : [bridge.component]),
      ...(upstream ? [upstream.component] : []),
      device.component,
    ];
  }

  /** cxl_cfmws_find_device(): the device an absolute host address is routed to, or null. */
  find_device(hpa: Addr): CxlMemoryDevice | null {
    const port = this.root_port(this.target(hpa), hpa);
    if (port === null) return null;
    const { upstream } = port;
    const device = upstream === null ? port.device : (this.downstream_port(upstream, hpa)?.device ?? null);
    return device?.dispatched ? device : null;
  }

  /** Copies out of the window in runs that stay inside one granule; bytes nobody answers are 0. */
  readBulk(offset: number, into: Uint8Array): void {
    this.runs(offset, into.length, (at, length, device, dpa) => {
      const part = into.subarray(at, at + length);
      if (device) device.readBulk(dpa, part);
      else {
        part.fill(0);
        this.log.note(this.deadEnd, this.base + offset + at, 0);
      }
    });
  }

  writeBulk(offset: number, from: Uint8Array): void {
    this.runs(offset, from.length, (at, length, device, dpa) => {
      if (device) device.writeBulk(dpa, from.subarray(at, at + length));
      else this.log.note(this.deadEnd, this.base + offset + at, 1);
    });
  }

  /** The way of one host address, hop by hop, with the arithmetic and the registers that decided. No events. */
  explain(hpa: Addr): readonly Hop[] {
    return explain(this, hpa);
  }

  /** rb_index = (address / granularity) mod targets, on the absolute address. */
  target(hpa: Addr): CxlHostBridge {
    const { targets } = this;
    const n = targets.length === 1 ? 0 : Math.floor(hpa / this.granularity) % targets.length;
    return targets[n] as CxlHostBridge;
  }

  /** The only root port of a passthrough bridge, or the one the bridge's decoders choose. */
  root_port(bridge: CxlHostBridge, hpa: Addr): CxlRootPort | null {
    const { ports } = bridge;
    if (bridge.passthrough) return ports[0] ?? null;
    const number = hdm_find_target(bridge.component, hpa);
    return number === NOWHERE ? null : port_by_number(ports, number);
  }

  /** The downstream port the decoders of a switch's upstream port choose. */
  downstream_port(upstream: CxlSwitch, hpa: Addr): CxlDownstreamPort | null {
    const number = hdm_find_target(upstream.component, hpa);
    return number === NOWHERE ? null : port_by_number(upstream.ports, number);
  }

  private runs(
    offset: number,
    length: number,
    run: (at: number, length: number, device: CxlMemoryDevice | null, dpa: number) => void,
  ): void {
    for (let at = 0; at < length; ) {
      const hpa = this.base + offset + at;
      const device = this.find_device(hpa);
      const dpa = device === null ? NOWHERE : device_address(device, hpa);
      const answered = device !== null && dpa !== NOWHERE;
      const room = answered ? device.capacity - dpa : length;
      const step = Math.min(length - at, this.contiguous(hpa, device), room);
      run(at, step, answered ? device : null, dpa);
      at += step;
    }
  }

  /** Bytes from `hpa` on that every level routes alike: to the end of the smallest granule and of 256 MiB. */
  private contiguous(hpa: Addr, device: CxlMemoryDevice | null): number {
    let unit = 0x1000_0000;
    if (this.targets.length > 1) unit = Math.min(unit, this.granularity);
    const bridge = this.target(hpa);
    if (!bridge.passthrough) unit = Math.min(unit, smallestUnit(bridge.component.decoders));
    const upstream = this.root_port(bridge, hpa)?.upstream;
    if (upstream) unit = Math.min(unit, smallestUnit(upstream.component.decoders));
    if (device) unit = Math.min(unit, smallestUnit(device.component.decoders));
    return unit - (hpa % unit);
  }
}

function smallestUnit(decoders: readonly HdmDecoder[]): number {
  let unit = 0x1000_0000;
  for (const decoder of decoders) if (decoder.committed && decoder.iw > 0) unit = Math.min(unit, 2 ** (decoder.ig + 8));
  return unit;
}
