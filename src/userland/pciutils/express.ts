import { flag, flags, type PciView } from './device.ts';
import { link, link2, Type } from './express-link.ts';

const L0S = ['<64ns', '<128ns', '<256ns', '<512ns', '<1us', '<2us', '<4us', 'unlimited'];
const L1 = ['<1us', '<2us', '<4us', '<8us', '<16us', '<32us', '<64us', 'unlimited'];

const pick = (list: readonly string[], n: number) => list[n] ?? 'unknown';

/** PCI Express capability (lspci ls-caps.c:cap_express and its parts, pciutils 3.13 layout). */
export function expressCapability(dev: PciView, at: number, verbose: number): string {
  const cap = dev.word(at + 2);
  const type = (cap >> 4) & 0xf;
  const version = cap & 0xf;
  let title = verbose >= 2 ? `Express (v${version}) ` : 'Express ';
  let slot = false;
  switch (type) {
    case Type.ENDPOINT:
      title += 'Endpoint';
      break;
    case Type.LEGACY:
      title += 'Legacy Endpoint';
      break;
    case Type.ROOT_PORT:
      slot = (cap & 0x100) !== 0;
      title += `Root Port (Slot${flag(cap, 0x100)})`;
      break;
    case Type.UPSTREAM:
      title += 'Upstream Port';
      break;
    case Type.DOWNSTREAM:
      slot = (cap & 0x100) !== 0;
      title += `Downstream Port (Slot${flag(cap, 0x100)})`;
      break;
    case Type.PCI_BRIDGE:
      title += 'PCI-Express to PCI/PCI-X Bridge';
      break;
    case Type.PCIE_BRIDGE:
      title += 'PCI/PCI-X to PCI-Express Bridge';
      break;
    case Type.RC_ENDPOINT:
      title += 'Root Complex Integrated Endpoint';
      break;
    case Type.RC_EVENT:
      title += 'Root Complex Event Collector';
      break;
    default:
      title += `Unknown type ${type}`;
  }
  let text = `${title}, IntMsgNum ${(cap >> 9) & 0x1f}\n`;
  if (verbose < 2) return text;
  text += device(dev, at, type);
  if (type !== Type.RC_ENDPOINT && type !== Type.RC_EVENT) text += link(dev, at, type);
  if (slot) text += slotRegisters(dev, at);
  if (type === Type.ROOT_PORT || type === Type.RC_EVENT) text += root(dev, at);
  if (version >= 2) {
    text += device2(dev, at, type);
    if (type !== Type.RC_ENDPOINT && type !== Type.RC_EVENT) text += link2(dev, at, type);
  }
  return text;
}

function device(dev: PciView, at: number, type: number): string {
  const cap = dev.long(at + 4);
  const ctl = dev.word(at + 8);
  const sta = dev.word(at + 10);
  const endpoint = type === Type.ENDPOINT || type === Type.LEGACY;
  let text = `\t\tDevCap:\tMaxPayload ${128 << (cap & 7)} bytes, PhantFunc ${(1 << ((cap >> 3) & 3)) - 1}`;
  if (endpoint) text += `, Latency L0s ${L0S[(cap >> 6) & 7]}, L1 ${L1[(cap >> 9) & 7]}`;
  text += `\n\t\t\tExtTag${flag(cap, 0x20)}`;
  if (endpoint || type === Type.UPSTREAM || type === Type.PCI_BRIDGE)
    text += ` ${flags(cap, [
      ['AttnBtn', 0x1000],
      ['AttnInd', 0x2000],
      ['PwrInd', 0x4000],
    ])}`;
  text += ` RBE${flag(cap, 0x8000)}`;
  if (endpoint || type === Type.RC_ENDPOINT) text += ` FLReset${flag(cap, 0x10000000)}`;
  if (endpoint || type === Type.UPSTREAM || type === Type.PCI_BRIDGE)
    text += ` SlotPowerLimit ${power((cap >>> 18) & 0xff, (cap >>> 26) & 3)}W`;
  text += ` TEE-IO${flag(cap, 0x40000000)}\n`;
  text += `\t\tDevCtl:\t${flags(ctl, [
    ['CorrErr', 1],
    ['NonFatalErr', 2],
    ['FatalErr', 4],
    ['UnsupReq', 8],
  ])}\n`;
  text += `\t\t\t${flags(ctl, [
    ['RlxdOrd', 0x10],
    ['ExtTag', 0x100],
    ['PhantFunc', 0x200],
    ['AuxPwr', 0x400],
    ['NoSnoop', 0x800],
  ])}`;
  if (type === Type.PCI_BRIDGE) text += ` BrConfRtry${flag(ctl, 0x8000)}`;
  if ((endpoint || type === Type.RC_ENDPOINT) && (cap & 0x10000000) !== 0) text += ` FLReset${flag(ctl, 0x8000)}`;
  text += `\n\t\t\tMaxPayload ${128 << ((ctl >> 5) & 7)} bytes, MaxReadReq ${128 << ((ctl >> 12) & 7)} bytes\n`;
  text += `\t\tDevSta:\t${flags(sta, [
    ['CorrErr', 1],
    ['NonFatalErr', 2],
    ['FatalErr', 4],
    ['UnsupReq', 8],
    ['AuxPwr', 0x10],
    ['TransPend', 0x20],
  ])}\n`;
  return text;
}

