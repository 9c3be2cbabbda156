import { CXL_ACCEL_RES_DPA, CXL_ACCEL_RES_RAM } from '../../../../include/cxl.ts';
import type { Kernel } from '../../../../include/kernel.ts';
import {
  PCI_ID_F_VFIO_DRIVER_OVERRIDE,
  type PciDriver,
  pci_find_dvsec_capability,
  pci_register_driver,
  pci_unregister_driver,
} from '../../../../include/pci.ts';
import { hasPatch, posted } from '../../../../include/quirks.ts';
import { cxl_dvsec_range1_size } from '../../../cxl/core/pci.ts';
import type { VfioDevice, VfioDeviceOps } from '../../vfio.ts';
import {
  vfio_cxl_core_close_device,
  vfio_cxl_core_enable,
  vfio_cxl_core_finish_enable,
  vfio_cxl_core_set_driver_hdm_cap,
  vfio_cxl_core_set_region_size,
  vfio_cxl_core_set_resource,
} from '../vfio_cxl_core.ts';
import { vfio_cxl_core_read, vfio_cxl_core_write } from '../vfio_cxl_emu.ts';
import { core, vfio_pci_ops, vfio_pci_probe_with, vfio_pci_remove } from '../vfio_pci.ts';
import type { VfioPciCoreDevice } from '../vfio_pci_device.ts';
import { vfio_pci_core_read, vfio_pci_core_write } from '../vfio_pci_rdwr.ts';

/** The variant driver for QEMU's accelerator (RFC patch 12, drivers/vfio/pci/cxl-accel/main.c): 256 MiB, hard-coded. */
const SZ_256M = 0x1000_0000;

/** Posted: always 256 MiB. Intended: what range 1 of the device's DVSEC says. */
function memory_size(vdev: VfioPciCoreDevice): number {
  if (posted(vdev.kernel, 'vfio-cxl-fixed-size')) return SZ_256M;
  const dvsec = pci_find_dvsec_capability(vdev.pdev, 0x1e98, 0);
  if (!dvsec) return SZ_256M;
  return cxl_dvsec_range1_size(vdev.pdev, dvsec);
}

function cxl_open_device(device: VfioDevice): number {
  const vdev = core(device);
  const size = memory_size(vdev);
  vfio_cxl_core_set_resource(vdev, { start: 0, end: size - 1, name: 'dpa' }, CXL_ACCEL_RES_DPA);
  vfio_cxl_core_set_resource(vdev, { start: 0, end: size - 1, name: 'ram' }, CXL_ACCEL_RES_RAM);
  vfio_cxl_core_set_region_size(vdev, size);
  vfio_cxl_core_set_driver_hdm_cap(vdev);
  const rc = vfio_cxl_core_enable(vdev);
  if (rc) return rc;
  vfio_cxl_core_finish_enable(vdev);
  return 0;
}

const cxl_vfio_ops: VfioDeviceOps = {
  ...vfio_pci_ops,
  name: 'cxl-vfio-pci',
  open_device: cxl_open_device,
  close_device: (device) => vfio_cxl_core_close_device(core(device)),
  // Patch 07: without it the driver has only vfio-pci-core's accessors, and nothing is emulated.
  read: (device, into, pos) =>
    hasPatch(device.kernel, 7)
      ? vfio_cxl_core_read(core(device), into, pos)
      : vfio_pci_core_read(core(device), into, pos),
  write: (device, from, pos) =>
    hasPatch(device.kernel, 7)
      ? vfio_cxl_core_write(core(device), from, pos)
      : vfio_pci_core_write(core(device), from, pos),
};

const cxl_accel_driver: PciDriver = {
  // KBUILD_MODNAME: dashes of the file name become underscores.
  name: 'cxl_accel_vfio_pci',
  id_table: [{ vendor: 0x8086, device: 0x0d94, override_only: PCI_ID_F_VFIO_DRIVER_OVERRIDE }],
  probe: (dev) => vfio_pci_probe_with(dev, cxl_vfio_ops),
  remove: vfio_pci_remove,
  driver_managed_dma: true,
};

export function cxl_accel_init(kernel: Kernel): number {
  return pci_register_driver(kernel, cxl_accel_driver, 'cxl_accel_vfio_pci');
}
export function cxl_accel_exit(kernel: Kernel): void {
  pci_unregister_driver(kernel, cxl_accel_driver);
}
