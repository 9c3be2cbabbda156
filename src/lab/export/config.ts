import { UserError } from '../../base/assert.ts';
import { O_RDONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { readFile } from './files.ts';

const DEVICES = '/sys/bus/pci/devices';
const BDF = /^(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/i;

/** Config space of one function in the form `lspci -xxxx` prints and `lspci -F` reads. */
export async function configDump(sys: Sys, bdf: string): Promise<string> {
  if (!BDF.test(bdf)) throw new UserError(`"${bdf}" is not a PCI address like 0000:0d:00.0`);
  const full = bdf.length < 12 ? `0000:${bdf}` : bdf;
  const bytes = await readFile(sys, `${DEVICES}/${full.toLowerCase()}/config`);
  if (typeof bytes === 'number') throw new UserError(`there is no PCI function ${full}`);
  return dump(full.toLowerCase(), bytes);
}

/** The same for every function of the machine, in address order. */
export async function configDumps(sys: Sys): Promise<string> {
  const fd = sys.open(DEVICES, O_RDONLY);
  const entries = fd < 0 ? fd : sys.getdents(fd);
  if (typeof entries === 'number') throw new UserError('this machine has no PCI in its sysfs');
  sys.close(fd);
  let text = '';
  for (const { name } of [...entries].sort((a, b) => (a.name < b.name ? -1 : 1)))
    text += `${await configDump(sys, name)}\n`;
  return text;
}

function dump(bdf: string, bytes: Uint8Array): string {
  const hex = (value: number) => value.toString(16).padStart(2, '0');
  let text = `${bdf.replace(/^0000:/, '')} exported\n`;
  for (let at = 0; at < bytes.length; at += 16) {
    text += `${hex(at)}: ${[...bytes.subarray(at, at + 16)].map(hex).join(' ')}\n`;
  }
  return text;
}
