/** Character devices (chardev/char.c): a backend that carries bytes and a front end that consumes them. */

/** What sits on top of a backend: a serial port or a monitor. */
export interface CharFrontEnd {
  receive(bytes: Uint8Array): void;
  /** Focus of a multiplexed backend came (true) or went (false). */
  focus?(on: boolean): void;
  /** Serial break (Ctrl-a b). */
  breakSignal?(): void;
}

/** Where a front end sends its bytes. */
export interface CharBackend {
  write(bytes: Uint8Array): void;
}

/** `-serial none|null`: bytes vanish. */
export const nullBackend: CharBackend = { write: () => {} };
