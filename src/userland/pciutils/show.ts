import { findCapability, showCapabilities } from './capabilities.ts';
import { flags, type PciView, sizeText } from './device.ts';
import { className, deviceName, type IdStyle, progIfName, subsystemName } from './names.ts';

export interface ShowOptions {
  readonly verbose: number;
  readonly style: IdStyle;
  readonly domain: boolean;
  readonly kernel: boolean;
  /** 0 none, 1 -x, 3 -xxx, 4 -xxxx. */
  readonly hexdump: number;
  /** How a device's address is written, where not plainly (-P). */
  readonly slot?: (dev: PciView) => string;
}

const hex = (value: number, digits = 0) => value.toString(16).padStart(digits, '0');
const MASTER = 4;

/** One device as lspci prints it (lspci.c:show_device), with its trailing empty line when verbose or dumping. */
export function showDevice(dev: PciView, options: ShowOptions): string {
  let text = head(dev, options);
  if (options.verbose > 0) text += body(dev, options);
  if (options.kernel || options.verbose > 0) {
    if (options.verbose === 0) text += subsystem(dev, options.style);
    text += kernelLines(dev);
  }
  if (options.hexdump > 0) text += dump(dev, options.hexdump);
  if (options.verbose > 0 || options.hexdump > 0) text += '\n';
  return text;
}

function head(dev: PciView, { style, domain, verbose, slot }: ShowOptions): string {
  let text = `${slot?.(dev) ?? dev.slotText(domain)} ${className(dev.classCode, style)}: ${deviceName(dev.vendor, dev.device, style)}`;
  const revision = dev.byte(8);
  if (revision !== 0) text += ` (rev ${hex(revision, 2)})`;
  if (verbose > 0) {
    const progIf = dev.byte(9);
    const name = progIfName(dev.classCode);
    if (progIf !== 0 || name !== undefined)
      text += ` (prog-if ${hex(progIf, 2)}${name === undefined ? '' : ` [${name}]`})`;
  }
  return `${text}\n`;
}

export function subsystemIds(dev: PciView): readonly [number, number] {
  if (dev.headerType === 0) return [dev.word(0x2c), dev.word(0x2e)];
  const at = findCapability(dev, 0x0d);
  return at === 0 ? [0, 0] : [dev.word(at + 4), dev.word(at + 6)];
}

function subsystem(dev: PciView, style: IdStyle): string {
  const [vendor, device] = subsystemIds(dev);
  if ((vendor === 0 || vendor === 0xffff) && device === 0) return '';
  return `\tSubsystem: ${subsystemName(dev.vendor, dev.device, vendor, device, style)}\n`;
}

const DEVSEL = ['fast', 'medium', 'slow', '??'];

function body(dev: PciView, options: ShowOptions): string {
  const { verbose, style } = options;
  const command = dev.word(4);
  const status = dev.word(6);
  const { kernel } = dev;
  const irq = kernel ? kernel.irq : dev.byte(0x3c);
  const pin = dev.byte(0x3d);
  let text = subsystem(dev, style);
  if (kernel?.physicalSlot) text += `\tPhysical Slot: ${kernel.physicalSlot}\n`;
  if (verbose > 1) {
    text += `\tControl: ${flags(command, [
      ['I/O', 1],
      ['Mem', 2],
      ['BusMaster', 4],
      ['SpecCycle', 8],
      ['MemWINV', 0x10],
      ['VGASnoop', 0x20],
      ['ParErr', 0x40],
      ['Stepping', 0x80],
      ['SERR', 0x100],
      ['FastB2B', 0x200],
      ['DisINTx', 0x400],
    ])}\n`;
    text += `\tStatus: ${flags(status, [
      ['Cap', 0x10],
      ['66MHz', 0x20],
      ['UDF', 0x40],
      ['FastB2B', 0x80],
      ['ParErr', 0x100],
    ])} DEVSEL=${DEVSEL[(status >> 9) & 3]} ${flags(status, [
      ['>TAbort', 0x800],
      ['<TAbort', 0x1000],
      ['<MAbort', 0x2000],
      ['>SERR', 0x4000],
      ['<PERR', 0x8000],
      ['INTx', 8],
    ])}\n`;
    if (command & MASTER) {
      text += `\tLatency: ${dev.byte(0x0d)}`;
      const minimum = dev.byte(0x3e);
      const maximum = dev.byte(0x3f);
      if (dev.headerType === 0 && (minimum !== 0 || maximum !== 0)) {
        const parts = [
          minimum === 0 ? '' : `${minimum * 250}ns min`,
          maximum === 0 ? '' : `${maximum * 250}ns max`,
        ].filter((part) => part !== '');
        text += ` (${parts.join(', ')})`;
      }
      if (dev.byte(0x0c) !== 0) text += `, Cache Line Size: ${dev.byte(0x0c) * 4} bytes`;
      text += '\n';
    }
    if (pin !== 0 || irq !== 0)
      text += `\tInterrupt: pin ${pin === 0 ? '?' : String.fromCharCode(64 + pin)} routed to IRQ ${irq}\n`;
    if (kernel && kernel.numaNode >= 0) text += `\tNUMA node: ${kernel.numaNode}\n`;
    if (kernel?.iommuGroup) text += `\tIOMMU group: ${kernel.iommuGroup}\n`;
  } else {
    const words = [
      command & MASTER ? 'bus master' : '',
      command & 0x20 ? 'VGA palette snoop' : '',
      command & 0x80 ? 'stepping' : '',
      command & 0x200 ? 'fast Back2Back' : '',
      status & 0x20 ? '66MHz' : '',
      status & 0x40 ? 'user-definable features' : '',
      `${DEVSEL[(status >> 9) & 3]} devsel`,
      command & MASTER ? `latency ${dev.byte(0x0d)}` : '',
      irq !== 0 ? `IRQ ${irq}` : '',
      kernel && kernel.numaNode >= 0 ? `NUMA node ${kernel.numaNode}` : '',
      kernel?.iommuGroup ? `IOMMU group ${kernel.iommuGroup}` : '',
    ];
    text += `\tFlags: ${words.filter((word) => word !== '').join(', ')}\n`;
  }
  const bridge = dev.headerType === 1;
  text += bases(dev, bridge ? 2 : 6, verbose);
  if (bridge) text += bridgeWindows(dev, verbose);
  text += rom(dev, bridge ? 0x38 : 0x30);
  return text + showCapabilities(dev, verbose, style);
}

