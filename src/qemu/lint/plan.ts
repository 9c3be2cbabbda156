/**
 * From options to a topology, refusing what the VMM refuses and in its words: the checks of qdev_device_add and of the CXL
 * devices' realize functions, without building anything. Devices outside the CXL tree are taken as they are.
 */
import { CXL_PROPERTIES } from '../qdev/cxl-properties.ts';
import { Properties } from '../qdev/properties.ts';
import { QemuError } from '../system/error.ts';
import { type BackendOptions, parseBackend } from '../system/memory-backend-options.ts';
import type { Opts } from '../system/qemu-opts.ts';
import { narrow, type OptionUse, type Refusal } from './options.ts';
import type { BridgePlan, EndpointPlan, MemoryPlan, PortPlan, SwitchPlan } from './topology.ts';

type CxlType = keyof typeof CXL_PROPERTIES;
type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };
type Bridge = Mutable<BridgePlan>;
type Port = Mutable<PortPlan>;
type Switch = Mutable<SwitchPlan>;

/** A bus devices plug into. */
interface PlanBus {
  readonly name: string;
  readonly owner: Bridge | Port | Switch | null;
  readonly taken: Map<number, { readonly type: string; readonly id: string }>;
}

/** pcie.0 has the host bridge in slot 0 and the chipset in slot 31; a slot below a port has room for one device. */
const CHIPSET = [0, 0xf8, 0xfa, 0xfb].map((devfn) => [devfn, { type: 'chipset', id: '' }] as const);
const MAX_BRIDGES = 16;
/** Types of this VMM outside the CXL tree. */
const OTHERS = ['vfio-pci'];

const refuse = (message: string): never => {
  throw new QemuError(message);
};

const isCxlType = (driver: string): driver is CxlType => Object.hasOwn(CXL_PROPERTIES, driver);

export class Planner {
  readonly memories: MemoryPlan[] = [];
  readonly bridges: Bridge[] = [];
  readonly loose: (Port | Switch | EndpointPlan)[] = [];
  readonly refusals: Refusal[] = [];
  private readonly buses: PlanBus[] = [{ name: 'pcie.0', owner: null, taken: new Map(CHIPSET) }];
  private readonly slots = new Set<string>();
  private unnamed = 0;

  object(values: ReadonlyMap<string, string>, use: OptionUse): void {
    this.attempt(use, () => {
      const backend: BackendOptions = parseBackend(
        values,
        this.memories.map((memory) => memory.id),
      );
      this.memories.push({ ...backend, users: [], span: use });
    });
  }

  device(opts: Opts, use: OptionUse): void {
    this.attempt(use, () => {
      const driver = opts.values.get('driver');
      if (driver === undefined) return refuse("Parameter 'driver' is missing");
      if (driver === 'intel-iommu') return;
      if (!isCxlType(driver) && !OTHERS.includes(driver)) refuse(`'${driver}' is not a valid device model name`);
      const bus = this.busOf(opts.values.get('bus'));
      const props = new Properties(driver, isCxlType(driver) ? CXL_PROPERTIES[driver] : []);
      if (isCxlType(driver))
        for (const [name, value] of opts.values) if (name !== 'driver' && name !== 'bus') props.parse(name, value);
      const id = opts.id ?? '';
      switch (driver) {
        case 'pxb-cxl':
          return this.bridge(bus, id, props, use);
        case 'cxl-rp':
        case 'cxl-downstream':
          return this.port(bus, id, driver, props, use);
        case 'cxl-upstream':
          return this.upstream(bus, id, props, use);
        default:
          return this.endpoint(bus, id, driver, props, use);
      }
    });
  }

