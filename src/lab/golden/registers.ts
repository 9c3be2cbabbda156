import { hex } from '../../base/addr.ts';
import type { CpuBus } from '../../hw/bus/cpu-bus.ts';
import { dump } from './orc.ts';

/** The captures' register files: raw dumps of a block, and the decoder tables the helper prints of it. */

/** `*.component.txt`, `*.memdev.txt`: the header names the physical address, the first row where in the block it begins. */
export function blockDump(bus: CpuBus, captured: string): string {
  const [header = '', first = '0', ...rest] = captured.split('\n');
  const phys = Number(/phys (0x[0-9a-f]+)/.exec(header)?.[1]);
  const from = Number.parseInt(first, 16);
  const last = [...rest].reverse().find((line) => /^[0-9a-f]{4}:/.test(line));
  const length = last === undefined ? 16 : Number.parseInt(last, 16) + 16 - from;
  return `${header}\n${dump(bus, phys + from, length, from).stdout}`;
}

const CAPS: Readonly<Record<number, string>> = {
  0: 'null',
  2: 'RAS',
  4: 'Link',
  5: 'HDM Decoder',
  6: 'Ext Security',
  8: 'Snoop Filter',
};
const bit = (value: number, at: number, width = 1) => (value >>> at) & (2 ** width - 1);
const WAYS: Readonly<Record<number, number>> = { 0: 1, 1: 2, 2: 4, 3: 8, 4: 16, 8: 3, 9: 6, 10: 12 };

/** `hdm-decoders.txt`: every component block named in the captured file, read again. */
export function decoderTables(bus: CpuBus, captured: string): string {
  return captured
    .split('\n')
    .filter((line) => line.startsWith('====='))
    .map((title) => `${title}\n${component(bus, Number(/base=(0x[0-9a-f]+)/.exec(title)?.[1]))}`)
    .join('');
}

function component(bus: CpuBus, base: number): string {
  const at = base + 0x1000;
  const head = bus.load(at, 4);
  const size = bit(head, 24, 8);
  const fields = `id=${bit(head, 0, 16)} ver=${bit(head, 16, 4)} cachemem_ver=${bit(head, 20, 4)} array_size=${size}`;
  const lines = [`cachemem array header @0x1000 = ${hex(head, 8)}: ${fields}`];
  let hdm: number | null = null;
  for (let n = 1; n <= size; n++) {
    const cap = bus.load(at + 4 * n, 4);
    const id = bit(cap, 0, 16);
    const ptr = cap >>> 20;
    lines.push(
      `  cap[${n}] = ${hex(cap, 8)}: id=${id} (${CAPS[id] ?? '?'}) ver=${bit(cap, 16, 4)} ptr=0x${hex(ptr, 3)}`,
    );
    if (id === 5) hdm = ptr;
  }
  if (hdm === null) lines.push('no HDM decoder capability');
  else lines.push(...hdmTable(bus, base, 0x1000 + hdm));
  return lines.map((line) => `${line}\n`).join('');
}

function hdmTable(bus: CpuBus, base: number, offset: number): readonly string[] {
  const cap = bus.load(base + offset, 4);
  const gctrl = bus.load(base + offset + 4, 4);
  const encoded = bit(cap, 0, 4);
  const count = encoded === 0 ? 1 : encoded * 2;
  const targets = bit(cap, 4, 4);
  const caps = [
    `decoder_count_enc=${encoded} (=${count} decoders) target_count=${targets} il_11_8=${bit(cap, 8)}`,
    `il_14_12=${bit(cap, 9)} poison_on_err=${bit(cap, 10)} 3_6_12way=${bit(cap, 11)} 16way=${bit(cap, 12)}`,
    `uio=${bit(cap, 13)} uio_cnt=${bit(cap, 16, 4)} memdata_nxm=${bit(cap, 20)} coherency_models=${bit(cap, 21, 2)}`,
  ].join(' ');
  const lines = [
    `HDM cap   @0x${hex(offset, 4)} = ${hex(cap, 8)}: ${caps}`,
    `HDM gctrl @0x${hex(offset + 4, 4)} = ${hex(gctrl, 8)}: poison_on_decode_err_en=${bit(gctrl, 0)} hdm_decoder_enable=${bit(gctrl, 1)}`,
    'dec base_lo  base_hi  size_lo  size_hi  ctrl     t_lo/skl t_hi/skh | base               size               IG(enc) IW(enc) lock commit committed err type',
  ];
  for (let n = 0; n < count; n++) {
    const word = Array.from({ length: 7 }, (_, k) => bus.load(base + offset + 0x10 + 0x20 * n + 4 * k, 4));
    const [baseLo = 0, baseHi = 0, sizeLo = 0, sizeHi = 0, ctrl = 0, lo = 0, hi = 0] = word;
    const range = `0x${hex(baseHi, 8)}${hex(baseLo, 8)} 0x${hex(sizeHi, 8)}${hex(sizeLo, 8)}`;
    const ig = bit(ctrl, 0, 4);
    const iw = bit(ctrl, 4, 4);
    const state = [8, 9, 10, 11].map((at) => bit(ctrl, at)).join(' ');
    const type = bit(ctrl, 12) ? '1(HDM-H/mem)' : '0(HDM-D/accel)';
    const bytes = [lo, hi].flatMap((one) => [0, 8, 16, 24].map((at) => bit(one, at, 8)));
    const tail = targets > 1 ? `targets=[${bytes}]` : `dpa_skip=0x${hex(hi * 2 ** 32 + lo)}`;
    lines.push(
      `  ${n} ${word.map((one) => hex(one, 8)).join(' ')} | ${range} ${256 * 2 ** ig}(${ig}) ${WAYS[iw] ?? 0}(${iw}) ${state} ${type} ${tail}`,
    );
  }
  return lines;
}

/** Rows of decoders in a table of that kind, each with the component it belongs to. */
export function decoderRows(table: string): string {
  return table
    .split('\n')
    .filter((line) => line.startsWith('=====') || /^ +\d+ [0-9a-f]{8} /.test(line))
    .join('\n');
}
