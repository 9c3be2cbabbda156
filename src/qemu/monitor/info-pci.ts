/** `info pci` (hw/pci/pci-hmp-cmds.c hmp_info_pci), line for line. */
import { hex } from '../../base/addr.ts';
import {
  PCI_BASE_ADDRESS_MEM_PREFETCH,
  PCI_BASE_ADDRESS_MEM_TYPE_64,
  PCI_BASE_ADDRESS_SPACE_IO,
  PciBridge,
  type PciBus,
  type PciFunction,
  UNMAPPED,
} from '../../hw/pci/index.ts';
import { registerInfo } from './hmp.ts';
import { className } from './pci-classes.ts';

function bridgeLines(fn: PciBridge): string[] {
  const { config } = fn;
  const byte = (offset: number) => config.peek(offset, 1);
  const word = (offset: number) => config.peek(offset, 2);
  const ioBase = (byte(0x1c) & 0xf0) * 0x100;
  const ioLimit = (byte(0x1d) & 0xf0) * 0x100 + 0xfff;
  const memBase = (word(0x20) & 0xfff0) * 0x10000;
  const memLimit = (word(0x22) & 0xfff0) * 0x10000 + 0xfffff;
  const prefBase = config.peek(0x28, 4) * 2 ** 32 + (word(0x24) & 0xfff0) * 0x10000;
  const prefLimit = config.peek(0x2c, 4) * 2 ** 32 + (word(0x26) & 0xfff0) * 0x10000 + 0xfffff;
  const range = (name: string, base: number, limit: number, digits: number) =>
    `      ${name} range [0x${hex(base, digits)}, 0x${hex(limit, digits)}]\n`;
  return [
    `      BUS ${byte(0x18)}.\n`,
    `      secondary bus ${byte(0x19)}.\n`,
    `      subordinate bus ${byte(0x1a)}.\n`,
    range('IO', ioBase, ioLimit, 4),
    range('memory', memBase, memLimit, 8),
    range('prefetchable memory', prefBase, prefLimit, 8),
  ];
}

function barLine(fn: PciFunction, index: number): string {
  const region = fn.bar(index);
  if (region.type & PCI_BASE_ADDRESS_SPACE_IO) {
    const [start, end] =
      region.addr === UNMAPPED
        ? ['ffffffffffffffff', hex(region.size - 2, 4)]
        : [hex(region.addr, 4), hex(region.addr + region.size - 1, 4)];
    return `      BAR${index}: I/O at 0x${start} [0x${end}]\n`;
  }
  const bits = region.type & PCI_BASE_ADDRESS_MEM_TYPE_64 ? 64 : 32;
  const prefetch = region.type & PCI_BASE_ADDRESS_MEM_PREFETCH ? ' prefetchable' : '';
  const [start, end] =
    region.addr === UNMAPPED
      ? ['ffffffffffffffff', hex(region.size - 2, 8)]
      : [hex(region.addr, 8), hex(region.addr + region.size - 1, 8)];
  return `      BAR${index}: ${bits} bit${prefetch} memory at 0x${start} [0x${end}]\n`;
}

function functionText(fn: PciFunction, userId: string): string {
  const { config } = fn;
  const code = config.peek(0x0a, 2);
  const word = (offset: number) => hex(config.peek(offset, 2), 4);
  let out = `  Bus ${String(fn.busNumber).padStart(2)}, device ${String(fn.devfn >>> 3).padStart(3)}, function ${fn.devfn & 7}:\n`;
  out += `    ${className(code) ?? `Class ${String(code).padStart(4, '0')}`}: PCI device ${word(0)}:${word(2)}\n`;
  if (!fn.isBridge && (config.peek(0x2c, 2) !== 0 || config.peek(0x2e, 2) !== 0))
    out += `      PCI subsystem ${word(0x2c)}:${word(0x2e)}\n`;
  const pin = config.peek(0x3d, 1);
  if (pin > 0) out += `      IRQ ${config.peek(0x3c, 1)}, pin ${String.fromCharCode(64 + pin)}\n`;
  if (fn instanceof PciBridge) out += bridgeLines(fn).join('');
  for (const region of fn.io_regions) if (region) out += barLine(fn, region.index);
  return `${out}      id "${userId}"\n`;
}

function busText(bus: PciBus, userIds: ReadonlyMap<PciFunction, string>): string {
  let out = '';
  for (const devfn of [...bus.devices.keys()].sort((a, b) => a - b)) {
    const fn = bus.devices.get(devfn);
    if (!fn) continue;
    out += functionText(fn, userIds.get(fn) ?? '');
    if (fn instanceof PciBridge && fn.config.peek(0x19, 1) !== 0) out += busText(fn.sec_bus, userIds);
  }
  return out;
}

registerInfo({
  names: ['pci'],
  parameters: '',
  help: 'PCI functions with their BARs and windows',
  run: (vm) => {
    const ids = new Map<PciFunction, string>();
    for (const dev of vm.devices) if (dev.pci) ids.set(dev.pci, dev.id);
    return vm.pci_host_buses.map((bus) => busText(bus, ids)).join('');
  },
});
