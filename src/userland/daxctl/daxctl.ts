import { utf8 } from '../../base/bytes.ts';
import { strerror } from '../../base/errno.ts';
import { O_WRONLY } from '../../linux/uapi/constants.ts';
import type { Program, Sys } from '../../linux/uapi/sys.ts';
import { daxDevice, daxDevices, daxRegion } from '../cxl/dax.ts';
import { type Node, printJson } from '../cxl/json.ts';
import { type OptionSpec, parseOptions } from '../cxl/options.ts';
import { Scanner } from '../cxl/topology.ts';
import { writeText } from '../misc/io.ts';

/**
 * daxctl (ndctl 81, daxctl/list.c and device.c) on the dax bus in sysfs: list, version, enable-, disable- and
 * reconfigure-device between devdax and disabled. Left out: everything that needs the kmem driver (system-ram,
 * online-memory, offline-memory), creating, resizing and migrating devices, udev rules.
 */

const VERSION = '81';
const BUS = '/sys/bus/dax/devices';
const COMMANDS = ['version', 'list', 'help', 'reconfigure-device', 'enable-device', 'disable-device'];
const UNMODELLED = [
  'create-device',
  'destroy-device',
  'online-memory',
  'offline-memory',
  'split-acpi',
  'migrate-device-model',
];

const flag = (short: string, long: string): OptionSpec => ({ short, long, value: false });
const valued = (short: string, long: string): OptionSpec => ({ short, long, value: true });

const LIST: readonly OptionSpec[] = [
  valued('r', 'region'),
  valued('d', 'dev'),
  flag('D', 'devices'),
  flag('R', 'regions'),
  flag('M', 'mappings'),
  flag('i', 'idle'),
  flag('u', 'human'),
];
const DEVICE: readonly OptionSpec[] = [
  valued('r', 'region'),
  flag('u', 'human'),
  flag('v', 'verbose'),
  valued('m', 'mode'),
  flag('N', 'no-online'),
  flag('f', 'force'),
  flag('', 'no-movable'),
  valued('s', 'size'),
  valued('a', 'align'),
  flag('C', 'check-config'),
];

interface Found {
  readonly name: string;
  /** Directory of the device, and of the region above it. */
  readonly dir: string;
  readonly region: string;
  readonly id: string;
}

export const daxctl: Program = async (sys, argv) => {
  const [word, ...args] = argv.slice(1);
  const out = (text: string) => writeText(sys, 1, text);
  const err = (text: string) => writeText(sys, 2, text);
  if (word === 'version' || word === '--version' || word === '-v') {
    await out(`${VERSION}\n`);
    return 0;
  }
  if (word === undefined || word === 'help' || word === '--help' || word === '-h') {
    await out(
      `\n usage: daxctl [--version] [--help] COMMAND [ARGS]\n\n The commands of this lab's daxctl are ${COMMANDS.join(', ')}.\n\n`,
    );
    return word === undefined ? 1 : 0;
  }
  if (UNMODELLED.includes(word)) {
    await err(`daxctl: ${word} is not modelled in this lab, because its kernels have no kmem driver\n`);
    return 1;
  }
  if (!COMMANDS.includes(word)) {
    await err(`Unknown command: '${word}'\n`);
    return 1;
  }
  const parsed = parseOptions(args, word === 'list' ? LIST : DEVICE);
  if (parsed.error !== null) {
    await err(`${parsed.error}\n usage: daxctl ${word} [<options>]\n\n`);
    return 129;
  }
  if (word === 'list') {
    if (parsed.words.length > 0) {
      await err(`  Error: unknown parameter "${parsed.words[0]}"\n\n usage: daxctl list [<options>]\n\n`);
      return 129;
    }
    return list(sys, parsed.options);
  }
  return action(sys, word, parsed.options, parsed.words);
};

