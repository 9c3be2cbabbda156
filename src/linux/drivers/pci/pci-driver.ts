import { hex } from '../../../base/addr.ts';
import { assert } from '../../../base/assert.ts';
import { E } from '../../../base/errno.ts';
import type { BusAttribute, BusType, Device, DeviceDriver, Slept } from '../../include/device.ts';
import type { Kernel } from '../../include/kernel.ts';
import { after, Mutex } from '../../include/mutex.ts';
import { PCI, PCI_ANY_ID, PciDev, type PciDeviceId, type PciDriver } from '../../include/pci_types.ts';
import { pci_modalias } from './pci.ts';
import { pci_dev_groups } from './pci-sysfs.ts';
import { pci_lock_rescan_remove, pci_scan_rescan } from './probe.ts';

/**
 * The `pci` bus type (drivers/pci/pci-driver.c, v6.11): matching by id tables, dynamic ids and driver_override, probe
 * and remove. Leaves out power management and the shutdown path.
 */

class PciDeviceDriver implements DeviceDriver {
  readonly name: string;
  readonly bus = 'pci';
  readonly asynchronous: boolean;
  readonly dynids: PciDeviceId[] = [];

  constructor(
    readonly pci: PciDriver,
    readonly owner: string | null,
  ) {
    this.name = pci.name;
    this.asynchronous = pci.asynchronous === true;
  }
}

/** The PCI function behind a driver-core device. */
export function to_pci_dev(dev: Device): PciDev {
  assert(dev instanceof PciDev, `${dev.name} is not a PCI device`);
  return dev;
}

function to_pci_driver(drv: DeviceDriver): PciDeviceDriver {
  assert(drv instanceof PciDeviceDriver, `${drv.name} is not a PCI driver`);
  return drv;
}

/** pci_match_one_device */
function pci_match_one_device(id: PciDeviceId, dev: PciDev): boolean {
  const any = (want: number | undefined, have: number) => want === undefined || want === PCI_ANY_ID || want === have;
  return (
    any(id.vendor, dev.vendor) &&
    any(id.device, dev.device) &&
    any(id.subvendor, dev.subsystem_vendor) &&
    any(id.subdevice, dev.subsystem_device) &&
    (((id.class ?? 0) ^ dev.class_code) & (id.class_mask ?? 0)) === 0
  );
}

const ANY: PciDeviceId = { vendor: PCI_ANY_ID, device: PCI_ANY_ID };

/** pci_match_device: driver_override restricts to one driver; override-only ids need it. */
function pci_match_device(drv: PciDeviceDriver, dev: PciDev): PciDeviceId | null {
  if (dev.driver_override !== null && dev.driver_override !== drv.name) return null;
  const dynamic = drv.dynids.find((id) => pci_match_one_device(id, dev));
  if (dynamic) return dynamic;
  const found = drv.pci.id_table.find(
    (id) => pci_match_one_device(id, dev) && (!id.override_only || dev.driver_override !== null),
  );
  if (found) return found;
  return dev.driver_override !== null ? ANY : null;
}

/** pci_device_probe */
function pci_device_probe(device: Device, driver: DeviceDriver): number {
  const dev = to_pci_dev(device);
  const drv = to_pci_driver(driver);
  const id = pci_match_device(drv, dev);
  if (!id) return -E.ENODEV;
  dev.pci_driver = drv.pci;
  const kernel = dev.kernel;
  const rc = kernel.span(
    kernel.site('pci_device_probe', ['bus', 'devfn'], 'drivers/pci/pci-driver.c'),
    dev.pci_bus.number,
    dev.devfn,
    () => drv.pci.probe(dev, id),
  );
  if (rc < 0) dev.pci_driver = null;
  return rc < 0 ? rc : 0;
}

/** pci_device_remove */
function pci_device_remove(device: Device, driver: DeviceDriver): Slept {
  const dev = to_pci_dev(device);
  return after(dev.kernel, to_pci_driver(driver).pci.remove?.(dev), () => {
    dev.pci_driver = null;
  });
}

/** pci_uevent */
function pci_uevent(device: Device): Record<string, string> {
  const dev = to_pci_dev(device);
  return {
    PCI_CLASS: hex(dev.class_code, 4).toUpperCase(),
    PCI_ID: `${hex(dev.vendor, 4)}:${hex(dev.device, 4)}`.toUpperCase(),
    PCI_SUBSYS_ID: `${hex(dev.subsystem_vendor, 4)}:${hex(dev.subsystem_device, 4)}`.toUpperCase(),
    PCI_SLOT_NAME: dev.name,
    MODALIAS: pci_modalias(dev),
  };
}

