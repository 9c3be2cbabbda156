/**
 * drivers/tty: a terminal with the N_TTY line discipline (n_tty.c, tty_io.c, tty_jobctrl.c): canonical and raw input,
 * echo, signals, ONLCR, window size, job control. Left out: flow control, parity, VMIN/VTIME, packet mode, VLNEXT.
 */
import { text, utf8 } from '../../../base/bytes.ts';
import { E } from '../../../base/errno.ts';
import { WaitQueue } from '../../../base/scheduler.ts';
import { OpenFile } from '../../fs/file.ts';
import type { File, FileOperations } from '../../include/fs.ts';
import type { Linux } from '../../kernel/linux.ts';
import type { ControllingTty, Task } from '../../kernel/task.ts';
import {
  ECHO,
  ICANON,
  ICRNL,
  ISIG,
  O_NOCTTY,
  O_NONBLOCK,
  OPOST,
  SIGHUP,
  SIGINT,
  SIGQUIT,
  SIGTSTP,
  SIGTTIN,
  SIGWINCH,
  TCGETS,
  TCSETS,
  TIOCGPGRP,
  TIOCGWINSZ,
  TIOCLABCMD,
  TIOCLABTAG,
  TIOCSCTTY,
  TIOCSPGRP,
  TIOCSWINSZ,
} from '../../uapi/constants.ts';

/** Channels of terminal output: what TIOCLABTAG set, echo with line editing, and the kernel's own lines. */
export const CHANNEL = { stdout: 0, stderr: 1, edit: 2, kernel: 3 } as const;

const VINTR = 3;
const VQUIT = 28;
const VERASE = 127;
const VKILL = 21;
const VEOF = 4;
const VSUSP = 26;
const VWERASE = 23;
const NL = 10;
const CR = 13;
/** ISIG|ICANON|ECHO|ECHOE|ECHOK|ECHOCTL|ECHOKE|IEXTEN; OPOST|ONLCR; ICRNL|IXON: tty_std_termios. */
const STD_LFLAG = 0o105073;
const ONLCR = 4;

export class Tty implements ControllingTty {
  session = 0;
  pgrp = 0;
  private iflag = 0o2400;
  private oflag = OPOST | ONLCR;
  private lflag = STD_LFLAG;
  private rows = 24;
  private cols = 80;
  /** Line being edited (canonical mode). */
  private line: number[] = [];
  /** Input a reader may take; EOF is a null in canonical mode. */
  private ready: (number | null)[] = [];
  private hungUp = false;
  private readonly changed: WaitQueue;

  constructor(
    private readonly kernel: Linux,
    readonly name: string,
    /** The driver's transmitter. */
    private readonly transmit: (bytes: Uint8Array, channel: number) => void,
  ) {
    this.changed = new WaitQueue(kernel.scheduler);
  }

  // --- input (n_tty_receive_buf) --------------------------------------------------------------------------------------

  receive(bytes: Uint8Array): void {
    for (const byte of bytes) this.receiveChar(byte);
    this.changed.wakeAll();
  }

  private receiveChar(byte: number): void {
    const c = byte === CR && this.iflag & ICRNL ? NL : byte;
    if (this.lflag & ISIG) {
      const signal = c === VINTR ? SIGINT : c === VQUIT ? SIGQUIT : c === VSUSP ? SIGTSTP : 0;
      if (signal !== 0) {
        this.line = [];
        this.ready = [];
        this.echo(c);
        if (this.pgrp > 0) this.kernel.tasks.sendGroup(this.pgrp, signal);
        return;
      }
    }
    if (!(this.lflag & ICANON)) {
      this.ready.push(c);
      this.echo(c);
      return;
    }
    switch (c) {
      case VERASE:
      case 8:
        this.erase(1);
        return;
      case VKILL:
        this.erase(this.line.length);
        return;
      case VWERASE: {
        const typed = text(new Uint8Array(this.line));
        this.erase(typed.length - typed.replace(/\S*\s*$/, '').length);
        return;
      }
      case VEOF:
        this.ready.push(...this.line, null);
        this.line = [];
        return;
      case NL:
        this.echo(c);
        this.ready.push(...this.line, NL);
        this.line = [];
        return;
      default:
        this.line.push(c);
        this.echo(c);
    }
  }

