import { fromHalves } from '../../../base/addr.ts';
import { viewOf } from '../../../base/bytes.ts';

/** Resource templates (_CRS) as descriptors (drivers/acpi/acpica/rs*.c, ACPI 6.5 §6.4). */
export interface AcpiResource {
  readonly type: 'mem' | 'io' | 'bus' | 'irq' | 'other';
  readonly start: number;
  readonly end: number;
  readonly length: number;
  /** Memory: prefetchable or cacheable attribute as written. */
  readonly prefetch: boolean;
  /** Produced for the children (a window) rather than consumed by the device itself. */
  readonly producer: boolean;
}

const TYPES = ['mem', 'io', 'bus'] as const;

/** Parses a resource template; unknown descriptors are skipped by their length. */
export function acpi_walk_resources(bytes: Uint8Array): AcpiResource[] {
  const out: AcpiResource[] = [];
  const view = viewOf(bytes);
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at] as number;
    if (!(tag & 0x80)) {
      const length = tag & 7;
      const kind = tag >> 3;
      if (kind === 0x0f) break;
      if (kind === 0x08 && length >= 7) {
        const start = view.getUint16(at + 2, true);
        const size = view.getUint8(at + 7);
        out.push({ type: 'io', start, end: start + size - 1, length: size, prefetch: false, producer: false });
      }
      at += 1 + length;
      continue;
    }
    const length = view.getUint16(at + 1, true);
    const space = (width: number) => {
      const kind = TYPES[view.getUint8(at + 3)];
      const flags = view.getUint8(at + 4);
      const specific = view.getUint8(at + 5);
      const field = (n: number) => {
        const pos = at + 6 + n * width;
        if (width === 2) return view.getUint16(pos, true);
        if (width === 4) return view.getUint32(pos, true);
        return fromHalves(view.getUint32(pos + 4, true), view.getUint32(pos, true));
      };
      if (kind)
        out.push({
          type: kind,
          start: field(1),
          end: field(2),
          length: field(4),
          prefetch: kind === 'mem' && ((specific >> 1) & 3) === 3,
          producer: (flags & 1) === 0,
        });
    };
    if (tag === 0x88) space(2);
    else if (tag === 0x87) space(4);
    else if (tag === 0x8a) space(8);
    else if (tag === 0x86) {
      const start = view.getUint32(at + 4, true);
      const size = view.getUint32(at + 8, true);
      out.push({ type: 'mem', start, end: start + size - 1, length: size, prefetch: false, producer: false });
    }
    at += 3 + length;
  }
  return out;
}
