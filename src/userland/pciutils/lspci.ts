import { text as decode } from '../../base/bytes.ts';
import { strerror } from '../../base/errno.ts';
import type { Program, Sys } from '../../linux/uapi/sys.ts';
import { PciView } from './device.ts';
import { parseDump } from './dump-file.ts';
import { ANY, type Filter, matches, parseId, parseSlot } from './filter.ts';
import { print, readAll } from './io.ts';
import { showMachine } from './machine-readable.ts';
import type { IdStyle } from './names.ts';
import { type ShowOptions, showDevice } from './show.ts';
import { scanSysfs } from './sysfs.ts';
import { showTree } from './tree.ts';

const VERSION = 'lspci version 3.13.0';
const USAGE = `Usage: lspci [<switches>]

Basic display modes:
-mm		One record a device, fields quoted (-m: older form)
-t		Tree of buses

What to show:
-v		More about each device (-vv and -vvv: still more)
-k		Kernel drivers and modules
-x		Standard part of the config space in hex
-xxx		All 256 bytes
-xxxx		All 4096 bytes
-D		Domain numbers always
-P, -PP		Bridges above each device, or all their buses
-b		Addresses as the bus sees them
-q, -qq, -Q	Asks nobody here: there is no network

Ids:
-n		Numbers
-nn		Names and numbers

Which devices:
-s [[[[<domain>]:]<bus>]:][<slot>][.[<func>]]
-d [<vendor>]:[<device>][:<class>[:<prog-if>]]

Where from:
-F <file>	A dump made by lspci -x, -xxx or -xxxx
`;

interface Options {
  verbose: number;
  numbers: number;
  hexdump: number;
  kernel: boolean;
  domain: boolean;
  tree: boolean;
  machine: number;
  /** -P: bridges above before the address; -PP: with their buses. */
  path: number;
  /** -b: as the cards see it, without what the kernel says. */
  busCentric: boolean;
  file: string | null;
  filter: Filter;
}

/** lspci 3.13 on this machine's sysfs, or on a dump. */
export const lspci: Program = async (sys, argv) => {
  const options: Options = {
    verbose: 0,
    numbers: 0,
    hexdump: 0,
    kernel: false,
    domain: false,
    tree: false,
    machine: 0,
    path: 0,
    busCentric: false,
    file: null,
    filter: ANY,
  };
  const failure = await parse(sys, argv.slice(1), options);
  if (failure !== null) return failure;
  const devices = await load(sys, options);
  if (typeof devices === 'number') return devices;
  const selected = devices.filter((dev) => matches(options.filter, dev));
  const style: IdStyle = options.numbers === 0 ? 'names' : options.numbers === 1 ? 'numbers' : 'both';
  if (options.tree) {
    await print(
      sys,
      1,
      showTree(devices, options.verbose, style, (dev) => matches(options.filter, dev)),
    );
    return 0;
  }
  const domain = options.domain || devices.some((dev) => dev.domain !== 0);
  const show: ShowOptions = {
    verbose: options.verbose,
    style,
    domain,
    kernel: options.kernel,
    hexdump: options.hexdump,
    ...(options.path === 0 ? {} : { slot: (dev: PciView) => slotPath(dev, devices, domain, options.path > 1) }),
  };
  for (const dev of selected)
    await print(sys, 1, options.machine > 0 ? showMachine(dev, show, options.machine) : showDevice(dev, show));
  return 0;
};

