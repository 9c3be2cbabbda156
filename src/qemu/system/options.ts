/**
 * QEMU's command line (system/vl.c, qemu-options.def): every option the lab's VMM knows, what the others that exist say, and
 * the error of those that do not. Help requests are answered by `help.ts`.
 */
import { error_setg, QemuError, withLocation } from './error.ts';
import { isWaitingSocket, keyval_parse, qemu_opts_parse, splitCommas } from './qemu-opts.ts';
import { newSettings, type Settings } from './settings.ts';

/** What to print instead of running: `-version`, `-help`, `-device help`, `-device cxl-rp,help` … */
export interface HelpRequest {
  readonly topic: 'version' | 'help' | 'device' | 'device-type' | 'machine' | 'cpu' | 'object' | 'accel';
  readonly argument: string;
}

export interface ParsedCommandLine {
  readonly settings: Settings;
  readonly help: HelpRequest | null;
}

type Handler = (settings: Settings, argument: string, location: string) => HelpRequest | undefined;

interface OptionSpec {
  readonly hasArgument: boolean;
  readonly handle: Handler;
}

const isHelp = (text: string) => text === 'help' || text === '?';

/** Options that exist in QEMU and are taken without any effect here, because nothing they change is modelled. */
const INERT_FLAGS = ['no-user-config', 'nodefconfig', 'no-fd-bootchk', 'enable-sync-profile'];
const INERT_ARGUMENTS = [
  'rtc',
  'boot',
  'k',
  'uuid',
  'msg',
  'overcommit',
  'sandbox',
  'D',
  'd',
  'pidfile',
  'trace',
  'realtime',
];
/** Options that exist in QEMU and are not modelled: refused in one plain sentence instead of being ignored. */
const REFUSED_ARGUMENTS = [
  ...[
    'drive',
    'hda',
    'hdb',
    'cdrom',
    'fda',
    'sd',
    'pflash',
    'mtdblock',
    'blockdev',
    'netdev',
    'chardev',
    'vnc',
    'spice',
  ],
  ...['mon', 'incoming', 'loadvm', 'gdb', 'audiodev', 'fsdev', 'virtfs', 'tpmdev', 'bios', 'L', 'dtb'],
  ...['numa', 'smbios', 'acpitable', 'fw_cfg', 'fwcfg', 'parallel', 'debugcon', 'watchdog-action', 'icount', 'plugin'],
  ...[
    'usbdevice',
    'readconfig',
    'add-fd',
    'set',
    'run-with',
    'compat',
    'runas',
    'chroot',
    'semihosting-config',
    'prom-env',
  ],
];
const REFUSED_FLAGS = [
  'daemonize',
  's',
  'usb',
  'full-screen',
  'preconfig',
  'only-migratable',
  'semihosting',
  'win2k-hack',
];

function merge(into: Map<string, string>, from: ReadonlyMap<string, string>): void {
  for (const [key, value] of from) into.set(key, value);
}

function parseCpu(text: string): { model: string; features: Map<string, string> } {
  const parts = splitCommas(text);
  const features = new Map<string, string>();
  for (const part of parts.slice(1)) {
    const eq = part.indexOf('=');
    if (part.startsWith('+')) features.set(part.slice(1), 'on');
    else if (part.startsWith('-')) features.set(part.slice(1), 'off');
    else if (eq < 0) features.set(part, 'on');
    else features.set(part.slice(0, eq), part.slice(eq + 1));
  }
  return { model: parts[0] ?? '', features };
}

const machine: Handler = (settings, argument) => {
  const values = keyval_parse(argument, 'type');
  const type = values.get('type');
  if (type !== undefined && isHelp(type)) return { topic: 'machine', argument: '' };
  if (values.has('help')) return { topic: 'machine', argument: type ?? 'q35' };
  merge(settings.machine, values);
};

const accel: Handler = (settings, argument, location) => {
  const values = keyval_parse(argument, 'accel');
  if (isHelp(values.get('accel') ?? '')) return { topic: 'accel', argument: '' };
  if (!values.has('accel')) error_setg("Parameter 'accel' is missing");
  settings.accel.push({ location, value: values });
};

