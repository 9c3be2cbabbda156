/**
 * qdev's device classes and instances (hw/core/qdev.c, include/hw/qdev-core.h) as far as the lab needs them: a class is one
 * `DeviceType` in the table below; an instance is a `Device` with its property values, its place on a bus and, for PCI
 * devices, its function. See README.md for how to write one.
 */

import { assert } from '../../base/assert.ts';
import type { AddressSpace } from '../../hw/memory/index.ts';
import type { PciFunction } from '../../hw/pci/index.ts';
import type { QemuBuild } from './build.ts';
import type { Bus } from './bus.ts';
import type { Properties } from './properties.ts';
import type { PropertySpec } from './property.ts';
import type { VirtualMachine } from './virtual-machine.ts';

/** What kinds of bus a device can sit on. `System` devices are made by the machine and have no bus option. */
export type BusKind = 'System' | 'PCI' | 'ISA' | 'i2c-bus' | 'IDE' | 'none';

/** Device categories in the order and words of `-device help`. */
export type DeviceCategory =
  | 'Controller/Bridge/Hub'
  | 'Storage'
  | 'Network'
  | 'Display'
  | 'Misc'
  | 'Input'
  | 'CPU'
  | 'Uncategorized';

export interface DeviceType {
  readonly name: string;
  /** `desc "…"` of `-device help`. */
  readonly description?: string;
  readonly category: DeviceCategory;
  /** Kind of bus it plugs into. */
  readonly bus: BusKind;
  /** Bus name `-device help` prints (`PCI`, `CXL` …); default `bus`. */
  readonly userCreatable: boolean;
  /** In the order `info qtree` prints them, without those every PCI device has. */
  readonly properties: readonly PropertySpec[];
  /** Absent from builds without the patch that adds it. */
  available?(build: QemuBuild): boolean;
  /**
   * Builds the device. `dev.props` holds the checked values, `dev.parentBus` the bus it was plugged into. Failures:
   * `error_setg(message)`; messages for the user that do not stop: `dev.vm.report(message)`.
   */
  realize(dev: Device): void | Promise<void>;
}

/** One device of a running VM. */
export class Device {
  /** Buses below it (`bus: rp0`), oldest first. */
  readonly childBuses: Bus[] = [];
  /** Its PCI side, once `pci_register_device` placed it. */
  pci: PciFunction | null = null;
  /** What its DMA sees (pci_device_iommu_address_space). */
  bus_master_as: AddressSpace | null = null;
  /** Follows the bus master bit; a device with config ops of its own calls it. */
  setBusMaster: ((on: boolean) => void) | null = null;
  /** Name of `bus_master_as` where it is not the type's. */
  asName: string | null = null;
  /** Lines `info qtree` prints after the properties (`mmio …`, `gpio-in "" 24`), given by the type. */
  qtreeLines: () => readonly string[] = () => [];
  /** Reset of a device that is no PCI function (those use `pci.resetHooks`). */
  reset: (() => void) | null = null;
  /** Called when the VM ends or the device is unplugged. */
  unrealize: (() => void) | null = null;

  constructor(
    readonly vm: VirtualMachine,
    readonly type: DeviceType,
    /** '' when the user gave none. */
    readonly id: string,
    readonly props: Properties,
    readonly parentBus: Bus | null,
  ) {}
}

const types = new Map<string, DeviceType>();

/** type_register_static(): adds a class to the catalogue. */
export function registerDeviceType(type: DeviceType): void {
  assert(!types.has(type.name), `device type ${type.name} is registered twice`);
  types.set(type.name, type);
}

export function deviceType(name: string): DeviceType | undefined {
  return types.get(name);
}

/** All classes in order of their names. */
export function deviceTypes(): readonly DeviceType[] {
  return [...types.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
