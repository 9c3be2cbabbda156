import { viewOf } from '../../../base/bytes.ts';

/**
 * A walk over AML that builds the namespace (drivers/acpi/acpica, ACPI 6.5 §20): scopes, devices, names with constant
 * values. Leaves out the interpreter: methods are kept as bytes, and only `Return (constant)` can be evaluated.
 */

export type AmlValue = number | string | Uint8Array | AmlRef | readonly AmlValue[];
export interface AmlRef {
  readonly ref: string;
}

export class AmlNode {
  readonly children: AmlNode[] = [];
  readonly names = new Map<string, AmlValue>();
  readonly methods = new Map<string, Uint8Array>();
  kind: 'scope' | 'device' | 'processor' = 'scope';

  constructor(
    readonly segment: string,
    readonly parent: AmlNode | null,
  ) {}

  /** `\_SB_.PCI0` */
  get path(): string {
    if (!this.parent) return '\\';
    return this.parent.parent ? `${this.parent.path}.${this.segment}` : `\\${this.segment}`;
  }

  child(segment: string): AmlNode {
    let found = this.children.find((node) => node.segment === segment);
    if (!found) {
      found = new AmlNode(segment, this);
      this.children.push(found);
    }
    return found;
  }

  /** Value of a name, or of a method that only returns a constant; undefined when absent or not constant. */
  evaluate(name: string): AmlValue | undefined {
    const value = this.names.get(name);
    if (value !== undefined) return value;
    const body = this.methods.get(name);
    if (body?.[0] !== 0xa4) return undefined;
    const parser = new Parser(body, this);
    parser.at = 1;
    try {
      return parser.data();
    } catch (error) {
      if (error instanceof AmlStop) return undefined;
      throw error;
    }
  }

  integer(name: string): number | null {
    const value = this.evaluate(name);
    return typeof value === 'number' ? value : null;
  }
}

/** The parser met an opcode it does not know: the rest of the enclosing package is skipped. */
class AmlStop extends Error {}

