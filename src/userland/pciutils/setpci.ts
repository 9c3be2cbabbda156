import { strerror } from '../../base/errno.ts';
import { O_RDONLY, O_RDWR } from '../../linux/uapi/constants.ts';
import type { Program, Sys } from '../../linux/uapi/sys.ts';
import { findCapability } from './capabilities.ts';
import type { PciView } from './device.ts';
import { ANY, type Filter, matches, parseId, parseSlot } from './filter.ts';
import { print } from './io.ts';
import { CAPABILITIES, dumpRegisters, REGISTERS } from './setpci-registers.ts';
import { scanSysfs } from './sysfs.ts';

interface Operation {
  readonly text: string;
  /** Offset, or the capability to add it to. */
  readonly offset: number;
  readonly capability: { readonly id: number; readonly extended: boolean; readonly instance: number } | null;
  readonly width: 1 | 2 | 4;
  readonly values: readonly { readonly value: number; readonly mask: number }[] | null;
}

/** setpci: reads and writes config registers through sysfs. */
export const setpci: Program = async (sys, argv) => {
  const groups: { filter: Filter; readonly operations: Operation[] }[] = [];
  let force = false;
  let verbose = 0;
  let dry = false;
  const args = argv.slice(1);
  for (let n = 0; n < args.length; n++) {
    const arg = args[n] as string;
    if (arg === '--version') {
      await print(sys, 1, 'setpci version 3.13.0\n');
      return 0;
    }
    if (arg === '--help') {
      await print(sys, 1, HELP);
      return 0;
    }
    if (arg === '--dumpregs') {
      await print(sys, 1, dumpRegisters());
      return 0;
    }
    if (arg.startsWith('-')) {
      const letters = arg.slice(1);
      // general options stand before the first device; one word may hold several
      if (groups.length === 0 && /^[fvDr]/.test(letters)) {
        const strange = /[^fvDr]/.exec(letters)?.[0];
        if (strange !== undefined) return misuse(sys, `Invalid or misplaced option -${strange}`);
        if (letters.includes('f')) force = true;
        if (letters.includes('v')) verbose++;
        if (letters.includes('D')) dry = true;
        continue;
      }
      const letter = letters[0] ?? '';
      if (letter !== 's' && letter !== 'd') return misuse(sys, `Invalid option -${letter}`);
      const value = letters.length > 1 ? letters.slice(1).replace(/^=/, '') : args[++n];
      if (value === undefined) return misuse(sys, `Option -${letter} requires an argument`);
      // A filter behind registers begins the next group.
      let group = groups.at(-1);
      if (!group || group.operations.length > 0) {
        group = { filter: ANY, operations: [] };
        groups.push(group);
      }
      const parsed = letter === 's' ? parseSlot(value, group.filter) : parseId(value, group.filter);
      if (typeof parsed === 'string') return misuse(sys, `Unable to parse filter -${letter} ${parsed}`);
      group.filter = parsed;
      continue;
    }
    const group = groups.at(-1);
    if (!group) return misuse(sys, 'Filter specification expected');
    const parsed = parseOperation(arg);
    if (typeof parsed === 'string') return misuse(sys, parsed);
    group.operations.push(parsed);
  }
  if (groups.length === 0) return misuse(sys, 'No operation specified');
  const devices = (await scanSysfs(sys, true)) ?? [];
  for (const [n, { filter, operations }] of groups.entries()) {
    const chosen = devices.filter((dev) => matches(filter, dev));
    if ((chosen.length === 0 || operations.length === 0) && !force)
      await print(sys, 2, `setpci: Warning: No devices selected for operation group ${n + 1}.\n`);
    for (const operation of operations)
      for (const dev of chosen) {
        const status = await perform(sys, dev, operation, verbose, dry);
        if (status !== 0) return status;
      }
  }
  return 0;
};

const HELP = `Usage: setpci [<options>] (<device>+ <reg>[=<values>]*)*

<options>  -f no complaint about missing devices, -v verbose, -D dry run, --dumpregs, --version
<device>   -s [[[<domain>]:][<bus>]:][<slot>][.[<func>]]  or  -d [<vendor>]:[<device>][:<class>]
<reg>      <base>[+<offset>][.(B|W|L)][@<number>]
<base>     a hex address, a register or capability of --dumpregs, CAP<id>, ECAP<id>
<values>   <value>[:<mask>][,<value>[:<mask>]...], all in hex
`;

