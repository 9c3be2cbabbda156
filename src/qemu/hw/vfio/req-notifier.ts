/**
 * The device request interrupt (hw/vfio/pci.c, vfio_register_req_notifier and its handler): the kernel wants the device
 * back, so the guest is asked to let it go. `x-req=off` leaves it out.
 */
import { O_CLOEXEC } from '../../../linux/uapi/constants.ts';
import { decode, encode } from '../../../linux/uapi/struct.ts';
import {
  VFIO_DEVICE_GET_IRQ_INFO,
  VFIO_DEVICE_SET_IRQS,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_PCI_REQ_IRQ_INDEX,
  vfio_irq_info,
  vfio_irq_set,
} from '../../../linux/uapi/vfio.ts';
import type { Device } from '../../qdev/device-type.ts';
import { QemuError } from '../../system/error.ts';
import { qdev_unplug } from '../pci/pcie.ts';
import { ioctl, type VfioDeviceFd } from './common.ts';

/** vfio_set_irq_signaling: -1 takes the eventfd away. */
function set_irq_signaling(dev: Device, device: VfioDeviceFd, eventfd: number): number {
  const arg = encode(
    vfio_irq_set,
    {
      argsz: vfio_irq_set.size + 4,
      flags: VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
      index: VFIO_PCI_REQ_IRQ_INDEX,
      start: 0,
      count: 1,
    },
    new Uint8Array(vfio_irq_set.size + 4),
  );
  new DataView(arg.buffer).setInt32(vfio_irq_set.size, eventfd, true);
  return ioctl(dev.vm.sys, device.fd, VFIO_DEVICE_SET_IRQS, arg);
}

/** vfio_register_req_notifier; gives vfio_unregister_req_notifier. */
export function vfio_register_req_notifier(dev: Device, device: VfioDeviceFd): () => void {
  const { vm } = dev;
  const { sys } = vm;
  const info = encode(vfio_irq_info, { argsz: vfio_irq_info.size, index: VFIO_PCI_REQ_IRQ_INDEX });
  if (ioctl(sys, device.fd, VFIO_DEVICE_GET_IRQ_INFO, info) < 0 || decode(vfio_irq_info, info).count < 1)
    return () => {};
  const notifier = sys.eventfd(0, O_CLOEXEC);
  if (notifier < 0) {
    vm.error_report('vfio: Unable to init event notifier for device request');
    return () => {};
  }
  const done = set_irq_signaling(dev, device, notifier);
  if (done < 0) {
    sys.close(notifier);
    return () => {};
  }
  let registered = true;
  vm.thread(async () => {
    const count = new Uint8Array(8);
    while (registered) {
      const got = await sys.read(notifier, count);
      if (!registered) break;
      if (got === 8) vfio_req_notifier_handler(dev, device);
    }
    sys.close(notifier);
  });
  return () => {
    registered = false;
    set_irq_signaling(dev, device, -1);
    // The thread sleeps on the notifier: it closes it.
    void sys.write(notifier, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
  };
}

function vfio_req_notifier_handler(dev: Device, device: VfioDeviceFd): void {
  try {
    qdev_unplug(dev);
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    dev.vm.warn_report(`vfio ${device.name}: ${error.message}`);
  }
}
