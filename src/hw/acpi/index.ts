export {
  ACPI_BUILD_LOADER_FILE,
  ACPI_BUILD_RSDP_FILE,
  ACPI_BUILD_TABLE_FILE,
  type AcpiTables,
  buildTables,
  placeTables,
} from './build.ts';
export { build_crs, freeRanges, merged } from './crs.ts';
export type {
  AcpiDescription,
  CedtDescription,
  DmarDescription,
  Range,
  RootResources,
  SratMemory,
} from './description.ts';
