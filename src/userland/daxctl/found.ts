import type { Sys } from '../../linux/uapi/sys.ts';
import { type Node, printJson } from '../cxl/json.ts';
import type { Scanner } from '../cxl/topology.ts';

/** What daxctl's commands share: the devices of the bus, the choice among them, how they are printed. */

const BUS = '/sys/bus/dax/devices';

export interface Found {
  readonly name: string;
  /** Directory of the device, and of the region above it. */
  readonly dir: string;
  readonly region: string;
  readonly id: string;
}

/** Devices of the bus with the regions they belong to, the last by name first: scandir sorts, list_add turns round. */
export function devices(sys: Sys, scanner: Scanner): readonly Found[] {
  return scanner
    .names(BUS)
    .flatMap((name) => {
      const link = sys.readlink(`${BUS}/${name}`);
      if (typeof link !== 'string') return [];
      const dir = `/sys/${link.replace(/^(\.\.\/)+/, '')}`;
      const region = dir.slice(0, dir.lastIndexOf('/'));
      return [{ name, dir, region, id: scanner.text(`${region}/dax_region/id`) ?? '' }];
    })
    .sort((a, b) => (a.name < b.name ? 1 : -1));
}

export const chosen = (value: string | undefined, ...names: readonly string[]): boolean =>
  value === undefined || value === 'all' || names.includes(value);

/** util_display_json_array: one object of a human listing stands without the array. */
export function display(nodes: readonly Node[], human: boolean): string {
  const [only] = nodes;
  return `${printJson(human && nodes.length === 1 && only !== undefined ? only : nodes)}\n`;
}
