/** drivers/tty/serial/8250: one 16550A port, driven through its registers. Left out: baud rates' timing, modem lines, DMA. */
import type { CpuBus } from '../../../hw/bus/cpu-bus.ts';

const RBR = 0;
const IER = 1;
const FCR = 2;
const IIR = 2;
const LCR = 3;
const MCR = 4;
const LSR = 5;
const SCR = 7;

export class Uart8250 {
  constructor(
    private readonly bus: CpuBus,
    private readonly base: number,
  ) {}

  private inb(reg: number): number {
    return this.bus.inp(this.base + reg, 1) & 0xff;
  }
  private outb(reg: number, value: number): void {
    this.bus.outp(this.base + reg, 1, value);
  }

  /** autoconfig: the interrupt enable register keeps four bits, the scratch register all. */
  autoconfig(): boolean {
    if (this.inb(LSR) === 0xff) return false;
    this.outb(IER, 0);
    if ((this.inb(IER) & 0x0f) !== 0) return false;
    this.outb(SCR, 0x5a);
    if (this.inb(SCR) !== 0x5a) return false;
    this.outb(LCR, 3);
    this.outb(FCR, 7);
    return true;
  }
  /** serial8250_do_startup: receive interrupt on, DTR, RTS and OUT2 up. */
  startup(): void {
    this.inb(IIR);
    this.outb(MCR, 0x0b);
    this.outb(IER, 1);
  }
  transmit(bytes: Uint8Array): void {
    this.bus.outs(this.base, bytes);
  }
  /** serial8250_rx_chars: takes everything the receiver holds. */
  receive(): Uint8Array {
    const out: number[] = [];
    this.inb(IIR);
    while (this.inb(LSR) & 1) out.push(this.inb(RBR));
    return new Uint8Array(out);
  }
}