class Parser {
  at = 0;
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly root: AmlNode,
  ) {
    this.view = viewOf(bytes);
  }

  private u8(): number {
    if (this.at >= this.bytes.length) throw new AmlStop();
    return this.bytes[this.at++] as number;
  }
  private u16(): number {
    this.at += 2;
    return this.view.getUint16(this.at - 2, true);
  }
  private u32(): number {
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }

  /** PkgLength: gives the end position of the package. */
  private pkgEnd(): number {
    const start = this.at;
    const lead = this.u8();
    const more = lead >> 6;
    let length = more ? lead & 0x0f : lead & 0x3f;
    for (let n = 0; n < more; n++) length += this.u8() * 2 ** (4 + 8 * n);
    return start + length;
  }

  /** NameString: anchor (`\`, number of `^`) and segments. */
  private name(): { readonly root: boolean; readonly up: number; readonly segments: readonly string[] } {
    let root = false;
    let up = 0;
    while (this.bytes[this.at] === 0x5c || this.bytes[this.at] === 0x5e) {
      if (this.u8() === 0x5c) root = true;
      else up++;
    }
    const lead = this.bytes[this.at] as number;
    let count = 1;
    if (lead === 0x00) {
      this.at++;
      count = 0;
    } else if (lead === 0x2e) {
      this.at++;
      count = 2;
    } else if (lead === 0x2f) {
      this.at++;
      count = this.u8();
    }
    const segments: string[] = [];
    for (let n = 0; n < count; n++) {
      const segment = String.fromCharCode(...this.bytes.subarray(this.at, this.at + 4));
      if (!/^[A-Z_][A-Z0-9_]{3}$/.test(segment)) throw new AmlStop();
      segments.push(segment);
      this.at += 4;
    }
    return { root, up, segments };
  }

  private node(scope: AmlNode, name: ReturnType<Parser['name']>, drop = 0): AmlNode {
    let node = name.root ? this.root : scope;
    for (let n = 0; n < name.up; n++) node = node.parent ?? node;
    const segments = name.segments.slice(0, name.segments.length - drop);
    // a single segment without anchor is searched upward for an existing object
    if (!name.root && !name.up && drop === 0 && segments.length === 1)
      for (let from: AmlNode | null = scope; from; from = from.parent) {
        const found = from.children.find((child) => child.segment === segments[0]);
        if (found) return found;
      }
    for (const segment of segments) node = node.child(segment);
    return node;
  }

  /** DataRefObject */
  data(): AmlValue {
    const op = this.bytes[this.at] as number;
    switch (op) {
      case 0x00:
        this.at++;
        return 0;
      case 0x01:
        this.at++;
        return 1;
      case 0xff:
        this.at++;
        return 0xffffffff;
      case 0x0a:
        this.at++;
        return this.u8();
      case 0x0b:
        this.at++;
        return this.u16();
      case 0x0c:
        this.at++;
        return this.u32();
      case 0x0e: {
        this.at++;
        const lo = this.u32();
        return this.u32() * 0x1_0000_0000 + lo;
      }
      case 0x0d: {
        this.at++;
        let text = '';
        for (let c = this.u8(); c !== 0; c = this.u8()) text += String.fromCharCode(c);
        return text;
      }
      case 0x11: {
        this.at++;
        const end = this.pkgEnd();
        const size = this.data();
        const out = new Uint8Array(typeof size === 'number' ? size : 0);
        out.set(this.bytes.subarray(this.at, Math.min(end, this.at + out.length)));
        this.at = end;
        return out;
      }
      case 0x12:
      case 0x13: {
        this.at++;
        const end = this.pkgEnd();
        if (op === 0x12) this.u8();
        else this.data();
        const out: AmlValue[] = [];
        while (this.at < end) out.push(this.data());
        return out;
      }
    }
    const name = this.name();
    return { ref: `${name.root ? '\\' : '^'.repeat(name.up)}${name.segments.join('.')}` };
  }

  /** TermList up to `end`, defining objects below `scope`. */
  list(scope: AmlNode, end: number): void {
    try {
      while (this.at < end) this.term(scope);
    } catch (error) {
      if (!(error instanceof AmlStop)) throw error;
    }
    this.at = end;
  }

  private term(scope: AmlNode): void {
    const op = this.u8();
    switch (op) {
      case 0x10: {
        const end = this.pkgEnd();
        this.list(this.node(scope, this.name()), end);
        return;
      }
      case 0x08: {
        const name = this.name();
        this.node(scope, name, 1).names.set(name.segments.at(-1) as string, this.data());
        return;
      }
      case 0x06:
        this.name();
        this.name();
        return;
      case 0x14: {
        const end = this.pkgEnd();
        const name = this.name();
        this.u8();
        this.node(scope, name, 1).methods.set(name.segments.at(-1) as string, this.bytes.subarray(this.at, end));
        this.at = end;
        return;
      }
      case 0x15:
        this.name();
        this.at += 2;
        return;
      case 0xa0:
      case 0xa1:
      case 0xa2:
        this.at = this.pkgEnd();
        return;
      case 0x8a:
      case 0x8b:
      case 0x8c:
      case 0x8d:
      case 0x8f:
        this.data();
        this.data();
        this.name();
        return;
      case 0x5b:
        this.extended(scope);
        return;
    }
    throw new AmlStop();
  }

  private extended(scope: AmlNode): void {
    const op = this.u8();
    switch (op) {
      case 0x82: {
        const end = this.pkgEnd();
        const name = this.name();
        const device = this.node(scope, name, 1).child(name.segments.at(-1) as string);
        device.kind = 'device';
        this.list(device, end);
        return;
      }
      case 0x83: {
        const end = this.pkgEnd();
        const name = this.name();
        const cpu = this.node(scope, name, 1).child(name.segments.at(-1) as string);
        cpu.kind = 'processor';
        this.at += 6;
        this.list(cpu, end);
        return;
      }
      case 0x80:
        this.name();
        this.u8();
        this.data();
        this.data();
        return;
      case 0x81:
      case 0x84:
      case 0x85:
      case 0x86:
      case 0x87:
        this.at = this.pkgEnd();
        return;
      case 0x01:
        this.name();
        this.u8();
        return;
      case 0x02:
        this.name();
        return;
    }
    throw new AmlStop();
  }
}

/** Loads the AML of one table (the bytes after its 36-byte header) into the namespace. */
export function acpi_ns_load_table(root: AmlNode, table: Uint8Array): void {
  const body = table.subarray(36);
  new Parser(body, root).list(root, body.length);
}

/** `PNP0A08` for the compressed EISA id in an integer. */
export function eisa_id(value: number): string {
  const be = (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
  const letter = (shift: number) => String.fromCharCode(0x40 + ((be >>> shift) & 0x1f));
  return `${letter(26)}${letter(21)}${letter(16)}${(be & 0xffff).toString(16).toUpperCase().padStart(4, '0')}`;
}
