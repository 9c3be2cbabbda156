import type { Program, Sys } from '../../linux/uapi/sys.ts';
import { daxDevice, daxDevices, daxRegion } from '../cxl/dax.ts';
import type { Node } from '../cxl/json.ts';
import { type OptionSpec, parseOptions } from '../cxl/options.ts';
import { Scanner } from '../cxl/topology.ts';
import { writeText } from '../misc/io.ts';
import { DEVICE_COMMANDS, deviceCommand } from './device.ts';
import { chosen, devices, display } from './found.ts';

/**
 * daxctl (ndctl 81, daxctl/list.c and device.c) on the dax bus in sysfs: list, version; the commands
 * on devices are in device.ts. Left out: creating and migrating devices, udev rules.
 */

const VERSION = '81';
const COMMANDS = ['version', 'list', 'help', ...Object.keys(DEVICE_COMMANDS)];
const UNMODELLED = ['create-device', 'destroy-device', 'split-acpi', 'migrate-device-model'];

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
    await err(`daxctl: ${word} is not modelled in this lab, whose DAX devices take their whole region\n`);
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
  return deviceCommand(sys, word, parsed.options, parsed.words);
};

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
