import type { Sys } from '../../linux/uapi/sys.ts';
import { DaxMemory } from './dax-memory.ts';
import { Fields, hexNumber, type Node, size } from './json.ts';
import { Scanner } from './topology.ts';

/** The `daxregion` object of a region, or undefined when it has none (type-2 regions never do). */
export type DaxReader = (regionPath: string, human: boolean) => Node | undefined;

export interface DaxStyle {
  readonly human: boolean;
  /** The ranges a device is made of (`daxctl list -M`). */
  readonly mappings?: boolean;
}

/** Reads dax regions and their devices as libdaxctl does. */
export function daxReader(sys: Sys): DaxReader {
  const scanner = new Scanner(sys);
  return (path, human) => {
    const region = `${path}/dax_region${/region(\d+)$/.exec(path)?.[1]}`;
    const names = daxDevices(scanner, region);
    return names === null
      ? undefined
      : daxRegion(
          scanner,
          region,
          names.map((name) => daxDevice(sys, scanner, `${region}/${name}`, { human })),
          { human },
        );
  };
}

/** Names of the devices of a region's directory, the newest first; null when it is no dax region. */
export function daxDevices(scanner: Scanner, region: string): readonly string[] | null {
  if (scanner.text(`${region}/dax_region/id`) === null) return null;
  return scanner
    .names(region)
    .filter((name) => /^dax\d+\.\d+$/.test(name))
    .reverse();
}

const number = (scanner: Scanner, path: string) => BigInt(scanner.text(path) ?? '0');

/** util_daxctl_region_to_json; `path` is there for daxctl only. */
export function daxRegion(
  scanner: Scanner,
  region: string,
  devices: readonly Node[],
  { human }: DaxStyle,
  path?: string,
): Fields {
  const available = number(scanner, `${region}/dax_region/available_size`);
  const fields = new Fields()
    .add('path', path)
    .add('id', Number(scanner.text(`${region}/dax_region/id`)))
    .add('size', size(number(scanner, `${region}/dax_region/size`), human))
    .add('available_size', available === 0n ? undefined : size(available, human))
    .add('align', number(scanner, `${region}/dax_region/align`));
  return devices.length > 0 ? fields.add('devices', devices) : fields;
}

/** util_daxctl_dev_to_json */
export function daxDevice(sys: Sys, scanner: Scanner, dir: string, { human, mappings }: DaxStyle): Fields {
  const driver = sys.readlink(`${dir}/driver`);
  const memory = DaxMemory.of(sys, scanner, dir);
  const fields = new Fields()
    .add('chardev', dir.slice(dir.lastIndexOf('/') + 1))
    .add('size', size(number(scanner, `${dir}/size`), human))
    .add('target_node', Number(scanner.text(`${dir}/target_node`) ?? -1))
    .add('align', Number(scanner.text(`${dir}/align`) ?? 0))
    .add('mode', memory ? 'system-ram' : 'devdax')
    .add('online_memblocks', memory?.online)
    .add('total_memblocks', memory?.sections)
    .add('movable', memory?.movable)
    .add('state', typeof driver === 'string' ? undefined : 'disabled');
  if (!mappings) return fields;
  const ranges = scanner
    .names(dir)
    .filter((name) => /^mapping\d+$/.test(name))
    .map((name) => {
      const at = (file: string) => number(scanner, `${dir}/${name}/${file}`);
      return new Fields()
        .add('page_offset', hexNumber(at('page_offset'), human))
        .add('start', hexNumber(at('start'), human))
        .add('end', hexNumber(at('end'), human))
        .add('size', size(at('end') - at('start') + 1n, human));
    });
  return ranges.length > 0 ? fields.add('mappings', ranges) : fields;
}