const IORESOURCE_IO = 0x100;

function bases(dev: PciView, count: number, verbose: number): string {
  let text = '';
  const command = dev.word(4);
  let upperHalf = false;
  for (let n = 0; n < count; n++) {
    const foldedUpper = upperHalf;
    upperHalf = false;
    let raw = dev.long(0x10 + 4 * n);
    if (raw === 0xffffffff) raw = 0;
    const resource = dev.kernel?.resources[n];
    const size = resource && resource.end !== 0 ? resource.end - resource.start + 1 : 0;
    if (resource ? resource.flags === 0 && size === 0 : raw === 0) continue;
    const io = resource && resource.flags !== 0 ? (resource.flags & IORESOURCE_IO) !== 0 : (raw & 1) !== 0;
    const wide = !io && (raw & 6) === 4;
    const upper = wide && n + 1 < 6 ? dev.long(0x10 + 4 * (n + 1)) : 0;
    const hardware = io ? (raw & ~3) >>> 0 : upper * 0x1_0000_0000 + ((raw & ~15) >>> 0);
    // libpci folds a 64-bit base into its lower slot, yet the upper dword still counts as a region of its own in a dump.
    const address = resource ? resource.start : foldedUpper ? 0 : hardware;
    const assigned = foldedUpper ? 0 : hardware;
    upperHalf = wide;
    const virtual = resource !== undefined && resource.start !== 0 && hardware === 0;
    text += verbose > 1 ? `\tRegion ${n}: ` : '\t';
    if (io) {
      text += 'I/O ports at ';
      text += address !== 0 ? hex(address, 4) : hardware !== 0 ? '<ignored>' : '<unassigned>';
      if (virtual) text += ' [virtual]';
      else if (!(command & 1)) text += ' [disabled]';
    } else {
      text += 'Memory at ';
      text += address !== 0 ? hex(address, 8) : assigned !== 0 ? '<ignored>' : '<unassigned>';
      text += ` (${(raw & 6) === 4 ? '64-bit' : (raw & 6) === 2 ? 'low-1M' : '32-bit'}, ${raw & 8 ? '' : 'non-'}prefetchable)`;
      if (virtual) text += ' [virtual]';
      else if (!(command & 2)) text += ' [disabled]';
    }
    text += `${sizeText(size)}\n`;
  }
  return text;
}

function rom(dev: PciView, at: number): string {
  const raw = dev.long(at);
  const resource = dev.kernel?.resources[6];
  const size = resource && resource.end !== 0 ? resource.end - resource.start + 1 : 0;
  if ((resource?.start ?? 0) === 0 && size === 0 && (raw === 0 || raw === 0xffffffff)) return '';
  const address = resource && resource.start !== 0 ? resource.start : (raw & 0xfffff800) >>> 0;
  let text = '\tExpansion ROM at ';
  text += address !== 0 ? hex(address, 8) : '<unassigned>';
  if (resource && resource.start !== 0 && (raw & 0xfffff800) >>> 0 === 0) text += ' [virtual]';
  if (!(raw & 1)) text += ' [disabled]';
  else if (!(dev.word(4) & 2)) text += ' [disabled by cmd]';
  return `${text}${sizeText(size)}\n`;
}

