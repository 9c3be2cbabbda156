import type { Addr, Hva, Width } from '../../base/addr.ts';
import { layout } from '../../spec/layouts.ts';
import type { RamRef } from '../bus/cpu-bus.ts';
import type { HostMemory } from '../memory/api.ts';
import { CxlComponent, type CxlEnv } from './cxl-component.ts';
import { endpoint_dpa, NOWHERE } from './decode-path.ts';

/** A device that answers CXL.mem: it decodes host addresses itself. */
export interface CxlMemoryDevice {
  readonly id: string;
  readonly component: CxlComponent;
  /** Bytes of device memory behind the decoders. */
  readonly capacity: number;
  /** Does cxl_cfmws_find_device() know this type? False: reads give 0, writes vanish. */
  readonly dispatched: boolean;
  /** High half of the last 8-byte read. */
  hi: number;
  /** At a device address below `capacity`; 1 to 8 bytes. */
  read(dpa: number, width: Width): number;
  write(dpa: number, width: Width, lo: number, hi: number): void;
  /** Where the byte finally lives if its VMM keeps it in plain memory. */
  resolve(dpa: number, out: RamRef): boolean;
  readBulk(dpa: number, into: Uint8Array): void;
  writeBulk(dpa: number, from: Uint8Array): void;
}

/** Device memory kept in a memory backend of the VMM process. */
export class BackedDevice implements CxlMemoryDevice {
  hi = 0;

  constructor(
    readonly id: string,
    readonly component: CxlComponent,
    private readonly host: HostMemory,
    private readonly hva: Hva,
    readonly capacity: number,
    readonly dispatched = true,
  ) {}

  read(dpa: number, width: Width): number {
    const value = this.host.load(this.hva + dpa, width);
    this.hi = width === 8 ? this.host.hi : 0;
    return value;
  }
  write(dpa: number, width: Width, lo: number, hi: number): void {
    this.host.store(this.hva + dpa, width, lo, hi);
  }
  resolve(dpa: number, out: RamRef): boolean {
    if (!this.host.resolve?.(this.hva + dpa, out)) return false;
    out.limit = Math.min(out.limit, this.capacity - dpa);
    return true;
  }
  readBulk(dpa: number, into: Uint8Array): void {
    this.host.read(this.hva + dpa, into);
  }
  writeBulk(dpa: number, from: Uint8Array): void {
    this.host.write(this.hva + dpa, from);
  }
}

/** A root port as the window sees it: its port number and what sits in slot 0, function 0 below it. */
export class CxlRootPort {
  private card: CxlMemoryDevice | null = null;

  constructor(
    readonly id: string,
    /** Port number: bits 31:24 of Link Capabilities. */
    readonly port: number,
    readonly component: CxlComponent,
  ) {}

  get device(): CxlMemoryDevice | null {
    return this.card;
  }
  set device(device: CxlMemoryDevice | null) {
    this.card = device;
    this.component.touch();
  }
}

/**
 * pxb-cxl-host: component registers of a host bridge and the ports below (QEMU hw/pci-bridge/pci_expander_bridge.c).
 * Made when the machine is complete: with one root port and no `hdm_for_passthrough` it has no decoders to announce.
 */
export class CxlHostBridge {
  readonly component: CxlComponent;
  readonly passthrough: boolean;

  constructor(
    env: CxlEnv,
    readonly id: string,
    /** Bus number, and _UID in the tables. */
    readonly uid: number,
    readonly ports: readonly CxlRootPort[],
    hdmForPassthrough = false,
  ) {
    this.passthrough = ports.length === 1 && !hdmForPassthrough;
    const id_ = this.passthrough ? 'cxl-host-bridge-passthrough.component' : 'cxl-host-bridge.component';
    this.component = new CxlComponent(env, `hw/${env.machine}/${id}/component`, layout(id_), 'pxb-cxl-host');
  }

  reset(): void {
    this.component.reset();
  }
}

/** Device address for a host address at a device that would accept it, else NOWHERE. */
export function device_address(device: CxlMemoryDevice, hpa: Addr): number {
  const dpa = endpoint_dpa(device.component, hpa);
  return dpa >= device.capacity ? NOWHERE : dpa;
}
