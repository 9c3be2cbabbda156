/**
 * SeaBIOS 1.16.3 src/fw/pciinit.c, pci_setup(): bus numbers, sizing, BAR and window placement, device init, by configuration
 * cycles alone. Left out: i440fx and IDE setup, the VGA choice. Checked against golden captures A, B and D.
 */
import { alignDown, alignUp, GiB, hi32, lo32, MiB } from '../../base/addr.ts';
import { assert } from '../../base/assert.ts';
import type { CpuBus } from '../bus/cpu-bus.ts';
import { type Bdf, ConfigCycles } from './config-cycles.ts';
import type { E820Map } from './e820.ts';
import {
  Bus,
  barOffset,
  type PciDevice,
  pci_bios_bridge_region_is64,
  pci_bios_get_bar,
  pci_bridge_has_region,
  pci_bus_hotplug_support,
  type Region,
  type RegionEntry,
  Region as RegionList,
  RegionType,
  type RegionTypeId,
  reservedSize,
  resourceReserve,
} from './pci-sizing.ts';

const CLASS_BRIDGE_PCI = 0x0604;
const PCI_DEVICE_MEM_MIN = 4096;
const PCI_BRIDGE_MEM_MIN = 2 * MiB;
const PCI_BRIDGE_IO_MIN = 0x1000;
const PCIMEM_END = 0xfec00000;
/** Routing of INTA…INTD to the PIC. */
const PCI_IRQS = [10, 10, 11, 11] as const;
const TYPES: readonly RegionTypeId[] = [0, 1, 2];

export interface PciSetupInputs {
  readonly extraRoots: number;
  readonly ramSize: number;
  readonly ramSizeOver4G: number;
  /** `etc/reserved-memory-end`, 0 if absent. */
  readonly reservedMemoryEnd: number;
  /** CPUID 0x80000008: physical address bits. */
  readonly physBits: number;
  readonly e820: E820Map;
}

export function pci_setup(bus: CpuBus, inputs: PciSetupInputs): readonly PciDevice[] {
  const cfg = new ConfigCycles(bus);
  if (!cfg.present()) return [];
  const top = inputs.physBits > 46 ? 2 ** 46 : 2 ** inputs.physBits;
  const pad = inputs.physBits >= 36 && inputs.ramSizeOver4G > 0;
  pci_bios_init_bus(cfg, inputs.extraRoots);
  const devices = pci_probe_devices(cfg, inputs.extraRoots);
  const start = init_platform(cfg, devices, inputs);
  const busses = check_devices(cfg, devices, pad, top);
  map_devices(cfg, busses, inputs, start, pad, top);
  for (const dev of devices) init_device(bus, cfg, dev, inputs.e820);
  return devices;
}

// --- bus numbers --------------------------------------------------------------------------------------------------

function pci_bios_init_bus(cfg: ConfigCycles, extraRoots: number): void {
  let last = init_bus_rec(cfg, 0, 0);
  if (extraRoots > 0) while (last < 0xff) last = init_bus_rec(cfg, last + 1, last + 1);
}

/** pci_bios_init_bus_rec(): gives the highest bus number in use. */
function init_bus_rec(cfg: ConfigCycles, bus: number, last: number): number {
  const bridges: Bdf[] = [];
  for (const bdf of cfg.functions(bus)) {
    if (cfg.read(bdf, 0x0a, 2) !== CLASS_BRIDGE_PCI) continue;
    bridges.push(bdf);
    // Closed until its turn, so that nothing answers twice.
    cfg.write(bdf, 0x19, 1, 255);
    cfg.write(bdf, 0x1a, 1, 0);
  }
  let highest = last;
  for (const bdf of bridges) {
    if (cfg.read(bdf, 0x18, 1) !== bus) cfg.write(bdf, 0x18, 1, bus);
    const secondary = ++highest;
    if (cfg.read(bdf, 0x19, 1) !== secondary) cfg.write(bdf, 0x19, 1, secondary);
    cfg.write(bdf, 0x1a, 1, 255);
    highest = init_bus_rec(cfg, secondary, highest);
    cfg.write(bdf, 0x1a, 1, highest);
  }
  return highest;
}

function pci_probe_devices(cfg: ConfigCycles, extraRoots: number): PciDevice[] {
  const devices: PciDevice[] = [];
  const bridgeOf = new Map<number, PciDevice>();
  let maxBus = 0;
  let roots = 0;
  for (let bus = 0; bus <= 0xff && (bus <= maxBus || roots < extraRoots); bus++) {
    let first = true;
    for (const bdf of cfg.functions(bus)) {
      const parent = bridgeOf.get(bus) ?? null;
      if (first && bus !== 0 && parent === null) roots++;
      first = false;
      maxBus = Math.max(maxBus, bus);
      const headerType = cfg.read(bdf, 0x0e, 1);
      const bridge = (headerType & 0x7f) === 1 || (headerType & 0x7f) === 2;
      const dev: PciDevice = {
        bdf,
        vendor: cfg.read(bdf, 0, 2),
        device: cfg.read(bdf, 2, 2),
        class: cfg.read(bdf, 0x0a, 2),
        headerType,
        secondaryBus: bridge ? cfg.read(bdf, 0x19, 1) : 0,
        parent,
      };
      if (bridge) {
        bridgeOf.set(dev.secondaryBus, dev);
        maxBus = Math.max(maxBus, dev.secondaryBus);
      }
      devices.push(dev);
    }
  }
  return devices;
}

