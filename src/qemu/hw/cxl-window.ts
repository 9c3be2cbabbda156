/**
 * Room in a fixed window for memory whose decoder is programmed before the guest runs: by the platform's firmware (cxl-accel
 * with `firmware-committed=on`), or by a VMM for a passed-through device. Only windows of one target, and host bridges with
 * one root port: their decode needs no registers above the device.
 */
import type { FixedWindow } from '../../hw/cxl/index.ts';
import type { Device } from '../qdev/device-type.ts';
import { error_setg } from '../system/error.ts';

const MiB256 = 0x1000_0000;
/** Bytes handed out of each window. */
const used = new WeakMap<FixedWindow, number>();

/** The PCI root bus a device hangs below. */
function rootBusName(dev: Device): string {
  let bus = dev.parentBus;
  while (bus?.parent?.parentBus && bus.parent.type.name !== 'pxb-cxl-host') bus = bus.parent.parentBus;
  return bus?.name ?? '';
}

/** Lowest free address for `size` bytes of `dev`. Call once per device, when the machine is complete. */
export function take_window_space(dev: Device, size: number): number {
  const name = dev.id || dev.type.name;
  const bridge = rootBusName(dev);
  const reaching = dev.vm.fixed_windows.filter((window) => window.targets.some((target) => target.id === bridge));
  if (reaching.length === 0) error_setg(`${name}: no CXL fixed window has the host bridge above it as a target`);
  const direct = reaching.filter((window) => window.targets.length === 1 && window.targets[0]?.passthrough);
  if (direct.length === 0)
    error_setg(
      `${name}: a decoder is programmed for it only below a host bridge with one root port, in its own window`,
    );
  for (const window of direct) {
    const from = used.get(window) ?? 0;
    if (from + size > window.size) continue;
    used.set(window, from + Math.ceil(size / MiB256) * MiB256);
    return window.base + from;
  }
  return error_setg(`${name}: no room for its ${size} bytes in the CXL fixed windows that reach it`);
}
