import { hex } from '../../../base/addr.ts';
import { viewOf } from '../../../base/bytes.ts';
import { acpi_get_table } from '../../include/acpi.ts';
import type { Kernel } from '../../include/kernel.ts';

/**
 * Address space the tables give to chips of the board: interrupt controllers (arch/x86/kernel/apic/io_apic.c) and the HPET
 * (arch/x86/kernel/hpet.c; its PNP device claims the same range again). Only the claims, the chips are not driven.
 */

function claim(kernel: Kernel, name: string, start: number, length: number) {
  const { iomem } = kernel;
  const res = iomem.make(name, start, start + length - 1);
  iomem.insert_resource(iomem.root, res);
  return res;
}

/** ioapic_insert_resources: each I/O APIC of the APIC table has 1 KiB. */
export function ioapic_insert_resources(kernel: Kernel): void {
  const madt = acpi_get_table(kernel, 'APIC');
  if (!madt) return;
  const view = viewOf(madt);
  let count = 0;
  for (let at = 44; at + 2 <= madt.length; at += view.getUint8(at + 1) || madt.length)
    if (view.getUint8(at) === 1) claim(kernel, `IOAPIC ${count++}`, view.getUint32(at + 4, true), 0x400);
}

/** hpet_insert_resource */
export function hpet_insert_resource(kernel: Kernel): void {
  const table = acpi_get_table(kernel, 'HPET');
  if (!table) return;
  const view = viewOf(table);
  const timer = claim(kernel, `HPET ${view.getUint8(52)}`, view.getUint32(44, true), 0x400);
  const { iomem } = kernel;
  iomem.request_resource(timer, iomem.make(`PNP0103:${hex(0, 2)}`, timer.start, timer.end));
}
