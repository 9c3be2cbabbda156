import type { Program, Sys } from '../../linux/uapi/sys.ts';
import { print } from '../pciutils/io.ts';
import { daxReader } from './dax.ts';
import { imply, type ListOptions, noOptions } from './filter.ts';
import { type Fields, type Node, printJson } from './json.ts';
import { LibCxl } from './libcxl.ts';
import { list } from './list.ts';
import { firmwareInfo, healthInfo, partitionInfo } from './mailbox.ts';
import { memdevAction } from './memdev.ts';
import { type PoisonEvent, poisonList, poisonTrigger } from './poison.ts';
import { portAction } from './port.ts';
import { createRegion, regionAction } from './region.ts';
import { Scanner } from './topology.ts';

const VERSION = '81';
const KNOWN = [
  'version',
  'list',
  'help',
  'zero-labels',
  'read-labels',
  'write-labels',
  'disable-memdev',
  'enable-memdev',
  'reserve-dpa',
  'free-dpa',
  'update-firmware',
  'set-alert-config',
  'wait-sanitize',
  'disable-port',
  'enable-port',
  'set-partition',
  'disable-bus',
  'create-region',
  'enable-region',
  'disable-region',
  'destroy-region',
  'monitor',
];

const LIST_USAGE = `
 usage: cxl list [<options>]

    -m, --memdev <name>     only this memdev (name, number, PCI address)
    -s, --serial <number>   only the memdev with this serial number
    -M, --memdevs           memdevs
    -b, --bus <name>        only below this bus (name or provider)
    -B, --buses             buses
    -p, --port <name>       only below this port
    -P, --ports             ports
    -S, --single            with -p: the port alone, not what is below it
    -e, --endpoint <name>   only this endpoint
    -E, --endpoints         endpoints
    -d, --decoder <name>    only this decoder
    -D, --decoders          decoders
    -T, --targets           targets of decoders, dports of ports
    -r, --region <name>     only this region
    -R, --regions           regions
    -X, --dax               dax devices of regions
    -i, --idle              disabled objects too
    -u, --human             numbers for people
    -H, --health            health of memdevs
    -I, --partition         partitions of memdevs
    -F, --firmware          firmware of memdevs
    -A, --alert-config      alert configuration of memdevs
    -L, --media-errors      media errors
    -v, --verbose           more; repeat for still more
`;

/** cxl-cli 81: `list`, `version`, and the commands on regions, memdevs and ports. */
export const cxl: Program = async (sys, argv) => {
  const [, command, ...args] = argv;
  if (command === undefined || command === '--help' || command === 'help') {
    await print(
      sys,
      command === undefined ? 2 : 1,
      `\n usage: cxl [--version] [--help] COMMAND [ARGS]\n\n commands of cxl-cli\n\n   ${KNOWN.join('\n   ')}\n\n`,
    );
    return command === undefined ? 1 : 0;
  }
  if (command === '--version' || command === 'version' || command === '-v') {
    await print(sys, 1, `${VERSION}\n`);
    return 0;
  }
  if (command === '--list-cmds') {
    await print(sys, 1, `${KNOWN.join('\n')}\n`);
    return 0;
  }
  if (command === 'list') return runList(sys, args);
  const library = new LibCxl(sys);
  switch (command) {
    case 'create-region':
      return createRegion(library, args);
    case 'enable-region':
      return regionAction(library, 'enable', args);
    case 'disable-region':
      return regionAction(library, 'disable', args);
    case 'destroy-region':
      return regionAction(library, 'destroy', args);
    case 'enable-memdev':
    case 'disable-memdev':
    case 'reserve-dpa':
    case 'free-dpa':
    case 'set-partition':
    case 'read-labels':
    case 'write-labels':
    case 'zero-labels':
    case 'wait-sanitize':
    case 'update-firmware':
      return memdevAction(library, command, args);
    case 'enable-port':
    case 'disable-port':
    case 'disable-bus':
      return portAction(library, command, args);
  }
  if (KNOWN.includes(command)) {
    await print(sys, 2, `cxl ${command}: this subcommand is not modelled in the lab yet (fidelity: cxl-dev-ioctls)\n`);
    return 1;
  }
  await print(sys, 2, `Unknown command: '${command}'\n`);
  return 1;
};

