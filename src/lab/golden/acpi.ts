import { hex } from '../../base/addr.ts';
import { O_RDONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';

/** A table of the guest's firmware as hexadecimal text. */
export function bytesOfTable(sys: Sys, signature: string): string {
  const fd = sys.open(`/sys/firmware/acpi/tables/${signature}`, O_RDONLY);
  if (fd < 0) return '';
  const buffer = new Uint8Array(65536);
  const count = sys.pread(fd, buffer, 0);
  sys.close(fd);
  return [...buffer.subarray(0, Math.max(count, 0))].map((byte) => hex(byte, 2)).join('');
}
