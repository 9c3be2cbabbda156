import { type OptionSpec, usageText } from './options.ts';

/** Options and usage lines of the commands (ndctl v81); the texts behind the options are our own. */

export interface CommandUsage {
  readonly line: string;
  readonly options: readonly OptionSpec[];
}

const valued = (short: string, long: string, arg: string, help: string): OptionSpec => ({
  short,
  long,
  value: true,
  arg: `<${arg}>`,
  help,
});
const numeric = (short: string, long: string, help: string): OptionSpec => ({
  ...valued(short, long, 'n', help),
  number: true,
});
const flag = (short: string, long: string, help: string): OptionSpec => ({ short, long, value: false, help });

const BUS = valued('b', 'bus', 'bus name', 'only below this bus');
const DEBUG = flag('', 'debug', 'debug messages');
const REGION: readonly OptionSpec[] = [
  BUS,
  valued('d', 'decoder', 'root decoder name', 'only this root decoder'),
  DEBUG,
];
const MEMDEV: readonly OptionSpec[] = [
  BUS,
  flag('v', 'verbose', 'debug messages'),
  flag('S', 'serial', 'arguments are serial numbers'),
];
const SIZE = valued('s', 'size', 'size', 'bytes (all that is free unless given)');
const TYPE = valued('t', 'type', 'type', "'pmem' or 'ram'");
const DPA: readonly OptionSpec[] = [
  valued('d', 'decoder', 'decoder instance id', 'this decoder, not the one that fits'),
  TYPE,
  flag('f', 'force', 'try even what cannot work'),
];
const LABELS: readonly OptionSpec[] = [
  ...MEMDEV,
  numeric('s', 'size', 'bytes of the label area'),
  numeric('O', 'offset', 'where in the label area to begin'),
];
const DANGER = flag('f', 'force', 'even if it is in use');
const many = (command: string, name: string, last = 'N'): string =>
  `cxl ${command} <${name}0> [<${name}1>..<${name}${last}>] [<options>]`;

export const USAGE = {
  list: {
    line: 'cxl list [<options>]',
    options: [
      valued('m', 'memdev', 'memory device name(s)', 'only these memdevs (name, number, PCI address)'),
      valued('s', 'serial', 'memory device serial(s)', 'only memdevs with these serial numbers'),
      flag('M', 'memdevs', 'memdevs'),
      valued('b', 'bus', 'bus device name', 'only below this bus (name or provider)'),
      flag('B', 'buses', 'buses'),
      valued('p', 'port', 'port device name', 'only below this port'),
      flag('P', 'ports', 'ports'),
      flag('S', 'single', 'with -p: the port alone, not what is below it'),
      valued('e', 'endpoint', 'endpoint device name', 'only this endpoint'),
      flag('E', 'endpoints', 'endpoints'),
      valued('d', 'decoder', 'decoder device name', 'only this decoder, or class of decoders'),
      flag('D', 'decoders', 'decoders'),
      flag('T', 'targets', 'targets of decoders, dports of ports'),
      valued('r', 'region', 'region name', 'only this region'),
      flag('R', 'regions', 'regions'),
      flag('X', 'dax', 'dax devices of regions'),
      flag('i', 'idle', 'disabled objects too'),
      flag('u', 'human', 'numbers for people'),
      flag('H', 'health', 'health of memdevs'),
      flag('I', 'partition', 'partitions of memdevs'),
      flag('F', 'firmware', 'firmware of memdevs'),
      flag('A', 'alert-config', 'alert configuration of memdevs'),
      flag('L', 'media-errors', 'media errors'),
      flag('v', 'verbose', 'more; repeat for still more'),
      DEBUG,
    ],
  },
  'create-region': {
    line: 'cxl create-region <target0> ... [<options>]',
    options: [
      ...REGION,
      valued('s', 'size', 'size in bytes or with a K/M/G etc. suffix', 'size of the region'),
      numeric('w', 'ways', 'how many memdevs share it'),
      numeric('g', 'granularity', 'bytes on one memdev before the next'),
      valued('t', 'type', 'region type', "'pmem' or 'ram'"),
      valued('U', 'uuid', 'region uuid', 'its UUID (a random one unless given)'),
      flag('m', 'memdevs', 'arguments are memdevs'),
      flag('u', 'human', 'numbers for people'),
      flag('Q', 'enforce-qos', 'QoS classes have to match'),
    ],
  },
  'enable-region': { line: 'cxl enable-region <region0> ... [<options>]', options: REGION },
  'disable-region': {
    line: 'cxl disable-region <region0> ... [<options>]',
    options: [...REGION, flag('f', 'force', 'take its memory offline first')],
  },
  'destroy-region': { line: 'cxl destroy-region <region0> ... [<options>]', options: [...REGION, DANGER] },
  'enable-memdev': { line: many('enable-memdev', 'mem'), options: MEMDEV },
  'disable-memdev': { line: many('disable-memdev', 'mem'), options: [...MEMDEV, DANGER] },
  'reserve-dpa': { line: many('reserve-dpa', 'mem', 'n'), options: [...MEMDEV, SIZE, ...DPA] },
  'free-dpa': { line: many('free-dpa', 'mem', 'n'), options: [...MEMDEV, ...DPA] },
  'set-partition': {
    line: many('set-partition', 'mem'),
    options: [...MEMDEV, TYPE, SIZE, flag('a', 'align', "round --size to the device's units")],
  },
  'read-labels': {
    line: 'cxl read-labels <mem0> [<mem1>..<memN>] [-o <filename>]',
    options: [...LABELS, valued('o', 'output', 'output-file', 'where the labels go')],
  },
  'write-labels': {
    line: 'cxl write-labels <memdev> [-i <filename>]',
    options: [...LABELS, valued('i', 'input', 'input-file', 'where the labels come from')],
  },
  'zero-labels': { line: many('zero-labels', 'mem'), options: LABELS },
  'wait-sanitize': {
    line: many('wait-sanitize', 'mem', 'n'),
    options: [...MEMDEV, numeric('t', 'timeout', 'milliseconds (for ever unless given)')],
  },
  'update-firmware': {
    line: many('update-firmware', 'mem', 'n'),
    options: [
      ...MEMDEV,
      valued('F', 'firmware-file', 'firmware-file', 'the image'),
      flag('c', 'cancel', 'give up the update that is going on'),
      flag('w', 'wait', 'until the update is over'),
    ],
  },
  'enable-port': {
    line: many('enable-port', 'port'),
    options: [
      DEBUG,
      flag('e', 'endpoint', 'endpoints, not ports of switches'),
      flag('m', 'enable-memdevs', 'memdevs below too'),
    ],
  },
  'disable-port': {
    line: many('disable-port', 'port'),
    options: [DEBUG, flag('e', 'endpoint', 'endpoints, not ports of switches'), DANGER],
  },
  'disable-bus': { line: many('disable-bus', 'bus'), options: [DEBUG, DANGER] },
} as const satisfies Record<string, CommandUsage>;

export type Command = keyof typeof USAGE;
export const isCommand = (word: string): word is Command => Object.hasOwn(USAGE, word);

export function usageOf(command: Command): string {
  const { line, options }: CommandUsage = USAGE[command];
  return usageText(line, options);
}