async function misuse(sys: Sys, message: string): Promise<number> {
  await print(sys, 2, `setpci: ${message}.\nTry \`setpci --help' for more information.\n`);
  return 1;
}

async function fail(sys: Sys, message: string): Promise<number> {
  await print(sys, 2, `setpci: ${message}\n`);
  return 1;
}

function parseOperation(text: string): Operation | string {
  const equals = text.indexOf('=');
  let name = equals >= 0 ? text.slice(0, equals) : text;
  let instance = 0;
  const at = name.indexOf('@');
  if (at >= 0) {
    const number = name.slice(at + 1);
    if (!/^(0[xX])?[0-9a-fA-F]+$/.test(number)) return `Invalid number "${number}"`;
    instance = Number.parseInt(number, 16);
    name = name.slice(0, at);
  }
  let width: 1 | 2 | 4 | null = null;
  const dot = name.lastIndexOf('.');
  if (dot >= 0) {
    const letter = name.slice(dot + 1).toUpperCase();
    width = letter === 'B' ? 1 : letter === 'W' ? 2 : letter === 'L' ? 4 : null;
    if (width === null) return `Invalid width "${name.slice(dot + 1)}"`;
    name = name.slice(0, dot);
  }
  let offset = 0;
  const plus = name.indexOf('+');
  if (plus === 0) return 'Unknown register ""';
  if (plus >= 0) {
    offset = Number.parseInt(name.slice(plus + 1), 16);
    if (!/^(0[xX])?[0-9a-fA-F]+$/.test(name.slice(plus + 1)) || offset >= 0x1000)
      return `Invalid offset "${name.slice(plus + 1)}"`;
    name = name.slice(0, plus);
  }
  let capability: Operation['capability'] = null;
  const upper = name.toUpperCase();
  const explicit = /^(E?)CAP([0-9A-F]+)$/.exec(upper);
  const named = REGISTERS[upper];
  const known = CAPABILITIES[upper];
  // strtoul in base 16 takes a 0x in front.
  if (/^(0[xX])?[0-9a-fA-F]+$/.test(name)) offset += Number.parseInt(name, 16);
  else if (named) {
    offset += named[0];
    width ??= named[1];
  } else if (known !== undefined) capability = { id: known & 0xffff, extended: known > 0xffff, instance };
  else if (explicit)
    capability = { id: Number.parseInt(explicit[2] as string, 16), extended: explicit[1] === 'E', instance };
  else return `Unknown register "${name}"`;
  if (width === null) return 'Missing width';
  if (offset + width > 0x1000) return `Register number ${offset.toString(16).padStart(2, '0')} out of range`;
  if (offset % width !== 0) return `Unaligned register address ${offset.toString(16).padStart(2, '0')}`;
  let values: { value: number; mask: number }[] | null = null;
  if (equals >= 0) {
    values = [];
    const most = 2 ** (8 * width) - 1;
    if (equals === text.length - 1) return 'Missing value';
    for (const word of text.slice(equals + 1).split(',')) {
      const [valueText, maskText] = word.split(':');
      if (!/^(0x)?[0-9a-fA-F]+$/.test(valueText ?? '') && !(valueText === '' && maskText !== undefined))
        return `Invalid value "${valueText}"`;
      if (maskText !== undefined && !/^(0x)?[0-9a-fA-F]+$/.test(maskText)) return `Invalid mask "${maskText}"`;
      const value = valueText === '' ? 0 : Number.parseInt(valueText as string, 16);
      const mask = maskText === undefined ? most : Number.parseInt(maskText, 16);
      if (value > most) return `Value "${valueText}" is out of range`;
      if (mask > most) return `Mask "${maskText}" is out of range`;
      values.push({ value, mask });
    }
  }
  return { text, offset, capability, width, values };
}