  private attempt(use: OptionUse, run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof QemuError)) throw error;
      this.refusals.push({ message: error.message, span: narrow(use, error.message) });
    }
  }

  private busOf(name: string | undefined): PlanBus {
    const wanted = name ?? 'pcie.0';
    return this.buses.find((bus) => bus.name === wanted) ?? refuse(`Bus '${wanted}' not found`);
  }

  /** do_pci_register_device(): the slot on the bus. */
  private place(bus: PlanBus, type: string, id: string, props: Properties): number {
    const single = bus.owner !== null && 'port' in bus.owner;
    const wanted = props.has('addr') ? props.number('addr') : -1;
    let devfn = wanted;
    for (let slot = 0; devfn < 0 && slot < (single ? 1 : 32); slot++) if (!bus.taken.has(slot * 8)) devfn = slot * 8;
    if (devfn < 0) return refuse(`PCI: no slot/function available for ${type}, all in use or reserved`);
    const there = bus.taken.get(devfn);
    const slot = devfn >>> 3;
    if (there)
      refuse(
        `PCI: slot ${slot} function ${devfn & 7} not available for ${type}, in use by ${there.type},id=${there.id}`,
      );
    if (single && slot > 0)
      refuse(`PCI: slot ${slot} is not valid for ${type}, parent device only allows plugging into slot 0.`);
    bus.taken.set(devfn, { type, id });
    return devfn;
  }

  private bridge(bus: PlanBus, id: string, props: Properties, use: OptionUse): void {
    if (bus.name !== 'pcie.0') refuse('pxb-cxl devices cannot reside on a PCI bus');
    if (id === '') refuse('pxb-cxl needs an id: its bus is named after it');
    const busNumber = props.number('bus_nr');
    if (busNumber === 0 || this.bridges.some((other) => other.busNumber === busNumber))
      refuse(`Bus ${busNumber} is already in use`);
    this.place(bus, 'pxb-cxl', id, props);
    const hdmForPassthrough = props.bool('hdm_for_passthrough');
    const bridge: Bridge = {
      id,
      busNumber,
      lastBus: busNumber,
      hdmForPassthrough,
      passthrough: false,
      ports: [],
      span: use,
    };
    this.bridges.push(bridge);
    this.addBus(id, bridge);
    if (this.bridges.length === MAX_BRIDGES + 1) refuse('Insufficient space for pxb cxl host register space');
  }

  private addBus(id: string, owner: PlanBus['owner']): void {
    this.buses.push({ name: id === '' ? `pci.${++this.unnamed}` : id, owner, taken: new Map() });
  }

  private port(bus: PlanBus, id: string, driver: 'cxl-rp' | 'cxl-downstream', props: Properties, use: OptionUse): void {
    const [chassis, slot] = [props.number('chassis'), props.number('slot')];
    if (this.slots.has(`${chassis}.${slot}`)) refuse("Can't add chassis slot, error -16");
    this.slots.add(`${chassis}.${slot}`);
    const kind = driver === 'cxl-rp' ? 'root-port' : 'downstream-port';
    const devfn = this.place(bus, driver, id, props);
    const port: Port = { kind, id, port: props.number('port'), chassis, slot, devfn, children: [], span: use };
    const { owner } = bus;
    if (owner && 'busNumber' in owner && kind === 'root-port') owner.ports.push(port);
    else if (owner && 'strangers' in owner && kind === 'downstream-port') owner.ports.push(port);
    else this.loose.push(port);
    this.addBus(id, port);
  }

  private upstream(bus: PlanBus, id: string, props: Properties, use: OptionUse): void {
    const devfn = this.place(bus, 'cxl-upstream', id, props);
    const upstream: Switch = { kind: 'switch', id, devfn, ports: [], strangers: [], span: use };
    if (bus.owner && 'port' in bus.owner) bus.owner.children.push(upstream);
    else this.loose.push(upstream);
    this.addBus(id, upstream);
  }

  private endpoint(bus: PlanBus, id: string, type: string, props: Properties, use: OptionUse): void {
    const memories = type === 'cxl-type3' ? this.type3Memories(id, props) : this.accelMemories(id, type, props);
    const { owner } = bus;
    const devfn = this.place(bus, type, id, props);
    if (owner && 'busNumber' in owner) refuse('PCI: Only PCI/PCIe bridges can be plugged into pxb-cxl');
    const serial = props.has('sn') && props.number('sn') < 2 ** 64 ? props.number('sn') : null;
    const endpoint: EndpointPlan = { kind: 'endpoint', type, id, ...memories, serial, devfn, span: use };
    if (owner && 'port' in owner) owner.children.push(endpoint);
    else if (owner && 'strangers' in owner) owner.strangers.push(endpoint);
    else if (isCxlType(type) || type === 'vfio-pci') this.loose.push(endpoint);
  }

  /** cxl_setup_memory() */
  private type3Memories(id: string, props: Properties): Pick<EndpointPlan, 'volatile' | 'persistent' | 'lsa'> {
    const legacy = props.text('memdev');
    const property = legacy === null ? 'persistent-memdev' : 'memdev';
    if (legacy === null && !props.text('persistent-memdev') && !props.text('volatile-memdev')) {
      if (props.number('num-dc-regions') === 0) refuse('at least one memdev property must be set');
    } else if (legacy !== null && props.text('persistent-memdev'))
      refuse('[memdev] cannot be used with new [persistent-memdev] property');
    if (props.number('num-dc-regions') > 0) refuse('dynamic capacity is not modelled in this lab');
    if (props.text('cdat')) refuse('cdat files are not modelled in this lab: the default table is served');
    if (props.text(property) && !props.text('lsa')) refuse('lsa property must be set for persistent devices');
    const volatile = this.take(id, props, 'volatile-memdev', 'volatile');
    const persistent = this.take(id, props, property, 'persistent');
    return { volatile, persistent, lsa: this.link(id, props, 'lsa', 'lsa') };
  }

  private accelMemories(id: string, type: string, props: Properties) {
    const volatile = type === 'cxl-accel' ? this.take(id, props, 'volatile-memdev', 'volatile') : null;
    return { volatile, persistent: null, lsa: null };
  }

  private link(
    id: string,
    props: Properties,
    property: string,
    as: 'volatile' | 'persistent' | 'lsa',
  ): MemoryPlan | null {
    const name = props.text(property);
    if (name === null) return null;
    const memory = this.memories.find((one) => one.id === name) ?? refuse(`Device '${name}' not found`);
    memory.users.push({ device: id, as });
    return memory;
  }

  private take(id: string, props: Properties, property: string, as: 'volatile' | 'persistent'): MemoryPlan | null {
    const name = props.text(property);
    const used = this.memories.find((one) => one.id === name)?.users.some((user) => user.as !== 'lsa') ?? false;
    if (used) refuse(`memory backend ${name} can't be used multiple times.`);
    return this.link(id, props, property, as);
  }

  /** Bus numbers the firmware will give, and whether a bridge keeps its decoders. */
  finish(): void {
    for (const bridge of this.bridges) {
      bridge.ports.sort((a, b) => a.devfn - b.devfn);
      bridge.passthrough = bridge.ports.length === 1 && !bridge.hdmForPassthrough;
      bridge.lastBus = bridge.busNumber + bridge.ports.reduce((sum, port) => sum + busesOf(port), 0);
    }
  }
}

/** Buses a port needs: its own, and those of switches below it. */
function busesOf(port: PortPlan): number {
  return port.children.reduce(
    (sum, child) => sum + (child.kind === 'switch' ? 1 + child.ports.reduce((all, down) => all + busesOf(down), 0) : 0),
    1,
  );
}
