/** Reading QEMU's fw_cfg device through its ports (docs/specs/fw_cfg.rst). Left out: the DMA interface. */
import { text, viewOf } from '../../base/bytes.ts';
import type { CpuBus } from '../bus/cpu-bus.ts';

const SELECTOR = 0x510;
const DATA = 0x511;

export const FW_CFG_SIGNATURE = 0x00;
export const FW_CFG_KERNEL_SIZE = 0x08;
export const FW_CFG_INITRD_SIZE = 0x0b;
export const FW_CFG_KERNEL_DATA = 0x11;
export const FW_CFG_INITRD_DATA = 0x12;
export const FW_CFG_CMDLINE_SIZE = 0x14;
export const FW_CFG_CMDLINE_DATA = 0x15;
export const FW_CFG_SETUP_SIZE = 0x17;
export const FW_CFG_SETUP_DATA = 0x18;
export const FW_CFG_FILE_DIR = 0x19;

export class FwCfg {
  private readonly files = new Map<string, { readonly key: number; readonly size: number }>();

  private constructor(private readonly bus: CpuBus) {}

  /** Null when the signature is not `QEMU`: a machine without the device. */
  static probe(bus: CpuBus): FwCfg | null {
    const cfg = new FwCfg(bus);
    if (text(cfg.item(FW_CFG_SIGNATURE, 4)) !== 'QEMU') return null;
    const count = viewOf(cfg.item(FW_CFG_FILE_DIR, 4)).getUint32(0);
    // The directory is read on: selecting again would start over.
    const entries = new Uint8Array(count * 64);
    bus.ins(DATA, entries);
    const view = viewOf(entries);
    for (let n = 0; n < count; n++) {
      const name = entries.subarray(n * 64 + 8, n * 64 + 64);
      const end = name.indexOf(0);
      cfg.files.set(text(name.subarray(0, end < 0 ? 56 : end)), {
        size: view.getUint32(n * 64),
        key: view.getUint16(n * 64 + 4),
      });
    }
    return cfg;
  }

  /** First `size` bytes of an item. */
  item(key: number, size: number): Uint8Array {
    const into = new Uint8Array(size);
    this.bus.outp(SELECTOR, 2, key);
    if (size > 0) this.bus.ins(DATA, into);
    return into;
  }
  /** An item that is one little-endian 32-bit number. */
  number(key: number): number {
    return viewOf(this.item(key, 4)).getUint32(0, true);
  }
  /** romfile_loadfile(); null if there is no such file. */
  file(name: string): Uint8Array | null {
    const entry = this.files.get(name);
    return entry ? this.item(entry.key, entry.size) : null;
  }
  /** romfile_loadint(): little-endian, up to 8 bytes (values to 2^53). */
  fileNumber(name: string, otherwise: number): number {
    const bytes = this.file(name);
    if (!bytes || bytes.length === 0 || bytes.length > 8) return otherwise;
    let value = 0;
    for (let n = bytes.length - 1; n >= 0; n--) value = value * 256 + (bytes[n] as number);
    return value;
  }
}
