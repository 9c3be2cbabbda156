/**
 * acpidump of acpica-tools 20200925, tables from /sys/firmware/acpi/tables as it takes them by default. Left out: tables by
 * address (-a, -r, -f, -x), which need physical memory.
 */
import { O_CREAT, O_DIRECTORY, O_TRUNC, O_WRONLY } from '../../linux/uapi/constants.ts';
import type { Program, Sys } from '../../linux/uapi/sys.ts';
import { encode, Out, readFileBytes, strerror, writeAll } from '../misc/io.ts';
import { banner, summaryLine, tableText } from './text.ts';

const DIR = '/sys/firmware/acpi/tables';

interface Table {
  readonly signature: string;
  /** 0 for the first of its name. */
  readonly instance: number;
  readonly bytes: Uint8Array;
}

const USAGE =
  'Usage: acpidump [options]\n  -b            tables to binary files\n  -n SIGNATURE  only tables of this name\n  -o FILE       output to a file\n  -s            summaries only\n  -v            version\n';

async function readTables(sys: Sys, wanted: readonly string[]): Promise<Table[] | string> {
  const fd = sys.open(DIR, O_DIRECTORY);
  const entries = fd < 0 ? fd : sys.getdents(fd);
  if (fd >= 0) sys.close(fd);
  if (typeof entries === 'number') return `Could not open directory: ${DIR}: ${strerror(entries)}`;
  const tables: Table[] = [];
  for (const { name } of entries) {
    const found = /^([A-Z0-9_]{4})(\d*)$/.exec(name);
    if (!found || (wanted.length > 0 && !wanted.includes(found[1] ?? ''))) continue;
    const bytes = await readFileBytes(sys, `${DIR}/${name}`);
    if (typeof bytes === 'number') return `Could not open table file: ${DIR}/${name}: ${strerror(bytes)}`;
    tables.push({ signature: found[1] ?? '', instance: Number(found[2] || 1) - 1, bytes });
  }
  return tables;
}

/** A new file with these bytes; 0 or a negated errno. */
export async function writeFile(sys: Sys, path: string, bytes: Uint8Array): Promise<number> {
  const fd = sys.open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o666);
  if (fd < 0) return fd;
  const ret = await writeAll(sys, fd, bytes);
  sys.close(fd);
  return ret;
}
export const tableFile = (signature: string, instance: number): string =>
  `${signature.toLowerCase()}${instance > 0 ? instance : ''}.dat`;

export const acpidump: Program = async (sys, argv) => {
  const out = new Out(sys);
  const err = new Out(sys, 2);
  const done = async (status: number): Promise<number> => {
    await out.flush();
    await err.flush();
    return status;
  };
  const flags = new Set<string>();
  const wanted: string[] = [];
  let file: string | null = null;
  for (let n = 1; n < argv.length; n++) {
    const word = argv[n] ?? '';
    // AcpiGetopt stops at the first operand
    if (!word.startsWith('-') || word === '-') break;
    const letter = word[1] ?? '';
    if (letter === 'n' || letter === 'o') {
      const value = word.slice(2) || argv[++n];
      if (value === undefined) {
        err.line(`Option requires an argument: -${letter}`);
        out.put(USAGE);
        return done(0);
      }
      if (letter === 'o') file = value;
      else if (value.length !== 4) {
        err.line(`Invalid table signature [${value}]: must be exactly 4 characters`);
        return done(255);
      } else wanted.push(value.toUpperCase());
    } else if ('bsz'.includes(letter)) flags.add(letter);
    else if (letter === 'v') {
      out.put(banner('Dump'));
      return done(0);
    } else {
      if (letter !== 'h' && letter !== '?') err.line(`Illegal option: -${letter}`);
      out.put(USAGE);
      return done(0);
    }
  }
  const tables = await readTables(sys, wanted);
  if (typeof tables === 'string') {
    err.line(tables);
    return done(255);
  }
  let dump = '';
  for (const { signature, instance, bytes } of tables) {
    if (flags.has('s')) dump += `${summaryLine(bytes)}\n`;
    else if (!flags.has('b')) dump += tableText(signature, bytes);
    else {
      const name = tableFile(signature, instance);
      const ret = await writeFile(sys, name, bytes);
      if (ret < 0) {
        err.line(`Could not open output file: ${name}: ${strerror(ret)}`);
        return done(255);
      }
    }
  }
  if (file === null) out.put(dump);
  else {
    const ret = await writeFile(sys, file, encode(dump));
    if (ret < 0) {
      err.line(`Could not open output file ${file}: ${strerror(ret)}`);
      return done(255);
    }
  }
  return done(0);
};