async function perform(sys: Sys, dev: PciView, operation: Operation, verbose: number, dry: boolean): Promise<number> {
  let base = operation.offset;
  const slot = dev.slotText(true);
  if (operation.capability) {
    const found = locate(dev, operation.capability);
    if (found === 0)
      return fail(
        sys,
        `${slot}: Instance #${operation.capability.instance} of ${operation.capability.extended ? 'Extended capability' : 'Capability'} ${operation.capability.id.toString(16).padStart(4, '0')} not found - ${absence(dev, operation.capability)}`,
      );
    base += found;
  }
  const path = `/sys/bus/pci/devices/${slot}/config`;
  const { width } = operation;
  const buffer = new Uint8Array(width);
  const view = new DataView(buffer.buffer);
  const get = () => (width === 1 ? view.getUint8(0) : width === 2 ? view.getUint16(0, true) : view.getUint32(0, true));
  const put = (value: number) =>
    width === 1
      ? view.setUint8(0, value)
      : width === 2
        ? view.setUint16(0, value, true)
        : view.setUint32(0, value, true);
  const hex = (value: number) => (value >>> 0).toString(16).padStart(width * 2, '0');
  if (base % width !== 0)
    return fail(sys, `${slot}: Unaligned access of width ${width} to register ${base.toString(16).padStart(4, '0')}`);
  if (base + width > 0x1000)
    return fail(
      sys,
      `${slot}: Access of width ${width} to register ${base.toString(16).padStart(4, '0')} out of range`,
    );
  const fd = sys.open(path, operation.values ? O_RDWR : O_RDONLY);
  if (fd < 0) return fail(sys, `Cannot open ${path}: ${strerror(fd)}`);
  let address = base;
  const place = `${slot} ${where(operation, base)}@${address.toString(16).padStart(2, '0')}`;
  if (!operation.values) {
    const count = sys.pread(fd, buffer, address);
    await print(sys, 1, `${verbose > 0 ? `${place} = ` : ''}${count === width ? hex(get()) : 'f'.repeat(width * 2)}\n`);
  } else {
    if (verbose > 0) await print(sys, 1, place);
    for (const { value, mask } of operation.values) {
      const most = 2 ** (8 * width) - 1;
      let next = value;
      let note = hex(value);
      if (mask !== most) {
        sys.pread(fd, buffer, address);
        const old = get();
        next = ((old & ~mask) | (value & mask)) >>> 0;
        note = `${hex(old)}->(${hex(value)}:${hex(mask)})->${hex(next)}`;
      }
      if (verbose > 0) await print(sys, 1, ` ${note}`);
      if (!dry) {
        put(next);
        const count = sys.pwrite(fd, buffer, address);
        if (count < 0) {
          sys.close(fd);
          return fail(sys, `${slot}: write to config space failed: ${strerror(count)}`);
        }
      }
      address += width;
    }
    if (verbose > 0) await print(sys, 1, '\n');
  }
  sys.close(fd);
  return 0;
}

/** The capability an address is relative to, as -v shows it. */
function where({ capability, offset }: Operation, base: number): string {
  if (!capability) return '';
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  const at = base - offset;
  return capability.extended
    ? `(ecap ${hex(capability.id, 4).toUpperCase()} @${hex(at, 3)}) `
    : `(cap ${hex(capability.id, 2).toUpperCase()} @${hex(at, 2)}) `;
}

/** Why an instance is not there. */
function absence(dev: PciView, capability: NonNullable<Operation['capability']>): string {
  let count = 0;
  while (count < capability.instance && locate(dev, { ...capability, instance: count }) !== 0) count++;
  if (count === 0) return 'there are no capabilities with that id.';
  return `there ${count === 1 ? 'is' : 'are'} only ${count} ${count === 1 ? 'capability' : 'capabilities'} with that id.`;
}

function locate(dev: PciView, { id, extended, instance }: NonNullable<Operation['capability']>): number {
  let left = instance;
  if (!extended) {
    if (left === 0) return findCapability(dev, id);
    for (let at = dev.byte(0x34) & ~3, n = 0; at !== 0 && n < 48; at = dev.byte(at + 1) & ~3, n++)
      if (dev.byte(at) === id && left-- === 0) return at;
    return 0;
  }
  for (let at = 0x100, n = 0; at !== 0 && n < 256; n++) {
    const head = dev.long(at);
    if (head === 0 || head === 0xffffffff) return 0;
    if ((head & 0xffff) === id && left-- === 0) return at;
    at = (head >>> 20) & ~3;
  }
  return 0;
}
