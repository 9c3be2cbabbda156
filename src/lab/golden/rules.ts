import { UserError } from '../../base/assert.ts';
import type { GoldenCapture } from './capture.ts';

/**
 * What of a capture is compared, and how: the only place where captured and lab text are changed before they are compared.
 *
 * Taken out on both sides: kernel time stamps, bodies of kernel warnings (registers, stack), where the kernel's own image lies
 * (it is random), the PNP device of the ECAM (its number counts the harness's serial ports). Of the monitor's answers the lines about CXL are compared. Harness options of the QEMU line (its serial ports
 * and monitors) are not given to the lab's QEMU. The DSDT is not compared, it is the lab's own AML (ledger: acpi-tables).
 */

/** Options of the captures' harness, not of the machine: where its serial ports and monitors went. */
const HARNESS = new Set(['-serial', '-monitor', '-qmp', '-display']);

/** Words of a shell command line in which backslashes end lines and single quotes hold spaces. */
export function words(text: string): readonly string[] {
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

/** Why a command of a capture is not compared; null when it is. */
export function skipped(command: string): string | null {
  if (/^orc wr \S+ *$/.test(command)) return 'the helper crashes here';
  if (/\/out\//.test(command)) return 'file of the harness';
  if (/^ls\b/.test(command)) return 'busybox ls';
  if (/^(ndctl|numactl)\b|\/proc\/meminfo/.test(command)) return 'ndctl, sizes of the kernel itself';
  if (/^orc (mbox|ioctl)\b/.test(command)) return 'raw mailbox';
  return null;
}

/** Why a file of a snapshot is not compared. */
export function fileSkipped(path: string): string | null {
  if (/^(dev-nodes|debugfs-cxl-ls|sysfs-bus-cxl-drivers-ls)\.txt$/.test(path)) return 'busybox ls';
  if (path === 'dmesg.txt') return 'whole kernel log (what the commands added is compared)';
  if (/^lspci\/offline-/.test(path)) return 'made on another machine';
  if (path === 'regs/errors.txt') return 'file of the harness';
  if (path === 'monitor/info-memory-devices.txt') return 'no memory devices here';
  return null;
}

/** Tables that are compared. */
export const TABLES: readonly string[] = ['APIC', 'CEDT', 'FACP', 'FACS', 'HPET', 'MCFG', 'SRAT', 'WAET'];

const CXL_LINE =
  /cxl|\.io\b|\.cache_mem\b|device-registers|cap-array|device-status|mailbox|memory device caps|msix-(table|pba)\b/;

/**
 * What a monitor answer says about CXL: whole devices of `info qtree`, lines of `info mtree`. Address spaces and backends come
 * out of hash tables over pointers in QEMU, so their order (and the number of a flat view) means
 * nothing; a view shown twice (SMM has one of its own, ledger: qemu-smm) counts once.
 */
export function cxlPart(command: string, text: string): string {
  const sorted = (parts: readonly string[]) => [...new Set(parts.map((part) => part.trim()))].sort().join('\n').trim();
  if (command === 'info pci') return text;
  if (command === 'info memdev') return sorted(text.split(/^(?=memory backend)/m));
  if (command === 'info mtree') {
    const spaces = text.split('\n').filter((line) => CXL_LINE.test(line) && line.startsWith(' AS '));
    const lines = (block: string) =>
      block.split('\n').filter((line) => CXL_LINE.test(line) && !line.startsWith(' AS '));
    return sorted([...spaces, ...text.split(/\n\n|^(?=FlatView)/m).map((block) => lines(block).join('\n'))]);
  }
  const lines = text.split('\n');
  const indent = (line: string) => line.length - line.trimStart().length;
  let inside = -1;
  return lines
    .filter((line) => {
      if (inside >= 0 && indent(line) > inside && !/^ *(dev|bus): /.test(line)) return true;
      inside = /^ *(dev|bus): .*cxl/.test(line) ? indent(line) : -1;
      return inside >= 0;
    })
    .join('\n');
}

/** Lines to compare. */
export function normalised(text: string): readonly string[] {
  const lines = text
    .replace(/^ +[0-9a-f]+-[0-9a-f]+ : (Kernel (code|rodata|data|bss)|pnp 00:\d\d)\n/gm, '')
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
