import type { ModuleDef } from '../../include/module.ts';
import { acpi_init } from './scan.ts';
import { acpi_boot_table_init } from './tables.ts';
import { hpet_insert_resource, ioapic_insert_resources } from './timers.ts';

/** ACPI is built in: tables early (arch setup), namespace and host bridges at subsystem initialisation. */
export const acpi_modules: readonly ModuleDef[] = [
  {
    name: 'acpi-tables',
    config: 'ACPI',
    dir: 'drivers/acpi',
    size: 0,
    initcall: 1,
    init(kernel) {
      acpi_boot_table_init(kernel);
      return 0;
    },
  },
  {
    name: 'acpi',
    config: 'ACPI',
    dir: 'drivers/acpi',
    size: 0,
    initcall: 4,
    init(kernel) {
      ioapic_insert_resources(kernel);
      hpet_insert_resource(kernel);
      return acpi_init(kernel);
    },
  },
];
