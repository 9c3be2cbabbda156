import type { Program, Sys } from '../../linux/uapi/sys.ts';
import { which } from '../coreutils/run.ts';
import { print } from '../pciutils/io.ts';
import { daxReader } from './dax.ts';
import { imply, type ListOptions, noOptions } from './filter.ts';
import { type Fields, type Node, printJson } from './json.ts';
import { LibCxl } from './libcxl.ts';
import { list } from './list.ts';
import { firmwareInfo, healthInfo, partitionInfo } from './mailbox.ts';
import { memdevAction } from './memdev.ts';
import { parseOptions } from './options.ts';
import { type PoisonEvent, poisonList, poisonTrigger } from './poison.ts';
import { portAction } from './port.ts';
import { createRegion, regionAction } from './region.ts';
import { Scanner } from './topology.ts';
import { isCommand, USAGE, usageOf } from './usage.ts';

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

const HELP = ` COMMAND [ARGS]\n\n\n See 'cxl help COMMAND' for more information on a specific command.\n cxl --list-cmds to see all available commands\n\n`;
const BRIEF = 'cxl [--version] [--help]';

/** help_show_man_page */
async function manPage(sys: Sys, page: string, env: Readonly<Record<string, string>>): Promise<number> {
  const [path] = which(sys, 'man', env);
  if (path !== undefined) return sys.exec(path, ['man', page], env);
  await print(sys, 2, "  Warning: failed to exec 'man': No such file or directory\nno man viewer handled the request");
  return 255;
}

/** cxl-cli 81: `list`, `version`, and the commands on regions, memdevs and ports. */
export const cxl: Program = async (sys, argv, env) => {
  const [, command, ...args] = argv;
  const page = command === 'help' ? args[0] : isCommand(command ?? '') && args.includes('--help') ? command : undefined;
  if (page !== undefined) return manPage(sys, page === 'cxl' ? page : `cxl-${page}`, env);
  if (command === undefined || command === '--help' || command === '-h' || command === 'help') {
    await print(sys, 1, `\n usage: ${BRIEF}${HELP}`);
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
  if (command.startsWith('-')) {
    await print(sys, 2, `Unknown option: ${command}\n\n Usage: ${BRIEF} COMMAND [ARGS]\n`);
    return 129;
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
  memdevs: 'memdevs',
  buses: 'buses',
  ports: 'ports',
  endpoints: 'endpoints',
  decoders: 'decoders',
  targets: 'targets',
  regions: 'regions',
  dax: 'dax',
  idle: 'idle',
  human: 'human',
  single: 'single',
  health: 'health',
  partition: 'partition',
  firmware: 'firmware',
  'alert-config': 'alert',
  'media-errors': 'mediaErrors',
};
const VALUES = ['memdev', 'serial', 'bus', 'port', 'endpoint', 'decoder', 'region'] as const;

/** What the command line asks for, or what is wrong with it. */
function listOptions(args: readonly string[]): ListOptions | string {
  const options = noOptions();
  const parsed = parseOptions(args, USAGE.list.options, USAGE.list.line);
  if (parsed.error !== null) return parsed.error;
  const [odd] = parsed.words;
  if (odd !== undefined) return `  Error: unknown parameter "${odd}"\n\n${usageOf('list')}`;
  for (const name of VALUES) options[name] = parsed.options.get(name) ?? null;
  for (const [name, key] of Object.entries(FLAGS))
    if (parsed.options.has(name)) Object.assign(options, { [key]: true });
  options.verbose = parsed.options.get('verbose')?.length ?? 0;
  if (options.single && options.port === null)
    return `  Error: -S/--single expects a port filter: -p/--port=\n\n${usageOf('list')}`;
  return options;
}

async function runList(sys: Sys, args: readonly string[]): Promise<number> {
  const options = listOptions(args);
  if (typeof options === 'string') {
    await print(sys, 2, options);
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
