import { flag, flags, type PciView } from './device.ts';
import { cxlDvsec } from './dvsec-cxl.ts';
import { expressCapability } from './express.ts';
import { type IdStyle, subsystemName } from './names.ts';

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');

/** All capability lines of a function: the standard list, then the extended one (lspci ls-caps.c, ls-ecaps.c). */
export function showCapabilities(dev: PciView, verbose: number, style: IdStyle): string {
  let text = '';
  if (dev.word(6) & 0x10) {
    const seen = new Set<number>();
    for (let at = dev.byte(0x34) & ~3; at !== 0; ) {
      if (!dev.has(at, 2)) {
        text += '\tCapabilities: <access denied>\n';
        break;
      }
      if (seen.has(at)) {
        text += `\tCapabilities: [${hex(at, 2)}] <chain looped>\n`;
        break;
      }
      seen.add(at);
      const id = dev.byte(at);
      const next = dev.byte(at + 1) & ~3;
      text += `\tCapabilities: [${hex(at, 2)}] `;
      if (id === 0xff) {
        text += '<chain broken>\n';
        break;
      }
      text += standard(dev, at, id, verbose, style);
      at = next;
    }
  }
  return text + extended(dev, verbose);
}

/** Offset of a standard capability, or 0. */
export function findCapability(dev: PciView, id: number): number {
  if (!(dev.word(6) & 0x10)) return 0;
  for (let at = dev.byte(0x34) & ~3, n = 0; at !== 0 && n < 48; at = dev.byte(at + 1) & ~3, n++)
    if (dev.byte(at) === id) return at;
  return 0;
}

function standard(dev: PciView, at: number, id: number, verbose: number, style: IdStyle): string {
  switch (id) {
    case 0x00:
      return 'Null\n';
    case 0x01:
      return powerManagement(dev, at, verbose);
    case 0x05:
      return msi(dev, at, verbose);
    case 0x09:
      return `Vendor Specific Information: Len=${hex(dev.byte(at + 2), 2)} <?>\n`;
    case 0x0d:
      return `Subsystem: ${subsystemName(dev.vendor, dev.device, dev.word(at + 4), dev.word(at + 6), style)}\n`;
    case 0x10:
      return expressCapability(dev, at, verbose);
    case 0x11:
      return msix(dev, at, verbose);
    case 0x12:
      return sata(dev, at, verbose);
    default:
      return `#${hex(id, 2)} [${hex(dev.word(at + 2), 4)}]\n`;
  }
}

function powerManagement(dev: PciView, at: number, verbose: number): string {
  const cap = dev.word(at + 2);
  let text = `Power Management version ${cap & 7}\n`;
  if (verbose < 2) return text;
  const ctl = dev.word(at + 4);
  const current = ['0mA', '55mA', '100mA', '160mA', '220mA', '270mA', '320mA', '375mA'][(cap >> 6) & 7];
  text += `\t\tFlags: PMEClk${flag(cap, 8)} DSI${flag(cap, 0x20)} D1${flag(cap, 0x200)} D2${flag(cap, 0x400)} AuxCurrent=${current} PME(D0${flag(cap, 0x800)},D1${flag(cap, 0x1000)},D2${flag(cap, 0x2000)},D3hot${flag(cap, 0x4000)},D3cold${flag(cap, 0x8000)})\n`;
  text += `\t\tStatus: D${ctl & 3} NoSoftRst${flag(ctl, 8)} PME-Enable${flag(ctl, 0x100)} DSel=${(ctl >> 9) & 0xf} DScale=${(ctl >> 13) & 3} PME${flag(ctl, 0x8000)}\n`;
  return text;
}

function msi(dev: PciView, at: number, verbose: number): string {
  const cap = dev.word(at + 2);
  let text = `MSI: Enable${flag(cap, 1)} Count=${1 << ((cap >> 4) & 7)}/${1 << ((cap >> 1) & 7)} Maskable${flag(cap, 0x100)} 64bit${flag(cap, 0x80)}\n`;
  if (verbose < 2) return text;
  const wide = (cap & 0x80) !== 0;
  const data = at + (wide ? 12 : 8);
  text += `\t\tAddress: ${wide ? hex(dev.long(at + 8), 8) : ''}${hex(dev.long(at + 4), 8)}  Data: ${hex(dev.word(data), 4)}\n`;
  if (cap & 0x100) {
    const mask = at + (wide ? 16 : 12);
    text += `\t\tMasking: ${hex(dev.long(mask), 8)}  Pending: ${hex(dev.long(mask + 4), 8)}\n`;
  }
  return text;
}

