import { PciView } from './device.ts';

const HEAD = /^(?:([0-9a-fA-F]{4,}):)?([0-9a-fA-F]{2}):([0-9a-fA-F]{2})\.([0-7])(?:\s|$)/;
const BYTES = /^([0-9a-fA-F]{2,3}):((?: [0-9a-fA-F]{2})+)\s*$/;

/** Devices of an `lspci -x…` dump (`-F FILE`). */
export function parseDump(text: string): readonly PciView[] {
  const found: PciView[] = [];
  let address: readonly number[] | null = null;
  let bytes: number[] = [];
  const finish = () => {
    if (address && bytes.length > 0)
      found.push(
        new PciView(
          address[0] as number,
          address[1] as number,
          address[2] as number,
          address[3] as number,
          Uint8Array.from(bytes, (byte) => byte ?? 0xff),
          null,
        ),
      );
    address = null;
    bytes = [];
  };
  for (const line of text.split('\n')) {
    const head = HEAD.exec(line);
    if (head) {
      finish();
      address = [head[1] ?? '0', head[2] as string, head[3] as string, head[4] as string].map((part) =>
        Number.parseInt(part, 16),
      );
      continue;
    }
    const data = BYTES.exec(line);
    if (!data || !address) continue;
    const at = Number.parseInt(data[1] as string, 16);
    (data[2] as string)
      .trim()
      .split(' ')
      .forEach((byte, n) => {
        bytes[at + n] = Number.parseInt(byte, 16);
      });
  }
  finish();
  return found.sort((a, b) => a.domain - b.domain || a.bus - b.bus || a.slot - b.slot || a.fn - b.fn);
}
