import { hi32, lo32 } from '../../base/addr.ts';
import { viewOf } from '../../base/bytes.ts';
import { O_RDONLY } from '../../linux/uapi/constants.ts';
import type { GoldenMap } from './capture.ts';
import { contents, type Guest } from './guest.ts';
import { decoderRows, decoderTables } from './registers.ts';
import { words } from './rules.ts';

/**
 * Map points: the capture's guest wrote a pattern of its own to each address of a region and read all back, and its host looked
 * for the patterns in the memory backends' files. Here the same stores go through the guest's bus, and the same files are read.
 */

export interface MapScore {
  readonly label: string;
  readonly equal: number;
  readonly points: number;
  readonly differences: readonly string[];
}

interface Point {
  readonly hpa: number;
  /** Backend and offset; null where the pattern was nowhere. */
  readonly at: { readonly backend: string; readonly offset: number } | null;
}

export function points(map: GoldenMap): readonly Point[] {
  return map.text.split('\n').flatMap((line) => {
    const [hpa = '', , backend = '', offset = ''] = line.split('\t');
    if (!/^0x[0-9a-f]+$/.test(hpa)) return [];
    const found = /^0x[0-9a-f]+$/.test(offset) && !/^(-|none|)$/.test(backend);
    return [{ hpa: Number(hpa), at: found ? { backend, offset: Number(offset) } : null }];
  });
}

/** Files behind `memory-backend-file` objects of the capture's command line, as the host sees them. */
export function backendFiles(cmdline: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const word of words(cmdline)) {
    if (!word.startsWith('memory-backend-file,')) continue;
    const options = new Map(word.split(',').map((one) => one.split('=', 2) as [string, string]));
    const path = options.get('mem-path');
    if (path !== undefined) files.set(options.get('id') ?? '', path.startsWith('/') ? path : `/boot/${path}`);
  }
  return files;
}

const attributes = (text: string) => new Map(text.split('\n').map((line) => line.split('=', 2) as [string, string]));

/** Is this the moment of the map: a region with these attributes, and decoders programmed like that? */
export async function isMoment(guest: Guest, map: GoldenMap): Promise<boolean> {
  const wanted = attributes(map.region);
  const resource = wanted.get('resource');
  if (resource !== undefined) {
    const found = await guest.ask((sys) => {
      for (let n = 0; n < 64; n++) {
        const read = (name: string) => contents(sys, `/sys/bus/cxl/devices/region${n}/${name}`).trim();
        if (read('resource') !== resource) continue;
        return [...wanted].every(([name, value = '']) => name === '' || name === 'uuid' || read(name) === value);
      }
      return false;
    });
    if (!found) return false;
  }
  return map.decoders === '' || decoderRows(decoderTables(guest.bus, map.decoders)) === decoderRows(map.decoders);
}

/** The high dword of a pattern: 0xCAnn with the probe's number, then the address. */
const high = (map: GoldenMap, hpa: number) =>
  ((0xca00 | Number(/phase=(0x[0-9a-f]+|\d+)/.exec(map.text)?.[1] ?? 0)) * 65536 + hi32(hpa)) >>> 0;

export async function replayMap(guest: Guest, map: GoldenMap, files: ReadonlyMap<string, string>): Promise<MapScore> {
  const { bus } = guest;
  const all = points(map);
  for (const { hpa } of all) bus.store(hpa, 8, lo32(hpa), high(map, hpa));
  const read = all.map(({ hpa }) => bus.load(hpa, 8) === lo32(hpa) && bus.hi === high(map, hpa));
  const differences: string[] = [];
  await guest.ask((sys) => {
    const open = new Map([...files].map(([id, path]) => [id, sys.open(path, O_RDONLY)]));
    const buffer = new Uint8Array(8);
    all.forEach(({ hpa, at }, n) => {
      const where = `0x${hpa.toString(16)}`;
      if (at === null) {
        if (read[n]) differences.push(`${where}: the pattern was nowhere, here it is read back`);
        return;
      }
      const fd = open.get(at.backend) ?? -1;
      const count = fd < 0 ? -1 : sys.pread(fd, buffer, at.offset);
      const view = viewOf(buffer);
      const same = count === 8 && view.getUint32(0, true) === lo32(hpa) && view.getUint32(4, true) === high(map, hpa);
      if (!same) differences.push(`${where}: not at ${at.backend}+0x${at.offset.toString(16)}`);
    });
    for (const fd of open.values()) if (fd >= 0) sys.close(fd);
  }, 'host');
  return { label: map.label, equal: all.length - differences.length, points: all.length, differences };
}
