import type { Site } from '../../log/index.ts';

/**
 * QEMU's error_report/error_setg (util/qemu-error.c): one message that ends the program (or a monitor command), with the
 * location it belongs to (`-device cxl-rp,bus=x`).
 */
export class QemuError extends Error {
  override name = 'QemuError';
  constructor(
    message: string,
    /** Option text printed before the message, `''` for none. */
    readonly location = '',
    /** Printed without the program's name (old fprintf(stderr) messages). */
    readonly plain = false,
  ) {
    super(message);
  }

  /** The same error under a location, unless it has one. */
  at(location: string): QemuError {
    return this.location === '' && !this.plain ? new QemuError(this.message, location) : this;
  }

  /** The line(s) QEMU prints on stderr. */
  report(program: string): string {
    if (this.plain) return `${this.message}\n`;
    return `${program}: ${this.location === '' ? '' : `${this.location}: `}${this.message}\n`;
  }
}

/** error_setg + error_propagate: stops what is being built. */
export function error_setg(message: string): never {
  throw new QemuError(message);
}

/** Runs `build`; errors thrown inside start with `prefix` (error_prepend). */
export function withPrefix<T>(prefix: string, build: () => T): T {
  try {
    return build();
  } catch (error) {
    throw error instanceof QemuError ? new QemuError(prefix + error.message, error.location, error.plain) : error;
  }
}

/** Runs `build`; errors thrown inside get `location`. */
export function withLocation<T>(location: string, build: () => T): T {
  try {
    return build();
  } catch (error) {
    throw error instanceof QemuError ? error.at(location) : error;
  }
}

/** Where a VMM's complaints stand in the log: its process and the line. */
export function reportSite(layer: number): Site {
  return { layer, name: 'error_report', args: ['pid', 'json'], cite: 'util/qemu-error.c' };
}