/** Devices of the bus with the regions they belong to, the last by name first: scandir sorts, list_add turns round. */
function devices(sys: Sys, scanner: Scanner): readonly Found[] {
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

const chosen = (value: string | undefined, ...names: readonly string[]): boolean =>
  value === undefined || value === 'all' || names.includes(value);

/** util_display_json_array: one object of a human listing stands without the array. */
function display(nodes: readonly Node[], human: boolean): string {
  const [only] = nodes;
  return `${printJson(human && nodes.length === 1 && only !== undefined ? only : nodes)}\n`;
}

async function list(sys: Sys, options: ReadonlyMap<string, string>): Promise<number> {
  const scanner = new Scanner(sys);
  const style = { human: options.has('human'), mappings: options.has('mappings') };
  const wantRegions = options.has('regions');
  // a filter or nothing at all means devices
  const wantDevices = options.has('devices') || options.has('dev') || !wantRegions;
  const all = devices(sys, scanner);
  const nodes: Node[] = [];
  for (const region of [...new Set(all.map((one) => one.region))]) {
    const id = scanner.text(`${region}/dax_region/id`) ?? '';
    if (!chosen(options.get('region'), id, `region${id}`)) continue;
    const names = (daxDevices(scanner, region) ?? []).filter(
      (name) =>
        chosen(options.get('dev'), name) &&
        (options.has('idle') || (scanner.text(`${region}/${name}/size`) ?? '0') !== '0'),
    );
    const found = wantDevices ? names.map((name) => daxDevice(sys, scanner, `${region}/${name}`, style)) : [];
    if (wantRegions) nodes.push(daxRegion(scanner, region, found, style, region.replace('/sys/devices', '')));
    else nodes.push(...found);
  }
  if (nodes.length > 0) await writeText(sys, 1, display(nodes, style.human));
  return 0;
}

function store(sys: Sys, path: string, value: string): number | Promise<number> {
  const fd = sys.open(path, O_WRONLY);
  if (fd < 0) return fd;
  const done = sys.write(fd, utf8(value));
  sys.close(fd);
  return done;
}

const driverOf = (sys: Sys, dev: Found): string | null => {
  const link = sys.readlink(`${dev.dir}/driver`);
  return typeof link === 'string' ? link.slice(link.lastIndexOf('/') + 1) : null;
};

/** daxctl_dev_disable, daxctl_dev_enable_devdax: through the driver's unbind, remove_id and new_id. */
async function disable(sys: Sys, dev: Found): Promise<number> {
  const driver = driverOf(sys, dev);
  if (driver === null) return 0;
  const rc = await store(sys, `/sys/bus/dax/drivers/${driver}/unbind`, dev.name);
  await store(sys, `/sys/bus/dax/drivers/${driver}/remove_id`, dev.name);
  return Math.min(rc, 0);
}
async function enable(sys: Sys, dev: Found): Promise<number> {
  if (driverOf(sys, dev) !== null) return 0;
  const rc = await store(sys, '/sys/bus/dax/drivers/device_dax/new_id', dev.name);
  return Math.min(rc, 0);
}

const VERBS: Readonly<Record<string, readonly [verb: string, doing: string]>> = {
  'reconfigure-device': ['reconfigured', 'reconfiguring'],
  'enable-device': ['enabled', 'enabling'],
  'disable-device': ['disabled', 'disabling'],
};

async function action(
  sys: Sys,
  command: string,
  options: ReadonlyMap<string, string>,
  words: readonly string[],
): Promise<number> {
  const err = (text: string) => writeText(sys, 2, text);
  const usage = (text: string) => err(`${text}\n usage: daxctl ${command} <device> [<options>]\n\n`);
  const [target] = words;
  if (target === undefined) {
    await usage(`  Error: specify a device to ${command.replace('-device', '')}\n`);
    return 129;
  }
  const mode = options.get('mode');
  if (command === 'reconfigure-device') {
    if (mode === undefined) {
      await usage("  Error: a 'mode' option is required\n");
      return 129;
    }
    if (mode === 'system-ram' || mode === 'ram') {
      await err('daxctl: mode system-ram is not modelled in this lab, because its kernels have no kmem driver\n');
      return 1;
    }
    if (mode !== 'devdax') {
      await usage(`  Error: unknown mode: ${mode}\n`);
      return 129;
    }
  }
  const scanner = new Scanner(sys);
  const human = options.has('human');
  const done: Node[] = [];
  let rc = -6;
  for (const dev of devices(sys, scanner)) {
    if (!chosen(target, dev.name) || !chosen(options.get('region'), dev.id, `region${dev.id}`)) continue;
    rc = command === 'disable-device' ? await disable(sys, dev) : await enable(sys, dev);
    if (rc < 0) {
      await err(`libdaxctl: ${dev.name}: ${command === 'disable-device' ? 'failed to disable' : 'failed to enable'}\n`);
      break;
    }
    done.push(daxDevice(sys, scanner, dev.dir, { human }));
  }
  if (command === 'reconfigure-device' && done.length > 0) await writeText(sys, 1, display(done, human));
  const [verb, doing] = VERBS[command] ?? ['', ''];
  if (rc < 0) await err(`error ${doing} device${target === 'all' ? 's' : ''}: ${strerror(rc)}\n`);
  await err(`${verb} ${done.length} device${done.length === 1 ? '' : 's'}\n`);
  return rc < 0 ? rc & 0xff : 0;
}
