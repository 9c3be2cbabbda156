import type { Addr } from '../../base/addr.ts';
import type { AmlNode } from '../drivers/acpi/aml.ts';
import { Device } from './device.ts';
import type { Kernel } from './kernel.ts';
import { SubsystemKey } from './kernel.ts';

/** ACPI as other subsystems see it (include/acpi/acpi_bus.h, actbl.h, v6.11). */

/** One description table found in memory. */
export interface AcpiTable {
  readonly signature: string;
  readonly address: Addr;
  readonly bytes: Uint8Array;
}

/** struct acpi_device */
export class AcpiDevice extends Device {
  /** The device made for it on another bus (`physical_node`). */
  physical_node: Device | null = null;
  constructor(
    kernel: Kernel,
    name: string,
    parent: Device | null,
    groups: ConstructorParameters<typeof Device>[4],
    readonly hid: string | null,
    readonly cids: readonly string[],
    readonly uid: string | null,
    readonly adr: number | null,
    readonly path: string,
    readonly node: AmlNode | null,
  ) {
    super(kernel, name, parent, 'acpi', groups);
  }
}

export interface AcpiState {
  readonly tables: AcpiTable[];
  root: AmlNode | null;
  readonly devices: AcpiDevice[];
}

export const ACPI = new SubsystemKey<AcpiState>('acpi');

/** acpi_get_table: bytes of the n-th table with this signature, or null. */
export function acpi_get_table(kernel: Kernel, signature: string, instance = 0): Uint8Array | null {
  if (!kernel.has(ACPI)) return null;
  return kernel.get(ACPI).tables.filter((table) => table.signature === signature)[instance]?.bytes ?? null;
}

/** All ACPI devices with this _HID (not _CID), in namespace order. */
export function acpi_devices_by_hid(kernel: Kernel, hid: string): readonly AcpiDevice[] {
  return kernel.has(ACPI) ? kernel.get(ACPI).devices.filter((dev) => dev.hid === hid) : [];
}
