/** The fw_cfg device (hw/nvram/fw_cfg.c, docs/specs/fw_cfg.rst): numbered items firmware reads byte by byte. Left out: the DMA interface (its ports show the signature and ignore writes). */
import type { Width } from '../../../base/addr.ts';
import { utf8 } from '../../../base/bytes.ts';
import type { MemoryRegionOps } from '../../../hw/memory/index.ts';

export const FW_CFG = {
  SIGNATURE: 0x00,
  ID: 0x01,
  RAM_SIZE: 0x03,
  NOGRAPHIC: 0x04,
  NB_CPUS: 0x05,
  KERNEL_ADDR: 0x07,
  KERNEL_SIZE: 0x08,
  INITRD_ADDR: 0x0a,
  INITRD_SIZE: 0x0b,
  BOOT_DEVICE: 0x0c,
  BOOT_MENU: 0x0e,
  MAX_CPUS: 0x0f,
  KERNEL_DATA: 0x11,
  INITRD_DATA: 0x12,
  CMDLINE_ADDR: 0x13,
  CMDLINE_SIZE: 0x14,
  CMDLINE_DATA: 0x15,
  SETUP_ADDR: 0x16,
  SETUP_SIZE: 0x17,
  SETUP_DATA: 0x18,
  FILE_DIR: 0x19,
  FILE_FIRST: 0x20,
} as const;

const NAME_SIZE = 56;

export class FwCfgState {
  private readonly items = new Map<number, Uint8Array>();
  private readonly files = new Map<string, Uint8Array>();
  /** Run when firmware selects the file, before it reads. */
  private readonly callbacks = new Map<string, () => void>();
  private names: string[] = [];
  private selected = 0xffff;
  private offset = 0;

  constructor() {
    this.add_bytes(FW_CFG.SIGNATURE, utf8('QEMU'));
    this.add_i32(FW_CFG.ID, 1);
  }

  add_bytes(key: number, bytes: Uint8Array): void {
    this.items.set(key, bytes);
  }
  add_i16(key: number, value: number): void {
    this.add_bytes(key, Uint8Array.of(value & 0xff, (value >> 8) & 0xff));
  }
  add_i32(key: number, value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    this.add_bytes(key, bytes);
  }
  add_i64(key: number, value: number): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
    this.add_bytes(key, bytes);
  }
  /** fw_cfg_add_file(); the directory is kept sorted by name. */
  add_file(name: string, bytes: Uint8Array, onSelect?: () => void): void {
    this.files.set(name, bytes);
    if (onSelect) this.callbacks.set(name, onSelect);
    this.rebuild();
  }
  /** fw_cfg_modify_file(): new contents under the same key. */
  modify_file(name: string, bytes: Uint8Array): void {
    this.files.set(name, bytes);
    this.rebuild();
  }

  private rebuild(): void {
    const names = [...this.files.keys()].sort();
    this.names = names;
    const dir = new Uint8Array(4 + names.length * 64);
    const view = new DataView(dir.buffer);
    view.setUint32(0, names.length);
    names.forEach((name, n) => {
      const bytes = this.files.get(name) as Uint8Array;
      const at = 4 + n * 64;
      view.setUint32(at, bytes.length);
      view.setUint16(at + 4, FW_CFG.FILE_FIRST + n);
      dir.set(utf8(name).subarray(0, NAME_SIZE - 1), at + 8);
      this.items.set(FW_CFG.FILE_FIRST + n, bytes);
    });
    this.items.set(FW_CFG.FILE_DIR, dir);
  }

  reset(): void {
    this.selected = 0;
    this.offset = 0;
  }
  select(key: number): void {
    this.selected = key & 0x3fff;
    this.offset = 0;
    const name = this.names[this.selected - FW_CFG.FILE_FIRST];
    if (name !== undefined) this.callbacks.get(name)?.();
  }
  /** One data byte; zeros past the end. */
  next(): number {
    return this.items.get(this.selected)?.[this.offset++] ?? 0;
  }
  /** `rep insb` from the data port. */
  readInto(into: Uint8Array): void {
    const item = this.items.get(this.selected);
    const part = item?.subarray(this.offset, this.offset + into.length);
    into.fill(0);
    if (part) into.set(part);
    this.offset += into.length;
  }
  peekNext(): number {
    return this.items.get(this.selected)?.[this.offset] ?? 0;
  }

  /** `fwcfg`: selector at 0 (16 bits), data at 1 (8 bits). */
  readonly ops: MemoryRegionOps = {
    hi: 0,
    read: (_offset: number, width: Width) => (width === 1 ? this.next() : 0),
    write: (offset: number, width: Width, lo: number) => {
      if (offset === 0 && width === 2) this.select(lo);
    },
    peek: () => this.peekNext(),
    valid: { min: 1, max: 2 },
  };

  /** `fwcfg.dma`: the register pair holds the interface's signature when read. */
  readonly dmaOps: MemoryRegionOps = {
    hi: 0,
    read: (offset: number, width: Width) => {
      let value = 0;
      for (let n = 0; n < Math.min(width, 4); n++) value += ('QEMU CFG'.charCodeAt(offset + n) || 0) * 256 ** n;
      return value;
    },
    write: () => {},
    peek: () => null,
  };
}