async function parse(sys: Sys, args: readonly string[], options: Options): Promise<number | null> {
  for (let n = 0; n < args.length; n++) {
    const arg = args[n] as string;
    if (arg === '--version') {
      await print(sys, 1, `${VERSION}\n`);
      return 0;
    }
    if (!arg.startsWith('-') || arg === '-') return usage(sys);
    for (let at = 1; at < arg.length; at++) {
      const letter = arg[at] as string;
      if ('sdFAOiHp'.includes(letter)) {
        const value = arg.slice(at + 1) || args[++n];
        if (value === undefined) {
          await print(sys, 2, `lspci: option requires an argument -- '${letter}'\n`);
          return usage(sys);
        }
        const failure = await valued(sys, letter, value, options);
        if (failure !== null) return failure;
        break;
      }
      if (letter === 'v') options.verbose++;
      else if (letter === 'n') options.numbers++;
      else if (letter === 'x') options.hexdump++;
      else if (letter === 'k') options.kernel = true;
      else if (letter === 'D') options.domain = true;
      else if (letter === 't') options.tree = true;
      else if (letter === 'm') options.machine++;
      else if (letter === 'P') options.path++;
      else if (letter === 'b') options.busCentric = true;
      // there is no network to ask, and unknown ids stay unknown as they do without one
      else if (letter === 'q' || letter === 'Q') continue;
      else if ('MG'.includes(letter)) {
        await print(sys, 2, `lspci: -${letter} is not modelled in the lab\n`);
        return 1;
      } else {
        await print(sys, 2, `lspci: invalid option -- '${letter}'\n`);
        return usage(sys);
      }
    }
  }
  return null;
}

async function usage(sys: Sys): Promise<number> {
  await print(sys, 2, USAGE);
  return 1;
}

async function valued(sys: Sys, letter: string, value: string, options: Options): Promise<number | null> {
  if (letter === 'F') {
    options.file = value;
    return null;
  }
  if (letter === 's' || letter === 'd') {
    const parsed = letter === 's' ? parseSlot(value, options.filter) : parseId(value, options.filter);
    if (typeof parsed === 'string') {
      await print(sys, 2, `lspci: -${letter}: ${parsed}\n`);
      return 1;
    }
    options.filter = parsed;
    return null;
  }
  if (letter === 'A') {
    if (value === 'help') {
      await print(sys, 1, `Known PCI access methods:\n\n${METHODS.join('\n')}\n`);
      return 0;
    }
    if (value === 'linux-sysfs') return null;
    if (!METHODS.includes(value)) {
      await print(sys, 2, `lspci: No such PCI access method: ${value} (see \`-A help' for a list)\n`);
      return 1;
    }
  }
  if (letter === 'O' && value !== 'help' && !value.includes('=')) {
    await print(sys, 2, `lspci: Invalid PCI access parameter syntax: ${value}\n`);
    return 1;
  }
  await print(sys, 2, `lspci: -${letter} is not modelled in the lab\n`);
  return 1;
}

const METHODS = ['linux-sysfs', 'linux-proc', 'intel-conf1', 'intel-conf2', 'dump', 'mmio-conf1', 'mmio-conf1-ext'];

/** show_slot_path: the bridges from the root bus to the function, then the function. */
function slotPath(dev: PciView, all: readonly PciView[], domain: boolean, buses: boolean): string {
  const bridge = all.find((one) => one.headerType === 1 && one.domain === dev.domain && one.byte(0x19) === dev.bus);
  if (!bridge || bridge === dev || dev.bus === 0) return dev.slotText(domain);
  const own = dev.slotText(false);
  return `${slotPath(bridge, all, domain, buses)}/${buses ? own : own.slice(own.indexOf(':') + 1)}`;
}

async function load(sys: Sys, options: Options): Promise<readonly PciView[] | number> {
  if (options.file !== null) {
    const bytes = await readAll(sys, options.file);
    if (typeof bytes === 'number') {
      await print(sys, 2, `lspci: dump: Cannot open ${options.file}: ${strerror(bytes)}\n`);
      return 1;
    }
    return parseDump(decode(bytes));
  }
  const extended = options.verbose > 0 || options.hexdump > 3;
  const devices = await scanSysfs(sys, extended);
  if (devices === null) {
    await print(sys, 2, 'pcilib: Cannot open /proc/bus/pci\nlspci: Cannot find any working access method.\n');
    return 1;
  }
  if (!options.busCentric) return devices;
  return devices.map((dev) => {
    const kernel = dev.kernel && { ...dev.kernel, resources: [], irq: dev.byte(0x3c) };
    return new PciView(dev.domain, dev.bus, dev.slot, dev.fn, dev.config, kernel);
  });
}
