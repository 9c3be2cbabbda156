import { assert, present } from '../../base/assert.ts';
import { concat, viewOf } from '../../base/bytes.ts';
import type { AcpiDescription } from './description.ts';
import { dsdt } from './dsdt.ts';
import { Bytes, cedt, dmar, facs, fadt, hpet, madt, mcfg, rsdp, rsdt, setChecksum, srat, waet } from './tables.ts';

/** fw_cfg file names QEMU uses. */
export const ACPI_BUILD_TABLE_FILE = 'etc/acpi/tables';
export const ACPI_BUILD_RSDP_FILE = 'etc/acpi/rsdp';
export const ACPI_BUILD_LOADER_FILE = 'etc/table-loader';

/** The tables with pointers relative to their own file, and the script that says where pointers and checksums are. */
export interface AcpiTables {
  /** `etc/acpi/tables`: FACS, DSDT, FACP, APIC, HPET, SRAT, DMAR, MCFG, CEDT, WAET, RSDT. */
  readonly tables: Uint8Array;
  /** `etc/acpi/rsdp`: 20 bytes. */
  readonly rsdp: Uint8Array;
  /** `etc/table-loader`: 128-byte commands (QEMU hw/acpi/bios-linker-loader.c). */
  readonly loader: Uint8Array;
  /** Where each table begins in `tables`. */
  readonly offsets: ReadonlyMap<string, { readonly offset: number; readonly size: number }>;
}

const FACS_ALIGN = 64;

/** acpi_build(): all tables of a machine. */
export function buildTables(description: AcpiDescription): AcpiTables {
  const blob: Uint8Array[] = [];
  const offsets = new Map<string, { offset: number; size: number }>();
  const script: Uint8Array[] = [allocate(ACPI_BUILD_TABLE_FILE, FACS_ALIGN, false)];
  let at = 0;
  const put = (signature: string, bytes: Uint8Array): number => {
    const offset = at;
    blob.push(bytes);
    offsets.set(signature, { offset, size: bytes.length });
    at += bytes.length;
    return offset;
  };
  const listed: number[] = [];
  const checked = (signature: string, bytes: Uint8Array, inRsdt = true): number => {
    const offset = put(signature, bytes);
    if (inRsdt) listed.push(offset);
    return offset;
  };
  const sum = (signature: string) => {
    const { offset, size } = present(offsets.get(signature), signature);
    script.push(checksum(ACPI_BUILD_TABLE_FILE, offset + 9, offset, size));
  };
  const facsAt = put('FACS', facs());
  const dsdtAt = checked('DSDT', dsdt(description), false);
  sum('DSDT');
  const fadtAt = checked('FACP', fadt(facsAt, dsdtAt));
  for (const [field, size] of [
    [36, 4],
    [40, 4],
    [140, 8],
  ] as const) {
    script.push(pointer(ACPI_BUILD_TABLE_FILE, fadtAt + field, size));
  }
  sum('FACP');
  const rest: readonly (readonly [string, Uint8Array | null])[] = [
    ['APIC', madt(description.cpus)],
    ['HPET', hpet()],
    ['SRAT', description.srat ? srat(description.cpus, description.srat) : null],
    ['MCFG', mcfg(description.mcfg.base, description.mcfg.startBus, description.mcfg.endBus)],
    ['DMAR', description.dmar ? dmar(description.dmar) : null],
    ['CEDT', description.cedt ? cedt(description.cedt) : null],
    ['WAET', waet()],
  ];
  for (const [signature, bytes] of rest) {
    if (!bytes) continue;
    checked(signature, bytes);
    sum(signature);
  }
  const rsdtAt = checked('RSDT', rsdt(listed), false);
  listed.forEach((_, n) => {
    script.push(pointer(ACPI_BUILD_TABLE_FILE, rsdtAt + 36 + 4 * n, 4));
  });
  sum('RSDT');
  script.push(
    allocate(ACPI_BUILD_RSDP_FILE, 16, true),
    pointer(ACPI_BUILD_RSDP_FILE, 16, 4),
    checksum(ACPI_BUILD_RSDP_FILE, 8, 0, 20),
  );
  return { tables: concat(blob), rsdp: rsdp(rsdtAt), loader: concat(script), offsets };
}

/** Runs the script for fixed addresses: bytes ready to be copied to `tablesBase` and `rsdpBase`. */
export function placeTables(
  built: AcpiTables,
  tablesBase: number,
  rsdpBase: number,
): { readonly tables: Uint8Array; readonly rsdp: Uint8Array; readonly rsdpAddress: number } {
  const tables = built.tables.slice();
  const root = built.rsdp.slice();
  const { loader } = built;
  const view = viewOf(loader);
  for (let at = 0; at < loader.length; at += 128) {
    const command = view.getUint32(at, true);
    const file = loader[at + 4 + 'etc/acpi/'.length] === 'r'.charCodeAt(0) ? root : tables;
    if (command === 2) {
      const offset = view.getUint32(at + 116, true);
      const target = viewOf(file);
      target.setUint32(offset, (target.getUint32(offset, true) + tablesBase) >>> 0, true);
    } else if (command === 3) {
      const start = view.getUint32(at + 64, true);
      setChecksum(file.subarray(start, start + view.getUint32(at + 68, true)), view.getUint32(at + 60, true) - start);
    }
  }
  assert(tablesBase < 0x1_0000_0000, 'ACPI tables are placed below 4 GiB');
  return { tables, rsdp: root, rsdpAddress: rsdpBase };
}

function command(n: number, file: string): Bytes {
  return new Bytes().u32(n).u8(...padded(file));
}

function padded(file: string): number[] {
  return Array.from({ length: 56 }, (_, n) => (n < file.length ? file.charCodeAt(n) : 0));
}

function allocate(file: string, align: number, fseg: boolean): Uint8Array {
  return command(1, file)
    .u32(align)
    .u8(fseg ? 2 : 1)
    .zero(63)
    .done();
}

/** Adds the address of the tables file to a pointer in `file`. */
function pointer(file: string, offset: number, size: number): Uint8Array {
  return command(2, file)
    .u8(...padded(ACPI_BUILD_TABLE_FILE))
    .u32(offset)
    .u8(size)
    .zero(7)
    .done();
}

function checksum(file: string, offset: number, start: number, length: number): Uint8Array {
  return command(3, file).u32(offset).u32(start).u32(length).zero(56).done();
}
