import type { AcpiDevice } from '../../include/acpi.ts';
import { Device } from '../../include/device.ts';
import type { Kernel } from '../../include/kernel.ts';
import { SubsystemKey } from '../../include/kernel.ts';

/** The platform bus (drivers/base/platform.c) as far as ACPI needs it: devices named after their ACPI node. */
interface PlatformState {
  readonly root: Device;
}
export const PLATFORM = new SubsystemKey<PlatformState>('platform');

/** A platform device; `modalias` is `acpi:<HID>:` for those from the namespace, else `platform:<name without number>`. */
export class PlatformDevice extends Device {
  constructor(
    kernel: Kernel,
    name: string,
    parent: Device,
    readonly modalias: string,
  ) {
    super(kernel, name, parent, 'platform');
  }
}

/** platform_bus_init: /sys/devices/platform and the bus; matching by driver name, ACPI ids or id_table. */
export function platform_bus_init(kernel: Kernel): Device {
  if (kernel.has(PLATFORM)) return kernel.get(PLATFORM).root;
  kernel.drivers.bus_register({
    name: 'platform',
    match(dev, drv) {
      if (!(dev instanceof PlatformDevice)) return false;
      if (dev.driver_override !== null) return dev.driver_override === drv.name;
      const ids = 'acpi_match_table' in drv ? drv.acpi_match_table : undefined;
      if (Array.isArray(ids) && ids.includes(dev.name.split(':')[0])) return true;
      const plain = dev.modalias.startsWith('platform:') ? dev.modalias.slice(9) : dev.name;
      const names = 'id_table' in drv ? drv.id_table : undefined;
      return Array.isArray(names) ? names.includes(plain) : plain === drv.name;
    },
    uevent: (dev) => (dev instanceof PlatformDevice ? { MODALIAS: dev.modalias } : {}),
    dev_groups: [
      {
        attrs: [
          {
            name: 'driver_override',
            mode: 0o644,
            show: (dev) => `${dev.driver_override ?? '(null)'}\n`,
            store(dev, text) {
              dev.driver_override = text === '' ? null : text;
              return 0;
            },
          },
          {
            name: 'numa_node',
            mode: 0o444,
            show: (dev) => `${dev.numa_node}\n`,
          },
          {
            name: 'modalias',
            mode: 0o444,
            show: (dev) => `${dev instanceof PlatformDevice ? dev.modalias : ''}\n`,
          },
        ],
        is_visible: (dev, attr) => (attr.name === 'numa_node' && dev.numa_node < 0 ? 0 : attr.mode),
      },
    ],
  });
  const root = new Device(kernel, 'platform', null, null);
  kernel.drivers.device_add(root);
  kernel.set(PLATFORM, { root });
  return root;
}

/** acpi_bind_one: the two links between a namespace object and the device that stands for it. */
export function link_physical(kernel: Kernel, dev: AcpiDevice, physical: Device): void {
  dev.physical_node = physical;
  kernel.drivers.sysfs_create_link(dev, physical, 'physical_node');
  kernel.drivers.sysfs_create_link(physical, dev, 'firmware_node');
}
