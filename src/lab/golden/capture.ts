/**
 * A capture folder of the real thing, as the replay needs it. `cli/commands/golden-folder.ts` reads such folders; the
 * fixtures of the tests are the same as lines of JSON (`golden --pack`).
 */

export interface GoldenCommand {
  readonly id: string;
  readonly command: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
  /** Kernel lines printed during the command; null where the capture did not keep them (snapshots). */
  readonly dmesg: string | null;
}

export interface GoldenSnapshot {
  readonly name: string;
  /** Commands given before it. */
  readonly after: number;
  /** What was asked with its exit status kept (`cxl/*.cmd`). */
  readonly commands: readonly GoldenCommand[];
  /** Other files by their path in the snapshot; monitor output under `monitor/`. */
  readonly files: Readonly<Record<string, string>>;
}

/** One `hpa-map/LABEL.tsv`: where patterns written through the window were found. */
export interface GoldenMap {
  readonly label: string;
  readonly text: string;
  /** Attributes of the region at that moment (`probe/LABEL.region.txt`), and decoders of all components; empty: unknown. */
  readonly region: string;
  readonly decoders: string;
  /** Commands given before it, at least and at most. */
  readonly from: number;
  readonly to: number;
}

export interface GoldenCapture {
  readonly name: string;
  /** `host/qemu-cmdline.txt` */
  readonly cmdline: string;
  /** Devices in the order their probes won: PCI functions by memdev number, then memdevs by endpoint number. */
  readonly probeOrder: readonly string[];
  readonly commands: readonly GoldenCommand[];
  readonly snapshots: readonly GoldenSnapshot[];
  readonly maps: readonly GoldenMap[];
  /** ACPI tables by signature, hexadecimal. */
  readonly tables: Readonly<Record<string, string>>;
}

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
const word = (from: Fields, key: string) => String(from[key] ?? '');
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const texts = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(fields(value)).map(([key, one]) => [key, String(one)]));

function command(value: unknown): GoldenCommand {
  const one = fields(value);
  return {
    ...{ id: word(one, 'id'), command: word(one, 'command'), status: Number(one.status) },
    ...{ stdout: word(one, 'stdout'), stderr: word(one, 'stderr') },
    dmesg: one.dmesg === null ? null : word(one, 'dmesg'),
  };
}

function snapshot(value: unknown): GoldenSnapshot {
  const one = fields(value);
  const commands = list(one.commands).map(command);
  return { name: word(one, 'name'), after: Number(one.after), commands, files: texts(one.files) };
}

function map(value: unknown): GoldenMap {
  const one = fields(value);
  const [label, text, region, decoders] = ['label', 'text', 'region', 'decoders'].map((key) => word(one, key));
  const known = { label: label ?? '', text: text ?? '', region: region ?? '', decoders: decoders ?? '' };
  return { ...known, from: Number(one.from), to: Number(one.to) };
}

/** Reads what `golden --pack` wrote. */
export function parseCapture(text: string): GoldenCapture {
  const one = fields(JSON.parse(text));
  return {
    name: word(one, 'name'),
    cmdline: word(one, 'cmdline'),
    probeOrder: list(one.probeOrder).map(String),
    commands: list(one.commands).map(command),
    snapshots: list(one.snapshots).map(snapshot),
    maps: list(one.maps).map(map),
    tables: texts(one.tables),
  };
}
