/** Chipset parts that exist by name, place and properties, and do nothing (`info qtree`, `info mtree`). Data of a captured QEMU 10.0 q35. */
import type { MemoryRegionOps } from '../../../hw/memory/index.ts';
import { type BusKind, registerDeviceType } from '../../qdev/device-type.ts';
import type { PropertyKind, PropertySpec, PropertyValue } from '../../qdev/property.ts';

/** Reads all ones, keeps nothing. */
export const inertOps: MemoryRegionOps = {
  hi: 0xffff_ffff,
  read: () => 0xffff_ffff,
  write: () => {},
  peek: () => 0xffff_ffff,
};

/** Port ranges of the ISA devices, the PIC, the PIT … in `info mtree`. */
export const INERT_PORTS: readonly (readonly [port: number, size: number, name: string])[] = [
  [0x00, 8, 'dma-chan'],
  [0x08, 8, 'dma-cont'],
  [0x20, 2, 'pic'],
  [0x40, 4, 'pit'],
  [0x60, 1, 'i8042-data'],
  [0x61, 1, 'pcspk'],
  [0x64, 1, 'i8042-cmd'],
  [0x70, 2, 'rtc'],
  [0x7e, 2, 'kvmvapic'],
  [0x80, 1, 'ioport80'],
  [0x81, 3, 'dma-page'],
  [0x87, 1, 'dma-page'],
  [0x89, 3, 'dma-page'],
  [0x8f, 1, 'dma-page'],
  [0x92, 1, 'port92'],
  [0xa0, 2, 'pic'],
  [0xb2, 2, 'apm-io'],
  [0xc0, 16, 'dma-chan'],
  [0xd0, 16, 'dma-cont'],
  [0xf0, 1, 'ioportF0'],
  [0x378, 8, 'parallel'],
  [0x4d0, 1, 'elcr'],
  [0x4d1, 1, 'elcr'],
  [0xa00, 24, 'acpi-mem-hotplug'],
  [0xcc0, 24, 'acpi-pci-hotplug'],
  [0xcd8, 12, 'acpi-cpu-hotplug'],
  [0x5658, 1, 'vmport'],
];

const p = (name: string, kind: PropertyKind, value: PropertyValue): PropertySpec => ({ name, kind, value });
const u32 = (name: string, value: number) => p(name, 'uint32', value);
const on = (name: string) => p(name, 'bool', true);
const off = (name: string) => p(name, 'bool', false);

function inert(name: string, bus: BusKind, properties: readonly PropertySpec[], lines: readonly string[] = []): void {
  registerDeviceType({
    name,
    category: 'Misc',
    bus,
    userCreatable: false,
    properties,
    realize(dev) {
      dev.qtreeLines = () => lines;
    },
  });
}

inert('kvmvapic', 'System', []);
inert(
  'hpet',
  'System',
  [u32('timers', 3), off('msi'), u32('hpet-intcap', 0xff0104), on('hpet-offset-saved')],
  ['gpio-in "" 2', 'gpio-out "" 1', 'gpio-out "sysbus-irq" 32', 'mmio 00000000fed00000/0000000000000400'],
);
inert('ioapic', 'System', [p('version', 'uint8', 32)], ['gpio-in "" 24', 'mmio 00000000fec00000/0000000000001000']);
inert('ps2-kbd', 'System', [], ['gpio-out "" 1']);
inert('ps2-mouse', 'System', [], ['gpio-out "" 1']);
inert('port92', 'ISA', [], ['gpio-out "a20" 1']);
inert('vmmouse', 'ISA', []);
inert('vmport', 'ISA', [
  on('x-read-set-eax'),
  on('x-signal-unsupported-cmd'),
  on('x-report-vmx-type'),
  on('x-cmds-v2'),
  u32('vmware-vmx-version', 6),
  u32('vmware-vmx-type', 2),
]);
inert(
  'i8042',
  'ISA',
  [on('extended-state'), off('kbd-throttle'), u32('kbd-irq', 1), u32('mouse-irq', 12)],
  ['gpio-in "ps2-mouse-input-irq" 1', 'gpio-in "ps2-kbd-input-irq" 1', 'gpio-out "" 2', 'gpio-out "a20" 1'],
);
inert('isa-parallel', 'ISA', [
  u32('index', 0),
  u32('iobase', 0x378),
  u32('irq', 7),
  p('chardev', 'string', 'parallel0'),
]);
inert('isa-pcspk', 'ISA', [p('audiodev', 'string', null), u32('iobase', 0x61), on('migrate')]);
inert('isa-pit', 'ISA', [u32('iobase', 0x40)], ['gpio-in "" 1', 'gpio-out "" 1']);
inert(
  'isa-i8259',
  'ISA',
  [u32('iobase', 0x20), u32('elcr_addr', 0x4d0), p('elcr_mask', 'uint8', 0xf8), on('master')],
  ['gpio-in "" 8', 'gpio-out "" 1'],
);
inert(
  'mc146818rtc',
  'ISA',
  [
    p('base_year', 'int32', 0),
    u32('iobase', 0x70),
    p('irq', 'uint8', 8),
    { ...p('lost_tick_policy', 'enum', 'discard'), words: ['discard', 'slew'] },
  ],
  ['gpio-out "" 1'],
);
inert('i8257', 'ISA', [u32('base', 0), u32('page-base', 0x80), p('pageh-base', 'int32', -1), p('dshift', 'int32', 0)]);
inert('smbus-eeprom', 'i2c-bus', [p('address', 'uint8', 0x50)]);