/** One window line; `digits` of the addresses, disabled when limit < base (lspci.c:show_range). */
function windowLine(name: string, base: number, limit: number, digits: number, bits: string, verbose: number): string {
  const disabled = base > limit;
  if (disabled && verbose < 2) return `\t${name} behind bridge: [disabled] [${bits}]\n`;
  const range = `${hex(base, digits)}-${hex(limit, digits)}`;
  return disabled
    ? `\t${name} behind bridge: ${range} [disabled] [${bits}]\n`
    : `\t${name} behind bridge: ${range}${sizeText(limit - base + 1)} [${bits}]\n`;
}

/** In sysfs the windows follow six BARs, the ROM and six SR-IOV resources. */
const FIRST_WINDOW = 13;

function bridgeWindows(dev: PciView, verbose: number): string {
  const windows = dev.kernel?.resources.slice(FIRST_WINDOW) ?? [];
  const known = (n: number) => {
    const resource = windows[n];
    return resource && resource.end !== 0 ? resource : undefined;
  };
  let text = `\tBus: primary=${hex(dev.byte(0x18), 2)}, secondary=${hex(dev.byte(0x19), 2)}, subordinate=${hex(dev.byte(0x1a), 2)}, sec-latency=${dev.byte(0x1b)}\n`;

  const io = known(0);
  const ioType = dev.byte(0x1c) & 0xf;
  if (io) text += windowLine('I/O', io.start, io.end, 4, ioType === 1 ? '32-bit' : '16-bit', verbose);
  else {
    let base = (dev.byte(0x1c) & 0xf0) << 8;
    let limit = (dev.byte(0x1d) & 0xf0) << 8;
    if (ioType === 1) {
      base += dev.word(0x30) * 0x10000;
      limit += dev.word(0x32) * 0x10000;
    }
    text += windowLine('I/O', base, limit + 0xfff, ioType === 1 ? 8 : 4, ioType === 1 ? '32-bit' : '16-bit', verbose);
  }

  const mem = known(1);
  if (mem) text += windowLine('Memory', mem.start, mem.end, 8, '32-bit', verbose);
  else
    text += windowLine(
      'Memory',
      (dev.word(0x20) & 0xfff0) * 0x10000,
      (dev.word(0x22) & 0xfff0) * 0x10000 + 0xfffff,
      8,
      '32-bit',
      verbose,
    );

  const pref = known(2);
  const wide = (dev.word(0x24) & 0xf) === 1;
  if (pref) text += windowLine('Prefetchable memory', pref.start, pref.end, 8, '32-bit', verbose);
  else {
    let base = (dev.word(0x24) & 0xfff0) * 0x10000;
    let limit = (dev.word(0x26) & 0xfff0) * 0x10000 + 0xfffff;
    if (wide) {
      base += dev.long(0x28) * 0x1_0000_0000;
      limit += dev.long(0x2c) * 0x1_0000_0000;
    }
    text += windowLine('Prefetchable memory', base, limit, wide ? 16 : 8, wide ? '64-bit' : '32-bit', verbose);
  }
  if (verbose > 1) {
    const status = dev.word(0x1e);
    text += `\tSecondary status: ${flags(status, [
      ['66MHz', 0x20],
      ['FastB2B', 0x80],
      ['ParErr', 0x100],
    ])} DEVSEL=${DEVSEL[(status >> 9) & 3]} ${flags(status, [
      ['>TAbort', 0x800],
      ['<TAbort', 0x1000],
      ['<MAbort', 0x2000],
      ['<SERR', 0x4000],
      ['<PERR', 0x8000],
    ])}\n`;
    const control = dev.word(0x3e);
    text += `\tBridgeCtl: ${flags(control, [
      ['Parity', 1],
      ['SERR', 2],
      ['NoISA', 4],
      ['VGA', 8],
      ['VGA16', 0x10],
      ['MAbort', 0x20],
      ['>Reset', 0x40],
      ['FastB2B', 0x80],
    ])}\n`;
    text += `\t\t${flags(control, [
      ['PriDiscTmr', 0x100],
      ['SecDiscTmr', 0x200],
      ['DiscTmrStat', 0x400],
      ['DiscTmrSERREn', 0x800],
    ])}\n`;
  }
  return text;
}

function kernelLines(dev: PciView): string {
  if (!dev.kernel) return '';
  let text = '';
  if (dev.kernel.driver) text += `\tKernel driver in use: ${dev.kernel.driver}\n`;
  if (dev.kernel.modules.length > 0) text += `\tKernel modules: ${dev.kernel.modules.join(', ')}\n`;
  return text;
}

function dump(dev: PciView, level: number): string {
  const want = level >= 4 ? 4096 : level >= 3 ? 256 : dev.headerType === 2 ? 128 : 64;
  const size = Math.min(want, dev.config.length);
  let text = '';
  for (let at = 0; at < size; at += 16) {
    text += `${hex(at, 2)}:`;
    for (let n = 0; n < 16; n++) text += ` ${hex(dev.byte(at + n), 2)}`;
    text += '\n';
  }
  return text;
}
