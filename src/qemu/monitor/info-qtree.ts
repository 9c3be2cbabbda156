/** `info qtree` (system/qdev-monitor.c qbus_print, hw/pci/pci-hmp-cmds.c pcibus_dev_print). */
import { hex } from '../../base/addr.ts';
import { PCI_BASE_ADDRESS_SPACE_IO, type PciFunction, UNMAPPED } from '../../hw/pci/index.ts';
import type { Bus } from '../qdev/bus.ts';
import type { Device } from '../qdev/device-type.ts';
import { printProperty } from '../qdev/property.ts';
import { registerCommand, registerInfo } from './hmp.ts';
import { className } from './pci-classes.ts';

function barAddress(fn: PciFunction, index: number): readonly [string, string] {
  const region = fn.bar(index);
  if (region.addr === UNMAPPED)
    return ['f'.repeat(16), (2n ** 64n + BigInt(region.size) - 2n).toString(16).slice(-16).replace(/^0+/, '')];
  return [hex(region.addr), hex(region.addr + region.size - 1)];
}

function pciLines(fn: PciFunction): string[] {
  const { config } = fn;
  const class_ = config.peek(0x0a, 2);
  const name = className(class_);
  const word = (offset: number) => hex(config.peek(offset, 2), 4);
  const lines = [
    `class ${name ?? `Class ${hex(class_, 4)}`}, addr ${fn.bdf}, pci id ${word(0)}:${word(2)} (sub ${word(0x2c)}:${word(0x2e)})`,
  ];
  for (const region of fn.io_regions) {
    if (!region) continue;
    const [start, end] = barAddress(fn, region.index);
    lines.push(
      `bar ${region.index}: ${region.type & PCI_BASE_ADDRESS_SPACE_IO ? 'i/o' : 'mem'} at 0x${start} [0x${end}]`,
    );
  }
  return lines;
}

function printDevice(dev: Device, depth: number, out: string[]): void {
  const indent = ' '.repeat(depth);
  out.push(`${indent}dev: ${dev.type.name}, id "${dev.id}"\n`);
  const inner = `${indent}  `;
  const lines = dev.qtreeLines();
  for (const line of lines) if (line.startsWith('gpio')) out.push(`${inner}${line}\n`);
  for (const spec of dev.type.properties) {
    if (spec.inQtree === false || spec.kind === 'link') continue;
    const value = spec.name === 'busnr' ? (dev.pci?.busNumber ?? 0) : dev.props.get(spec.name);
    out.push(`${inner}${spec.name} = ${printProperty(spec, value)}\n`);
  }
  for (const line of lines) if (!line.startsWith('gpio')) out.push(`${inner}${line}\n`);
  if (dev.pci) for (const line of pciLines(dev.pci)) out.push(`${inner}${line}\n`);
  for (const bus of [...dev.childBuses].reverse()) printBus(bus, depth + 2, out);
}

function printBus(bus: Bus, depth: number, out: string[]): void {
  const indent = ' '.repeat(depth);
  out.push(`${indent}bus: ${bus.name}\n${indent}  type ${bus.type}\n`);
  for (const dev of [...bus.children].reverse()) printDevice(dev, depth + 2, out);
}

registerInfo({
  names: ['qtree'],
  parameters: '[-b]',
  help: 'device tree with properties (-b: without them)',
  run: (vm, args) => {
    const out: string[] = [];
    if (args[0] === '-b') brief(vm.main_system_bus, 0, out);
    else printBus(vm.main_system_bus, 0, out);
    return out.join('');
  },
});

function brief(bus: Bus, depth: number, out: string[]): void {
  out.push(`${' '.repeat(depth)}bus: ${bus.name}\n`);
  for (const dev of [...bus.children].reverse()) {
    out.push(`${' '.repeat(depth + 2)}dev: ${dev.type.name}, id "${dev.id}"\n`);
    for (const below of [...dev.childBuses].reverse()) brief(below, depth + 4, out);
  }
}

registerInfo({
  names: ['qom-tree'],
  parameters: '[path]',
  help: 'object tree: machine, user devices, backends',
  run: (vm) => {
    const out = ['/machine (pc-q35-9.2-machine)\n', '  /peripheral (container)\n'];
    for (const dev of vm.devices) if (dev.id !== '') out.push(`    /${dev.id} (${dev.type.name})\n`);
    out.push('  /unattached (container)\n');
    vm.devices
      .filter((dev) => dev.id === '')
      .forEach((dev, n) => {
        out.push(`    /device[${n}] (${dev.type.name})\n`);
      });
    out.push('/objects (container)\n');
    for (const backend of vm.backends) out.push(`  /${backend.id} (${backend.type})\n`);
    return out.join('');
  },
});

registerCommand({
  names: ['qom-list'],
  parameters: 'path',
  help: 'properties of an object (not modelled: see info qtree)',
  run: () => 'Error: QOM paths are not modelled in this lab: info qtree shows every property\n',
});
