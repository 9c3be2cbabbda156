import type { Sys } from '../../linux/uapi/sys.ts';
import { Fields, type Node, size } from './json.ts';
import { Scanner } from './topology.ts';

/** The `daxregion` object of a region, or undefined when it has none (type-2 regions never do). */
export type DaxReader = (regionPath: string, human: boolean) => Node | undefined;

/** Reads dax regions and their devices as libdaxctl does. */
export function daxReader(sys: Sys): DaxReader {
  const scanner = new Scanner(sys);
  return (path, human) => {
    const region = `${path}/dax_region${/region(\d+)$/.exec(path)?.[1]}`;
    const id = scanner.text(`${region}/dax_region/id`);
    if (id === null) return undefined;
    const bytes = (at: string) => size(BigInt(scanner.text(at) ?? '0'), human);
    const devices = scanner
      .names(region)
      .filter((name) => /^dax\d+\.\d+$/.test(name))
      .reverse()
      .map((name) => {
        const dir = `${region}/${name}`;
        const driver = sys.readlink(`${dir}/driver`);
        const fields = new Fields()
          .add('chardev', name)
          .add('size', bytes(`${dir}/size`))
          .add('target_node', Number(scanner.text(`${dir}/target_node`) ?? -1))
          .add('align', Number(scanner.text(`${dir}/align`) ?? 0))
          .add('mode', typeof driver === 'string' && driver.endsWith('/kmem') ? 'system-ram' : 'devdax');
        return typeof driver === 'string' ? fields : fields.add('state', 'disabled');
      });
    const fields = new Fields()
      .add('id', Number(id))
      .add('size', bytes(`${region}/dax_region/size`))
      .add('align', Number(scanner.text(`${region}/dax_region/align`) ?? 0));
    return devices.length > 0 ? fields.add('devices', devices) : fields;
  };
}