  /** Erases characters (UTF-8 sequences count as one). */
  private erase(count: number): void {
    for (let n = 0; n < count && this.line.length > 0; n++) {
      let c = this.line.pop() ?? 0;
      while ((c & 0xc0) === 0x80 && this.line.length > 0) c = this.line.pop() ?? 0;
      if (this.lflag & ECHO) this.send(utf8(c < 32 && c !== 9 ? '\b \b\b \b' : '\b \b'), CHANNEL.edit);
    }
  }
  private echo(c: number): void {
    if (!(this.lflag & ECHO)) return;
    if (c < 32 && c !== NL && c !== 9) this.send(utf8(`^${String.fromCharCode(c + 64)}`), CHANNEL.edit);
    else this.send(new Uint8Array([c]), CHANNEL.edit);
  }

  // --- output (n_tty_write) -------------------------------------------------------------------------------------------

  /** Writes with output processing. */
  send(bytes: Uint8Array, channel: number): void {
    if (bytes.length === 0) return;
    if (!(this.oflag & OPOST) || !(this.oflag & ONLCR) || !bytes.includes(NL)) {
      this.transmit(bytes, channel);
      return;
    }
    let newlines = 0;
    for (const byte of bytes) if (byte === NL) newlines++;
    const out = new Uint8Array(bytes.length + newlines);
    let at = 0;
    for (const byte of bytes) {
      if (byte === NL) out[at++] = CR;
      out[at++] = byte;
    }
    this.transmit(out, channel);
  }

  hangup(): void {
    this.hungUp = true;
    if (this.session > 0) this.kernel.tasks.sendGroup(this.session, SIGHUP);
    this.changed.wakeAll();
  }
  resize(rows: number, cols: number): void {
    if (rows === this.rows && cols === this.cols) return;
    this.rows = rows;
    this.cols = cols;
    if (this.pgrp > 0) this.kernel.tasks.sendGroup(this.pgrp, SIGWINCH);
  }

  // --- file operations ------------------------------------------------------------------------------------------------

  readonly fops: FileOperations = {
    seekable: false,
    open: (file) => {
      if (this.hungUp) return -5;
      const { current } = this.kernel.tasks;
      // tty_open_proc_set_tty: a session leader without a terminal gets this one.
      if (current && !(file.flags & O_NOCTTY) && current.sid === current.pid && !current.tty && this.session === 0)
        this.attach(current);
      return 0;
    },
    read: (file, into) => {
      const { current } = this.kernel.tasks;
      if (current && this.inBackground(current)) return this.readSlow(current, file, into);
      if (this.ready.length > 0 || this.hungUp) return this.take(into);
      if (file.flags & O_NONBLOCK) return -E.EAGAIN;
      return this.readSlow(current, file, into);
    },
    write: (file, from) => {
      if (this.hungUp) return -E.EIO;
      this.send(from, file instanceof OpenFile ? file.channel : CHANNEL.stdout);
      return from.length;
    },
    poll: () => this.ready.length > 0 || this.hungUp,
    wait: () => this.changed.wait().promise,
    unlocked_ioctl: (file, request, arg) => this.ioctl(file, request, arg),
  };

  private attach(task: Task): void {
    this.session = task.sid;
    this.pgrp = task.pgid;
    task.tty = this;
  }
  private inBackground(task: Task): boolean {
    return task.tty === this && this.pgrp !== 0 && task.pgid !== this.pgrp;
  }

  private async readSlow(task: Task | null, _file: File, into: Uint8Array): Promise<number> {
    const { tasks } = this.kernel;
    while (this.ready.length === 0 || (task && this.inBackground(task))) {
      if (this.hungUp) return 0;
      if (task && this.inBackground(task)) {
        // tty_check_change
        if (task.handlers.get(SIGTTIN) === 'ignore') return -E.EIO;
        tasks.sendGroup(task.pgid, SIGTTIN);
        if (task.state === 'stopped') await tasks.whileStopped(task);
        else return -E.EINTR;
        continue;
      }
      const ret = await tasks.wait(task, this.changed.wait());
      if (ret < 0) return ret;
    }
    return this.take(into);
  }