function power(value: number, scale: number): string {
  return String(Number((value / 10 ** scale).toFixed(3)));
}

function slotRegisters(dev: PciView, at: number): string {
  const cap = dev.long(at + 0x14);
  const ctl = dev.word(at + 0x18);
  const sta = dev.word(at + 0x1a);
  const indicator = (n: number) => ['Unknown', 'On', 'Blink', 'Off'][n & 3];
  return (
    `\t\tSltCap:\t${flags(cap, [
      ['AttnBtn', 1],
      ['PwrCtrl', 2],
      ['MRL', 4],
      ['AttnInd', 8],
      ['PwrInd', 0x10],
      ['HotPlug', 0x40],
      ['Surprise', 0x20],
    ])}\n` +
    `\t\t\tSlot #${cap >>> 19}, PowerLimit ${power((cap >>> 7) & 0xff, (cap >>> 15) & 3)}W; ${flags(cap, [
      ['Interlock', 0x20000],
      ['NoCompl', 0x40000],
    ])}\n` +
    `\t\tSltCtl:\tEnable: ${flags(ctl, [
      ['AttnBtn', 1],
      ['PwrFlt', 2],
      ['MRL', 4],
      ['PresDet', 8],
      ['CmdCplt', 0x10],
      ['HPIrq', 0x20],
      ['LinkChg', 0x1000],
    ])}\n` +
    `\t\t\tControl: AttnInd ${indicator(ctl >> 6)}, PwrInd ${indicator(ctl >> 8)}, ${flags(ctl, [
      ['Power', 0x400],
      ['Interlock', 0x800],
    ])}\n` +
    `\t\tSltSta:\tStatus: ${flags(sta, [
      ['AttnBtn', 1],
      ['PowerFlt', 2],
      ['MRL', 0x20],
      ['CmdCplt', 0x10],
      ['PresDet', 0x40],
      ['Interlock', 0x80],
    ])}\n` +
    `\t\t\tChanged: ${flags(sta, [
      ['MRL', 4],
      ['PresDet', 8],
      ['LinkState', 0x100],
    ])}\n`
  );
}

function root(dev: PciView, at: number): string {
  const ctl = dev.word(at + 0x1c);
  const cap = dev.word(at + 0x1e);
  const sta = dev.long(at + 0x20);
  return (
    `\t\tRootCap: CRSVisible${flag(cap, 1)}\n` +
    `\t\tRootCtl: ${flags(ctl, [
      ['ErrCorrectable', 1],
      ['ErrNon-Fatal', 2],
      ['ErrFatal', 4],
      ['PMEIntEna', 8],
      ['CRSVisible', 0x10],
    ])}\n` +
    `\t\tRootSta: PME ReqID ${(sta & 0xffff).toString(16).padStart(4, '0')}, ${flags(sta, [
      ['PMEStatus', 0x10000],
      ['PMEPending', 0x20000],
    ])}\n`
  );
}

