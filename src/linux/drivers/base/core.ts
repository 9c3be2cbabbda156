/**
 * drivers/base: struct device, buses, drivers, classes and their sysfs (core.c, bus.c, class.c). Binding is in dd.ts.
 * Left out: power management files, device links, uevent delivery to user space (the `uevent` files are there).
 */
import { assert } from '../../../base/assert.ts';
import { E } from '../../../base/errno.ts';
import { type DeviceState, paths } from '../../../state/schema.ts';
import type { KernfsNode, Sysfs, SysfsOps } from '../../fs/kernfs.ts';
import type {
  Attribute,
  AttributeGroup,
  BinAttribute,
  BusAttribute,
  BusType,
  Device,
  DeviceDriver,
  DriverCore,
} from '../../include/device.ts';
import type { Kernel } from '../../include/kernel.ts';
import { Binding } from './dd.ts';

/** struct subsys_private of a bus. */
export interface BusState {
  readonly bus: BusType;
  readonly devices: Device[];
  readonly drivers: DeviceDriver[];
  autoprobe: boolean;
}

const isBin = (attr: Attribute | BinAttribute): attr is BinAttribute => 'size' in attr;

export class DriverCoreImpl implements DriverCore {
  readonly buses = new Map<string, BusState>();
  private readonly classes = new Set<string>();
  private readonly virtualParents = new Set<string>();
  private readonly binding: Binding;

  constructor(
    readonly kernel: Kernel,
    readonly sysfs: Sysfs,
  ) {
    for (const dir of ['devices', 'bus', 'class', 'module', 'dev/char', 'dev/block', 'kernel', 'firmware', 'fs'])
      sysfs.dir(dir);
    this.binding = new Binding(this);
  }

  // --- buses ------------------------------------------------------------------------------------------------------

  bus_register(bus: BusType): void {
    assert(!this.buses.has(bus.name), `bus ${bus.name} is registered already`);
    const state: BusState = { bus, devices: [], drivers: [], autoprobe: true };
    this.buses.set(bus.name, state);
    const dir = this.sysfs.dir(`bus/${bus.name}`);
    this.sysfs.dir(`bus/${bus.name}/devices`);
    this.sysfs.dir(`bus/${bus.name}/drivers`);
    this.busFile(dir, { name: 'uevent', mode: 0o200, store: () => 0 });
    this.busFile(dir, {
      name: 'drivers_probe',
      mode: 0o200,
      store: (text) => {
        const dev = this.bus_find_device(bus.name, text);
        if (!dev) return -E.ENODEV;
        if (!dev.driver) this.device_attach(dev);
        return 0;
      },
    });
    this.busFile(dir, {
      name: 'drivers_autoprobe',
      mode: 0o644,
      show: () => (state.autoprobe ? '1\n' : '0\n'),
      store: (text) => {
        state.autoprobe = text[0] !== '0';
        return 0;
      },
    });
    for (const attr of bus.bus_attrs ?? []) this.busFile(dir, attr);
  }

  bus_unregister(name: string): void {
    const state = this.buses.get(name);
    if (!state) return;
    assert(state.devices.length === 0 && state.drivers.length === 0, `bus ${name} is in use`);
    this.buses.delete(name);
    this.sysfs.remove(`bus/${name}`);
  }

  bus_find_device(bus: string, name: string): Device | null {
    return this.buses.get(bus)?.devices.find((dev) => dev.name === name) ?? null;
  }
  bus_devices(bus: string): readonly Device[] {
    return this.buses.get(bus)?.devices ?? [];
  }
  bus_drivers(bus: string): readonly DeviceDriver[] {
    return this.buses.get(bus)?.drivers ?? [];
  }

  // --- devices ----------------------------------------------------------------------------------------------------

  device_add(dev: Device): number {
    const where = `${this.parentDir(dev)}/${dev.name}`;
    if (this.sysfs.find(where)) {
      this.kernel.printk(4, `sysfs: cannot create duplicate filename '${where}'`);
      return -E.EEXIST;
    }
    const bus = dev.bus === null ? undefined : this.buses.get(dev.bus);
    assert(dev.bus === null || bus, `device_add: no bus ${dev.bus}`);
    dev.sysfs = where;
    const dir = this.sysfs.dir(where);
    if (dev.numa_node < 0) dev.numa_node = dev.parent?.numa_node ?? -1;
    dev.parent?.children.push(dev);
    dev.registered = true;
    this.addFile(dev, dir, this.ueventAttr(), 0o644);
    const { devt } = dev;
    if (dev.class !== null) {
      this.class_register(dev.class);
      this.sysfs.link(dir, 'subsystem', `/class/${dev.class}`);
      this.sysfs.link(this.sysfs.dir(`class/${dev.class}`), dev.name, where);
      if (dev.parent) this.sysfs.link(dir, 'device', dev.parent.sysfs);
    }
    for (const group of [...(bus?.bus.dev_groups ?? []), ...dev.groups]) this.addGroup(dev, group);
    if (bus) {
      this.sysfs.link(dir, 'subsystem', `/bus/${bus.bus.name}`);
      this.sysfs.link(this.sysfs.dir(`bus/${bus.bus.name}/devices`), dev.name, where);
      bus.devices.push(dev);
    }
    if (devt) {
      this.addFile(dev, dir, { name: 'dev', mode: 0o444, show: () => `${devt[0]}:${devt[1]}\n` }, 0o444);
      this.sysfs.link(this.sysfs.dir('dev/char'), `${devt[0]}:${devt[1]}`, where);
      if (dev.devname !== null) this.kernel.vfs.mknod(dev.devname, 0o600, devt[0], devt[1]);
    }
    this.publish(dev);
    if (bus?.autoprobe) this.binding.device_initial_probe(dev);
    return 0;
  }

