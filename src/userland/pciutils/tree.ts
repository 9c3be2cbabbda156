import type { PciView } from './device.ts';
import { deviceName, type IdStyle } from './names.ts';

/** `lspci -t`: the bus tree as lspci draws it (ls-tree.c). With verbosity the device names follow the addresses. */
export function showTree(devices: readonly PciView[], verbose: number, style: IdStyle): string {
  const out: string[] = [];
  const bridges = devices.filter((dev) => dev.headerType === 1);
  const under = (bus: number, domain: number) => devices.filter((dev) => dev.bus === bus && dev.domain === domain);
  const isBelow = (bus: number, domain: number) =>
    bridges.some(
      (bridge) =>
        bridge.domain === domain &&
        bridge.byte(0x19) <= bus &&
        bus <= bridge.byte(0x1a) &&
        bridge.byte(0x19) !== 0 &&
        bridge.bus !== bus,
    );
  const roots: { domain: number; bus: number }[] = [];
  for (const dev of devices)
    if (!isBelow(dev.bus, dev.domain) && !roots.some((root) => root.bus === dev.bus && root.domain === dev.domain))
      roots.push({ domain: dev.domain, bus: dev.bus });

  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');

  /** Appends the subtree of one bus; `line` is what stands before it. */
  const showBus = (bus: number, domain: number, line: string): void => {
    const members = under(bus, domain);
    if (members.length === 0) {
      out.push(line);
      return;
    }
    if (members.length === 1) {
      showDevice(members[0] as PciView, `${line}---`);
      return;
    }
    members.forEach((dev, n) => {
      const last = n === members.length - 1;
      const lead = n === 0 ? `${line}-+-` : `${blank(line)} ${last ? '\\' : '+'}-`;
      showDevice(dev, lead);
    });
  };

  const showDevice = (dev: PciView, line: string): void => {
    let text = `${line}${hex(dev.slot, 2)}.${dev.fn.toString(16)}`;
    const secondary = dev.byte(0x19);
    if (dev.headerType === 1 && secondary !== 0) {
      const subordinate = dev.byte(0x1a);
      text += `-[${hex(secondary, 2)}${subordinate === secondary ? '' : `-${hex(subordinate, 2)}`}]-`;
      showBus(secondary, dev.domain, text);
      return;
    }
    if (verbose > 0) text += `  ${deviceName(dev.vendor, dev.device, style)}`;
    out.push(text);
  };

  /** Continuation of a line: branch marks stay as bars, everything else becomes blank. */
  const blank = (line: string): string => line.replace(/\+-/g, '| ').replace(/\\-/g, '  ').replace(/[^| ]/g, ' ');

  roots.forEach((root, n) => {
    const last = n === roots.length - 1;
    const lead = roots.length === 1 ? '-' : n === 0 ? '-+-' : last ? ' \\-' : ' +-';
    showBus(root.bus, root.domain, `${lead}[${hex(root.domain, 4)}:${hex(root.bus, 2)}]`);
  });
  return out.map((line) => `${line}\n`).join('');
}
