import type { Addr, Hva, Width } from '../../base/addr.ts';
import { layout } from '../../spec/layouts.ts';
import type { RamObject, RamRef } from '../bus/cpu-bus.ts';
import { LARGE_PAGE } from '../bus/page-tlb.ts';
import type { HostMemory } from '../memory/api.ts';
import { CxlComponent, type CxlEnv } from './cxl-component.ts';
import { endpoint_dpa, NOWHERE } from './decode-path.ts';
import type { Silicon } from './silicon.ts';

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

/** Device memory kept in memory backends of the VMM process: volatile first, persistent after it. */
export class BackedDevice implements CxlMemoryDevice {
  hi = 0;
  readonly capacity: number;
  /** Where each 2 MiB page finally lives, as of map epoch `filled`; null: not plain memory. */
  private readonly rams: (RamObject | null | undefined)[];
  private readonly deltas: Float64Array;
  private readonly ref: RamRef = { ram: null, offset: 0, limit: 0 };
  private filled = -1;

  constructor(
    readonly id: string,
    readonly component: CxlComponent,
    private readonly host: HostMemory,
    private readonly hva: Hva,
    /** Bytes at `hva`. */
    private readonly first: number,
    readonly dispatched = true,
    /** What follows it in device addresses. */
    private readonly second: { readonly hva: Hva; readonly size: number } | null = null,
  ) {
    this.capacity = first + (second?.size ?? 0);
    const pages = Math.ceil(this.capacity / LARGE_PAGE);
    this.rams = new Array<RamObject | null | undefined>(pages).fill(undefined);
    this.deltas = new Float64Array(pages);
  }

  /** cxl_type3_hpa_to_as_and_dpa(): the backend a device address is in decides; an access is never split. */
  private at(dpa: number): Hva {
    return dpa < this.first || this.second === null ? this.hva + dpa : this.second.hva + dpa - this.first;
  }
  read(dpa: number, width: Width): number {
    const page = this.page(dpa, width);
    const ram = page < 0 ? null : (this.rams[page] as RamObject | null);
    if (ram !== null) {
      const value = ram.load(dpa + (this.deltas[page] as number), width);
      this.hi = width === 8 ? ram.hi : 0;
      return value;
    }
    const value = this.host.load(this.at(dpa), width);
    this.hi = width === 8 ? this.host.hi : 0;
    return value;
  }
  write(dpa: number, width: Width, lo: number, hi: number): void {
    const page = this.page(dpa, width);
    const ram = page < 0 ? null : (this.rams[page] as RamObject | null);
    if (ram !== null) ram.store(dpa + (this.deltas[page] as number), width, lo, hi);
    else this.host.store(this.at(dpa), width, lo, hi);
  }

  /** Number of the 2 MiB page of an access, its place in memory looked up; -1 where pages cannot be remembered. */
  private page(dpa: number, width: Width): number {
    const { epoch } = this.host;
    if (epoch === undefined) return -1;
    if (epoch.value !== this.filled) {
      this.rams.fill(undefined);
      this.filled = epoch.value;
    }
    const page = Math.floor(dpa / LARGE_PAGE);
    const start = page * LARGE_PAGE;
    if (dpa + width > start + LARGE_PAGE) return -1;
    if (this.rams[page] !== undefined) return page;
    const whole = start + LARGE_PAGE <= (start < this.first ? this.first : this.capacity);
    const there = whole && this.host.resolve?.(this.at(start), this.ref) === true && this.ref.limit >= LARGE_PAGE;
    this.rams[page] = there ? this.ref.ram : null;
    this.deltas[page] = this.ref.offset - start;
    return page;
  }
  resolve(dpa: number, out: RamRef): boolean {
    if (!this.host.resolve?.(this.at(dpa), out)) return false;
    out.limit = Math.min(out.limit, (dpa < this.first ? this.first : this.capacity) - dpa);
    return true;
  }
  readBulk(dpa: number, into: Uint8Array): void {
    const part = dpa < this.first ? Math.min(into.length, this.first - dpa) : into.length;
    this.host.read(this.at(dpa), into.subarray(0, part));
    if (part < into.length) this.host.read(this.at(dpa + part), into.subarray(part));
  }
  writeBulk(dpa: number, from: Uint8Array): void {
    const part = dpa < this.first ? Math.min(from.length, this.first - dpa) : from.length;
    this.host.write(this.at(dpa), from.subarray(0, part));
    if (part < from.length) this.host.write(this.at(dpa + part), from.subarray(part));
  }
}

/** A port with a slot below it, as the window sees it: its port number and what sits in slot 0, function 0. */
export class CxlSlot {
  private card: CxlMemoryDevice | CxlSwitch | null = null;

  constructor(
    readonly id: string,
    /** Port number: bits 31:24 of Link Capabilities. */
    readonly port: number,
    readonly component: CxlComponent,
  ) {}

  /** The memory device in the slot, null if it is empty or holds a switch. */
  get device(): CxlMemoryDevice | null {
    return this.card instanceof CxlSwitch ? null : this.card;
  }
  set device(device: CxlMemoryDevice | null) {
    this.plug(device);
  }
  /** The switch in the slot. */
  get upstream(): CxlSwitch | null {
    return this.card instanceof CxlSwitch ? this.card : null;
  }
  set upstream(port: CxlSwitch | null) {
    this.plug(port);
  }
  private plug(card: CxlMemoryDevice | CxlSwitch | null): void {
    this.card = card;
    this.component.touch();
  }
}

/** A root port below a host bridge. */
export class CxlRootPort extends CxlSlot {}

/** A downstream port of a switch. */
export class CxlDownstreamPort extends CxlSlot {}

/** A switch as the window sees it: decoders of its upstream port and the downstream ports in order of their devfn. */
export class CxlSwitch {
  private below: readonly CxlDownstreamPort[] = [];

  constructor(
    readonly id: string,
    readonly component: CxlComponent,
  ) {}

  get ports(): readonly CxlDownstreamPort[] {
    return this.below;
  }
  set ports(ports: readonly CxlDownstreamPort[]) {
    this.below = ports;
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
    silicon: Silicon | null = null,
  ) {
    this.passthrough = ports.length === 1 && !hdmForPassthrough;
    const id_ = this.passthrough ? 'cxl-host-bridge-passthrough.component' : 'cxl-host-bridge.component';
    this.component = new CxlComponent(env, `hw/${env.machine}/${id}/component`, layout(id_), 'pxb-cxl-host', silicon);
  }

  reset(): void {
    this.component.reset();
  }
}

/** pcie_find_port_by_pn(): the first port with this number. */
export function port_by_number<T extends CxlSlot>(ports: readonly T[], number: number): T | null {
  for (let n = 0; n < ports.length; n++) if ((ports[n] as T).port === number) return ports[n] as T;
  return null;
}

/** Device address for a host address at a device that would accept it, else NOWHERE. */
export function device_address(device: CxlMemoryDevice, hpa: Addr): number {
  const dpa = endpoint_dpa(device.component, hpa);
  return dpa >= device.capacity ? NOWHERE : dpa;
}
