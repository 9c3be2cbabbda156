import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { UserError } from '../base/assert.ts';
import {
  type GoldenCapture,
  type GoldenCommand,
  type GoldenMap,
  type GoldenSnapshot,
  parseCapture,
} from '../lab/golden/capture.ts';

/** Reads an unpacked capture folder: host/qemu-cmdline.txt, guest/cmds, snapshots, maps, tables, whatever of it there is. */

const optional = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
const names = (dir: string): readonly string[] => (existsSync(dir) ? readdirSync(dir).sort() : []);

export const isCapture = (dir: string): boolean => existsSync(join(dir, 'host', 'qemu-cmdline.txt'));

/** The captures meant by a folder: itself, or those in it. */
export function capturesIn(dir: string): readonly string[] {
  if (dir.endsWith('.json.br')) return [dir];
  if (isCapture(dir)) return [dir];
  const inside = names(dir)
    .map((name) => join(dir, name))
    .filter((path) => path.endsWith('.json.br') || (statSync(path).isDirectory() && isCapture(path)));
  if (inside.length === 0)
    throw new UserError(`${dir} is no capture and holds none: a capture has host/qemu-cmdline.txt and guest/cmds`);
  return inside;
}

interface Endpoint {
  readonly endpoint: number;
  readonly memdev: number;
  readonly pci: string;
}

const number = (name: string): number => Number(/\d+$/.exec(name)?.[0] ?? -1);

/** PCI functions by memdev number, then memdevs by endpoint number (`endpoint-to-device.json`). */
function probeOrder(dir: string): readonly string[] {
  const text = optional(join(dir, 'endpoint-to-device.json'));
  if (text === '') return [];
  const table: unknown = JSON.parse(text);
  if (typeof table !== 'object' || table === null) return [];
  const all = Object.entries(table).flatMap(([name, value]: [string, unknown]): Endpoint[] => {
    if (typeof value !== 'object' || value === null || !('memdev' in value) || !('pci' in value)) return [];
    return [{ endpoint: number(name), memdev: number(String(value.memdev)), pci: String(value.pci) }];
  });
  const byMemdev = [...all].sort((a, b) => a.memdev - b.memdev).map(({ pci }) => pci);
  const byEndpoint = [...all].sort((a, b) => a.endpoint - b.endpoint).map(({ memdev }) => `mem${memdev}`);
  return [...byMemdev, ...byEndpoint];
}

function commandsIn(dir: string, out: string, err: string, dmesg: boolean): readonly GoldenCommand[] {
  return names(dir)
    .filter((file) => file.endsWith('.cmd'))
    .map((file): GoldenCommand => {
      const id = file.slice(0, -4);
      const part = (suffix: string) => optional(join(dir, `${id}.${suffix}`));
      return {
        ...{ id, command: part('cmd').replace(/\n$/, ''), status: Number(part('rc').trim() || 0) },
        ...{ stdout: part(out), stderr: part(err), dmesg: dmesg ? part('dmesg') : null },
      };
    });
}

/** Every text file below `dir` but the listings' own (`cxl/`), by path. */
function filesIn(dir: string, under = ''): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name of names(join(dir, under))) {
    const path = under === '' ? name : `${under}/${name}`;
    if (statSync(join(dir, path)).isDirectory()) {
      if (path !== 'cxl') Object.assign(out, filesIn(dir, path));
    } else out[path] = readFileSync(join(dir, path), 'utf8');
  }
  return out;
}

/** A snapshot stands behind the last command its kernel log names (`ORACLE>>> NNN …`). */
function snapshotsOf(dir: string, commands: readonly GoldenCommand[]): readonly GoldenSnapshot[] {
  const guest = join(dir, 'guest');
  return names(guest)
    .filter((name) => name.startsWith('snap-'))
    .map((name): GoldenSnapshot => {
      const path = join(guest, name);
      const last = [...optional(join(path, 'dmesg.txt')).matchAll(/ORACLE>>> (\d+) /g)].at(-1)?.[1];
      const after = last === undefined ? 0 : commands.findIndex(({ id }) => id.startsWith(`${last}-`)) + 1;
      const monitor = join(dir, `qemu-monitor-${name.slice(5)}`);
      const files = filesIn(path);
      for (const file of names(monitor)) files[`monitor/${file}`] = optional(join(monitor, file));
      delete files['dmesg.txt'];
      return { name, after, commands: commandsIn(join(path, 'cxl'), 'out', 'err', false), files };
    });
}

/** Maps in the order they were taken, each between the snapshots before and after it (`host/control-log.json`). */
function mapsOf(dir: string, snapshots: readonly GoldenSnapshot[], count: number): readonly GoldenMap[] {
  const folder = join(dir, 'hpa-map');
  const labels = names(folder)
    .filter((name) => name.endsWith('.tsv') && name !== 'SUMMARY.tsv')
    .map((name) => name.slice(0, -4));
  const log: unknown = JSON.parse(optional(join(dir, 'host', 'control-log.json')) || '[]');
  const events = Array.isArray(log) ? log.map((entry: unknown) => String(Array.isArray(entry) ? entry[1] : '')) : [];
  const at = (label: string) => events.findIndex((event) => event.startsWith(`probe ${label} `));
  const after = (event: string | undefined) =>
    snapshots.find(({ name }) => name === `snap-${event?.slice(4) ?? ''}`)?.after;
  return [...labels]
    .sort((a, b) => at(a) - at(b))
    .map((label): GoldenMap => {
      const here = at(label);
      const mon = (event: string) => event.startsWith('mon ') && after(event) !== undefined;
      const before = here < 0 ? undefined : events.slice(0, here).findLast(mon);
      const next = here < 0 ? undefined : events.slice(here).find(mon);
      const probe = join(dir, 'guest', 'probe');
      return {
        ...{ label, text: optional(join(folder, `${label}.tsv`)) },
        region: optional(join(probe, `${label}.region.txt`)),
        decoders: optional(join(probe, `${label}.regs`, 'hdm-decoders.txt')),
        ...{ from: after(before) ?? 0, to: after(next) ?? count },
      };
    });
}

function tablesOf(dir: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const folder of [join(dir, 'guest', 'acpi'), join(dir, 'acpi')])
    for (const name of names(folder))
      if (/^[A-Z]{4}(\.bin)?$/.test(name)) out[name.slice(0, 4)] = readFileSync(join(folder, name)).toString('hex');
  return out;
}

/** A folder, or a file that `golden --pack` wrote. */
export function readCapture(dir: string): GoldenCapture {
  if (dir.endsWith('.json.br')) return parseCapture(brotliDecompressSync(readFileSync(dir)).toString());
  if (!isCapture(dir)) throw new UserError(`${dir} is no capture: it needs host/qemu-cmdline.txt and guest/cmds`);
  const commands = commandsIn(join(dir, 'guest', 'cmds'), 'stdout', 'stderr', true);
  const snapshots = snapshotsOf(dir, commands);
  return {
    name: basename(dir),
    cmdline: optional(join(dir, 'host', 'qemu-cmdline.txt')),
    probeOrder: probeOrder(dir),
    ...{ commands, snapshots, maps: mapsOf(dir, snapshots, commands.length), tables: tablesOf(dir) },
  };
}