  device_del(dev: Device): void {
    if (!dev.registered) return;
    if (dev.driver) this.device_release_driver(dev);
    dev.registered = false;
    this.binding.forget(dev);
    const { devt } = dev;
    if (devt) {
      this.sysfs.remove(`dev/char/${devt[0]}:${devt[1]}`);
      if (dev.devname !== null) this.kernel.vfs.rmnod(dev.devname);
    }
    const bus = dev.bus === null ? undefined : this.buses.get(dev.bus);
    if (bus) {
      bus.devices.splice(bus.devices.indexOf(dev), 1);
      this.sysfs.remove(`bus/${bus.bus.name}/devices/${dev.name}`);
    }
    if (dev.class !== null) this.sysfs.remove(`class/${dev.class}/${dev.name}`);
    this.sysfs.remove(dev.sysfs);
    const siblings = dev.parent?.children;
    siblings?.splice(siblings.indexOf(dev), 1);
    // A glue directory (…/misc, /devices/virtual/…) goes with its last device.
    const glue = dev.sysfs.slice(0, -dev.name.length - 1);
    if (this.virtualParents.has(glue) && this.sysfs.find(glue)?.children.size === 0) this.sysfs.remove(glue);
    this.kernel.log.publish(paths.device(this.kernel.machine, dev.sysfs), null);
  }

  /** get_device_parent: class devices live in a glue directory named after their class. */
  private parentDir(dev: Device): string {
    if (dev.class !== null && dev.bus === null) {
      if (dev.parent?.class === dev.class) return dev.parent.sysfs;
      const glue = `${dev.parent ? dev.parent.sysfs : '/devices/virtual'}/${dev.class}`;
      this.virtualParents.add(glue);
      return glue;
    }
    return dev.parent ? dev.parent.sysfs : '/devices';
  }

  /** dev_uevent and uevent_show. */
  uevent(dev: Device): string {
    const lines: string[] = [];
    if (dev.devt) lines.push(`MAJOR=${dev.devt[0]}`, `MINOR=${dev.devt[1]}`, `DEVNAME=${dev.devname ?? dev.name}`);
    if (dev.devtype !== null) lines.push(`DEVTYPE=${dev.devtype}`);
    if (dev.driver) lines.push(`DRIVER=${dev.driver.name}`);
    const bus = dev.bus === null ? undefined : this.buses.get(dev.bus);
    for (const [key, value] of Object.entries({ ...bus?.bus.uevent?.(dev), ...dev.env })) lines.push(`${key}=${value}`);
    return lines.map((line) => `${line}\n`).join('');
  }
  private ueventAttr(): Attribute {
    return { name: 'uevent', mode: 0o644, show: (dev) => this.uevent(dev), store: () => 0 };
  }

  publish(dev: Device): void {
    const state: DeviceState = {
      name: dev.name,
      subsystem: dev.bus ?? dev.class ?? '',
      driver: dev.driver?.name ?? null,
      parent: dev.parent?.sysfs ?? null,
      ...(dev.driver_override === null ? {} : { override: dev.driver_override }),
    };
    this.kernel.log.publish(paths.device(this.kernel.machine, dev.sysfs), { ...state });
  }

  // --- attributes -------------------------------------------------------------------------------------------------

  device_create_file(dev: Device, attr: Attribute | BinAttribute): void {
    this.addFile(dev, this.dirOf(dev), attr, attr.mode);
  }
  device_remove_file(dev: Device, name: string): void {
    this.sysfs.find(dev.sysfs)?.lookup(name)?.remove();
  }
  sysfs_create_link(dev: Device, target: Device | string, name: string): void {
    this.sysfs.link(this.dirOf(dev), name, typeof target === 'string' ? normal(target) : target.sysfs);
  }
  sysfs_remove_link(dev: Device, name: string): void {
    this.device_remove_file(dev, name);
  }
  sysfs_create_group(dev: Device, group: AttributeGroup): void {
    this.addGroup(dev, group);
  }
  sysfs_remove_group(dev: Device, group: AttributeGroup): void {
    const dir = this.sysfs.find(dev.sysfs);
    if (group.name !== undefined) dir?.lookup(group.name)?.remove();
    else for (const attr of group.attrs) dir?.lookup(attr.name)?.remove();
  }
  sysfs_update_group(dev: Device, group: AttributeGroup): void {
    this.addGroup(dev, group);
  }

