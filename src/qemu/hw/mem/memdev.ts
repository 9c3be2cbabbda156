/** A memory backend as a device property (host_memory_backend link): looked up, checked, taken. */
import type { QemuBuild } from '../../qdev/build.ts';
import type { Device } from '../../qdev/device-type.ts';
import type { MemoryBackend } from '../../qdev/virtual-machine.ts';
import { error_setg } from '../../system/error.ts';

/** The backend a link property names; null when the property was not given. */
export function linkedMemdev(dev: Device, property: string): MemoryBackend | null {
  const id = dev.props.text(property);
  if (id === null) return null;
  const backend = dev.vm.findBackend(id);
  if (backend) return backend;
  if (dev.vm.findDevice(id)) error_setg(`Invalid parameter type for '${property}', expected: memory-backend`);
  return error_setg(`Device '${id}' not found`);
}

/** The same, marked as used. */
export function takeMemdev(dev: Device, property: string): MemoryBackend | null {
  const backend = linkedMemdev(dev, property);
  if (!backend) return null;
  if (backend.mapped) error_setg(`memory backend ${backend.id} can't be used multiple times.`);
  backend.mapped = true;
  return backend;
}

/** What is published of an accelerator's memory. */
export function published_backend(
  build: QemuBuild,
  { id, size }: { readonly id: string; readonly size: number },
): { readonly id: string; readonly size: number; readonly unreached?: true } {
  return { id, size, ...(build.type3Window ? { unreached: true } : {}) };
}
