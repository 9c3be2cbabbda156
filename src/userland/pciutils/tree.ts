import type { PciView } from './device.ts';
import { deviceName, type IdStyle } from './names.ts';

/**
 * `lspci -t`: the bus tree as lspci draws it (ls-tree.c). With a selection only the chosen functions and the bridges above
 * them are drawn, in the places and with the branch marks they have in the whole tree.
 */

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');

/** What stands to the left of the next line: bars where a branch goes on, else blank. */
const blank = (line: string): string => line.replace(/[+|]/g, '|').replace(/[^|]/g, ' ');

interface RootBus {
  readonly domain: number;
  readonly bus: number;
}

const below = (bridge: PciView, dev: RootBus): boolean =>
  bridge.headerType === 1 &&
  bridge.domain === dev.domain &&
  bridge.bus !== dev.bus &&
  bridge.byte(0x19) !== 0 &&
  bridge.byte(0x19) <= dev.bus &&
  dev.bus <= bridge.byte(0x1a);

export function showTree(
  devices: readonly PciView[],
  verbose: number,
  style: IdStyle,
  chosen: (dev: PciView) => boolean = () => true,
): string {
  const out: string[] = [];
  /** The line being drawn; what has been printed of it turns into bars and blanks. */
  let line = '';
  const print = (text: string): void => {
    out.push(text);
    line = blank(text);
  };
  const drawn = new Set<PciView>();
  for (const dev of devices.filter(chosen))
    for (const one of [dev, ...devices.filter((bridge) => below(bridge, dev))]) drawn.add(one);

  const under = (domain: number, bus: number) => devices.filter((dev) => dev.domain === domain && dev.bus === bus);

  const showBus = (domain: number, bus: number, lead: string): void => {
    const members = under(domain, bus);
    const shown = members.filter((dev) => drawn.has(dev));
    if (shown.length === 0) print(lead);
    else if (members.length === 1) showDevice(shown[0] as PciView, `${lead}--`);
    else {
      let start = lead;
      for (const dev of shown) {
        showDevice(dev, `${start}${dev === members.at(-1) ? '\\' : '+'}-`);
        start = line.slice(0, lead.length);
      }
    }
  };

  const showDevice = (dev: PciView, lead: string): void => {
    const text = `${lead}${hex(dev.slot, 2)}.${dev.fn.toString(16)}`;
    const secondary = dev.byte(0x19);
    if (dev.headerType === 1 && secondary !== 0) {
      const subordinate = dev.byte(0x1a);
      const range = `${hex(secondary, 2)}${subordinate === secondary ? '' : `-${hex(subordinate, 2)}`}`;
      showBus(dev.domain, secondary, `${text}-[${range}]--`);
    } else print(verbose > 0 ? `${text}  ${deviceName(dev.vendor, dev.device, style)}` : text);
  };

  const roots: RootBus[] = [];
  for (const dev of devices)
    if (
      !devices.some((bridge) => below(bridge, dev)) &&
      !roots.some((root) => root.bus === dev.bus && root.domain === dev.domain)
    )
      roots.push({ domain: dev.domain, bus: dev.bus });
  if (drawn.size === 0) return '-\n';
  let start = '-';
  for (const root of roots) {
    if (!under(root.domain, root.bus).some((dev) => drawn.has(dev))) continue;
    const mark = roots.length === 1 ? '' : root === roots.at(-1) ? '\\-' : '+-';
    showBus(root.domain, root.bus, `${start}${mark}[${hex(root.domain, 4)}:${hex(root.bus, 2)}]-`);
    start = line.slice(0, 1);
  }
  return out.map((text) => `${text}\n`).join('');
}
