/**
 * Multiplexed character device with an escape key (chardev/char-mux.c): `mon:stdio`, which `-nographic` means. Left out:
 * more than two front ends' scroll-back replay.
 */
import { utf8 } from '../../base/bytes.ts';
import type { CharBackend, CharFrontEnd } from './chardev.ts';

const CTRL_A = 1;
/** Own words for what Ctrl-a h explains. */
const HELP = [
  'Ctrl-a h    this list',
  'Ctrl-a x    end the emulator',
  'Ctrl-a s    write disk data back (there are no disks here)',
  'Ctrl-a t    show time stamps on the console, or stop showing them',
  'Ctrl-a b    send a break to the serial line',
  'Ctrl-a c    change between the console and the monitor',
  'Ctrl-a Ctrl-a    send Ctrl-a itself',
];

export interface MuxHooks {
  /** Ctrl-a x. */
  terminate(): void;
  /** Nanoseconds of the process's clock, for time stamps. */
  now(): number;
}

export class MuxChardev {
  private readonly frontEnds: CharFrontEnd[] = [];
  private current = 0;
  private escaped = false;
  private timestamps = false;
  private lineStart = true;
  private epoch: number | null = null;

  constructor(
    private readonly backend: CharBackend,
    private readonly hooks: MuxHooks,
  ) {}

  /** Adds a front end and gives the backend it writes to. Its output shows whether or not it has the focus, as in QEMU. */
  attach(frontEnd: CharFrontEnd): CharBackend {
    this.frontEnds.push(frontEnd);
    return { write: (bytes) => this.output(bytes) };
  }

  /** The front end that gets the keys. The first attached one at the start. */
  focus(index: number): void {
    this.frontEnds[this.current]?.focus?.(false);
    this.current = index;
    this.frontEnds[this.current]?.focus?.(true);
  }

  receive(bytes: Uint8Array): void {
    let start = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (!this.escaped && byte !== CTRL_A) continue;
      if (!this.escaped) {
        this.deliver(bytes.subarray(start, at));
        this.escaped = true;
      } else {
        this.escaped = false;
        if (byte === CTRL_A) this.deliver(bytes.subarray(at, at + 1));
        else this.command(byte);
      }
      start = at + 1;
    }
    if (!this.escaped) this.deliver(bytes.subarray(start));
  }

  private deliver(bytes: Uint8Array): void {
    if (bytes.length > 0) this.frontEnds[this.current]?.receive(bytes);
  }

  private command(byte: number): void {
    switch (String.fromCharCode(byte)) {
      case 'h':
      case '?':
        this.backend.write(utf8(`\n\r${HELP.join('\n\r')}\n\r`));
        break;
      case 'x':
        this.backend.write(utf8('QEMU: Terminated\n\r'));
        this.hooks.terminate();
        break;
      case 's':
        break;
      case 'b':
        this.frontEnds[this.current]?.breakSignal?.();
        break;
      case 'c':
        if (this.frontEnds.length > 0) this.focus((this.current + 1) % this.frontEnds.length);
        break;
      case 't':
        this.timestamps = !this.timestamps;
        this.epoch = null;
        this.lineStart = false;
        break;
    }
  }

  private output(bytes: Uint8Array): void {
    if (!this.timestamps) {
      this.backend.write(bytes);
      return;
    }
    for (const byte of bytes) {
      if (this.lineStart) {
        const now = this.hooks.now();
        this.epoch ??= now;
        this.backend.write(utf8(stamp(now - this.epoch)));
        this.lineStart = false;
      }
      this.backend.write(Uint8Array.of(byte));
      if (byte === 10) this.lineStart = true;
    }
  }
}

/** `[hh:mm:ss.mmm] ` */
function stamp(ns: number): string {
  const ms = Math.floor(ns / 1e6);
  const two = (value: number) => String(value).padStart(2, '0');
  const seconds = Math.floor(ms / 1000);
  return `[${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${String(ms % 1000).padStart(3, '0')}] `;
}