const TIMEOUT_RANGES: Readonly<Record<number, string>> = {
  0: 'Not Supported',
  1: 'Range A',
  2: 'Range B',
  3: 'Range AB',
  6: 'Range BC',
  7: 'Range ABC',
  14: 'Range BCD',
  15: 'Range ABCD',
};
const TIMEOUT_VALUES: Readonly<Record<number, string>> = {
  0: '50us to 50ms',
  1: '50us to 100us',
  2: '1ms to 10ms',
  5: '16ms to 55ms',
  6: '65ms to 210ms',
  9: '260ms to 900ms',
  10: '1s to 3.5s',
  13: '4s to 13s',
  14: '17s to 64s',
};

function device2(dev: PciView, at: number, type: number): string {
  const cap = dev.long(at + 0x24);
  const ctl = dev.word(at + 0x28);
  const port = type === Type.ROOT_PORT || type === Type.DOWNSTREAM;
  const obff = ['Not Supported', 'Via message', 'Via WAKE#', 'Via message/WAKE#'];
  let text = `\t\tDevCap2: Completion Timeout: ${TIMEOUT_RANGES[cap & 0xf] ?? 'Unknown'}, ${flags(cap, [
    ['TimeoutDis', 0x10],
    ['NROPrPrP', 0x400],
    ['LTR', 0x800],
  ])}\n`;
  text += `\t\t\t ${flags(cap, [
    ['10BitTagComp', 0x10000],
    ['10BitTagReq', 0x20000],
  ])} OBFF ${pick(obff, (cap >>> 18) & 3)}, ${flags(cap, [
    ['ExtFmt', 0x100000],
    ['EETLPPrefix', 0x200000],
  ])}`;
  if (cap & 0x200000) text += `, MaxEETLPPrefixes ${(cap >>> 22) & 3 || 4}`;
  text += `\n\t\t\t EmergencyPowerReduction ${pick(['Not Supported', 'Supported, Device specific mechanism', 'Supported, Form factor or device specific mechanism', 'Reserved'], (cap >>> 24) & 3)}, EmergencyPowerReductionInit${flag(cap, 0x4000000)}`;
  text += `\n\t\t\t FRS${flag(cap, 0x80000000)}`;
  if (type === Type.ROOT_PORT)
    text += ` LN System CLS ${pick(['Not Supported', '64byte cachelines', '128byte cachelines', 'Reserved'], (cap >> 14) & 3)},`;
  if (type === Type.ROOT_PORT || type === Type.ENDPOINT)
    text += ` ${flags(cap, [
      ['TPHComp', 0x1000],
      ['ExtTPHComp', 0x2000],
    ])}`;
  if (port) text += ` ARIFwd${flag(cap, 0x20)}`;
  text += '\n\t\t\t AtomicOpsCap:';
  if (port || type === Type.UPSTREAM) text += ` Routing${flag(cap, 0x40)}`;
  if (port || type === Type.UPSTREAM || type === Type.ENDPOINT || type === Type.LEGACY)
    text += ` ${flags(cap, [
      ['32bit', 0x80],
      ['64bit', 0x100],
      ['128bitCAS', 0x200],
    ])}`;
  text += `\n\t\tDevCtl2: Completion Timeout: ${TIMEOUT_VALUES[ctl & 0xf] ?? 'Unknown'}, TimeoutDis${flag(ctl, 0x10)}`;
  if (port) text += ` ARIFwd${flag(ctl, 0x20)}`;
  text += '\n\t\t\t AtomicOpsCtl:';
  if (type === Type.ROOT_PORT || type === Type.ENDPOINT || type === Type.LEGACY) text += ` ReqEn${flag(ctl, 0x40)}`;
  if (port || type === Type.UPSTREAM) text += ` EgressBlck${flag(ctl, 0x80)}`;
  text += `\n\t\t\t ${flags(ctl, [
    ['IDOReq', 0x100],
    ['IDOCompl', 0x200],
    ['LTR', 0x400],
    ['EmergencyPowerReductionReq', 0x800],
  ])}`;
  text += `\n\t\t\t 10BitTagReq${flag(ctl, 0x1000)} OBFF ${pick(['Disabled', 'Via message A', 'Via message B', 'Via WAKE#'], (ctl >> 13) & 3)}, EETLPPrefixBlk${flag(ctl, 0x8000)}\n`;
  return text;
}
