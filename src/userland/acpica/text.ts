/** What ACPICA's tools share: their banner, the text form of a table, the header's fields. Version 20200925. */
import { hex } from '../../base/addr.ts';
import { viewOf } from '../../base/bytes.ts';

export const banner = (what: string): string =>
  `\nIntel ACPI Component Architecture\nACPI Binary Table ${what} Utility version 20200925\nCopyright (c) 2000 - 2020 Intel Corporation\n\n`;

const letters = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
const upper = (value: number, digits: number): string => hex(value, digits).toUpperCase();

/** AcpiUtDumpBufferToFile in bytes. */
export function tableText(signature: string, bytes: Uint8Array): string {
  let out = `${signature} @ 0x0000000000000000\n`;
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const cells = [...row].map((byte) => `${upper(byte, 2)} `).join('');
    const shown = [...row].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    out += `${upper(at, 4).padStart(8)}: ${cells.padEnd(48)} ${shown}\n`;
  }
  return `${out}\n`;
}

export interface TableHeader {
  readonly signature: string;
  readonly length: number;
  readonly revision: number;
  readonly oemId: string;
  readonly oemTableId: string;
  readonly oemRevision: number;
  readonly compiler: string;
  readonly compilerRevision: number;
}

export function tableHeader(bytes: Uint8Array): TableHeader {
  const full = new Uint8Array(36);
  full.set(bytes.subarray(0, 36));
  const view = viewOf(full);
  return {
    signature: letters(full.subarray(0, 4)),
    length: view.getUint32(4, true),
    revision: full[8] ?? 0,
    oemId: letters(full.subarray(10, 16)).replaceAll('\0', ' '),
    oemTableId: letters(full.subarray(16, 24)).replaceAll('\0', ' '),
    oemRevision: view.getUint32(24, true),
    compiler: letters(full.subarray(28, 32)).replaceAll('\0', ' '),
    compilerRevision: view.getUint32(32, true),
  };
}

/** AcpiTbPrintTableHeader: the line of the kernel's log, without an address. */
export function summaryLine(bytes: Uint8Array): string {
  const h = tableHeader(bytes);
  const start = `ACPI: ${h.signature} 0x0000000000000000 ${upper(h.length, 6)}`;
  if (h.signature === 'FACS') return start;
  const id = `${h.oemId.trimEnd().padEnd(6)} ${h.oemTableId.trimEnd().padEnd(8)}`;
  return `${start} (v${String(h.revision).padStart(2, '0')} ${id} ${upper(h.oemRevision, 8)} ${h.compiler.trimEnd().padEnd(4)} ${upper(h.compilerRevision, 8)})`;
}
