/** `-serial`, `-monitor`, `-nographic` and `-nodefaults` turned into backends and front ends (system/vl.c serial_parse, monitor_parse). */
import { strerror } from '../../base/errno.ts';
import { O_CREAT, O_TRUNC, O_WRONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { type CharBackend, type CharFrontEnd, nullBackend } from '../chardev/chardev.ts';
import { FdBackend } from '../chardev/fd-backend.ts';
import { MuxChardev } from '../chardev/mux.ts';
import { error_setg, withLocation } from './error.ts';
import { isWaitingSocket } from './qemu-opts.ts';
import type { Settings } from './settings.ts';
import { STDIN, STDOUT } from './stdio.ts';

/** Where a serial port or a monitor gets its bytes and sends them. */
export type Endpoint =
  | { readonly kind: 'null' }
  | { readonly kind: 'stdio'; readonly mux: boolean }
  | { readonly kind: 'fd'; readonly backend: CharBackend };

export interface ChardevPlan {
  readonly serials: readonly Endpoint[];
  readonly monitors: readonly Endpoint[];
}

/** Applies QEMU's defaults and opens files. */
export function planChardevs(sys: Sys, settings: Settings): ChardevPlan {
  const monInSerial = settings.serials.some((serial) => serial.value.startsWith('mon:'));
  const defaultSerial = settings.serials.length === 0 && !settings.nodefaults;
  const defaultMonitor = settings.monitors.length === 0 && !monInSerial && !settings.nodefaults;
  const serials = settings.serials.map(({ value, location }) => withLocation(location, () => parse(sys, value)));
  const monitors = settings.monitors.map(({ value, location }) => withLocation(location, () => parse(sys, value)));
  if (settings.nographic) {
    if (defaultSerial && defaultMonitor) serials.push({ kind: 'stdio', mux: true });
    else {
      if (defaultSerial) serials.push({ kind: 'stdio', mux: false });
      if (defaultMonitor) monitors.push({ kind: 'stdio', mux: false });
    }
  } else {
    // The default is a window's virtual console, which nobody sees here.
    if (defaultSerial) serials.push({ kind: 'null' });
  }
  if ([...serials, ...monitors].filter((end) => end.kind === 'stdio').length > 1)
    error_setg('cannot use stdio by multiple character devices');
  return { serials, monitors };
}

function parse(sys: Sys, text: string): Endpoint {
  const mux = text.startsWith('mon:');
  const name = mux ? text.slice(4) : text;
  const word = name.split(/[:,]/)[0] as string;
  if (name === 'stdio') return { kind: 'stdio', mux };
  if (name === 'none' || name === 'null' || word === 'vc') return { kind: 'null' };
  if (word === 'file') {
    const path = name.slice(5);
    const fd = sys.open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o666);
    if (fd < 0)
      error_setg(
        `could not connect serial device to character backend '${text}': Could not open '${path}': ${strerror(fd)}`,
      );
    return { kind: 'fd', backend: new FdBackend(sys, fd) };
  }
  if (isWaitingSocket(name)) return { kind: 'null' };
  if (
    ['unix', 'tcp', 'telnet', 'udp', 'pty', 'pipe', 'chardev', 'msmouse', 'braille', 'websocket'].includes(word) ||
    name.startsWith('/dev/')
  )
    return error_setg(
      `character backend '${word}' is not modelled in this lab: use stdio, mon:stdio, file:PATH, none, or a socket nobody has to connect to (server=on,wait=off)`,
    );
  return error_setg(`could not connect serial device to character backend '${text}'`);
}

/** Standard input and output shared by what uses them. */
export class StdioHub {
  readonly mux: MuxChardev | null;
  private direct: CharFrontEnd | null = null;
  private readonly out: CharBackend;

  constructor(sys: Sys, useMux: boolean, terminate: () => void) {
    this.out = new FdBackend(sys, STDOUT);
    this.mux = useMux ? new MuxChardev(this.out, { terminate, now: () => sys.clockGettime('monotonic') }) : null;
  }

  /** Backend for a front end; bytes from standard input come to it. */
  attach(frontEnd: CharFrontEnd): CharBackend {
    if (this.mux) return this.mux.attach(frontEnd);
    this.direct = frontEnd;
    return this.out;
  }
  receive(bytes: Uint8Array): void {
    if (this.mux) this.mux.receive(bytes);
    else this.direct?.receive(bytes);
  }
}

export { nullBackend, STDIN };