function flag(handle: (settings: Settings) => HelpRequest | undefined): OptionSpec {
  return { hasArgument: false, handle };
}
function withArgument(handle: Handler): OptionSpec {
  return { hasArgument: true, handle };
}

const noNic: Handler = (settings, argument) => {
  if (argument !== 'none' && !argument.startsWith('none,'))
    error_setg(`network backends are not modelled in this lab: only 'none' is accepted here`);
  settings.nic = false;
};

const idleSocket: Handler = (_settings, argument) => {
  if (!isWaitingSocket(argument) && argument !== 'none' && argument !== 'null')
    error_setg('QMP is not modelled in this lab: only a socket nobody connects to (server=on,wait=off) is accepted');
};

const OPTIONS = new Map<string, OptionSpec>([
  ['M', withArgument(machine)],
  ['machine', withArgument(machine)],
  ['accel', withArgument(accel)],
  ['enable-kvm', flag((settings) => void settings.machine.set('accel', 'kvm'))],
  [
    'm',
    withArgument((settings, argument, location) => {
      const value = qemu_opts_parse(argument, 'size');
      const merged = new Map(settings.memory?.value.values);
      merge(merged, value.values);
      settings.memory = { location, value: { ...value, values: merged } };
    }),
  ],
  [
    'smp',
    withArgument((settings, argument, location) => {
      settings.smp = { location, value: qemu_opts_parse(argument, 'cpus') };
    }),
  ],
  [
    'cpu',
    withArgument((settings, argument, location) => {
      if (isHelp(argument)) return { topic: 'cpu', argument: '' };
      settings.cpu = { location, value: parseCpu(argument) };
    }),
  ],
  [
    'device',
    withArgument((settings, argument, location) => {
      const value = qemu_opts_parse(argument, 'driver');
      const driver = value.values.get('driver');
      if (driver !== undefined && isHelp(driver)) return { topic: 'device', argument: '' };
      if (value.values.has('help') || value.values.has('?')) return { topic: 'device-type', argument: driver ?? '' };
      if (value.id !== null && settings.devices.some((other) => other.value.id === value.id))
        error_setg(`Duplicate ID '${value.id}' for device`);
      settings.devices.push({ location, value });
    }),
  ],
  [
    'object',
    withArgument((settings, argument, location) => {
      const value = keyval_parse(argument, 'qom-type');
      if (isHelp(value.get('qom-type') ?? '')) return { topic: 'object', argument: '' };
      settings.objects.push({ location, value });
    }),
  ],
  [
    'global',
    withArgument((settings, argument) => {
      const match = /^([^.=]+)\.([^=]+)=(.*)$/.exec(argument);
      if (!match) error_setg(`Parameter 'driver' is missing`);
      settings.globals.push({ driver: match[1] as string, property: match[2] as string, value: match[3] as string });
    }),
  ],
  [
    'kernel',
    withArgument((settings, argument) => {
      settings.kernel = argument;
    }),
  ],
  [
    'initrd',
    withArgument((settings, argument) => {
      settings.initrd = argument;
    }),
  ],
  [
    'append',
    withArgument((settings, argument) => {
      settings.append = argument;
    }),
  ],
  [
    'nographic',
    flag((settings) => {
      settings.nographic = true;
    }),
  ],
  [
    'display',
    withArgument((settings, argument) => {
      if (!['none', 'curses', 'gtk', 'sdl', 'egl-headless'].includes(argument.split(',')[0] as string))
        error_setg(`Parameter 'type' does not accept value '${argument}'`);
      if (argument !== 'none') error_setg(`display '${argument}' is not modelled in this lab: use none`);
      settings.display = argument;
    }),
  ],
  [
    'vga',
    withArgument((settings, argument) => {
      if (!['none', 'std', 'cirrus', 'vmware', 'qxl', 'virtio', 'xenfb'].includes(argument))
        throw new QemuError(`unknown vga type: ${argument}`);
      if (argument !== 'none' && argument !== 'std')
        error_setg(`vga '${argument}' is not modelled in this lab: use std or none`);
      settings.vga = argument;
    }),
  ],
  ['nic', withArgument(noNic)],
  ['net', withArgument(noNic)],
  ['serial', withArgument((settings, argument, location) => void settings.serials.push({ location, value: argument }))],
  [
    'monitor',
    withArgument((settings, argument, location) => void settings.monitors.push({ location, value: argument })),
  ],
  [
    'name',
    withArgument((settings, argument) => {
      settings.name = qemu_opts_parse(argument, 'guest').values.get('guest') ?? null;
    }),
  ],
  [
    'nodefaults',
    flag((settings) => {
      settings.nodefaults = true;
    }),
  ],
  [
    'no-reboot',
    flag((settings) => {
      settings.noReboot = true;
    }),
  ],
  [
    'no-shutdown',
    flag((settings) => {
      settings.noShutdown = true;
    }),
  ],
  [
    'action',
    withArgument((settings, argument) => {
      for (const [key, value] of qemu_opts_parse(argument, null).values) {
        if (key === 'reboot' && value === 'shutdown') settings.noReboot = true;
        else if (key === 'reboot' && value === 'reset') settings.noReboot = false;
        else if (key === 'shutdown' && value === 'pause') settings.noShutdown = true;
        else if (key === 'shutdown' && value === 'poweroff') settings.noShutdown = false;
        else if (key !== 'panic' && key !== 'watchdog') error_setg(`Invalid parameter '${key}'`);
      }
    }),
  ],
  [
    'snapshot',
    flag((settings) => {
      settings.snapshot = true;
    }),
  ],
  [
    'S',
    flag((settings) => {
      settings.startStopped = true;
    }),
  ],
  ['no-hpet', flag((settings) => void settings.machine.set('hpet', 'off'))],
  ['no-acpi', flag((settings) => void settings.machine.set('acpi', 'off'))],
  [
    'mem-path',
    withArgument(() => error_setg('-mem-path is not modelled in this lab: use -object memory-backend-file')),
  ],
  ['mem-prealloc', flag(() => {})],
  ['qmp', withArgument(idleSocket)],
  ['qmp-pretty', withArgument(idleSocket)],
  ['version', flag(() => ({ topic: 'version', argument: '' }))],
  ['help', flag(() => ({ topic: 'help', argument: '' }))],
  ['h', flag(() => ({ topic: 'help', argument: '' }))],
]);
for (const name of INERT_FLAGS)
  OPTIONS.set(
    name,
    flag(() => {}),
  );
