import { UserError } from '../../base/assert.ts';
import type { GoldenCapture } from './capture.ts';

/**
 * What of a capture is compared, and how: the only place where captured and lab text are changed before they are compared.
 *
 * Taken out on both sides: kernel time stamps, bodies of kernel warnings (registers, stack). Harness options of the QEMU line
 * (its serial ports and monitors) are not given to the lab's QEMU.
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
  if (/^(daxctl|ndctl|numactl)\b|\/proc\/meminfo|\/sys\/devices\/system\/(memory|node)/.test(command))
    return 'daxctl, ndctl, memory hotplug';
  if (/^orc (mbox|ioctl)\b/.test(command)) return 'raw mailbox';
  return null;
}

/** Why a file of a snapshot is not compared. */
export function fileSkipped(path: string): string | null {
  if (/^(dev-nodes|debugfs-cxl-ls|sysfs-bus-cxl-drivers-ls)\.txt$/.test(path)) return 'busybox ls';
  if (path === 'dmesg.txt') return 'whole kernel log (what the commands added is compared)';
  if (/^lspci\/offline-/.test(path)) return 'made on another machine';
  if (path === 'regs/errors.txt') return 'file of the harness';
  return null;
}

/** Lines to compare. */
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
