/** Bytes to and from a file descriptor of this process (chardev/char-fd.c, char-file.c, char-stdio.c). */

import { ECHO, ICANON, ICRNL, ISIG, TCGETS, TCSETS } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import type { CharBackend } from './chardev.ts';

/** Writes in order; a write that has to wait is continued by the next one (guest exits cannot sleep). */
export class FdBackend implements CharBackend {
  private tail: Promise<void> | null = null;

  constructor(
    private readonly sys: Sys,
    private readonly fd: number,
  ) {}

  write(bytes: Uint8Array): void {
    if (this.tail !== null) {
      const copy = bytes.slice();
      this.tail = this.tail.then(() => this.drain(copy));
      return;
    }
    const done = this.sys.write(this.fd, bytes);
    if (typeof done !== 'number') {
      this.tail = done.then(() => {
        this.tail = null;
      });
      // A process that ends while a write sleeps throws; the main loop ends by the same signal.
      this.tail.catch(() => {});
    }
  }

  private async drain(bytes: Uint8Array): Promise<void> {
    await this.sys.write(this.fd, bytes);
  }
}

const TERMIOS_SIZE = 36;
const IEXTEN = 0o100000;

/** Terminal settings of standard input while a VM owns it; `restore` puts the old ones back (qemu_chr_set_echo_stdio, term_exit). */
export class RawTerminal {
  private saved: Uint8Array | null = null;

  constructor(
    private readonly sys: Sys,
    private readonly fd: number,
    /** Does Ctrl-C still send SIGINT (`-serial stdio`), or does the guest get it (`mon:stdio`)? */
    private readonly signals: boolean,
  ) {}

  async enter(): Promise<void> {
    const termios = new Uint8Array(TERMIOS_SIZE);
    const got = await this.sys.ioctl(this.fd, TCGETS, termios);
    if (got < 0) return; // not a terminal: a file or a pipe is read as it is
    this.saved = termios.slice();
    const view = new DataView(termios.buffer);
    view.setUint32(0, view.getUint32(0, true) & ~ICRNL, true);
    let local = view.getUint32(12, true) & ~(ECHO | ICANON | IEXTEN);
    if (!this.signals) local &= ~ISIG;
    view.setUint32(12, local >>> 0, true);
    await this.sys.ioctl(this.fd, TCSETS, termios);
  }

  async restore(): Promise<void> {
    if (this.saved) await this.sys.ioctl(this.fd, TCSETS, this.saved);
    this.saved = null;
  }
}