  /** Canonical reads end at a line's end or at EOF; raw ones give what is there. */
  private take(into: Uint8Array): number {
    let n = 0;
    while (n < into.length && this.ready.length > 0) {
      const c = this.ready.shift();
      if (c === null || c === undefined) break;
      into[n++] = c;
      if (c === NL && this.lflag & ICANON) break;
    }
    // An EOF typed after text ends that read, it is not an end of file of its own.
    if (n > 0 && n < into.length && this.ready[0] === null && into[n - 1] !== NL) this.ready.shift();
    if (this.ready.length > 0) this.changed.wakeAll();
    return n;
  }

  private ioctl(file: File, request: number, arg: Uint8Array | number): number {
    const { current } = this.kernel.tasks;
    const view = arg instanceof Uint8Array ? new DataView(arg.buffer, arg.byteOffset, arg.byteLength) : null;
    const need = (bytes: number): boolean => view !== null && view.byteLength >= bytes;
    switch (request) {
      case TCGETS:
        if (!view || !need(16)) return -E.EFAULT;
        view.setUint32(0, this.iflag, true);
        view.setUint32(4, this.oflag, true);
        view.setUint32(8, 0o2277, true);
        view.setUint32(12, this.lflag, true);
        return 0;
      case TCSETS:
      case TCSETS + 1:
      case TCSETS + 2:
        if (!view || !need(16)) return -E.EFAULT;
        this.set_termios(view.getUint32(0, true), view.getUint32(4, true), view.getUint32(12, true));
        return 0;
      case TIOCGWINSZ:
        if (!view || !need(8)) return -E.EFAULT;
        view.setUint16(0, this.rows, true);
        view.setUint16(2, this.cols, true);
        return 0;
      case TIOCSWINSZ:
        if (!view || !need(8)) return -E.EFAULT;
        this.resize(view.getUint16(0, true), view.getUint16(2, true));
        return 0;
      case TIOCSCTTY:
        if (!current || current.sid !== current.pid) return -E.EPERM;
        if (current.tty === this) return 0;
        if (current.tty || this.session !== 0) return -E.EPERM;
        this.attach(current);
        return 0;
      case TIOCGPGRP:
        if (!view || !need(4)) return -E.EFAULT;
        if (current?.tty !== this) return -E.ENOTTY;
        view.setInt32(0, this.pgrp, true);
        return 0;
      case TIOCSPGRP: {
        if (current?.tty !== this || current.sid !== this.session) return -E.ENOTTY;
        const pgrp = typeof arg === 'number' ? arg : need(4) && view ? view.getInt32(0, true) : -1;
        if (pgrp < 0) return -E.EINVAL;
        const members = [...this.kernel.tasks.processes.values()].filter((task) => task.pgid === pgrp);
        if (members.length === 0) return -E.ESRCH;
        if (!members.some((task) => task.sid === this.session)) return -E.EPERM;
        this.pgrp = pgrp;
        this.changed.wakeAll();
        return 0;
      }
      case TIOCLABTAG:
        if (!(file instanceof OpenFile) || typeof arg !== 'number') return -E.EINVAL;
        file.channel = arg;
        return 0;
      case TIOCLABCMD:
        return arg instanceof Uint8Array ? this.labCommand(text(arg)) : -E.EINVAL;
      default:
        return -E.ENOTTY;
    }
  }

  private set_termios(iflag: number, oflag: number, lflag: number): void {
    const was = this.lflag & ICANON;
    this.iflag = iflag;
    this.oflag = oflag;
    this.lflag = lflag;
    if (was && !(lflag & ICANON)) {
      // What was typed so far becomes readable.
      this.ready = this.ready.filter((c) => c !== null);
      this.ready.push(...this.line);
      this.line = [];
      this.changed.wakeAll();
    }
  }

  private labCommand(json: string): number {
    let event: unknown;
    try {
      event = JSON.parse(json);
    } catch {
      return -E.EINVAL;
    }
    if (typeof event !== 'object' || event === null || !('type' in event)) return -E.EINVAL;
    const where = { machine: this.kernel.machine, tty: this.name };
    if (event.type === 'start' && 'line' in event && typeof event.line === 'string')
      this.kernel.platform.commandHook?.({ type: 'start', ...where, line: event.line });
    else if (
      event.type === 'prompt' &&
      'status' in event &&
      typeof event.status === 'number' &&
      'prompt' in event &&
      typeof event.prompt === 'string'
    )
      this.kernel.platform.commandHook?.({ type: 'prompt', ...where, status: event.status, prompt: event.prompt });
    else return -E.EINVAL;
    return 0;
  }
}
