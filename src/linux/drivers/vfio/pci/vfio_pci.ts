import { hex } from '../../../../base/addr.ts';
import { E } from '../../../../base/errno.ts';
import type { DeviceDriver, Slept } from '../../../include/device.ts';
import { type Kernel, SubsystemKey } from '../../../include/kernel.ts';
import {
  PCI_ANY_ID,
  PCI_ID_F_VFIO_DRIVER_OVERRIDE,
  type PciDev,
  type PciDriver,
  pci_add_dynid,
  pci_register_driver,
  pci_unregister_driver,
} from '../../../include/pci.ts';
import type { VfioDevice, VfioDeviceOps } from '../vfio.ts';
import {
  vfio_pci_core_close_device,
  vfio_pci_core_enable,
  vfio_pci_core_finish_enable,
  vfio_pci_core_match,
  vfio_pci_core_mmap,
  vfio_pci_core_register_device,
  vfio_pci_core_request,
  vfio_pci_core_unregister_device,
  vfio_pci_drvdata,
} from './vfio_pci_core.ts';
import { VfioPciCoreDevice } from './vfio_pci_device.ts';
import { vfio_pci_core_ioctl } from './vfio_pci_ioctl.ts';
import { vfio_pci_core_read, vfio_pci_core_write } from './vfio_pci_rdwr.ts';

/** The generic driver (drivers/vfio/pci/vfio_pci.c, v6.11). Left out: IGD regions, SR-IOV, VGA. */

/** Device operations every driver on vfio-pci-core shares; `core` unwraps the device. */
export function core(device: VfioDevice): VfioPciCoreDevice {
  return device as VfioPciCoreDevice;
}

function vfio_pci_open_device(device: VfioDevice): number {
  const vdev = core(device);
  const rc = vfio_pci_core_enable(vdev);
  if (rc) return rc;
  vfio_pci_core_finish_enable(vdev);
  return 0;
}

export const vfio_pci_ops: VfioDeviceOps = {
  name: 'vfio-pci',
  open_device: vfio_pci_open_device,
  close_device: (device) => vfio_pci_core_close_device(core(device)),
  read: (device, into, pos) => vfio_pci_core_read(core(device), into, pos),
  write: (device, from, pos) => vfio_pci_core_write(core(device), from, pos),
  ioctl: (device, request, arg, process) => vfio_pci_core_ioctl(core(device), request, arg, process),
  mmap: (device, vma) => vfio_pci_core_mmap(core(device), vma),
  match: (device, name) => vfio_pci_core_match(core(device), name),
  request: (device, count) => vfio_pci_core_request(core(device), count),
};

/** Probe of any driver on vfio-pci-core. */
export function vfio_pci_probe_with(dev: PciDev, ops: VfioDeviceOps): number {
  return vfio_pci_core_register_device(new VfioPciCoreDevice(dev, ops));
}

export function vfio_pci_remove(dev: PciDev): Slept {
  const vdev = vfio_pci_drvdata(dev.driverData);
  return vdev ? vfio_pci_core_unregister_device(vdev) : undefined;
}

export const vfio_pci_driver: PciDriver = {
  name: 'vfio-pci',
  id_table: [{ vendor: PCI_ANY_ID, device: PCI_ANY_ID, override_only: PCI_ID_F_VFIO_DRIVER_OVERRIDE }],
  probe: vfio_pci_probe,
  remove: vfio_pci_remove,
  driver_managed_dma: true,
};

/** The parameter disable_cxl (v3, patch 11) of this kernel's module: no device it binds is taken from the CXL core. */
const DISABLE_CXL = new SubsystemKey<boolean>('vfio_pci.disable_cxl');

/** vfio_pci_probe */
function vfio_pci_probe(dev: PciDev): number {
  const vdev = new VfioPciCoreDevice(dev, vfio_pci_ops);
  vdev.disable_cxl = dev.kernel.get(DISABLE_CXL);
  return vfio_pci_core_register_device(vdev);
}

/** vfio_pci_fill_ids: the `ids=` parameter, `vendor:device[:subvendor[:subdevice[:class[:mask]]]]` separated by commas. */
function vfio_pci_fill_ids(kernel: Kernel, driver: DeviceDriver, ids: string): void {
  for (const id of ids.split(',').filter((part) => part !== '')) {
    const part = id.split(':').map((text) => (/^[0-9a-f]+$/i.test(text) ? Number.parseInt(text, 16) : Number.NaN));
    const [vendor, device] = part;
    if (vendor === undefined || device === undefined || part.some(Number.isNaN)) {
      kernel.printk(4, `vfio_pci: invalid id string "${id}"`);
      continue;
    }
    const sub = [part[2] ?? PCI_ANY_ID, part[3] ?? PCI_ANY_ID] as const;
    const cls = [part[4] ?? 0, part[5] ?? 0] as const;
    const rc = pci_add_dynid(kernel, driver, {
      vendor,
      device,
      subvendor: sub[0],
      subdevice: sub[1],
      class: cls[0],
      class_mask: cls[1],
    });
    const name = `[${hex(vendor, 4)}:${hex(device, 4)}[${hex(sub[0], 8)}:${hex(sub[1], 8)}]] class 0x${hex(cls[0], 6)}/${hex(cls[1], 8)}`;
    kernel.printk(rc ? 4 : 6, rc ? `vfio_pci: failed to add dynamic id ${name} (${rc})` : `vfio_pci: add ${name}`);
  }
}

/** vfio_pci_init */
export function vfio_pci_init(kernel: Kernel, params: Readonly<Record<string, string>>): number {
  kernel.set(DISABLE_CXL, params.disable_cxl === 'Y');
  const rc = pci_register_driver(kernel, vfio_pci_driver, 'vfio_pci');
  if (rc) return rc;
  const driver = kernel.drivers.bus_drivers('pci').find((other) => other.name === vfio_pci_driver.name);
  if (!driver) return -E.ENODEV;
  vfio_pci_fill_ids(kernel, driver, params.ids ?? '');
  return 0;
}

export function vfio_pci_cleanup(kernel: Kernel): void {
  pci_unregister_driver(kernel, vfio_pci_driver);
}
