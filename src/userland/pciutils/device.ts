/** One PCI function as lspci sees it: its config bytes and, when read live, what the kernel says about it. */
export class PciView {
  constructor(
    readonly domain: number,
    readonly bus: number,
    readonly slot: number,
    readonly fn: number,
    readonly config: Uint8Array,
    /** Absent when decoded from a dump (-F). */
    readonly kernel: KernelView | null,
  ) {}

  byte(at: number): number {
    return this.config[at] ?? 0xff;
  }
  word(at: number): number {
    return this.byte(at) | (this.byte(at + 1) << 8);
  }
  long(at: number): number {
    return (this.word(at) | (this.word(at + 2) << 16)) >>> 0;
  }
  has(at: number, length: number): boolean {
    return at + length <= this.config.length;
  }

  get vendor(): number {
    return this.word(0);
  }
  get device(): number {
    return this.word(2);
  }
  /** 24 bits: class, subclass, programming interface. */
  get classCode(): number {
    return this.long(8) >>> 8;
  }
  get headerType(): number {
    return this.byte(0x0e) & 0x7f;
  }

  slotText(withDomain: boolean): string {
    const h = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
    return `${withDomain ? `${h(this.domain, 4)}:` : ''}${h(this.bus, 2)}:${h(this.slot, 2)}.${this.fn.toString(16)}`;
  }
}

/** sysfs of one device. */
export interface KernelView {
  /** BARs, ROM, then bridge windows: start, end (inclusive), flags; all 0 when unused. */
  readonly resources: readonly { readonly start: number; readonly end: number; readonly flags: number }[];
  readonly irq: number;
  readonly driver: string | null;
  readonly modules: readonly string[];
  readonly numaNode: number;
  readonly iommuGroup: string | null;
  readonly physicalSlot: string | null;
}

/** `+` or `-`: the way lspci shows a bit. */
export function flag(value: number, mask: number): string {
  return (value & mask) !== 0 ? '+' : '-';
}

/** `Name+ Other-` for a list of [name, mask]. */
export function flags(value: number, list: readonly (readonly [string, number])[]): string {
  return list.map(([name, mask]) => name + flag(value, mask)).join(' ');
}

/** [size=64K] as lspci abbreviates. */
export function sizeText(size: number): string {
  if (size === 0) return '';
  const units = ['', 'K', 'M', 'G', 'T'];
  let unit = 0;
  let value = size;
  while (value % 1024 === 0 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return ` [size=${value}${units[unit]}]`;
}
