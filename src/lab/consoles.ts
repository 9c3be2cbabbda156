import { text as decode } from '../base/bytes.ts';
import type { Terminal } from '../linux/drivers/tty/tty_core.ts';
import type { CommandEvent } from '../linux/platform.ts';
import type { EventLog, MachineId } from '../log/index.ts';
import type { ConsoleId, ConsoleInfo } from '../protocol/client.ts';
import { type CommandRecord, paths } from '../state/schema.ts';

/** Channels of console output, as terminals tag them (drivers/tty/n_tty.ts). */
export const Channel = { OUT: 0, ERR: 1, EDIT: 2, KERNEL: 3 } as const;

/** What a console's shell is doing, as far as the lab is told. */
export interface ShellState {
  /** True from a shown prompt until a line is started. */
  readonly atPrompt: boolean;
  readonly status: number;
  readonly prompt: string;
  /** Prompts seen: tells a finished command from one that never began. */
  readonly prompts: number;
}

interface Console {
  readonly info: ConsoleInfo;
  send: (bytes: Uint8Array) => void;
  resize: (columns: number, rows: number) => void;
  shell: ShellState;
}

interface Size {
  readonly columns: number;
  readonly rows: number;
}

export type OutputListener = (console: ConsoleId, bytes: Uint8Array, channel: number) => void;

const NO_SHELL: ShellState = { atPrompt: false, status: 0, prompt: '', prompts: 0 };

/**
 * The lab's ends of all terminals: the host's console, each guest's serial line, extra logins, QEMU monitors. Output is
 * logged (OUT rows) so that a console at an earlier cursor shows what it showed then; inputs leave a MARK.
 */
export class Consoles {
  private readonly consoles = new Map<ConsoleId, Console>();
  private readonly listeners = new Set<OutputListener>();
  private readonly inputRows: number[] = [];
  /** By the row of a command's mark: inputs given before the one that ended its line. */
  private readonly inputsAtCommand = new Map<number, number>();
  private readonly terminals = new Map<MachineId, number>();
  private readonly sizes = new Map<ConsoleId, Size>();
  /** All consoles share one pane: a new one begins with the size given last. */
  private lastSize: Size | null = null;
  /** Makes an extra login when an `open:` input asks for one. */
  onOpen: (machine: MachineId, id: ConsoleId) => void = () => {};

  constructor(
    private readonly log: EventLog,
    private readonly now: () => number,
  ) {}

  list(): readonly ConsoleInfo[] {
    return [...this.consoles.values()].map((console) => console.info);
  }

  find(id: ConsoleId): ConsoleInfo | undefined {
    return this.consoles.get(id)?.info;
  }

  shell(id: ConsoleId): ShellState {
    return this.consoles.get(id)?.shell ?? NO_SHELL;
  }

  /** Number of inputs given before log row `cursor`. */
  inputsBefore(cursor: number): number {
    // "Before this command" is before the Enter that gave it, though its echo stands in front of the command's mark.
    const atCommand = this.inputsAtCommand.get(cursor);
    if (atCommand !== undefined) return atCommand;
    const at = this.inputRows.findIndex((row) => row >= cursor);
    return at < 0 ? this.inputRows.length : at;
  }

