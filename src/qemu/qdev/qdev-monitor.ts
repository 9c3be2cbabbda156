/** `-device` (system/qdev-monitor.c qdev_device_add): class, bus, properties, realize; every failure in QEMU's words. */
import { error_setg } from '../system/error.ts';
import type { Opts } from '../system/qemu-opts.ts';
import type { Bus } from './bus.ts';
import { Device, deviceType } from './device-type.ts';
import { Properties } from './properties.ts';
import type { VirtualMachine } from './virtual-machine.ts';

/** What device_add needs of the machine besides what devices see. */
export interface DeviceHost extends VirtualMachine {
  /** All buses, in the order a search for a default bus meets them (main-system-bus downwards). */
  allBuses(): readonly Bus[];
  adopt(dev: Device): void;
  readonly globals: readonly { readonly driver: string; readonly property: string; readonly value: string }[];
}

export async function qdev_device_add(vm: DeviceHost, opts: Opts): Promise<Device> {
  const driver = opts.values.get('driver');
  if (driver === undefined) return error_setg("Parameter 'driver' is missing");
  const type = deviceType(driver);
  if (!type || type.available?.(vm.build) === false) return error_setg(`'${driver}' is not a valid device model name`);
  if (!type.userCreatable) error_setg("Parameter 'driver' expects a pluggable device type");
  const bus = findBus(vm, type.bus === 'System' ? null : opts.values.get('bus'), type);
  if (opts.id !== null && vm.findDevice(opts.id)) error_setg(`Duplicate device ID '${opts.id}'`);
  const props = new Properties(type.name, type.properties);
  for (const global of vm.globals) if (global.driver === type.name) props.parse(global.property, global.value);
  for (const [name, value] of opts.values) if (name !== 'driver' && name !== 'bus') props.parse(name, value);
  const dev = new Device(vm, type, opts.id ?? '', props, bus);
  await realizeDevice(vm, dev);
  return dev;
}

function findBus(vm: DeviceHost, wanted: string | null | undefined, type: { name: string; bus: string }): Bus | null {
  if (wanted === null) return null;
  if (wanted !== undefined) {
    const bus = vm.findBus(wanted);
    if (!bus) return error_setg(`Bus '${wanted}' not found`);
    if (bus.accepts !== type.bus) error_setg(`Device '${type.name}' can't go on ${bus.type} bus`);
    return bus;
  }
  const bus = vm.allBuses().find((other) => other.accepts === type.bus);
  return bus ?? error_setg(`No '${type.bus}' bus found for device '${type.name}'`);
}

/** device_set_realized(): built, then on its bus. */
export async function realizeDevice(vm: DeviceHost, dev: Device): Promise<void> {
  await dev.type.realize(dev);
  dev.parentBus?.children.push(dev);
  vm.adopt(dev);
}
