import { fromHalves, hex } from '../../../base/addr.ts';
import { viewOf } from '../../../base/bytes.ts';
import { ACPI, type AcpiTable, acpi_get_table } from '../../include/acpi.ts';
import type { Kernel } from '../../include/kernel.ts';

/**
 * Finding the description tables (drivers/acpi/acpica/tb*.c, drivers/acpi/tables.c, v6.11), read byte for byte from this
 * machine's memory. Leaves out table overrides and the FADT's fixed hardware beyond the two pointers it holds.
 */

const ascii = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length));

function fetch(kernel: Kernel, address: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  kernel.cpu.bus.copyFrom(address, out);
  return out;
}

const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => (total + byte) & 0xff, 0);

/** acpi_tb_print_table_header, table case */
function describe(table: AcpiTable): string {
  const { bytes } = table;
  const view = viewOf(bytes);
  const where = `0x${hex(table.address, 16).toUpperCase()} ${hex(bytes.length, 6).toUpperCase()}`;
  if (table.signature === 'FACS') return `ACPI: FACS ${where}`;
  const upper = (at: number) => hex(view.getUint32(at, true), 8).toUpperCase();
  const revision = String(bytes[8]).padStart(2, '0');
  return `ACPI: ${table.signature} ${where} (v${revision} ${ascii(bytes, 10, 6)} ${ascii(bytes, 16, 8)} ${upper(24)} ${ascii(bytes, 28, 4)} ${upper(32)})`;
}

/** Reads one table by its address; null when its length makes no sense. */
function load(kernel: Kernel, address: number): AcpiTable | null {
  const header = fetch(kernel, address, 8);
  const length = viewOf(header).getUint32(4, true);
  const signature = ascii(header, 0, 4);
  if (length < 8 || length > 0x100000 || !/^[A-Z0-9!_]{4}$/.test(signature)) return null;
  return { signature, address, bytes: fetch(kernel, address, length) };
}

function install(kernel: Kernel, address: number, list: AcpiTable[]): void {
  const table = load(kernel, address);
  if (!table) {
    kernel.printk(3, `ACPI BIOS Error (bug): Invalid table at 0x${hex(address, 16).toUpperCase()}`);
    return;
  }
  list.push(table);
  kernel.printk(6, describe(table));
  if (table.signature !== 'FACS' && sum(table.bytes) !== 0)
    kernel.printk(
      4,
      `ACPI BIOS Warning (bug): Incorrect checksum in table [${table.signature}] - 0x${hex(table.bytes[9] as number, 2).toUpperCase()}, should be 0x${hex(((table.bytes[9] as number) - sum(table.bytes)) & 0xff, 2).toUpperCase()}`,
    );
  if (table.signature !== 'FACP') return;
  const view = viewOf(table.bytes);
  const long = (at: number) =>
    table.bytes.length >= at + 8 ? fromHalves(view.getUint32(at + 4, true), view.getUint32(at, true)) : 0;
  const dsdt = long(140) || view.getUint32(40, true);
  const facs = view.getUint32(36, true) || long(132);
  if (dsdt) install(kernel, dsdt, list);
  if (facs) install(kernel, facs, list);
}

/** acpi_boot_table_init: walks RSDP → RSDT/XSDT → tables. Idempotent; does nothing on a machine without a root pointer. */
export function acpi_boot_table_init(kernel: Kernel): void {
  if (kernel.has(ACPI)) return;
  const tables: AcpiTable[] = [];
  kernel.set(ACPI, { tables, root: null, devices: [] });
  const rsdp = kernel.boot.rsdp;
  if (!rsdp || kernel.param('acpi') === 'off') return;
  const root = fetch(kernel, rsdp, 36);
  if (ascii(root, 0, 8) !== 'RSD PTR ' || sum(root.subarray(0, 20)) !== 0) {
    kernel.printk(3, 'ACPI BIOS Error (bug): A valid RSDP was not found (20240322/tbxfroot-210)');
    return;
  }
  const revision = root[15] as number;
  const view = viewOf(root);
  const length = revision >= 2 ? view.getUint32(20, true) : 20;
  kernel.printk(6, 'ACPI: Early table checksum verification disabled');
  kernel.printk(
    6,
    `ACPI: RSDP 0x${hex(rsdp, 16).toUpperCase()} ${hex(length, 6).toUpperCase()} (v${String(revision).padStart(2, '0')} ${ascii(root, 9, 6)})`,
  );
  const xsdt = revision >= 2 ? fromHalves(view.getUint32(28, true), view.getUint32(24, true)) : 0;
  const directory = load(kernel, xsdt || view.getUint32(16, true));
  if (!directory) return;
  kernel.printk(6, describe(directory));
  const entries = viewOf(directory.bytes);
  const step = xsdt ? 8 : 4;
  for (let at = 36; at + step <= directory.bytes.length; at += step) {
    const lo = entries.getUint32(at, true);
    install(kernel, xsdt ? fromHalves(entries.getUint32(at + 4, true), lo) : lo, tables);
  }
  for (const { signature, address, bytes } of tables)
    kernel.printk(
      6,
      `ACPI: Reserving ${signature} table memory at [mem 0x${hex(address)}-0x${hex(address + bytes.length - 1)}]`,
    );
}

/** acpi_sysfs_init: /sys/firmware/acpi/tables/<SIG> (numbered from the second one of a signature on). */
export function acpi_tables_sysfs_init(kernel: Kernel): void {
  const { tables } = kernel.get(ACPI);
  if (tables.length === 0) return;
  kernel.drivers.kobject_dir('firmware/acpi/tables');
  // Empty here; acpidump wants to look into the second.
  kernel.drivers.kobject_dir('firmware/acpi/tables/data');
  kernel.drivers.kobject_dir('firmware/acpi/tables/dynamic');
  const seen = new Map<string, number>();
  for (const { signature, bytes } of tables) {
    const n = (seen.get(signature) ?? 0) + 1;
    seen.set(signature, n);
    const total = tables.filter((other) => other.signature === signature).length;
    kernel.drivers.kobject_bin_file?.('firmware/acpi/tables', total > 1 ? `${signature}${n}` : signature, 0o400, bytes);
  }
}

/**
 * First NUMA node number for CXL windows (acpi_parse_cfmws in drivers/acpi/numa/srat.c): they come after the proximity
 * domains of SRAT; without SRAT the kernel falls back to one node and the windows have none.
 */
export function acpi_first_window_node(kernel: Kernel): number | null {
  const srat = acpi_get_table(kernel, 'SRAT');
  if (!srat) return null;
  const view = viewOf(srat);
  let last = 0;
  for (let at = 48; at + 2 <= srat.length; at += view.getUint8(at + 1) || srat.length)
    if (view.getUint8(at) === 1) last = Math.max(last, view.getUint32(at + 2, true));
  return last + 1;
}
