import { flag, flags, type PciView } from './device.ts';

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
const range64 = (hi: number, lo: number) => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
const hex16 = (value: bigint) => BigInt.asUintN(64, value).toString(16).padStart(16, '0');

/** Body of a CXL DVSEC (lspci ls-ecaps.c:cap_dvsec_cxl, pciutils 3.13, its bit quirks included). Null: too short to decode. */
export function cxlDvsec(dev: PciView, at: number, id: number, revision: number, length: number): string | null {
  if (length < 16) return null;
  switch (id) {
    case 0:
      return `\t\tPCIe DVSEC for CXL Devices\n${deviceDvsec(dev, at, revision, length)}`;
    case 2:
      return `\t\tNon-CXL Function Map DVSEC\n${functionMap(dev, at)}`;
    case 3:
      return `\t\tCXL Extensions DVSEC for Ports\n${portExtensions(dev, at, length)}`;
    case 4:
      return `\t\tGPF DVSEC for CXL Ports\n${gpfPort(dev, at)}`;
    case 5:
      return `\t\tGPF DVSEC for CXL Devices\n${gpfDevice(dev, at)}`;
    case 7:
      return `\t\tPCIe DVSEC for Flex Bus Port\n${flexBus(dev, at, revision, length)}`;
    case 8:
      return `\t\tRegister Locator DVSEC\n${registerLocator(dev, at, length)}`;
    case 9: {
      const count = dev.word(at + 0x0a);
      return `\t\tMLD DVSEC\n${count >= 1 && count <= 16 ? `\t\tNumLogDevs: ${count}\n` : ''}`;
    }
    case 10:
      return '\t\tPCIe DVSEC for Test Capability <?>\n';
    default:
      return `\t\tUnknown ID ${hex(id, 4)}\n`;
  }
}

const TYPES = ['Volatile', 'Non-volatile', 'CDAT'];
const CLASSES = ['DRAM', 'Storage', 'CDAT'];
const INTERLEAVE = [0, 256, 4096, 512, 1024, 2048, 8192, 16384];

function deviceDvsec(dev: PciView, at: number, revision: number, length: number): string {
  if (revision < 1 || length < 0x38) return '';
  const cap = dev.word(at + 0x0a);
  const ctl = dev.word(at + 0x0c);
  const sta = dev.word(at + 0x0e);
  const ctl2 = dev.word(at + 0x10);
  const sta2 = dev.word(at + 0x12);
  const cap2 = dev.word(at + 0x16);
  let text = `\t\tCXLCap:\t${flags(cap, [
    ['Cache', 1],
    ['IO', 2],
    ['Mem', 4],
    ['MemHWInit', 8],
  ])} HDMCount ${(cap >> 4) & 3} Viral${flag(cap, 0x4000)}\n`;
  text += `\t\tCXLCtl:\t${flags(ctl, [
    ['Cache', 1],
    ['IO', 2],
    ['Mem', 4],
  ])} CacheSFCov ${(ctl >> 3) & 0x1f} CacheSFGran ${(ctl >> 8) & 7} CacheClean${flag(ctl, 0x800)} Viral${flag(ctl, 0x4000)}\n`;
  text += `\t\tCXLSta:\tViral${flag(sta, 0x4000)}\n`;
  text += `\t\tCXLCtl2:\t${flags(ctl2, [
    ['DisableCaching', 1],
    ['InitCacheWB&Inval', 2],
    ['InitRst', 3],
    ['RstMemClrEn', 4],
    ['DesiredVolatileHDMStateAfterHotReset', 5],
  ])}\n`;
  text += `\t\tCXLSta2:\t${flags(sta2, [
    ['ResetComplete', 2],
    ['ResetError', 4],
    ['PMComplete', 0x8000],
  ])}\n`;
  const unit = cap2 & 0xf;
  const units = cap2 >> 8;
  if (unit === 1) text += `\t\tCXLCap2:\tCache Size: ${hex(units * 64 * 1024, 8)}\n`;
  else if (unit === 2) text += `\t\tCXLCap2:\tCache Size: ${hex(units * 1024 * 1024, 8)}\n`;
  else if (unit === 0) text += '\t\tCXLCap2:\tCache Size Not Reported\n';
  else text += `\t\tCXLCap2:\tCache Size: ${units} of unknown unit size (${unit})\n`;
  for (const n of [1, 2]) {
    const base = at + 0x18 + (n - 1) * 0x10;
    const sizeLow = dev.long(base + 4);
    const size = range64(dev.long(base), sizeLow & 0xf0000000);
    const start = range64(dev.long(base + 8), dev.long(base + 12));
    text += `\t\tRange${n}: ${hex16(start)}-${hex16(start + size - 1n)} [size=0x${size.toString(16)}]\n`;
    text += `\t\t\t${flags(sizeLow, [
      ['Valid', 1],
      ['Active', 2],
    ])} Type=${TYPES[(sizeLow >> 2) & 7] ?? '<?>'} Class=${CLASSES[(sizeLow >> 5) & 7] ?? '<?>'} interleave=${INTERLEAVE[(sizeLow >> 8) & 0x1f] ?? '<?>'} timeout=${1 << (2 * ((sizeLow >> 13) & 7))}s\n`;
  }
  if (revision >= 2 && length >= 0x3c) {
    const cap3 = dev.word(at + 0x38);
    text += `\t\tCXLCap3:\tDefaultVolatile HDM State After:\t${flags(cap3, [
      ['ColdReset', 1],
      ['WarmReset', 2],
      ['HotReset', 3],
      ['HotResetConfigurability', 4],
    ])}\n`;
  }
  if (length > 0x3c) text += '\t\t<?>\n';
  return text;
}

