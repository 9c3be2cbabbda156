/** A 16550A UART at eight I/O ports, as QEMU's hw/char/serial.c and a PC's COM1. Left out: baud timing, modem status interrupts, break. */

export interface UartBackend {
  write(bytes: Uint8Array): void;
}

/** Register offsets (DLAB = 0). */
const RBR = 0;
const IER = 1;
const IIR = 2;
const LCR = 3;
const MCR = 4;
const LSR = 5;
const MSR = 6;
const SCR = 7;

const IER_RDI = 1;
const IER_THRI = 2;
const LCR_DLAB = 0x80;
const MCR_LOOP = 0x10;
const LSR_DR = 1;
/** Transmitter holding register and shift register empty: the model transmits at once. */
const LSR_THRE_TEMT = 0x60;

export class Uart {
  private ier = 0;
  private fcr = 0;
  private lcr = 0;
  private mcr = 8;
  private scr = 0;
  private divisor = 12;
  private thrPending = false;
  private level = false;
  private readonly fifo: number[] = [];
  private readonly one = new Uint8Array(1);

  /** @param raise called when the interrupt line goes up (IRQ 4 for COM1) */
  constructor(
    private readonly backend: UartBackend,
    private readonly raise: () => void,
  ) {}

  /** Bytes from the line arrive in the receiver. The 16-byte FIFO is not a limit: the line waits, as a socket would. */
  receive(bytes: Uint8Array): void {
    for (const byte of bytes) this.fifo.push(byte);
    // Each burst is an edge of its own: a driver that has not drained the last one hears again.
    this.level = false;
    this.update();
  }

  /** `inb` at base + `offset`. */
  read(offset: number): number {
    switch (offset) {
      case RBR: {
        if (this.lcr & LCR_DLAB) return this.divisor & 0xff;
        const byte = this.fifo.shift() ?? 0;
        if (this.fifo.length === 0) {
          this.level = false;
          this.update();
        }
        return byte;
      }
      case IER:
        return this.lcr & LCR_DLAB ? this.divisor >> 8 : this.ier;
      case IIR: {
        const id = this.interruptId();
        if (id === 2) {
          this.thrPending = false;
          this.update();
        }
        return id | (this.fcr & 1 ? 0xc0 : 0);
      }
      case LSR:
        return LSR_THRE_TEMT | (this.fifo.length > 0 ? LSR_DR : 0);
      default:
        return this.peek(offset);
    }
  }

  /** What `read` would give, without taking anything. */
  peek(offset: number): number {
    switch (offset) {
      case RBR:
        return this.lcr & LCR_DLAB ? this.divisor & 0xff : (this.fifo[0] ?? 0);
      case IER:
        return this.lcr & LCR_DLAB ? this.divisor >> 8 : this.ier;
      case IIR:
        return this.interruptId() | (this.fcr & 1 ? 0xc0 : 0);
      case LCR:
        return this.lcr;
      case MCR:
        return this.mcr;
      case LSR:
        return LSR_THRE_TEMT | (this.fifo.length > 0 ? LSR_DR : 0);
      case MSR:
        // Looped back, the modem outputs come in again; otherwise CTS, DSR and DCD as a connected line gives them.
        return this.mcr & MCR_LOOP
          ? ((this.mcr & 2) << 3) | ((this.mcr & 1) << 5) | ((this.mcr & 4) << 4) | ((this.mcr & 8) << 4)
          : 0xb0;
      case SCR:
        return this.scr;
      default:
        return 0xff;
    }
  }

  /** `outb` at base + `offset`. */
  write(offset: number, value: number): void {
    const byte = value & 0xff;
    switch (offset) {
      case RBR:
        if (this.lcr & LCR_DLAB) this.divisor = (this.divisor & 0xff00) | byte;
        else {
          this.one[0] = byte;
          this.transmit(this.one);
        }
        return;
      case IER:
        if (this.lcr & LCR_DLAB) this.divisor = (byte << 8) | (this.divisor & 0xff);
        else {
          const enabled = byte & ~this.ier;
          this.ier = byte & 0xf;
          if (enabled & IER_THRI) this.thrPending = true;
          this.level = false;
          this.update();
        }
        return;
      case IIR:
        this.fcr = byte & 0xc9;
        if (byte & 2) this.fifo.length = 0;
        return;
      case LCR:
        this.lcr = byte;
        return;
      case MCR:
        this.mcr = byte & 0x1f;
        return;
      case SCR:
        this.scr = byte;
        return;
      default:
        return;
    }
  }

  /** `rep outsb` to the base port: one burst to the transmitter. */
  outs(offset: number, bytes: Uint8Array): void {
    if (offset === RBR && !(this.lcr & LCR_DLAB)) this.transmit(bytes);
    else for (const byte of bytes) this.write(offset, byte);
  }

  /** `rep insb`. */
  ins(offset: number, into: Uint8Array): void {
    for (let n = 0; n < into.length; n++) into[n] = this.read(offset);
  }

  private transmit(bytes: Uint8Array): void {
    if (this.mcr & MCR_LOOP) this.receive(bytes);
    else this.backend.write(bytes.slice());
    this.thrPending = true;
    this.update();
  }

  /** Low nibble of IIR: 4 receive data, 2 transmitter empty, 1 none. */
  private interruptId(): number {
    if (this.ier & IER_RDI && this.fifo.length > 0) return 4;
    if (this.ier & IER_THRI && this.thrPending) return 2;
    return 1;
  }

  /** Raises the line when a cause appears that was not there; OUT2 gates it, as on a PC. */
  private update(): void {
    const level = this.interruptId() !== 1 && (this.mcr & 8) !== 0;
    const rise = level && !this.level;
    this.level = level;
    if (rise) this.raise();
  }
}