function msix(dev: PciView, at: number, verbose: number): string {
  const cap = dev.word(at + 2);
  let text = `MSI-X: Enable${flag(cap, 0x8000)} Count=${(cap & 0x7ff) + 1} Masked${flag(cap, 0x4000)}\n`;
  if (verbose < 2) return text;
  const table = dev.long(at + 4);
  const pba = dev.long(at + 8);
  text += `\t\tVector table: BAR=${table & 7} offset=${hex((table & ~7) >>> 0, 8)}\n`;
  text += `\t\tPBA: BAR=${pba & 7} offset=${hex((pba & ~7) >>> 0, 8)}\n`;
  return text;
}

function sata(dev: PciView, at: number, verbose: number): string {
  const version = dev.byte(at + 2);
  let text = `SATA HBA v${version >> 4}.${version & 0xf}`;
  if (verbose < 2) return `${text}\n`;
  const where = dev.long(at + 4);
  const bar = where & 0xf;
  text += bar >= 4 && bar <= 9 ? ` BAR${bar - 4} Offset=${hex((where >>> 4) & 0xfffff, 8)}` : ' BAR??';
  return `${text}\n`;
}

function extended(dev: PciView, verbose: number): string {
  let text = '';
  if (!dev.has(0x100, 4)) return text;
  const seen = new Set<number>();
  for (let at = 0x100; at !== 0; ) {
    const head = dev.long(at);
    if (head === 0 || head === 0xffffffff) break;
    if (seen.has(at)) {
      text += `\tCapabilities: [${hex(at, 3)}] <chain looped>\n`;
      break;
    }
    seen.add(at);
    const version = (head >>> 16) & 0xf;
    text += `\tCapabilities: [${hex(at, 3)}${verbose > 1 ? ` v${version}` : ''}] ${extendedBody(dev, at, head & 0xffff, verbose)}`;
    at = (head >>> 20) & ~3;
  }
  return text;
}

const EXTENDED_NAMES: Readonly<Record<number, string>> = {
  0: 'Null',
  2: 'Virtual Channel',
  11: 'Vendor Specific Information',
  14: 'Alternative Routing-ID Interpretation (ARI)',
  15: 'Address Translation Service (ATS)',
  19: 'Page Request Interface (PRI)',
  21: 'Physical Resizable BAR',
  24: 'Latency Tolerance Reporting',
  25: 'Secondary PCI Express',
  27: 'Process Address Space ID (PASID)',
  37: 'Data Link Feature <?>',
  38: 'Physical Layer 16.0 GT/s <?>',
  39: 'Lane Margining at the Receiver <?>',
};

function extendedBody(dev: PciView, at: number, id: number, verbose: number): string {
  switch (id) {
    case 0x01:
      return aer(dev, at, verbose);
    case 0x03: {
      const high = dev.long(at + 8);
      const low = dev.long(at + 4);
      const bytes = [high >>> 24, high >>> 16, high >>> 8, high, low >>> 24, low >>> 16, low >>> 8, low].map((b) =>
        hex(b & 0xff, 2),
      );
      return `Device Serial Number ${bytes.join('-')}\n`;
    }
    case 0x0d:
      return acs(dev, at, verbose);
    case 0x23:
      return dvsec(dev, at, verbose);
    case 0x2e:
      return doe(dev, at, verbose);
    default: {
      const name = EXTENDED_NAMES[id];
      return name === undefined ? `Extended Capability ID ${hex(id, 4)}\n` : `${name}\n`;
    }
  }
}

const UE: readonly (readonly (readonly [string, number])[])[] = [
  [
    ['DLP', 0x10],
    ['SDES', 0x20],
    ['TLP', 0x1000],
    ['FCP', 0x2000],
    ['CmpltTO', 0x4000],
    ['CmpltAbrt', 0x8000],
    ['UnxCmplt', 0x10000],
    ['RxOF', 0x20000],
    ['MalfTLP', 0x40000],
  ],
  [
    ['ECRC', 0x80000],
    ['UnsupReq', 0x100000],
    ['ACSViol', 0x200000],
    ['UncorrIntErr', 0x400000],
    ['BlockedTLP', 0x800000],
    ['AtomicOpBlocked', 0x1000000],
    ['TLPBlockedErr', 0x2000000],
  ],
  [
    ['PoisonTLPBlocked', 0x4000000],
    ['DMWrReqBlocked', 0x8000000],
    ['IDECheck', 0x10000000],
    ['MisIDETLP', 0x20000000],
    ['PCRC_CHECK', 0x40000000],
    ['TLPXlatBlocked', 0x80000000],
  ],
];
const CE: readonly (readonly [string, number])[] = [
  ['RxErr', 1],
  ['BadTLP', 0x40],
  ['BadDLLP', 0x80],
  ['Rollover', 0x100],
  ['Timeout', 0x1000],
  ['AdvNonFatalErr', 0x2000],
  ['CorrIntErr', 0x4000],
  ['HeaderOF', 0x8000],
];

