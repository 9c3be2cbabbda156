/** Ordered JSON as json-c's pretty printer writes it: two spaces, no space after the colon, empty arrays as `[]`. */
export type Node = string | number | bigint | boolean | readonly Node[] | Fields;
export class Fields {
  readonly entries: (readonly [key: string, value: Node])[] = [];

  add(key: string, value: Node | undefined): this {
    if (value !== undefined) this.entries.push([key, value]);
    return this;
  }
}

export function printJson(node: Node, indent = ''): string {
  const inner = `${indent}  `;
  if (node instanceof Fields) {
    if (node.entries.length === 0) return '{}';
    return `{\n${node.entries.map(([key, value]) => `${inner}${quote(key)}:${printJson(value, inner)}`).join(',\n')}\n${indent}}`;
  }
  if (Array.isArray(node)) {
    const items = node as readonly Node[];
    return items.length === 0
      ? '[]'
      : `[\n${items.map((item) => inner + printJson(item, inner)).join(',\n')}\n${indent}]`;
  }
  return typeof node === 'string' ? quote(node) : String(node);
}

function quote(text: string): string {
  return JSON.stringify(text).replace(/\//g, '\\/');
}

/** A size: a number, or with -u text like `256.00 MiB (268.44 MB)` (util_json_object_size). */
export function size(bytes: bigint, human: boolean): Node {
  if (!human) return bytes;
  if (bytes < (5_000_000n * 1024n) / 1000n) return String(bytes);
  const b = Number(bytes);
  const useGib = bytes >= 2n * 1024n * 1024n * 1024n;
  const useTib = bytes >= 2n * 1024n ** 4n;
  if (useTib) return `${(b / 1024 ** 4).toFixed(2)} TiB (${(b / 1000 ** 4).toFixed(2)} TB)`;
  return useGib
    ? `${(b / 1024 ** 3).toFixed(2)} GiB (${(b / 1000 ** 3).toFixed(2)} GB)`
    : `${(b / 1024 ** 2).toFixed(2)} MiB (${(b / 1000 ** 2).toFixed(2)} MB)`;
}

/** An address or id: a number, or with -u hexadecimal text (`0` for zero). */
export function hexNumber(value: bigint, human: boolean): Node {
  if (!human) return value;
  return value === 0n ? '0' : `0x${value.toString(16)}`;
}