function functionMap(dev: PciView, at: number): string {
  return Array.from({ length: 8 }, (_, n) => `\t\tFuncMap ${n}: ${hex(dev.word(at + 0x0c + 4 * n), 8)}\n`).join('');
}

function portExtensions(dev: PciView, at: number, length: number): string {
  if (length < 0x28) return '';
  const sta = dev.word(at + 0x0a);
  const ctl = dev.word(at + 0x0c);
  return (
    `\t\tCXLPortSta:\tPMComplete${flag(sta, 0x0a)}\n` +
    `\t\tCXLPortCtl:\t${flags(ctl, [
      ['UnmaskSBR', 1],
      ['UnmaskLinkDisable', 2],
      ['AltMem', 4],
      ['AltBME', 8],
      ['ViralEnable', 0x4000],
    ])}\n` +
    `\t\tAlternateBus:\t${hex(dev.byte(at + 0x0e), 2)}-${hex(dev.byte(at + 0x0f), 2)}\n` +
    `\t\tAlternateBus:\t${hex(dev.word(at + 0x10), 4)}-${hex(dev.word(at + 0x12), 4)}\n`
  );
}

function timeout(value: number): string {
  const base = value & 0xf;
  const scale = (value >> 8) & 0xf;
  if (scale > 7) return `Reserved time scale encoding ${scale.toString(16)}${base}`;
  const unit = scale < 3 ? 'us' : scale < 6 ? 'ms' : 's';
  return `${base * 10 ** (scale % 3)}${unit}`;
}

function gpfPort(dev: PciView, at: number): string {
  return `\t\tGPF Phase 1 Timeout: ${timeout(dev.word(at + 0x0c))}\n\t\tGPF Phase 2 Timeout: ${timeout(dev.word(at + 0x0e))}\n`;
}

function gpfDevice(dev: PciView, at: number): string {
  return `\t\tGPF Phase 2 Duration: ${timeout(dev.word(at + 0x0a))}\n\t\tGPF Phase 2 Power: ${dev.long(at + 0x0c)}mW\n`;
}

const FB_STATE: readonly (readonly [string, number])[] = [
  ['Cache', 1],
  ['IO', 2],
  ['Mem', 4],
  ['SynHdrByp', 8],
  ['DrftBuf', 0x10],
  ['68BFlit', 0x20],
  ['MltLogDev', 0x40],
];
const FB_256: readonly (readonly [string, number])[] = [
  ['256BFlit', 0x2000],
  ['PBRFlit', 0x4000],
];

function flexBus(dev: PciView, at: number, revision: number, length: number): string {
  const wanted = [0x10, 0x14, 0x20][revision];
  if (wanted === undefined) return '';
  if (length !== wanted) return `\t\t<Wrong length for Revision ${revision}>\n`;
  const cap = dev.word(at + 0x0a);
  const ctl = dev.word(at + 0x0c);
  const sta = dev.word(at + 0x0e);
  const wide = (value: number) => (revision > 1 ? ` ${flags(value, FB_256)}` : '');
  let text = `\t\tFBCap:\t${flags(cap, [
    ['Cache', 1],
    ['IO', 2],
    ['Mem', 4],
    ['68BFlit', 0x20],
    ['MltLogDev', 0x40],
  ])}${wide(cap)}\n`;
  text += `\t\tFBCtl:\t${flags(ctl, [...FB_STATE, ['RCD', 0x80], ['Retimer1', 0x100], ['Retimer2', 0x200]])}${wide(ctl)}\n`;
  text += `\t\tFBSta:\t${flags(sta, FB_STATE)}${wide(sta)}\n`;
  if (revision >= 1) text += `\t\tFBModTS:\tReceived FB Data: ${hex(dev.long(at + 0x10) & 0xffffff, 6)}\n`;
  if (revision >= 2) {
    text += `\t\tFBCap2:\tNOPHint${flag(dev.long(at + 0x14), 1)}\n`;
    text += `\t\tFBCtl2:\tNOPHint${flag(dev.long(at + 0x18), 1)}\n`;
    text += `\t\tFBSta2:\tNOPHintInfo: ${(dev.long(at + 0x1c) & 3).toString(16)}\n`;
  }
  return text;
}

const BLOCK_IDS: Readonly<Record<number, string>> = {
  1: 'component registers',
  2: 'BAR virtualization',
  3: 'CXL device registers',
  4: 'CPMU registers',
  255: 'vendor-specific',
};

function registerLocator(dev: PciView, at: number, length: number): string {
  let text = '';
  for (let n = 0, offset = 0x0c; offset + 8 <= length; n++, offset += 8) {
    const low = dev.long(at + offset);
    const id = (low >> 8) & 0xff;
    if (id === 0) continue;
    const where = range64(dev.long(at + offset + 4), low & 0xffff0000);
    text += `\t\tBlock${n + 1}: BIR: bar${low & 7}, ID: ${BLOCK_IDS[id] ?? '<?>'}, offset: ${hex16(where)}\n`;
  }
  return text;
}