/** pci_bios_init_platform(): Q35 opens its ECAM window; gives the start of 32-bit PCI memory. */
function init_platform(cfg: ConfigCycles, devices: readonly PciDevice[], inputs: PciSetupInputs): number {
  const mch = devices.find((dev) => dev.vendor === 0x8086 && dev.device === 0x29c0);
  if (!mch) return inputs.ramSize;
  cfg.write(mch.bdf, 0x60, 4, 0);
  cfg.write(mch.bdf, 0x64, 4, 0);
  cfg.write(mch.bdf, 0x60, 4, 0xb0000001);
  // What SMM set-up leaves: memory enabled for SMM only.
  cfg.write(mch.bdf, 0x9d, 1, 0x02 | 0x08);
  inputs.e820.add(0xb0000000, 256 * MiB, 'reserved');
  return 0xc0000000;
}

// --- sizing -------------------------------------------------------------------------------------------------------

function check_devices(cfg: ConfigCycles, devices: readonly PciDevice[], pad: boolean, top: number): readonly Bus[] {
  const busses = Array.from({ length: 256 }, () => new Bus());
  const at = (n: number) => busses[n] as Bus;
  // All root busses share one pool: bus 0's.
  const pool = (n: number) => (at(n).dev ? at(n) : at(0));
  for (const dev of devices) {
    const bridge = dev.class === CLASS_BRIDGE_PCI;
    if (bridge) at(dev.secondaryBus).dev = dev;
    for (let bar = 0; bar <= 6; bar++) {
      if (bridge && bar >= 2 && bar < 6) continue;
      const { type, size, is64 } = pci_bios_get_bar(cfg, dev, bar);
      if (size === 0) continue;
      const least = type === RegionType.IO ? size : Math.max(size, PCI_DEVICE_MEM_MIN);
      pool(dev.bdf >> 8).r[type].insert({ dev, bar, size: least, align: least, type, is64 });
      if (is64) bar++;
    }
  }
  for (let secondary = 255; secondary > 0; secondary--) {
    const { dev, r } = at(secondary);
    if (!dev) continue;
    const parent = pool(dev.bdf >> 8);
    const pcieCap = cfg.capability(dev.bdf, 0x10);
    const reserve = resourceReserve(cfg, dev);
    const hotplug = pci_bus_hotplug_support(cfg, dev, pcieCap);
    for (const type of TYPES) {
      if (!pci_bridge_has_region(cfg, dev, type)) continue;
      const region = r[type];
      const wanted = reserve ? reservedSize(cfg, dev, reserve, type) : 0;
      let align = Math.max(type === RegionType.IO ? PCI_BRIDGE_IO_MIN : PCI_BRIDGE_MEM_MIN, region.align);
      let sum = region.sum;
      const is64 = pci_bios_bridge_region_is64(cfg, region, dev, type);
      const optional = hotplug === 'pcie' && type === RegionType.IO;
      // 1.16.3 does not compare with the present alignment; later versions do.
      if (hotplug !== 'none' && pad && is64 && type === RegionType.PREFMEM) align = top / 2048;
      if (align > sum && hotplug !== 'none' && !optional) sum = align;
      const size = wanted > sum ? (type === RegionType.IO ? wanted : alignUp(wanted, align)) : alignUp(sum, align);
      parent.r[type].insert({ dev, bar: -1, size, align, type, is64 });
    }
  }
  return busses;
}

// --- placing ------------------------------------------------------------------------------------------------------

/** pci_bios_init_root_regions_mem(): packs bus 0's memory below 0xfec00000; false if it does not fit. */
function root_regions_mem(root: Bus, start: number): boolean {
  let last: Region = root.r[RegionType.PREFMEM];
  let first: Region = root.r[RegionType.MEM];
  if (first.align < last.align) [first, last] = [last, first];
  last.base = alignDown(PCIMEM_END - last.sum, last.align);
  first.base = alignDown(last.base - first.sum, first.align);
  return first.base >= start && first.base <= PCIMEM_END;
}

