import { UserError } from '../../base/assert.ts';

/** A capture folder of the real thing, as the replay needs it: the command line and what the guest answered, in order. */
export interface GoldenCommand {
  readonly id: string;
  readonly command: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
  /** Kernel lines printed during the command; null where the capture did not keep them (snapshots). */
  readonly dmesg: string | null;
}

export interface GoldenCapture {
  readonly name: string;
  /** `host/qemu-cmdline.txt` */
  readonly cmdline: string;
  /** Memdev of each serial number, where the capture says so (`endpoint-to-device.json`). */
  readonly memdevs: Readonly<Record<string, string>>;
  readonly commands: readonly GoldenCommand[];
}

/** Reads what `golden --pack` wrote: a line for the capture, then one for each command. */
export function parseCapture(text: string): GoldenCapture {
  const [head, ...commands] = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => record(JSON.parse(line)));
  const word = (from: Readonly<Record<string, unknown>> | undefined, key: string) => String(from?.[key] ?? '');
  const memdevs = Object.entries(record(head?.memdevs)).map(([serial, name]) => [serial, String(name)]);
  return {
    name: word(head, 'name'),
    cmdline: word(head, 'cmdline'),
    memdevs: Object.fromEntries(memdevs),
    commands: commands.map((one) => ({
      ...{ id: word(one, 'id'), command: word(one, 'command'), status: Number(one.status) },
      ...{
        stdout: word(one, 'stdout'),
        stderr: word(one, 'stderr'),
        dmesg: one.dmesg === null ? null : word(one, 'dmesg'),
      },
    })),
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Options of the captures' harness, not of the machine: where its serial ports and monitors went. */
const HARNESS = new Set(['-serial', '-monitor', '-qmp', '-display']);

/** Words of a shell command line in which backslashes end lines and single quotes hold spaces. */
function words(text: string): readonly string[] {
  return [...text.replace(/\\\n/g, ' ').matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

const quote = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`);

/** The line to type on the lab's host, without what only served the harness. */
export function hostCommand(capture: GoldenCapture): string {
  const [program, ...rest] = words(capture.cmdline);
  if (program === undefined) throw new UserError(`${capture.name}: the command line is empty`);
  const kept: string[] = [];
  for (let n = 0; n < rest.length; n++) {
    if (HARNESS.has(rest[n] as string)) n++;
    else kept.push(rest[n] as string);
  }
  return [program, ...kept, '-nographic'].map(quote).join(' ');
}

/**
 * Why a command of a capture is not compared: it measures time, or asks something the lab does not claim to model. Null
 * when it is compared.
 */
export function skipped(command: string): string | null {
  if (/^orc wr \S+ *$/.test(command)) return 'the helper crashes here';
  if (/\/out\//.test(command)) return 'file of the harness';
  if (/^ls\b/.test(command)) return 'busybox ls';
  if (/^numactl\b|\/proc\/meminfo|\/sys\/devices\/system\/(memory|node)/.test(command)) return 'memory hotplug';
  if (/^(daxctl|ndctl)\b/.test(command)) return 'daxctl and ndctl';
  if (/^cxl (read-labels|write-labels|zero-labels)\b/.test(command)) return 'mailbox ioctls';
  return null;
}

/** Lines to compare. Kernel time stamps and the bodies of warnings are all that is taken out. */
export function normalised(text: string): readonly string[] {
  const lines = text
    // the body of a warning is addresses and registers
    .replace(/^(\[ *\d+\.\d+\] )?WARNING: CPU[\s\S]*?---\[ end trace [^\n]*\n?/gm, '')
    .replace(/^\[ *\d+\.\d+\] /gm, '')
    // further lines of a message stand below its text
    .replace(/^ {15}(?=\t)/gm, '')
    .split('\n')
    .map((line) => line.trimEnd());
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

export interface Score {
  equal: number;
  compared: number;
  statusEqual: number;
  commands: number;
}

export const noScore = (): Score => ({ equal: 0, compared: 0, statusEqual: 0, commands: 0 });

/** Length of the longest common subsequence of lines, the measure of "lines exact". */
export function commonLines(a: readonly string[], b: readonly string[]): number {
  let previous = new Uint32Array(b.length + 1);
  for (const line of a) {
    const row = new Uint32Array(b.length + 1);
    for (let n = 1; n <= b.length; n++)
      row[n] =
        line === b[n - 1] ? (previous[n - 1] as number) + 1 : Math.max(previous[n] as number, row[n - 1] as number);
    previous = row;
  }
  return previous[b.length] as number;
}
