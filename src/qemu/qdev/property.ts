/**
 * qdev properties (hw/core/qdev-properties.c): kinds, parsing from the command line (keyval visitor errors) and the text
 * `info qtree` prints.
 */
import { hex } from '../../base/addr.ts';
import { qemu_strtosz, qemu_strtou64, size_to_str } from '../system/cutils.ts';
import { error_setg } from '../system/error.ts';
import { qapi_bool_parse } from '../system/qemu-opts.ts';

export type PropertyKind =
  | 'bool'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'int32'
  | 'size'
  | 'string'
  | 'devfn'
  | 'enum'
  | 'link'
  | 'host-address';

export type PropertyValue = boolean | number | string | null;

export interface PropertySpec {
  readonly name: string;
  readonly kind: PropertyKind;
  /** Default value; `null` prints as `""` or `<null>`. A number ≥ 2^53 may be given as its `qtreeText`. */
  readonly value: PropertyValue;
  /** Allowed words of an enum. */
  readonly words?: readonly string[];
  /** QOM type a link must point to (`memory-backend`). */
  readonly linkType?: string;
  /** Is it listed by `info qtree`? Links (DEFINE_PROP_LINK) are not. Default: all but links. */
  readonly inQtree?: boolean;
  /** Text of the default where the value does not print exactly (all-ones of 64 bits). */
  readonly qtreeText?: string;
  /** One line for `-device TYPE,help`. */
  readonly description?: string;
}

const RANGE: Readonly<Record<string, number>> = { uint8: 0xff, uint16: 0xffff, uint32: 0xffffffff };

/** Parses the text given on the command line, as QEMU's setter would; throws QemuError in QEMU's words. */
export function parseProperty(type: string, spec: PropertySpec, text: string): PropertyValue {
  const { name } = spec;
  switch (spec.kind) {
    case 'bool':
      return qapi_bool_parse(name, text);
    case 'uint8':
    case 'uint16':
    case 'uint32': {
      const value = qemu_strtou64(text);
      if (value === null) return error_setg(`Parameter '${name}' expects integer`);
      return value <= (RANGE[spec.kind] as number) ? value : error_setg(`Parameter '${name}' expects ${spec.kind}_t`);
    }
    case 'uint64':
      return qemu_strtou64(text) ?? error_setg(`Parameter '${name}' expects integer`);
    case 'int32': {
      const value = text.startsWith('-') ? qemu_strtou64(text.slice(1)) : qemu_strtou64(text);
      if (value === null) return error_setg(`Parameter '${name}' expects integer`);
      return text.startsWith('-') ? -value : value;
    }
    case 'size':
      return qemu_strtosz(text) ?? error_setg(`Parameter '${name}' expects size`);
    case 'enum':
      if (spec.words?.includes(text)) return text;
      return error_setg(`Parameter '${name}' does not accept value '${text}'`);
    case 'devfn': {
      const match = /^([0-9a-fA-F]{1,2})(?:\.([0-7]))?$/.exec(text.replace(/^0[xX]/, ''));
      const slot = match ? Number.parseInt(match[1] as string, 16) : 99;
      if (!match || slot > 31) return error_setg(`Property '${type}.${name}' doesn't take value '${text}'`);
      return slot * 8 + Number(match[2] ?? 0);
    }
    case 'host-address': {
      if (!/^(?:[0-9a-fA-F]{1,4}:)?[0-9a-fA-F]{1,2}:[0-9a-fA-F]{1,2}\.[0-7]$/.test(text))
        return error_setg(`Property '${type}.${name}' doesn't take value '${text}'`);
      return text;
    }
    case 'string':
    case 'link':
      return text;
  }
}

/** Property value as `info qtree` prints it (qdev_print_props with the human-readable string visitor). */
export function printProperty(spec: PropertySpec, value: PropertyValue): string {
  if (value === spec.value && spec.qtreeText !== undefined) return spec.qtreeText;
  if (value === null) return spec.kind === 'string' || spec.kind === 'link' ? '""' : '<null>';
  switch (spec.kind) {
    case 'bool':
      return value === true ? 'true' : 'false';
    case 'string':
    case 'enum':
    case 'link':
    case 'host-address':
      return `"${value}"`;
    case 'devfn': {
      const devfn = Number(value);
      return devfn < 0 ? '<unset>' : `${hex(Math.floor(devfn / 8), 2)}.${devfn % 8}`;
    }
    case 'size':
      return `${value} (${size_to_str(Number(value))})`;
    case 'int32':
      return Number(value) < 0
        ? `${value} (0x${(2n ** 64n + BigInt(Number(value))).toString(16)})`
        : `${value} (0x${hex(Number(value))})`;
    default:
      return `${value} (0x${hex(Number(value))})`;
  }
}