function aer(dev: PciView, at: number, verbose: number): string {
  let text = 'Advanced Error Reporting\n';
  if (verbose < 2) return text;
  for (const [name, offset] of [
    ['UESta', 4],
    ['UEMsk', 8],
    ['UESvrt', 12],
  ] as const) {
    const value = dev.long(at + offset);
    text += `\t\t${name}:\t${UE.map((line) => flags(value, line)).join('\n\t\t\t')}\n`;
  }
  text += `\t\tCESta:\t${flags(dev.long(at + 0x10), CE)}\n\t\tCEMsk:\t${flags(dev.long(at + 0x14), CE)}\n`;
  const cap = dev.long(at + 0x18);
  text += `\t\tAERCap:\tFirst Error Pointer: ${hex(cap & 0x1f, 2)}, ${flags(cap, [
    ['ECRCGenCap', 0x20],
    ['ECRCGenEn', 0x40],
    ['ECRCChkCap', 0x80],
    ['ECRCChkEn', 0x100],
  ])}\n`;
  text += `\t\t\t${flags(cap, [
    ['MultHdrRecCap', 0x200],
    ['MultHdrRecEn', 0x400],
    ['TLPPfxPres', 0x800],
    ['HdrLogCap', 0x1000],
  ])}\n`;
  text += `\t\tHeaderLog: ${[0x1c, 0x20, 0x24, 0x28].map((o) => hex(dev.long(at + o), 8)).join(' ')}\n`;
  const express = findCapability(dev, 0x10);
  const type = express === 0 ? -1 : (dev.word(express + 2) >> 4) & 0xf;
  if (type === 4 || type === 10) {
    const cmd = dev.long(at + 0x2c);
    const sta = dev.long(at + 0x30);
    const source = dev.long(at + 0x34);
    text += `\t\tRootCmd: ${flags(cmd, [
      ['CERptEn', 1],
      ['NFERptEn', 2],
      ['FERptEn', 4],
    ])}\n`;
    text += `\t\tRootSta: ${flags(sta, [
      ['CERcvd', 1],
      ['MultCERcvd', 2],
      ['UERcvd', 4],
      ['MultUERcvd', 8],
    ])}\n`;
    text += `\t\t\t ${flags(sta, [
      ['FirstFatal', 0x10],
      ['NonFatalMsg', 0x20],
      ['FatalMsg', 0x40],
    ])} IntMsgNum ${sta >>> 27}\n`;
    text += `\t\tErrorSrc: ERR_COR: ${hex(source & 0xffff, 4)} ERR_FATAL/NONFATAL: ${hex(source >>> 16, 4)}\n`;
  }
  return text;
}

const ACS_BITS: readonly (readonly [string, number])[] = [
  ['SrcValid', 1],
  ['TransBlk', 2],
  ['ReqRedir', 4],
  ['CmpltRedir', 8],
  ['UpstreamFwd', 0x10],
  ['EgressCtrl', 0x20],
  ['DirectTrans', 0x40],
];

function acs(dev: PciView, at: number, verbose: number): string {
  let text = 'Access Control Services\n';
  if (verbose < 2) return text;
  text += `\t\tACSCap:\t${flags(dev.word(at + 4), ACS_BITS)}\n\t\tACSCtl:\t${flags(dev.word(at + 6), ACS_BITS)}\n`;
  return text;
}

function doe(dev: PciView, at: number, verbose: number): string {
  let text = 'Data Object Exchange\n';
  if (verbose < 2) return text;
  const cap = dev.long(at + 4);
  const sta = dev.long(at + 12);
  text += `\t\tDOECap: IntSup${flag(cap, 1)}\n`;
  if (cap & 1) text += `\t\t\tIntMsgNum ${(cap >> 1) & 0x7ff}\n`;
  text += `\t\tDOECtl: IntEn${flag(dev.long(at + 8), 2)}\n`;
  text += `\t\tDOESta: ${flags(sta, [
    ['Busy', 1],
    ['IntSta', 2],
    ['Error', 4],
    ['ObjectReady', 0x80000000],
  ])}\n`;
  return text;
}

function dvsec(dev: PciView, at: number, verbose: number): string {
  const head1 = dev.long(at + 4);
  const vendor = head1 & 0xffff;
  const revision = (head1 >>> 16) & 0xf;
  const length = head1 >>> 20;
  const id = dev.word(at + 8);
  const text = `Designated Vendor-Specific: Vendor=${hex(vendor, 4)} ID=${hex(id, 4)} Rev=${revision} Len=${length}`;
  if (vendor !== 0x1e98) return `${text} <?>\n`;
  if (verbose < 2) return `${text}: CXL\n`;
  const body = cxlDvsec(dev, at, id, revision, length);
  return body === null ? `${text}: CXL <?>\n` : `${text}: CXL\n${body}`;
}