/** Parses `vendor device [subvendor subdevice [class class_mask]]` of new_id and remove_id. */
function parse_id(text: string): PciDeviceId | null {
  const fields = text.trim().split(/\s+/);
  if (fields.length < 2 || fields.some((field) => !/^(0x)?[0-9a-f]+$/i.test(field))) return null;
  const n = fields.map((field) => Number.parseInt(field, 16));
  return {
    vendor: n[0] as number,
    device: n[1] as number,
    subvendor: n[2] ?? PCI_ANY_ID,
    subdevice: n[3] ?? PCI_ANY_ID,
    class: n[4] ?? 0,
    class_mask: n[5] ?? 0,
  };
}

/** pci_add_dynid: adds an id at run time and tries the free devices again. */
export function pci_add_dynid(kernel: Kernel, driver: DeviceDriver, id: PciDeviceId): number {
  const drv = to_pci_driver(driver);
  drv.dynids.push(id);
  for (const dev of kernel.drivers.bus_devices('pci'))
    if (!dev.driver && pci_match_device(drv, to_pci_dev(dev))) kernel.drivers.device_driver_attach(drv, dev);
  return 0;
}

function pci_drv_attrs(kernel: Kernel, driver: DeviceDriver): readonly BusAttribute[] {
  const drv = to_pci_driver(driver);
  return [
    {
      name: 'new_id',
      mode: 0o200,
      store(text) {
        const id = parse_id(text);
        if (!id) return -E.EINVAL;
        if (drv.dynids.some((known) => known.vendor === id.vendor && known.device === id.device)) return -E.EEXIST;
        return pci_add_dynid(kernel, drv, id);
      },
    },
    {
      name: 'remove_id',
      mode: 0o200,
      store(text) {
        const id = parse_id(text);
        if (!id) return -E.EINVAL;
        const at = drv.dynids.findIndex((known) => known.vendor === id.vendor && known.device === id.device);
        if (at < 0) return -E.ENODEV;
        drv.dynids.splice(at, 1);
        return 0;
      },
    },
  ];
}

/** Registers the bus type and its state; idempotent. */
export function pci_driver_init(kernel: Kernel): number {
  if (kernel.has(PCI) && kernel.get(PCI).registered) return 0;
  if (!kernel.has(PCI))
    kernel.set(PCI, {
      roots: [],
      mmcfg: [],
      conf1: false,
      next_irq: 24,
      vectors: [],
      registered: false,
      irqs: new Map(),
      rescan_remove: new Mutex(kernel),
    });
  const bus: BusType = {
    name: 'pci',
    match: (dev, drv) => pci_match_device(to_pci_driver(drv), to_pci_dev(dev)) !== null,
    uevent: pci_uevent,
    probe: pci_device_probe,
    remove: pci_device_remove,
    dev_groups: pci_dev_groups,
    bus_attrs: [
      {
        name: 'rescan',
        mode: 0o200,
        store(text) {
          if (text.trim() !== '1') return text.trim() === '0' ? 0 : -E.EINVAL;
          return pci_lock_rescan_remove(kernel, () => {
            for (const root of kernel.get(PCI).roots) pci_scan_rescan(root);
            return 0;
          });
        },
      },
    ],
    drv_attrs: (drv) => pci_drv_attrs(kernel, drv),
  };
  kernel.drivers.bus_register(bus);
  kernel.get(PCI).registered = true;
  return 0;
}

/** Handles of registered drivers, so that unregister finds what register made. */
const registered = new WeakMap<Kernel, Map<PciDriver, PciDeviceDriver>>();

/** pci_register_driver: `owner` is the module's name (underscores) or null when built in. */
export function pci_register_driver(kernel: Kernel, driver: PciDriver, owner: string | null): number {
  const drv = new PciDeviceDriver(driver, owner);
  const map = registered.get(kernel) ?? new Map<PciDriver, PciDeviceDriver>();
  registered.set(kernel, map);
  map.set(driver, drv);
  return kernel.drivers.driver_register(drv);
}

export function pci_unregister_driver(kernel: Kernel, driver: PciDriver): void {
  const map = registered.get(kernel);
  const drv = map?.get(driver);
  if (!map || !drv) return;
  kernel.drivers.driver_unregister(drv);
  map.delete(driver);
}
