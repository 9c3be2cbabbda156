/**
 * The terminals of a kernel: serial ports (8250 at its I/O ports), the console, and pseudo terminals whose other side is
 * the lab. Left out: virtual consoles' screens (tty1 is a plain terminal), /dev/ptmx.
 */
import { utf8 } from '../../../base/bytes.ts';
import { Device } from '../../include/device.ts';
import type { Linux } from '../../kernel/linux.ts';
import { CHANNEL, Tty } from './n_tty.ts';
import { Uart8250 } from './serial_8250.ts';

/** The lab's end of a terminal. */
export interface Terminal {
  readonly name: string;
  /** Bytes typed. */
  input(bytes: Uint8Array): void;
  /** Gets all output; channel 0 stdout, 1 stderr, 2 echo and line editing, 3 kernel messages. Earlier output comes first. */
  onOutput(listener: (bytes: Uint8Array, channel: number) => void): void;
  resize(rows: number, cols: number): void;
  /** Hangs up: SIGHUP to its session. */
  close(): void;
}

/** The master side of a pty held by the lab. */
class PtyMaster implements Terminal {
  private listeners: ((bytes: Uint8Array, channel: number) => void)[] = [];
  private early: (readonly [Uint8Array, number])[] = [];
  readonly tty: Tty;
  constructor(
    kernel: Linux,
    readonly name: string,
  ) {
    this.tty = new Tty(kernel, name, (bytes, channel) => {
      if (this.listeners.length === 0) this.early.push([bytes.slice(), channel]);
      for (const listener of this.listeners) listener(bytes, channel);
    });
  }
  input(bytes: Uint8Array): void {
    this.tty.receive(bytes);
  }
  onOutput(listener: (bytes: Uint8Array, channel: number) => void): void {
    this.listeners = [...this.listeners, listener];
    const early = this.early;
    this.early = [];
    for (const [bytes, channel] of early) listener(bytes, channel);
  }
  resize(rows: number, cols: number): void {
    this.tty.resize(rows, cols);
  }
  close(): void {
    this.tty.hangup();
  }
}

export class TtyCore {
  private readonly ttys = new Map<string, Tty>();
  private readonly masters = new Map<string, PtyMaster>();
  private readonly byRdev = new Map<number, Tty>();
  private uart: Uart8250 | null = null;
  /** Behind /dev/console. */
  console: Tty | null = null;
  private nextPts = 0;
  private interrupts = 0;

  constructor(private readonly kernel: Linux) {}

  /** tty_init, serial8250_init and the console of `console=`. */
  init(consoleName: string): void {
    const { vfs, drivers } = this.kernel;
    drivers.class_register('tty');
    vfs.register_chrdev(4, 'tty', (minor) => this.byRdev.get(4 * 256 + minor)?.fops ?? null);
    vfs.register_chrdev(5, '/dev/tty', (minor) => {
      if (minor === 1) return this.console?.fops ?? null;
      const name = this.kernel.tasks.current?.tty?.name;
      return minor === 0 && name !== undefined ? (this.ttys.get(name)?.fops ?? null) : null;
    });
    vfs.register_chrdev(136, 'pts', (minor) => this.byRdev.get(136 * 256 + minor)?.fops ?? null);
    this.node('tty', 5, 0);
    this.node('console', 5, 1);
    if (!consoleName.startsWith('ttyS')) this.console = this.virtualConsole().tty;
  }

  private virtualConsole(): PtyMaster {
    const known = this.masters.get('tty1');
    if (known) return known;
    const master = new PtyMaster(this.kernel, 'tty1');
    this.masters.set('tty1', master);
    this.add(master.tty, 4, 1);
    this.node('tty1', 4, 1);
    return master;
  }

  /** The port behind ttyS0, if something answers there. */
  serial(): { readonly tty: Tty; readonly uart: Uart8250 } | null {
    const known = this.ttys.get('ttyS0');
    if (known && this.uart) return { tty: known, uart: this.uart };
    const uart = new Uart8250(this.kernel.cpu.bus, 0x3f8);
    if (!uart.autoconfig()) return null;
    this.uart = uart;
    const tty = new Tty(this.kernel, 'ttyS0', (bytes, channel) => {
      this.kernel.consoleTap?.(bytes, channel);
      uart.transmit(bytes);
    });
    this.add(tty, 4, 64);
    return { tty, uart };
  }
  /** device_initcall(serial8250_init): announces the ports found. */
  serial8250_init(): void {
    this.kernel.printk(6, 'Serial: 8250/16550 driver, 4 ports, IRQ sharing enabled');
    const port = this.serial();
    if (!port) return;
    port.uart.startup();
    this.node('ttyS0', 4, 64);
    this.kernel.printk(6, 'serial8250: ttyS0 at I/O 0x3f8 (irq = 4, base_baud = 115200) is a 16550A');
  }
  interrupt(irq: number): void {
    if (irq !== 4 || !this.uart) return;
    this.interrupts++;
    const bytes = this.uart.receive();
    if (bytes.length > 0) this.ttys.get('ttyS0')?.receive(bytes);
  }

  get interruptCount(): number {
    return this.interrupts;
  }
  /** /proc/interrupts: the one interrupt line that is modelled. */
  showInterrupts(): string {
    const cpus = Array.from({ length: this.kernel.cpu.count }, (_, n) => n);
    const head = `      ${cpus.map((n) => `CPU${n}`.padStart(10)).join(' ')}\n`;
    if (!this.uart) return head;
    const counts = cpus.map((n) => String(n === 0 ? this.interrupts : 0).padStart(10)).join(' ');
    return `${head}   4: ${counts}  IO-APIC   4-edge      ttyS0\n`;
  }
  private add(tty: Tty, major: number, minor: number): void {
    this.ttys.set(tty.name, tty);
    this.byRdev.set(major * 256 + minor, tty);
  }
  private node(name: string, major: number, minor: number): void {
    const dev = new Device(this.kernel, name, null, null);
    dev.class = 'tty';
    dev.devt = [major, minor];
    dev.devname = name;
    this.kernel.drivers.device_add(dev);
  }

  /** Kernel messages on a console. */
  printkWrite(name: string, text: string): void {
    const tty = name.startsWith('ttyS') ? this.serial()?.tty : this.virtualConsole().tty;
    tty?.send(utf8(text), CHANNEL.kernel);
  }

  /** The lab's end of terminal `name`: the console's (`tty1`, and it exists), or a new pseudo terminal. */
  open(name: string): { readonly terminal: Terminal; readonly isNew: boolean } {
    if (name === 'tty1') return { terminal: this.virtualConsole(), isNew: false };
    const number = this.nextPts++;
    const pts = `pts/${number}`;
    const master = new PtyMaster(this.kernel, pts);
    this.masters.set(pts, master);
    this.add(master.tty, 136, number);
    this.kernel.vfs.mknod(pts, 0o620, 136, number);
    return { terminal: master, isNew: true };
  }
}