function map_devices(
  cfg: ConfigCycles,
  busses: readonly Bus[],
  inputs: PciSetupInputs,
  start: number,
  pad: boolean,
  top: number,
): void {
  const root = busses[0] as Bus;
  const io = root.r[RegionType.IO];
  assert(io.sum < 0x9000, 'firmware: out of I/O address space');
  io.base = io.sum < 0x4000 ? 0xc000 : 0x1000;
  if (pad || !root_regions_mem(root, start)) {
    const mem = new RegionList();
    const pref = new RegionList();
    mem.take64(root.r[RegionType.MEM]);
    pref.take64(root.r[RegionType.PREFMEM]);
    assert(root_regions_mem(root, start), 'firmware: out of 32bit address space');
    let base = Math.max(inputs.reservedMemoryEnd, 4 * GiB + inputs.ramSizeOver4G);
    let size = alignUp(mem.sum, GiB) + alignUp(pref.sum, GiB);
    if (pad) size = alignUp(size, top / 8);
    if (base < top - size) base = top - size;
    if (inputs.e820.used(base, size)) base -= size;
    mem.base = alignUp(alignUp(base, mem.align), GiB);
    pref.base = alignUp(alignUp(mem.base + mem.sum, pref.align), GiB);
    map_entries(cfg, busses, mem);
    map_entries(cfg, busses, pref);
  }
  for (const bus of busses) for (const type of TYPES) map_entries(cfg, busses, bus.r[type]);
}

function map_entries(cfg: ConfigCycles, busses: readonly Bus[], region: Region): void {
  for (const entry of region.entries) {
    const addr = region.base;
    region.base += entry.size;
    if (entry.bar === -1) (busses[entry.dev.secondaryBus] as Bus).r[entry.type].base = addr;
    map_one_entry(cfg, entry, addr);
  }
  region.entries = [];
}

function map_one_entry(cfg: ConfigCycles, entry: RegionEntry, addr: number): void {
  const { bdf } = entry.dev;
  if (entry.bar >= 0) {
    const offset = barOffset(entry.dev, entry.bar);
    cfg.write(bdf, offset, 4, lo32(addr));
    if (entry.is64) cfg.write(bdf, offset + 4, 4, hi32(addr));
    return;
  }
  const limit = addr + entry.size - 1;
  if (entry.type === RegionType.IO) {
    cfg.write(bdf, 0x1c, 1, (addr >> 8) & 0xff);
    cfg.write(bdf, 0x30, 2, 0);
    cfg.write(bdf, 0x1d, 1, (limit >> 8) & 0xff);
    cfg.write(bdf, 0x32, 2, 0);
  } else {
    const offset = entry.type === RegionType.MEM ? 0x20 : 0x24;
    cfg.write(bdf, offset, 2, (lo32(addr) >>> 16) & 0xffff);
    cfg.write(bdf, offset + 2, 2, (lo32(limit) >>> 16) & 0xffff);
    if (entry.type === RegionType.PREFMEM) {
      cfg.write(bdf, 0x28, 4, hi32(addr));
      cfg.write(bdf, 0x2c, 4, hi32(limit));
    }
  }
}

// --- devices ------------------------------------------------------------------------------------------------------

function init_device(bus: CpuBus, cfg: ConfigCycles, dev: PciDevice, e820: E820Map): void {
  const pin = cfg.read(dev.bdf, 0x3d, 1);
  if (pin !== 0) cfg.write(dev.bdf, 0x3c, 1, slotIrq(dev, pin));
  if (dev.vendor === 0x8086 && dev.device === 0x2918) mch_isa_bridge_setup(bus, cfg, dev, e820);
  if (dev.vendor === 0x8086 && dev.device === 0x2930) {
    // SMBus controller at 0x700, enabled.
    cfg.write(dev.bdf, 0x20, 4, 0x701);
    cfg.write(dev.bdf, 0x40, 1, 1);
  }
  // ahci_controller_setup() lets the controller master the bus.
  const master = dev.class === 0x0106 ? 0x04 : 0;
  cfg.write(dev.bdf, 0x04, 2, cfg.read(dev.bdf, 0x04, 2) | 0x103 | master);
  // SERR# is forwarded by bridges.
  if ((dev.headerType & 0x7f) === 1) cfg.write(dev.bdf, 0x3e, 2, cfg.read(dev.bdf, 0x3e, 2) | 2);
}

/** mch_pci_slot_get_irq(): slots 25…31 are all wired to the same pins. */
function slotIrq(dev: PciDevice, pin: number): number {
  let addend = 0;
  let at = dev;
  while (at.parent) {
    addend += (at.bdf >> 3) & 31;
    at = at.parent;
  }
  const slot = (at.bdf >> 3) & 31;
  return PCI_IRQS[(pin - 1 + addend + (slot < 25 ? slot : 0)) & 3] as number;
}

/** ICH9 LPC: interrupt routing, power management ports at 0x600, root complex block at 0xfed1c000. */
function mch_isa_bridge_setup(bus: CpuBus, cfg: ConfigCycles, dev: PciDevice, e820: E820Map): void {
  PCI_IRQS.forEach((irq, n) => {
    cfg.write(dev.bdf, 0x60 + n, 1, irq);
    cfg.write(dev.bdf, 0x68 + n, 1, irq);
  });
  bus.outp(0x4d0, 1, 0x00);
  bus.outp(0x4d1, 1, 0x0c);
  cfg.write(dev.bdf, 0x40, 4, 0x600 | 1);
  cfg.write(dev.bdf, 0x44, 1, 0x80);
  cfg.write(dev.bdf, 0xf0, 4, 0xfed1c001);
  e820.add(0xfed1c000, 0x4000, 'reserved');
}
