import type { PciView } from './device.ts';

/** Parsed -s and -d selections; null fields match anything. */
export interface Filter {
  readonly domain: number | null;
  readonly bus: number | null;
  readonly slot: number | null;
  readonly fn: number | null;
  readonly vendor: number | null;
  readonly device: number | null;
  /** Class and subclass, with a mask for digits given as x. */
  readonly classCode: number | null;
  readonly classMask: number;
  readonly progIf: number | null;
}

export const ANY: Filter = {
  domain: null,
  bus: null,
  slot: null,
  fn: null,
  vendor: null,
  device: null,
  classCode: null,
  classMask: 0xffff,
  progIf: null,
};

function part(text: string, most: number): number | null | undefined {
  if (text === '' || text === '*') return null;
  if (!/^[0-9a-fA-F]+$/.test(text)) return undefined;
  const value = Number.parseInt(text, 16);
  return value > most ? undefined : value;
}

/** `[[[[domain]:]bus]:][slot][.[func]]`; a text is pciutils' complaint (pci_filter_parse_slot). */
export function parseSlot(text: string, into: Filter): Filter | string {
  let rest = text;
  let { domain, bus, slot, fn } = into;
  if (text.split(':').length > 3) return 'Too many fields';
  const colon = rest.lastIndexOf(':');
  if (colon >= 0) {
    const front = rest.slice(0, colon);
    rest = rest.slice(colon + 1);
    const inner = front.indexOf(':');
    const busText = inner >= 0 ? front.slice(inner + 1) : front;
    if (inner >= 0) {
      const value = part(front.slice(0, inner), 0x7fffffff);
      if (value === undefined) return 'Invalid domain number';
      domain = value;
    }
    const value = part(busText, 0xff);
    if (value === undefined) return 'Invalid bus number';
    bus = value;
  }
  const dot = rest.indexOf('.');
  if (dot >= 0) {
    const value = part(rest.slice(dot + 1), 7);
    if (value === undefined) return 'Invalid function number';
    fn = value;
    rest = rest.slice(0, dot);
  }
  const value = part(rest, 0x1f);
  if (value === undefined) return 'Invalid slot number';
  slot = value;
  return { ...into, domain, bus, slot, fn };
}

/** `[vendor]:[device][:class[:prog-if]]` (pci_filter_parse_id); digits of the class may be x. */
export function parseId(text: string, into: Filter): Filter | string {
  const parts = text.split(':');
  if (parts.length < 2) return text === '' ? into : 'At least two fields must be given';
  if (parts.length > 4) return 'Too many fields';
  const vendor = part(parts[0] as string, 0xffff);
  if (vendor === undefined) return 'Invalid vendor ID';
  const device = part(parts[1] as string, 0xffff);
  if (device === undefined) return 'Invalid device ID';
  const word = (parts[2] ?? '').toLowerCase();
  const wild = /^[0-9a-fx]{4}$/.test(word) && word.includes('x');
  const classCode = part(wild ? word.replace(/x/g, '0') : word, 0xffff);
  if (classCode === undefined) return 'Invalid class code';
  const classMask = wild ? Number.parseInt(word.replace(/[0-9a-f]/g, 'f').replace(/x/g, '0'), 16) : 0xffff;
  const progIf = part(parts[3] ?? '', 0xff);
  if (progIf === undefined) return 'Invalid programming interface code';
  return { ...into, vendor, device, classCode, classMask, progIf };
}

export function matches(filter: Filter, dev: PciView): boolean {
  return (
    (filter.domain === null || filter.domain === dev.domain) &&
    (filter.bus === null || filter.bus === dev.bus) &&
    (filter.slot === null || filter.slot === dev.slot) &&
    (filter.fn === null || filter.fn === dev.fn) &&
    (filter.vendor === null || filter.vendor === dev.vendor) &&
    (filter.device === null || filter.device === dev.device) &&
    (filter.classCode === null || filter.classCode === ((dev.classCode >> 8) & filter.classMask)) &&
    (filter.progIf === null || filter.progIf === (dev.classCode & 0xff))
  );
}