  listen(listener: OutputListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  addTerminal(id: ConsoleId, machine: MachineId, terminal: Terminal): void {
    const title = id === machine ? machine : `${machine} ${terminal.name}`;
    this.add(id, {
      info: { id, machine, title, kind: 'terminal' },
      send: (bytes) => terminal.input(bytes),
      resize: (columns, rows) => terminal.resize(rows, columns),
      shell: NO_SHELL,
    });
    terminal.onOutput((bytes, channel) => this.output(id, bytes, channel));
  }

  /** Console of a machine that is off: any key is the power button. */
  addSwitch(machine: MachineId, press: () => void): void {
    this.add(machine, {
      info: { id: machine, machine, title: machine, kind: 'terminal' },
      send: press,
      resize: () => {},
      shell: NO_SHELL,
    });
  }

  /** A guest's serial line. The same console again when the guest boots again. */
  addSerial(machine: MachineId, send: (bytes: Uint8Array) => void, resize: Console['resize']): void {
    this.add(machine, {
      info: { id: machine, machine, title: machine, kind: 'serial' },
      send,
      resize,
      shell: NO_SHELL,
    });
  }

  addMonitor(id: ConsoleId, machine: MachineId, send: (bytes: Uint8Array) => void): void {
    this.add(id, {
      info: { id, machine, title: `${machine} QEMU monitor`, kind: 'monitor' },
      send,
      resize: () => {},
      shell: NO_SHELL,
    });
  }

  /** Does the console have this size already? */
  hasSize(id: ConsoleId, columns: number, rows: number): boolean {
    const size = this.sizes.get(id) ?? this.lastSize;
    return size?.columns === columns && size.rows === rows;
  }

  /** A window keeps its size when the machine behind it boots again. */
  private add(id: ConsoleId, console: Console): void {
    this.consoles.set(id, console);
    const size = this.sizes.get(id) ?? this.lastSize;
    if (size) console.resize(size.columns, size.rows);
  }

  remove(id: ConsoleId): void {
    this.consoles.delete(id);
  }

  /** Console of a terminal by the kernel's name for it. */
  idOf(machine: MachineId, tty: string): ConsoleId {
    return tty === 'ttyS0' || tty === 'tty1' || tty === 'console' ? machine : `${machine}/${tty}`;
  }

  nextTerminal(machine: MachineId): ConsoleId {
    const n = this.terminals.get(machine) ?? 0;
    this.terminals.set(machine, n + 1);
    return `${machine}/pts/${n}`;
  }

  deliver(id: ConsoleId, bytes: Uint8Array): void {
    this.inputRows.push(this.log.length);
    const open = /^open:(host|l1|l2)$/.exec(id);
    if (open) {
      this.onOpen(open[1] as MachineId, decode(bytes));
      return;
    }
    const sized = /^resize:(.+)$/.exec(id);
    if (sized) {
      const [columns, rows] = decode(bytes).split('x').map(Number);
      this.lastSize = { columns: columns ?? 80, rows: rows ?? 24 };
      this.sizes.set(sized[1] as string, this.lastSize);
      this.consoles.get(sized[1] as string)?.resize(columns ?? 80, rows ?? 24);
      return;
    }
    this.consoles.get(id)?.send(bytes);
  }

  output(id: ConsoleId, bytes: Uint8Array, channel: number): void {
    this.log.out(`${id}:${channel}`, this.now(), decode(bytes));
    for (const listener of this.listeners) listener(id, bytes, channel);
  }

  command(id: ConsoleId, event: CommandEvent): void {
    const console = this.consoles.get(id);
    if (event.type === 'start') {
      const record: CommandRecord = { console: id, line: event.line };
      this.inputsAtCommand.set(this.log.length, Math.max(0, this.inputRows.length - 1));
      this.log.mark(event.line, this.now(), { ...record });
      if (console) console.shell = { ...console.shell, atPrompt: false };
    } else if (console) {
      this.publishStatus(id, event, console.shell);
      console.shell = {
        atPrompt: true,
        status: event.status,
        prompt: event.prompt,
        prompts: console.shell.prompts + 1,
      };
    }
  }

  private publishStatus(
    id: ConsoleId,
    event: Extract<CommandEvent, { type: 'prompt' }>,
    before: { readonly status: number; readonly prompts: number },
  ): void {
    const path = paths.shell(event.machine, id);
    if (event.status === 0 && (before.status === 0 || this.log.object(path) === null)) return;
    this.log.publish(path, { status: event.status, prompts: before.prompts + 1 });
  }
}
