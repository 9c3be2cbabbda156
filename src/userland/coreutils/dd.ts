/** dd: blocks from one file to another. */
import { concat } from '../../base/bytes.ts';
import { O_APPEND, O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY, SEEK_CUR } from '../../linux/uapi/constants.ts';
import type { Program } from '../../linux/uapi/sys.ts';
import { complain, openPath, readSome, strerror, writeAll } from '../misc/io.ts';
import { skip } from './bytes.ts';
import { parseSize } from './inputs.ts';

const DD_CONVERSIONS = ['notrunc', 'sync', 'noerror', 'fsync', 'fdatasync', 'swab', 'nocreat'];

const DD_FLAGS = [
  'skip_bytes',
  'seek_bytes',
  'count_bytes',
  'append',
  'fullblock',
  'direct',
  'sync',
  'dsync',
  'nonblock',
];

const DD_STATUS = ['none', 'noxfer', 'progress'];

export const dd: Program = async (sys, argv) => {
  const o = new Map<string, string>();
  for (const arg of argv.slice(1)) {
    if (arg === '--help') {
      await writeAll(
        sys,
        1,
        new TextEncoder().encode(
          'Usage: dd [OPERAND]...\nCopies blocks: if= of= bs= ibs= obs= count= skip= seek= conv=notrunc,sync,noerror,fsync iflag=/oflag= (skip_bytes, count_bytes, seek_bytes, append, fullblock) status=none|noxfer|progress\n',
        ),
      );
      return 0;
    }
    const m = /^(if|of|bs|ibs|obs|cbs|count|skip|iseek|seek|oseek|conv|iflag|oflag|status)=(.*)$/s.exec(arg);
    if (!m) {
      await complain(sys, `dd: unrecognized operand '${arg}'\nTry 'dd --help' for more information.`);
      return 1;
    }
    o.set({ iseek: 'skip', oseek: 'seek' }[m[1] ?? ''] ?? m[1] ?? '', m[2] ?? '');
  }
  const sizes: Record<string, number> = {};
  for (const key of ['bs', 'ibs', 'obs', 'count', 'skip', 'seek']) {
    const text = o.get(key);
    if (text === undefined) continue;
    const v =
      text.split('x').every((p) => /^\d/.test(p)) && !/^0x/i.test(text)
        ? text.split('x').reduce((n, p) => n * parseSize(p), 1)
        : parseSize(text);
    if (Number.isNaN(v) || (v === 0 && /bs$/.test(key))) {
      await complain(sys, `dd: invalid number: '${text}'`);
      return 1;
    }
    sizes[key] = v;
  }
  const flags = (key: string): Set<string> => new Set((o.get(key) ?? '').split(',').filter(Boolean));
  const [conv, iflag, oflag] = [flags('conv'), flags('iflag'), flags('oflag')];
  for (const [given, known, what] of [
    [conv, DD_CONVERSIONS, 'conversion'],
    [iflag, DD_FLAGS, 'input flag'],
    [oflag, DD_FLAGS, 'output flag'],
    [flags('status'), DD_STATUS, 'status level'],
  ] as const)
    for (const word of given)
      if (!known.includes(word)) {
        await complain(sys, `dd: invalid ${what}: '${word}'\nTry 'dd --help' for more information.`);
        return 1;
      }
  const ibs = sizes.bs ?? sizes.ibs ?? 512;
  const obs = sizes.bs ?? sizes.obs ?? 512;
  const from = o.get('if');
  const to = o.get('of');
  const input = from === undefined ? 0 : openPath(sys, from, O_RDONLY);
  if (input < 0) {
    await complain(sys, `dd: failed to open '${from}': ${strerror(input)}`);
    return 1;
  }
  const seek = (sizes.seek ?? 0) * (oflag.has('seek_bytes') || /B$/.test(o.get('seek') ?? '') ? 1 : obs);
  const output =
    to === undefined
      ? 1
      : openPath(
          sys,
          to,
          O_WRONLY | O_CREAT | (conv.has('notrunc') || seek > 0 ? 0 : O_TRUNC) | (oflag.has('append') ? O_APPEND : 0),
          0o666,
        );
  if (output < 0) {
    await complain(sys, `dd: failed to open '${to}': ${strerror(output)}`);
    return 1;
  }
  if (seek > 0 && !conv.has('notrunc')) sys.ftruncate(output, seek);
  await skip(sys, input, (sizes.skip ?? 0) * (iflag.has('skip_bytes') ? 1 : ibs));
  if (seek > 0) sys.lseek(output, seek, SEEK_CUR);
  const start = sys.clockGettime('monotonic');
  let [fullIn, partIn, fullOut, partOut, bytes, status] = [0, 0, 0, 0, 0, 0];
  const whole = iflag.has('count_bytes') ? Math.ceil((sizes.count ?? 0) / ibs) : sizes.count;
  let left =
    sizes.count === undefined ? Number.POSITIVE_INFINITY : iflag.has('count_bytes') ? sizes.count : sizes.count * ibs;
  const put = async (data: Uint8Array): Promise<boolean> => {
    const r = await writeAll(sys, output, data);
    if (r < 0) {
      await complain(sys, `dd: error writing '${to ?? 'standard output'}': ${strerror(r)}`);
      status = 1;
      return false;
    }
    bytes += data.length;
    if (data.length === obs) fullOut++;
    else partOut++;
    return true;
  };
  let held: Uint8Array[] = [];
  let heldSize = 0;
  for (let n = 0; left > 0 && (whole === undefined || n < whole); n++) {
    await sys.tick();
    const got = await readSome(sys, input, Math.min(ibs, left));
    let block: Uint8Array = typeof got === 'number' ? new Uint8Array(0) : got;
    if (typeof got === 'number') {
      await complain(sys, `dd: error reading '${from ?? 'standard input'}': ${strerror(got)}`);
      status = 1;
      if (!conv.has('noerror')) break;
      block = new Uint8Array(conv.has('sync') ? ibs : 0);
      sys.lseek(input, ibs, SEEK_CUR);
    } else if (block.length === 0) break;
    while (iflag.has('fullblock') && block.length < Math.min(ibs, left)) {
      const more = await readSome(sys, input, Math.min(ibs, left) - block.length);
      if (typeof more === 'number' || more.length === 0) break;
      const joined: Uint8Array = new Uint8Array(block.length + more.length);
      joined.set(block);
      joined.set(more, block.length);
      block = joined;
    }
    if (block.length === ibs) fullIn++;
    else partIn++;
    left -= iflag.has('count_bytes') ? block.length : ibs;
    if (conv.has('sync') && block.length < ibs) {
      const padded = new Uint8Array(ibs);
      padded.set(block);
      block = padded;
    }
    if (conv.has('swab'))
      for (let i = 0; i + 1 < block.length; i += 2) [block[i], block[i + 1]] = [block[i + 1] ?? 0, block[i] ?? 0];
    if (sizes.bs !== undefined || ibs === obs) {
      if (!(await put(block))) break;
      continue;
    }
    held.push(block);
    heldSize += block.length;
    if (heldSize < obs) continue;
    const all = concat(held);
    let i = 0;
    for (; i + obs <= all.length; i += obs) if (!(await put(all.subarray(i, i + obs)))) break;
    held = [all.slice(i)];
    heldSize = all.length - i;
  }
  if (heldSize > 0 && !status) {
    const all = concat(held);
    await put(all);
  }
  const mode = o.get('status');
  if (mode === 'none') return status;
  await complain(sys, `${fullIn}+${partIn} records in\n${fullOut}+${partOut} records out`);
  if (mode === 'noxfer') return status;
  const seconds = Math.max(1e-9, (sys.clockGettime('monotonic') - start) / 1e9);
  const scale = (v: number, base: number, units: readonly string[]): string => {
    let [x, i] = [v, 0];
    while (x >= base && i < units.length - 1) {
      x /= base;
      i++;
    }
    return `${x < 10 && i > 0 ? x.toFixed(1) : Math.round(x)} ${units[i]}`;
  };
  const human =
    bytes >= 1000
      ? ` (${scale(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB'])}${bytes >= 1024 ? `, ${scale(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB'])}` : ''})`
      : '';
  await complain(
    sys,
    `${bytes} byte${bytes === 1 ? '' : 's'}${human} copied, ${Number(seconds.toPrecision(6))} s, ${scale(bytes / seconds, 1000, ['B', 'kB', 'MB', 'GB', 'TB'])}/s`,
  );
  return status;
};
