import { text, utf8 } from '../../base/bytes.ts';
import { O_WRONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { readAll } from '../pciutils/io.ts';
import type { LibCxl } from './libcxl.ts';

/**
 * Poison lists of memdevs: asked for by sysfs, answered by trace events (ndctl v81, cxl/json.c). The real program reads
 * binary records of a trace instance of its own; this one reads the text of the kernel's only buffer (ledger:
 * cxl-media-errors).
 */

export interface PoisonEvent {
  readonly dpa: bigint;
  readonly hpa: bigint;
  readonly region: string;
  readonly length: bigint;
  readonly source: string;
  readonly flags: string;
}

const TRACING = '/sys/kernel/tracing';
const ENABLE = `${TRACING}/events/cxl/cxl_poison/enable`;

/** Words of the trace as the listing has them. */
const SOURCES = new Map([
  ...['Unknown', 'External', 'Internal', 'Injected'].map((word) => [word, word] as const),
  ['Vendor', 'Vendor Specific'],
]);

/** One line of the trace, if it is a record of a list. */
function parse(line: string): PoisonEvent | null {
  const match =
    /cxl_poison: memdev=\S+ .*trace_type=List region=(\S*) region_uuid=\S+ hpa=(\S+) dpa=(\S+) dpa_length=(\S+) source=(\S*) flags=(\S*) /.exec(
      line,
    );
  if (!match) return null;
  const [, region = '', hpa = '', dpa = '', length = '', source = '', flags = ''] = match;
  const words = ['More', 'Scanning', 'Overflow'].filter((word) => flags.split('|').includes(word));
  return {
    region,
    hpa: BigInt(hpa),
    dpa: BigInt(dpa),
    length: BigInt(length),
    source: SOURCES.get(source) ?? 'Reserved',
    flags: words.map((word) => `${word},`).join(''),
  };
}

async function lines(sys: Sys): Promise<readonly string[]> {
  const bytes = await readAll(sys, `${TRACING}/trace`);
  if (typeof bytes === 'number') return [];
  return text(bytes)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** tracefs_instance_file_write: without the NUL that attributes get. */
async function put(sys: Sys, path: string, value: string): Promise<void> {
  const fd = sys.open(path, O_WRONLY);
  if (fd < 0) return;
  await sys.write(fd, utf8(value));
  sys.close(fd);
}

export const poisonTrigger = (memdev: string): string => `/sys/bus/cxl/devices/${memdev}/trigger_poison_list`;

/** cxl_memdev_trigger_poison_list, and what it made the kernel trace. */
export async function poisonList(library: LibCxl, memdev: string): Promise<readonly PoisonEvent[]> {
  const { sys } = library;
  const switches = [ENABLE, `${TRACING}/tracing_on`];
  const before: string[] = [];
  for (const path of switches) {
    before.push(library.scanner.text(path) ?? '0');
    await put(sys, path, '1');
  }
  const old = (await lines(sys)).length;
  await library.write(poisonTrigger(memdev), '1\n');
  const events = (await lines(sys)).slice(old).flatMap((line) => parse(line) ?? []);
  for (const [n, path] of switches.entries()) await put(sys, path, before[n] === '1' ? '1' : '0');
  return events;
}