  private addGroup(dev: Device, group: AttributeGroup): void {
    const modes = group.attrs.map((attr) => group.is_visible?.(dev, attr) ?? attr.mode);
    if (group.name !== undefined && modes.every((mode) => mode === 0)) {
      this.sysfs.find(dev.sysfs)?.lookup(group.name)?.remove();
      return;
    }
    const dir = group.name === undefined ? this.dirOf(dev) : this.sysfs.dir(`${dev.sysfs}/${group.name}`);
    group.attrs.forEach((attr, n) => {
      const mode = modes[n] ?? 0;
      const known = dir.lookup(attr.name);
      if (mode === 0) known?.remove();
      else if (!known || (known.mode & 0o777) !== mode) this.addFile(dev, dir, attr, mode);
    });
  }

  private addFile(dev: Device, dir: KernfsNode, attr: Attribute | BinAttribute, mode: number): void {
    this.sysfs.file(dir, attr.name, mode, attrOps(dev, attr));
  }
  private dirOf(dev: Device): KernfsNode {
    assert(dev.registered, `device ${dev.name} is not registered`);
    return this.sysfs.dir(dev.sysfs);
  }
  busFile(dir: KernfsNode, attr: BusAttribute): void {
    const ops: SysfsOps = {};
    if (attr.show) ops.show = () => attr.show?.() ?? -E.EIO;
    if (attr.store) ops.store = (text) => attr.store?.(text) ?? -E.EIO;
    this.sysfs.file(dir, attr.name, attr.mode, ops);
  }

  // --- classes and plain kobjects -----------------------------------------------------------------------------------

  class_register(name: string): void {
    if (this.classes.has(name)) return;
    this.classes.add(name);
    this.sysfs.dir(`class/${name}`);
  }
  kobject_dir(path: string): void {
    this.sysfs.dir(normal(path));
  }
  kobject_remove(path: string): void {
    this.sysfs.remove(normal(path));
  }
  kobject_attr(path: string, attr: BusAttribute): void {
    this.busFile(this.sysfs.dir(normal(path)), attr);
  }
  /** A read-only binary file of fixed content (an ACPI table). */
  kobject_bin_file(dir: string, name: string, mode: number, bytes: Uint8Array): void {
    this.sysfs.file(this.sysfs.dir(normal(dir)), name, mode, {
      binary: true,
      size: () => bytes.length,
      read: (offset, into) => {
        const part = bytes.subarray(offset, offset + into.length);
        into.set(part);
        return part.length;
      },
    });
  }
  /** `path` is the link itself, `target` what it points to, both below /sys. */
  kobject_link(path: string, target: string): void {
    const at = normal(path);
    const cut = at.lastIndexOf('/');
    this.sysfs.link(this.sysfs.dir(at.slice(0, cut)), at.slice(cut + 1), normal(target));
  }

  // --- drivers ------------------------------------------------------------------------------------------------------

  driver_register(drv: DeviceDriver): number {
    return this.binding.driver_register(drv);
  }
  driver_unregister(drv: DeviceDriver): void {
    this.binding.driver_unregister(drv);
  }
  device_driver_attach(drv: DeviceDriver, dev: Device): number {
    return this.binding.device_driver_attach(drv, dev);
  }
  device_attach(dev: Device): number {
    return this.binding.device_attach(dev);
  }
  device_release_driver(dev: Device): void {
    this.binding.device_release_driver(dev);
  }
  device_driver_detach(drv: DeviceDriver, dev: Device): number | Promise<number> {
    return this.binding.device_driver_detach(drv, dev);
  }
  flush_async_probes(): void {
    this.binding.flush_async_probes();
  }
}

function attrOps(dev: Device, attr: Attribute | BinAttribute): SysfsOps {
  const ops: SysfsOps = {};
  if (isBin(attr)) {
    return {
      binary: true,
      size: () => attr.size(dev),
      ...(attr.read ? { read: (offset: number, into: Uint8Array) => attr.read?.(dev, offset, into) ?? -E.EIO } : {}),
      ...(attr.write ? { write: (offset: number, from: Uint8Array) => attr.write?.(dev, offset, from) ?? -E.EIO } : {}),
    };
  }
  if (attr.show) ops.show = () => attr.show?.(dev) ?? -E.EIO;
  if (attr.store) ops.store = (text) => attr.store?.(dev, text) ?? -E.EIO;
  return ops;
}

/** Paths below /sys may be given with or without `/sys` in front. */
function normal(path: string): string {
  const rest = path.startsWith('/sys/') ? path.slice(4) : path;
  return rest.startsWith('/') ? rest : `/${rest}`;
}
