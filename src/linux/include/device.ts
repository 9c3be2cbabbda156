import type { Kernel } from './kernel.ts';
import { Mutex } from './mutex.ts';

/** What a function gives that may sleep: nothing when it did not have to, as a system call gives its plain number. */
export type Slept = void | Promise<void>;

/** A text attribute in sysfs. Errors are negated errno. `show` gives the text including its newline. */
export interface Attribute {
  readonly name: string;
  /** Permission bits, for example 0o444. */
  readonly mode: number;
  show?(dev: Device): string | number;
  /** Gets what was written (a trailing newline and a trailing NUL removed); 0 or a negated errno. */
  store?(dev: Device, text: string): number | Promise<number>;
}

/** A binary attribute. `size` 0 hides the size, as in sysfs. */
export interface BinAttribute {
  readonly name: string;
  readonly mode: number;
  size(dev: Device): number;
  read?(dev: Device, offset: number, into: Uint8Array): number;
  write?(dev: Device, offset: number, from: Uint8Array): number;
}

export interface AttributeGroup {
  /** Subdirectory, or absent for the device's own directory. */
  readonly name?: string;
  readonly attrs: readonly (Attribute | BinAttribute)[];
  /** Mode to show with; 0 hides the attribute. */
  is_visible?(dev: Device, attr: Attribute | BinAttribute): number;
}

export interface BusType {
  readonly name: string;
  match(dev: Device, drv: DeviceDriver): boolean;
  uevent?(dev: Device): Readonly<Record<string, string>>;
  /** Called instead of drv.probe when present (PCI, CXL). */
  probe?(dev: Device, drv: DeviceDriver): number;
  remove?(dev: Device, drv: DeviceDriver): Slept;
  readonly dev_groups?: readonly AttributeGroup[];
  /** Attributes of the bus directory itself (`rescan`, `drivers_probe` and `drivers_autoprobe` come by themselves). */
  readonly bus_attrs?: readonly BusAttribute[];
  readonly drv_attrs?: (drv: DeviceDriver) => readonly BusAttribute[];
}

export interface BusAttribute {
  readonly name: string;
  readonly mode: number;
  show?(): string | number;
  store?(text: string): number | Promise<number>;
}

export interface DeviceDriver {
  readonly name: string;
  readonly bus: string;
  /** Name of the module it came from, or null when built in. */
  readonly owner: string | null;
  probe?(dev: Device): number;
  remove?(dev: Device): Slept;
  /** Of a built-in driver: the module it would be. */
  readonly mod_name?: string;
  /** PROBE_PREFER_ASYNCHRONOUS: order among such probes is drawn from the lab's seed. */
  readonly asynchronous?: boolean;
  readonly suppress_bind_attrs?: boolean;
}

/** struct device. Subsystems subclass it (PciDev, CxlPort …). */
export class Device {
  driver: DeviceDriver | null = null;
  /** Set by device_add: path below /sys, for example `/devices/pci0000:0c/0000:0c:00.0`. */
  sysfs = '';
  driverData: unknown = null;
  /** device_lock() */
  readonly mutex: Mutex;
  readonly children: Device[] = [];
  /** Undone in reverse order at unbind (devm_*). */
  readonly devres: (() => void)[] = [];
  /** Major and minor of its node in /dev, if any, and the node's name (`cxl/mem0`). */
  devt: readonly [major: number, minor: number] | null = null;
  devname: string | null = null;
  /** Name of a class directory /sys/class/… to link from. */
  class: string | null = null;
  /** Further lines of its uevent file. */
  env: Readonly<Record<string, string>> = {};
  registered = false;
  /** Proximity, -1 for none; a device without one takes its parent's (set before device_add). */
  numa_node = -1;
  /** The only driver that may match, on the buses that offer the file of this name. */
  driver_override: string | null = null;

  constructor(
    readonly kernel: Kernel,
    public name: string,
    public parent: Device | null,
    public bus: string | null,
    public groups: readonly AttributeGroup[] = [],
    /** `struct device_type` name, for uevent DEVTYPE. */
    public readonly devtype: string | null = null,
  ) {
    this.mutex = new Mutex(kernel);
  }

  /** dev_driver_string(): driver, else bus, else class, else ''. */
  driverString(): string {
    return this.driver?.name ?? this.bus ?? this.class ?? '';
  }
  /** `dev_info` and friends: `driver name: text`, as dev_printk prints it. */
  printk(level: number, text: string): void {
    this.kernel.printk(level, `${this.driverString()} ${this.name}: ${text}`);
  }
  err(text: string): void {
    this.printk(3, text);
  }
  warn(text: string): void {
    this.printk(4, text);
  }
  info(text: string): void {
    this.printk(6, text);
  }
  dbg(module: string, fn: string, text: string): void {
    this.kernel.dynamic_debug(module, fn, `${this.driverString()} ${this.name}: ${text}`);
  }
  /** devm_add_action_or_reset */
  devm(undo: () => void): void {
    this.devres.push(undo);
  }
}

/** drivers/base: buses, devices, drivers, classes, and their sysfs. Functions bear their kernel names. */
export interface DriverCore {
  bus_register(bus: BusType): void;
  bus_unregister(name: string): void;
  device_add(dev: Device): number;
  device_del(dev: Device): void;
  driver_register(drv: DeviceDriver): number;
  driver_unregister(drv: DeviceDriver): void;
  /** Binds this driver to the device: 0 or a negated errno. */
  device_driver_attach(drv: DeviceDriver, dev: Device): number;
  /** Tries all drivers of the bus; 1 bound, 0 none. */
  device_attach(dev: Device): number;
  /** For callers that do not sleep: of a driver whose remove never does. */
  device_release_driver(dev: Device): void;
  /** Tells the log what the device is now. */
  publish(dev: Device): void;
  /** Under the device's lock, and only while `drv` has it: what writing a name to `unbind` does. */
  device_driver_detach(drv: DeviceDriver, dev: Device): number | Promise<number>;
  bus_find_device(bus: string, name: string): Device | null;
  bus_devices(bus: string): readonly Device[];
  bus_drivers(bus: string): readonly DeviceDriver[];
  /** Extra files or links in a device's directory. */
  device_create_file(dev: Device, attr: Attribute | BinAttribute): void;
  device_remove_file(dev: Device, name: string): void;
  sysfs_create_link(dev: Device, target: Device | string, name: string): void;
  sysfs_remove_link(dev: Device, name: string): void;
  /** Adds a group to a device after device_add, or takes it away; `sysfs_update_group` re-evaluates is_visible. */
  sysfs_create_group(dev: Device, group: AttributeGroup): void;
  sysfs_remove_group(dev: Device, group: AttributeGroup): void;
  sysfs_update_group(dev: Device, group: AttributeGroup): void;
  /** Makes /sys/class/<name>. Idempotent. */
  class_register(name: string): void;
  /** A plain directory anywhere below /sys (kernel/iommu_groups/3/devices …) and links in it. */
  kobject_dir(path: string): void;
  kobject_remove(path: string): void;
  kobject_attr(path: string, attr: BusAttribute): void;
  kobject_link(path: string, target: string): void;
  /** A binary file in such a directory (firmware/acpi/tables/DSDT). */
  kobject_bin_file?(path: string, name: string, mode: number, bytes: Uint8Array): void;
  /** Runs probes that drivers asked to run asynchronously, in the order drawn from the seed. */
  flush_async_probes(): void;
}
