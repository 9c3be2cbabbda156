/** The human monitor (monitor/hmp.c): a table of commands, argument checks, completion, one instance per client. */
import { QemuError } from '../system/error.ts';
import type { RunningMachine } from '../system/running-machine.ts';
import { Readline } from './readline.ts';

export interface HmpCommand {
  readonly names: readonly string[];
  /** Arguments as `help` shows them. */
  readonly parameters: string;
  /** Own words. */
  readonly help: string;
  /** Words offered by Tab for the first argument. */
  complete?(vm: RunningMachine): readonly string[];
  /** `args` are the words after the name (`/fmt` stays joined to the name as `/fmt` in args[0]). Gives the text to print. */
  run(vm: RunningMachine, args: readonly string[], monitor: Monitor): string;
}

const commands: HmpCommand[] = [];
const infoCommands: HmpCommand[] = [];

export function registerCommand(command: HmpCommand): void {
  commands.push(command);
}
export function registerInfo(command: HmpCommand): void {
  infoCommands.push(command);
}

function find(table: readonly HmpCommand[], name: string): HmpCommand | undefined {
  return table.find((command) => command.names.includes(name));
}

function list(table: readonly HmpCommand[], prefix: string): string {
  return [...table]
    .sort((a, b) => ((a.names[0] as string) < (b.names[0] as string) ? -1 : 1))
    .map((command) => `${prefix}${command.names.join('|')} ${command.parameters} -- ${command.help}\n`)
    .join('');
}

/** Commands QEMU has and this lab does not: said so, instead of pretending that they do not exist. */
const NOT_MODELLED =
  'announce_self balloon block_resize boot_set change chardev-add chardev-remove closefd commit cpu delvm device_add drive_add dump-guest-memory eject expire_password gdbserver getfd gpa2hpa gpa2hva gva2gpa hostfwd_add hostfwd_remove i loadvm log logfile mce memsave migrate migrate_cancel mouse_move nbd_server_start netdev_add netdev_del nmi o object_add object_del one-insn-per-tb pcie_aer_inject_error pmemsave qemu-io qom-get qom-list qom-set ringbuf_read savevm screendump sendkey set_link set_password snapshot_blkdev stopcapture sum sync-profile system_wakeup trace-event watchdog_action wavcapture x_colo_lost_heartbeat xen-event-inject'.split(
    ' ',
  );
const INFO_NOT_MODELLED =
  'balloon blockstats capture chardev cpustats dirty_rate dump history hotpluggable-cpus iothreads irq jit lapic mem mice migrate migrate_capabilities migrate_parameters network numa pic qdm registers replay rocker roms sev sgx snapshots spice stats sync-profile tlb tpm trace-events usb usbhost uuid vcpu_dirty_limit vm-generation-id vnc'.split(
    ' ',
  );

function unknown(name: string, existing: readonly string[]): string {
  return existing.includes(name.replace(/^info /, ''))
    ? `${name}: not modelled in this lab\n`
    : `unknown command: '${name}'\n`;
}

/** What follows when the arguments of a command could not be read. */
export const TRY_HELP = (name: string) => `Try "help ${name}" for more information\n`;

const extraneous = (command: HmpCommand, typed: string) =>
  `${command.names[0] as string}: extraneous characters at the end of line\n${TRY_HELP(typed)}`;

/** Runs one monitor line and gives what it prints. */
export function handle_hmp_command(vm: RunningMachine, line: string, monitor: Monitor): string {
  const words = line.trim().split(/\s+/);
  const first = words[0] as string;
  if (first === '') return '';
  const slash = first.indexOf('/');
  const name = slash > 0 ? first.slice(0, slash) : first;
  const args = slash > 0 ? [first.slice(slash), ...words.slice(1)] : words.slice(1);
  if (name === 'info' || name === 'help' || name === '?') return builtin(vm, name, args, monitor);
  const command = find(commands, name);
  if (!command) return unknown(name, NOT_MODELLED);
  if (command.parameters === '' && args.length > 0) return extraneous(command, name);
  return guarded(() => command.run(vm, args, monitor));
}

function builtin(vm: RunningMachine, name: string, args: readonly string[], monitor: Monitor): string {
  const topic = args[0];
  if (name === 'info') {
    if (topic === undefined) return list(infoCommands, 'info ');
    const command = find(infoCommands, topic);
    if (!command) return unknown(`info ${topic}`, INFO_NOT_MODELLED);
    if (command.parameters === '' && args.length > 1) return extraneous(command, `info ${topic}`);
    return guarded(() => command.run(vm, args.slice(1), monitor));
  }
  if (topic === undefined)
    return list(
      [
        ...commands,
        { names: ['info'], parameters: '[subcommand]', help: 'show something about the machine', run: () => '' },
        { names: ['help', '?'], parameters: '[cmd]', help: 'show what commands there are', run: () => '' },
      ],
      '',
    );
  if (topic === 'info')
    return args[1] === undefined
      ? list(infoCommands, 'info ')
      : list(
          infoCommands.filter((command) => command.names.includes(args[1] as string)),
          'info ',
        );
  const command = find(commands, topic);
  return command ? list([command], '') : `unknown command: '${topic}'\n`;
}

function guarded(run: () => string): string {
  try {
    return run();
  } catch (error) {
    if (error instanceof QemuError) return `Error: ${error.message}\n`;
    throw error;
  }
}

function completions(vm: RunningMachine, before: string): readonly string[] {
  const words = before.trimStart().split(/\s+/);
  const last = words.at(-1) ?? '';
  const from = (names: readonly string[]) => names.filter((name) => name.startsWith(last)).sort();
  if (words.length <= 1)
    return from(['info', 'help', ...commands.flatMap((command) => command.names)].filter((name) => name !== '?'));
  if (words[0] === 'info' && words.length === 2) return from(infoCommands.map((command) => command.names[0] as string));
  if (words[0] === 'help' && words.length === 2) return from(['info', ...commands.flatMap((command) => command.names)]);
  return from(find(commands, words[0] as string)?.complete?.(vm) ?? []);
}

/** One client: its line editor and its output. */
export class Monitor {
  private readonly readline: Readline;
  private started = false;

  constructor(
    private readonly vm: RunningMachine,
    /** Text with plain newlines. */
    private readonly print: (text: string) => void,
  ) {
    this.readline = new Readline('(qemu) ', {
      print,
      line: (line) => {
        const output = handle_hmp_command(vm, line, this);
        if (output !== '') print(output);
        if (!vm.ended) this.readline.start();
      },
      complete: (before) => completions(vm, before),
    });
  }

  /** Banner and first prompt, or the prompt again when the client came back. */
  open(): void {
    if (this.started) {
      this.readline.show();
      return;
    }
    this.started = true;
    this.print(`QEMU ${this.vm.version} monitor - type 'help' for more information\n`);
    this.readline.start();
  }

  /** Banner and first prompt, the first time only. */
  openOnce(): void {
    if (!this.started) this.open();
  }

  /** The client went away (focus of a multiplexed console). */
  leave(): void {
    if (this.started) this.print('\n');
  }

  receive(bytes: Uint8Array): void {
    this.readline.feed(bytes);
  }
}
