/** The link registers of the PCI Express capability (lspci ls-caps.c: cap_express_link and link2, pciutils 3.13 layout). */
import { flags, type PciView } from './device.ts';

const L0S_EXIT = ['<64ns', '<128ns', '<256ns', '<512ns', '<1us', '<2us', '<4us', '>4us'];
const L1_EXIT = ['<1us', '<2us', '<4us', '<8us', '<16us', '<32us', '<64us', '>64us'];
const SPEEDS = ['unknown', '2.5GT/s', '5GT/s', '8GT/s', '16GT/s', '32GT/s', '64GT/s'];

/** Device/port types of the capability. */
export const Type = {
  ENDPOINT: 0,
  LEGACY: 1,
  ROOT_PORT: 4,
  UPSTREAM: 5,
  DOWNSTREAM: 6,
  PCI_BRIDGE: 7,
  PCIE_BRIDGE: 8,
  RC_ENDPOINT: 9,
  RC_EVENT: 10,
} as const;

const speed = (n: number) => SPEEDS[n] ?? 'unknown';
const pick = (list: readonly string[], n: number) => list[n] ?? 'unknown';

export function link(dev: PciView, at: number, type: number): string {
  const cap = dev.long(at + 0x0c);
  const ctl = dev.word(at + 0x10);
  const sta = dev.word(at + 0x12);
  const aspm = (cap >> 10) & 3;
  const speedCap = cap & 0xf;
  const widthCap = (cap >> 4) & 0x3f;
  let text = `\t\tLnkCap:\tPort #${cap >>> 24}, Speed ${speed(speedCap)}, Width x${widthCap}, ASPM ${['not supported', 'L0s', 'L1', 'L0s L1'][aspm]}`;
  if (aspm !== 0) {
    text += ', Exit Latency ';
    if (aspm & 1) text += `L0s ${L0S_EXIT[(cap >> 12) & 7]}`;
    if (aspm & 2) text += `${aspm & 1 ? ', ' : ''}L1 ${L1_EXIT[(cap >> 15) & 7]}`;
  }
  text += `\n\t\t\t${flags(cap, [
    ['ClockPM', 0x40000],
    ['Surprise', 0x80000],
    ['LLActRep', 0x100000],
    ['BwNot', 0x200000],
    ['ASPMOptComp', 0x400000],
  ])}\n`;
  text += `\t\tLnkCtl:\tASPM ${['Disabled', 'L0s Enabled', 'L1 Enabled', 'L0s L1 Enabled'][ctl & 3]};`;
  if (type === Type.ROOT_PORT || type === Type.ENDPOINT || type === Type.LEGACY || type === Type.PCI_BRIDGE)
    text += ` RCB ${ctl & 8 ? 128 : 64} bytes,`;
  text += ` ${flags(ctl, [
    ['LnkDisable', 0x10],
    ['CommClk', 0x40],
  ])}\n`;
  text += `\t\t\t${flags(ctl, [
    ['ExtSynch', 0x80],
    ['ClockPM', 0x100],
    ['AutWidDis', 0x200],
    ['BWInt', 0x400],
    ['AutBWInt', 0x800],
  ])}\n`;
  const against = (now: number, most: number) =>
    type === Type.ROOT_PORT || type === Type.DOWNSTREAM || type === Type.PCIE_BRIDGE || now === most
      ? ''
      : now > most
        ? ' (overdriven)'
        : ' (downgraded)';
  const speedNow = sta & 0xf;
  const widthNow = (sta >> 4) & 0x3f;
  text += `\t\tLnkSta:\tSpeed ${speed(speedNow)}${against(speedNow, speedCap)}, Width x${widthNow}${against(widthNow, widthCap)}\n`;
  text += `\t\t\t${flags(sta, [
    ['TrErr', 0x400],
    ['Train', 0x800],
    ['SlotClk', 0x1000],
    ['DLActive', 0x2000],
    ['BWMgmt', 0x4000],
    ['ABWMgmt', 0x8000],
  ])}\n`;
  return text;
}

const PRESETS = [
  '-6dB de-emphasis, 0dB preshoot',
  '-3.5dB de-emphasis, 0dB preshoot',
  '-4.4dB de-emphasis, 0dB preshoot',
  '-2.5dB de-emphasis, 0dB preshoot',
  '0dB de-emphasis, 0dB preshoot',
  '0dB de-emphasis, 1.9dB preshoot',
  '0dB de-emphasis, 2.5dB preshoot',
  '-6.0dB de-emphasis, 3.5dB preshoot',
  '-3.5dB de-emphasis, 3.5dB preshoot',
  '0dB de-emphasis, 3.5dB preshoot',
];

export function link2(dev: PciView, at: number, type: number): string {
  const cap = dev.long(at + 0x2c);
  const ctl = dev.word(at + 0x30);
  const sta = dev.word(at + 0x32);
  let text = '';
  const supported = (cap >> 1) & 0x7f;
  if (supported !== 0) {
    const most = 31 - Math.clz32(supported);
    const range = supported === 1 ? '2.5GT/s' : `2.5-${speed(most + 1)}`;
    text += `\t\tLnkCap2: Supported Link Speeds: ${range}, ${flags(cap, [
      ['Crosslink', 0x100],
      ['Retimer', 0x800000],
      ['2Retimers', 0x1000000],
      ['DRS', 0x80000000],
    ])}\n`;
  }
  text += `\t\tLnkCtl2: Target Link Speed: ${speed(ctl & 0xf)}, ${flags(ctl, [
    ['EnterCompliance', 0x10],
    ['SpeedDis', 0x20],
  ])}`;
  if (type === Type.DOWNSTREAM) text += `, Selectable De-emphasis: ${ctl & 0x40 ? '-3.5dB' : '-6dB'}`;
  const margin = (ctl >> 7) & 7;
  text += `\n\t\t\t Transmit Margin: ${margin === 0 ? 'Normal Operating Range' : 'Unknown'}, ${flags(ctl, [
    ['EnterModifiedCompliance', 0x400],
    ['ComplianceSOS', 0x800],
  ])}`;
  text += `\n\t\t\t Compliance Preset/De-emphasis: ${pick(PRESETS, (ctl >> 12) & 0xf)}\n`;
  text += `\t\tLnkSta2: Current De-emphasis Level: ${sta & 1 ? '-3.5dB' : '-6dB'}, ${flags(sta, [
    ['EqualizationComplete', 2],
    ['EqualizationPhase1', 4],
  ])}`;
  text += `\n\t\t\t ${flags(sta, [
    ['EqualizationPhase2', 8],
    ['EqualizationPhase3', 0x10],
    ['LinkEqualizationRequest', 0x20],
  ])}`;
  text += `\n\t\t\t ${flags(sta, [
    ['Retimer', 0x40],
    ['2Retimers', 0x80],
  ])} CrosslinkRes: ${pick(['unsupported', 'Upstream Port', 'Downstream Port', 'incomplete'], (sta >> 8) & 3)}`;
  return `${text}\n`;
}
