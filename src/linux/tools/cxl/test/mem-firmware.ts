import { viewOf } from '../../../../base/bytes.ts';
import { E } from '../../../../base/errno.ts';

/** The mock device's firmware buffer (tools/testing/cxl/test/mem.c, v6.12): what was transferred, up to 64 MiB. */

const FW_SIZE = 64 * 1024 * 1024;
const FW_SLOTS = 3;
const HEADER = 0x80;
const ALIGNMENT = 128;

export class MockFirmware {
  private bytes = new Uint8Array(0);
  private size = 0;

  /** What the last complete transfer left. */
  get image(): Uint8Array {
    return this.bytes.subarray(0, this.size);
  }

  /** mock_transfer_fw */
  transfer(input: Uint8Array): Uint8Array | number {
    if (input.length < HEADER) return -E.EINVAL;
    const [action = 0, slot = 0] = input;
    const offset = viewOf(input).getUint32(4, true) * ALIGNMENT;
    const end = offset + input.length - HEADER;
    if (end > FW_SIZE) return -E.EINVAL;
    if (action === 4) return new Uint8Array(0);
    if (action > 4 || (action === 0 && offset !== 0)) return -E.EINVAL;
    if (action === 0 || action === 3) {
      if (slot === 0 || slot > FW_SLOTS) return -E.EINVAL;
      this.size = end;
    }
    if (end > this.bytes.length) {
      const grown = new Uint8Array(Math.min(FW_SIZE, Math.max(end, 2 * this.bytes.length)));
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes.set(input.subarray(HEADER), offset);
    return new Uint8Array(0);
  }
}
