/** `xp/fmt addr` (monitor/hmp-cmds-target.c memory_dump): physical memory through the `memory` address space, device registers included. */
import { hex } from '../../base/addr.ts';
import type { RunningMachine } from '../system/running-machine.ts';
import { evaluate } from './expression.ts';
import { type Monitor, registerCommand, TRY_HELP } from './hmp.ts';

interface Format {
  readonly count: number;
  readonly kind: 'x' | 'd' | 'u' | 'o' | 'c' | 'i';
  readonly size: number;
}

const SIZES: Readonly<Record<string, number>> = { b: 1, h: 2, w: 4, l: 4, g: 8 };
const FIRST_FORMAT: Format = { count: 1, kind: 'x', size: 4 };
/** What a client last asked for: fields its next command leaves out are these (QEMU's default_fmt_format and _size). */
const lastFormats = new WeakMap<Monitor, Format>();

/** `/4xw` → count, kind, size; a text when it is malformed. */
export function parseFormat(text: string, last: Format): Format | string {
  const match = /^\/(\d*)([a-z]*)$/.exec(text);
  if (!match) return `invalid char in format: '${text.slice(1)}'\n`;
  let { kind, size } = last;
  for (const char of match[2] as string) {
    if (char in SIZES) size = SIZES[char] as number;
    else if (char === 'x' || char === 'd' || char === 'u' || char === 'o' || char === 'c' || char === 'i') kind = char;
    else return `invalid char in format: '${char}'\n`;
  }
  return { count: match[1] === '' ? 1 : Number(match[1]), kind, size: kind === 'c' ? 1 : size };
}

function word(bytes: Uint8Array, at: number, size: number): bigint {
  let value = 0n;
  for (let n = size - 1; n >= 0; n--) value = value * 256n + BigInt(bytes[at + n] ?? 0);
  return value;
}

const ESCAPES: Readonly<Record<number, string>> = { 39: "\\'", 92: '\\\\', 10: '\\n', 13: '\\r' };

function item(format: Format, value: bigint): string {
  const bits = format.size * 8;
  switch (format.kind) {
    case 'o':
      return ` 0${value.toString(8).padStart(Math.ceil(bits / 3), '0')}`;
    case 'u':
      return ` ${value.toString().padStart(Math.ceil((bits * 10) / 33))}`;
    case 'd':
      return ` ${BigInt.asIntN(bits, value)
        .toString()
        .padStart(Math.ceil((bits * 10) / 33))}`;
    case 'c': {
      const code = Number(value);
      const shown = ESCAPES[code] ?? (code >= 32 && code < 127 ? String.fromCharCode(code) : `\\x${hex(code, 2)}`);
      return ` '${shown}'`;
    }
    default:
      return ` 0x${value.toString(16).padStart(bits / 4, '0')}`;
  }
}

/** memory_dump() for physical addresses. */
export function memory_dump(vm: RunningMachine, format: Format, addr: number): string {
  const perLine = format.size === 1 ? 8 : 16;
  const total = format.size * format.count;
  let out = '';
  for (let at = 0; at < total; at += perLine) {
    const bytes = new Uint8Array(Math.min(perLine, total - at));
    vm.address_space_memory.read(addr + at, bytes);
    out += `${hex(addr + at, 16)}:`;
    for (let n = 0; n < bytes.length; n += format.size) out += item(format, word(bytes, n, format.size));
    out += '\n';
  }
  return out;
}

registerCommand({
  names: ['xp'],
  parameters: '/fmt addr',
  help: 'show physical memory',
  run: (vm, args, monitor) => {
    const last = lastFormats.get(monitor) ?? FIRST_FORMAT;
    const format = args[0]?.startsWith('/') ? parseFormat(args[0], last) : { ...last, count: 1 };
    if (typeof format === 'string') return format + TRY_HELP('xp');
    if (format.kind === 'i') return 'the model has no guest machine code to disassemble\n';
    const rest = args[0]?.startsWith('/') ? args.slice(1) : args;
    const addr = evaluate(rest.join(' '));
    if (typeof addr === 'string') return addr + TRY_HELP('xp');
    lastFormats.set(monitor, format);
    return memory_dump(vm, format, addr);
  },
});

registerCommand({
  names: ['print', 'p'],
  parameters: '/fmt expr',
  help: 'value of an expression (formats d u x o c)',
  run: (_vm, args) => {
    const kind = /^\/([duxoc])$/.exec(args[0] ?? '')?.[1] ?? 'd';
    const value = evaluate((args[0]?.startsWith('/') ? args.slice(1) : args).join(' '));
    if (typeof value === 'string') return value + TRY_HELP('print');
    const code = Number(value);
    if (kind === 'x') return `${code === 0 ? '0' : `0x${hex(code)}`}\n`;
    if (kind === 'o') return `${code === 0 ? '0' : `0${code.toString(8)}`}\n`;
    if (kind === 'c')
      return ` '${ESCAPES[code] ?? (code >= 32 && code < 127 ? String.fromCharCode(code) : `\\x${hex(code, 2)}`)}'\n`;
    return `${code}\n`;
  },
});

registerCommand({
  names: ['x'],
  parameters: '/fmt addr',
  help: 'show virtual memory (not modelled: see xp)',
  run: () => 'virtual addresses are not modelled: the guest kernel is not machine code. Use xp.\n',
});
