/** acpixtract of acpica-tools 20200925: binary tables out of acpidump's text. Left out: -m, -f. */
import { hex } from '../../base/addr.ts';
import type { Program } from '../../linux/uapi/sys.ts';
import { Out, readFileText } from '../misc/io.ts';
import { tableFile, writeFile } from './acpidump.ts';
import { banner, tableHeader } from './text.ts';

interface Found {
  readonly signature: string;
  readonly bytes: Uint8Array;
}

function parse(text: string): Found[] {
  const tables: { signature: string; bytes: number[] }[] = [];
  let at: { signature: string; bytes: number[] } | null = null;
  for (const line of text.split('\n')) {
    const start = /^(\S{4}) @ /.exec(line);
    if (start) {
      at = { signature: start[1] ?? '', bytes: [] };
      tables.push(at);
      continue;
    }
    const row = /^\s+[0-9A-F]+: ((?:[0-9A-F]{2} )+)/i.exec(line);
    if (!row) at = null;
    else
      at?.bytes.push(
        ...(row[1] ?? '')
          .trim()
          .split(' ')
          .slice(0, 16)
          .map((cell) => Number.parseInt(cell, 16)),
      );
  }
  return tables.map(({ signature, bytes }) => ({ signature, bytes: Uint8Array.from(bytes) }));
}

const LIST_HEAD =
  '\n Signature  Length    Version Oem       Oem         Oem         Compiler Compiler\n                              Id        TableId     RevisionId  Name     Revision\n _________  __________  ____  ________  __________  __________  _______  __________\n\n';

function listLine(table: Found, n: number): string {
  const h = tableHeader(table.bytes);
  const word = (value: number, digits = 8): string => `0x${hex(value, digits).toUpperCase()}`;
  const start = ` ${String(n).padStart(2, '0')})  ${h.signature}  ${word(h.length)}`;
  if (h.signature === 'FACS') return `${start}\n`;
  const text = (value: string, width: number): string => `"${value.padEnd(width)}"`;
  return `${start}  ${word(h.revision, 2)}  ${text(h.oemId, 6)}  ${text(h.oemTableId, 8)}  ${word(h.oemRevision)}  ${text(h.compiler, 4)}   ${word(h.compilerRevision)}\n`;
}

export const acpixtract: Program = async (sys, argv) => {
  const out = new Out(sys);
  out.put(banner('Extraction'));
  const done = async (status: number): Promise<number> => {
    await out.flush();
    return status;
  };
  let mode = '';
  let wanted: string | null = null;
  const files: string[] = [];
  for (let n = 1; n < argv.length; n++) {
    const word = argv[n] ?? '';
    if (!word.startsWith('-')) files.push(word);
    else if (word.startsWith('-s')) wanted = (word.slice(2) || (argv[++n] ?? '')).toUpperCase();
    else mode = word[1] ?? '';
  }
  if (mode === 'v') return done(0);
  const file = files[0];
  if (file === undefined || !['', 'a', 'l'].includes(mode)) {
    out.put(
      'Usage: acpixtract [option] <InputFile>\n  -a            all tables\n  -l            list them\n  -s SIGNATURE  tables of this name\n  -v            version\n',
    );
    return done(0);
  }
  const text = await readFileText(sys, file);
  if (typeof text === 'number') {
    out.line(`Could not open input file ${file}`);
    return done(255);
  }
  const tables = parse(text);
  if (mode === 'l') {
    out.put(LIST_HEAD);
    for (const [n, table] of tables.entries()) out.put(listLine(table, n + 1));
    out.put(`\nFound ${tables.length} ACPI tables in ${file}\n`);
    return done(0);
  }
  const chosen = tables.filter(({ signature }) =>
    wanted !== null ? signature === wanted : mode === 'a' || signature === 'DSDT' || signature === 'SSDT',
  );
  if (tables.length === 0) out.line(`No ACPI tables were found in ${file}`);
  else if (chosen.length === 0) out.line(`Table [${wanted ?? 'DSDT'}] was not found in ${file}`);
  const seen = new Map<string, number>();
  for (const { signature, bytes } of chosen) {
    const instance = seen.get(signature) ?? 0;
    seen.set(signature, instance + 1);
    const name = tableFile(signature, instance);
    if ((await writeFile(sys, name, bytes)) < 0) {
      out.line(`Could not open output file ${name}`);
      return done(255);
    }
    const size = String(bytes.length).padStart(7);
    out.line(`  ${signature} - ${size} bytes written (0x${hex(bytes.length, 8).toUpperCase()}) - ${name}`);
  }
  return done(0);
};
