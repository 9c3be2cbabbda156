import { Device } from '../../include/device.ts';
import type { FileOperations } from '../../include/fs.ts';
import type { Kernel } from '../../include/kernel.ts';
import { SubsystemKey } from '../../include/kernel.ts';

/** Miscellaneous character devices, major 10 (drivers/char/misc.c, v6.11). Left out: dynamic minors. */
const MISC_MAJOR = 10;

interface MiscDevice {
  readonly device: Device;
  readonly fops: FileOperations;
}
const MISC = new SubsystemKey<Map<number, MiscDevice>>('misc');

/** misc_register: the node is `/dev/<nodename>`, the class device `/sys/class/misc/<name>`. */
export function misc_register(
  kernel: Kernel,
  minor: number,
  name: string,
  nodename: string,
  fops: FileOperations,
): number {
  if (!kernel.has(MISC)) {
    const minors = new Map<number, MiscDevice>();
    kernel.set(MISC, minors);
    kernel.drivers.class_register('misc');
    // misc_seq_show, the newest first
    kernel.vfs.proc_create('misc', () =>
      [...minors]
        .map(([number, { device }]) => `${String(number).padStart(3)} ${device.name}\n`)
        .reverse()
        .join(''),
    );
    kernel.vfs.register_chrdev(MISC_MAJOR, 'misc', (wanted) => minors.get(wanted)?.fops ?? null);
  }
  const device = new Device(kernel, name, null, null);
  device.class = 'misc';
  device.devt = [MISC_MAJOR, minor];
  device.devname = nodename;
  kernel.get(MISC).set(minor, { device, fops });
  return kernel.drivers.device_add(device);
}

export function misc_deregister(kernel: Kernel, minor: number): void {
  const misc = kernel.get(MISC).get(minor);
  if (!misc) return;
  kernel.get(MISC).delete(minor);
  kernel.drivers.device_del(misc.device);
}