for (const name of INERT_ARGUMENTS)
  OPTIONS.set(
    name,
    withArgument(() => {}),
  );
for (const name of REFUSED_ARGUMENTS)
  OPTIONS.set(
    name,
    withArgument(() => error_setg('this option is not modelled in this lab')),
  );
for (const name of REFUSED_FLAGS)
  OPTIONS.set(
    name,
    flag(() => error_setg('this option is not modelled in this lab')),
  );

/** Names of all options, for completion and help. */
export function optionNames(): readonly string[] {
  return [...OPTIONS.keys()];
}

/** Does this word want another one after it? null: no option of this name exists. */
export function takesArgument(word: string): boolean | null {
  return OPTIONS.get(word.slice(word.startsWith('--') ? 2 : 1))?.hasArgument ?? null;
}

/** One option with its argument (`''` where it takes none) into the settings; throws in QEMU's words. */
export function applyOption(settings: Settings, word: string, argument: string): HelpRequest | undefined {
  const option = OPTIONS.get(word.slice(word.startsWith('--') ? 2 : 1));
  if (!option) throw new QemuError('invalid option', word);
  const location = option.hasArgument ? `${word} ${argument}` : word;
  return withLocation(location, () => option.handle(settings, argument, location));
}

/** qemu_init(): walks argv. The first help request ends the walk, as in QEMU. */
export function parseCommandLine(argv: readonly string[]): ParsedCommandLine {
  const settings = newSettings();
  for (let at = 1; at < argv.length; at++) {
    const word = argv[at] as string;
    if (!word.startsWith('-') || word === '-') {
      throw new QemuError(`${word}: this lab models no disk images: a file name alone cannot be used`);
    }
    const wantsMore = takesArgument(word) ?? false;
    if (wantsMore && at + 1 >= argv.length) throw new QemuError('requires an argument', word);
    const help = applyOption(settings, word, wantsMore ? (argv[++at] as string) : '');
    if (help) return { settings, help };
  }
  return { settings, help: null };
}