const FLAGS: Readonly<Record<string, keyof ListOptions>> = {
  M: 'memdevs',
  B: 'buses',
  P: 'ports',
  E: 'endpoints',
  D: 'decoders',
  T: 'targets',
  R: 'regions',
  X: 'dax',
  i: 'idle',
  u: 'human',
  S: 'single',
  H: 'health',
  I: 'partition',
  F: 'firmware',
  A: 'alert',
  L: 'mediaErrors',
};
const VALUES: Readonly<Record<string, keyof ListOptions>> = {
  m: 'memdev',
  s: 'serial',
  b: 'bus',
  p: 'port',
  e: 'endpoint',
  d: 'decoder',
  r: 'region',
};
const LONG: Readonly<Record<string, string>> = {
  memdev: 'm',
  serial: 's',
  memdevs: 'M',
  bus: 'b',
  buses: 'B',
  port: 'p',
  ports: 'P',
  single: 'S',
  endpoint: 'e',
  endpoints: 'E',
  decoder: 'd',
  decoders: 'D',
  targets: 'T',
  region: 'r',
  regions: 'R',
  dax: 'X',
  idle: 'i',
  human: 'u',
  health: 'H',
  partition: 'I',
  firmware: 'F',
  'alert-config': 'A',
  'media-errors': 'L',
  verbose: 'v',
};

async function runList(sys: Sys, args: readonly string[]): Promise<number> {
  const options = noOptions();
  for (let n = 0; n < args.length; n++) {
    const arg = args[n] as string;
    let letters: string;
    let inline: string | null = null;
    if (arg.startsWith('--')) {
      const [name, value] = arg.slice(2).split('=', 2);
      if (name === 'help') {
        await print(sys, 1, LIST_USAGE);
        return 129;
      }
      if (name === 'debug') continue;
      const letter = LONG[name ?? ''];
      if (letter === undefined) {
        await print(sys, 2, `  Error: unknown option \`${name}'\n${LIST_USAGE}`);
        return 129;
      }
      letters = letter;
      inline = value ?? null;
    } else if (arg.startsWith('-') && arg.length > 1) letters = arg.slice(1);
    else {
      await print(sys, 2, `unknown parameter "${arg}"\n${LIST_USAGE}`);
      return 129;
    }
    for (let at = 0; at < letters.length; at++) {
      const letter = letters[at] as string;
      if (letter === 'h') {
        await print(sys, 1, LIST_USAGE);
        return 129;
      }
      if (letter === 'v') {
        options.verbose++;
        continue;
      }
      const flag = FLAGS[letter];
      const value = VALUES[letter];
      if (flag !== undefined) Object.assign(options, { [flag]: true });
      else if (value !== undefined) {
        const text = inline ?? (letters.slice(at + 1) || args[++n]);
        if (text === undefined) {
          await print(sys, 2, `  Error: switch \`${letter}' requires a value\n`);
          return 129;
        }
        Object.assign(options, { [value]: text });
        break;
      } else {
        await print(sys, 2, `  Error: unknown switch \`${letter}'\n${LIST_USAGE}`);
        return 129;
      }
    }
  }
  if (options.single && options.port === null) {
    await print(sys, 2, `  Error: -S/--single expects a port filter: -p/--port=\n${LIST_USAGE}`);
    return 129;
  }
  imply(options);
  const topology = new Scanner(sys).scan();
  const mailbox = new Map<string, { partition?: Fields; firmware?: Fields; health?: Fields }>();
  if (options.partition || options.firmware || options.health)
    for (const { name } of topology.memdevs) {
      const partition = options.partition ? await partitionInfo(sys, name, options.human) : undefined;
      const firmware = options.firmware ? await firmwareInfo(sys, name, options.human) : undefined;
      const health = options.health ? await healthInfo(sys, name) : undefined;
      mailbox.set(name, {
        ...(partition ? { partition } : {}),
        ...(firmware ? { firmware } : {}),
        ...(health ? { health } : {}),
      });
    }
  const errors: string[] = [];
  const known = new Map<string, readonly PoisonEvent[]>();
  const wanted = new Set<string>();
  const poison = (memdev: string): readonly PoisonEvent[] | null => {
    if (typeof sys.lstat(poisonTrigger(memdev)) === 'number') return null;
    wanted.add(memdev);
    return known.get(memdev) ?? [];
  };
  const show = (): readonly Node[] => {
    errors.length = 0;
    return list(topology, options, { dax: daxReader(sys), mailbox, errors, poison });
  };
  let items = show();
  // which memdevs the listing asks for their poison is known once it is made
  const library = new LibCxl(sys);
  for (const memdev of wanted) known.set(memdev, await poisonList(library, memdev));
  if (wanted.size > 0) items = show();
  for (const error of errors) await print(sys, 2, `${error}\n`);
  // for people an empty listing is nothing at all
  if (options.human && items.length === 0) return 0;
  if (items.length === 0) await print(sys, 2, '  Warning: no matching devices found\n\n');
  const bare = options.human && items.length === 1;
  await print(sys, 1, `${printJson(bare ? (items[0] as Node) : items)}\n`);
  return 0;
}
