/** `-m` and `-smp` (system/vl.c parse_memory_options, hw/core/machine.c machine_set_mem, machine-smp.c) in QEMU's words. */
import { hex0x, MiB } from '../../base/addr.ts';
import { qemu_strtosz, qemu_strtou64 } from './cutils.ts';
import { error_setg, withLocation } from './error.ts';
import type { Opts } from './qemu-opts.ts';
import type { Located } from './settings.ts';

export interface MemoryOptions {
  readonly ramSize: number;
  readonly maxRamSize: number;
  readonly slots: number;
}

const DEFAULT_RAM = 128 * MiB;
const ALLOWED = ['size', 'maxmem', 'slots'];

export function parseMemory(given: Located<Opts> | null): MemoryOptions {
  if (!given) return { ramSize: DEFAULT_RAM, maxRamSize: DEFAULT_RAM, slots: 0 };
  const asked = withLocation(given.location, () => {
    const { values } = given.value;
    for (const key of values.keys()) if (!ALLOWED.includes(key)) error_setg(`Invalid parameter '${key}'`);
    const size = (key: string, unit: number, fallback: number): number => {
      const text = values.get(key);
      if (text === undefined) return fallback;
      if (text === '') return error_setg(`missing '${key}' option value`);
      return (
        qemu_strtosz(text, unit) ??
        error_setg(
          `Parameter '${key}' expects a non-negative number below 2^64\nOptional suffixes k, M, G, T, P or E mean kilo-, mega-, giga-, tera-, peta-\nand exabytes, respectively.`,
        )
      );
    };
    const ramSize = Math.ceil(size('size', MiB, DEFAULT_RAM) / 8192) * 8192;
    const slots = values.has('slots')
      ? (qemu_strtou64(values.get('slots') ?? '') ?? error_setg("Parameter 'slots' expects a number"))
      : 0;
    return { ramSize, slots, maxRamSize: values.has('maxmem') ? size('maxmem', 1, ramSize) : null };
  });
  return machine_set_mem(asked.ramSize, asked.maxRamSize, asked.slots);
}

/** The machine's `memory` property is set after the command line was read: its errors name no option. */
function machine_set_mem(ramSize: number, maxRamSize: number | null, slots: number): MemoryOptions {
  if (maxRamSize === null) {
    if (slots > 0) error_setg('slots specified but no max-size');
    return { ramSize, maxRamSize: ramSize, slots: 0 };
  }
  if (maxRamSize < ramSize)
    error_setg(
      `invalid value of maxmem: maximum memory size (${hex0x(maxRamSize)}) must be at least the initial memory size (${hex0x(ramSize)})`,
    );
  if (slots > 0 && maxRamSize === ramSize)
    error_setg(
      `invalid value of maxmem: memory slots were specified but maximum memory size (${hex0x(maxRamSize)}) is equal to the initial memory size (${hex0x(ramSize)})`,
    );
  if (slots > 256) error_setg(`unsupported amount of memory slots: ${slots}`);
  return { ramSize, maxRamSize, slots };
}

/** Topology words of `-smp`; the number of CPUs is what the model uses. */
export function parseSmp(given: Located<Opts> | null): number {
  if (!given) return 1;
  // -smp sets the machine's `smp` property, which is read later: errors name no option.
  return withLocation('', () => {
    const numbers = new Map<string, number>();
    for (const [key, text] of given.value.values) {
      if (!['cpus', 'maxcpus', 'sockets', 'dies', 'clusters', 'modules', 'cores', 'threads'].includes(key))
        error_setg(`Parameter 'smp.${key}' is unexpected`);
      const value = qemu_strtou64(text);
      if (value === null) return error_setg(`Parameter 'smp.${key}' expects integer`);
      if (value === 0) error_setg('Invalid CPU topology: CPU topology parameters must be greater than zero');
      numbers.set(key, value);
    }
    const product = ['sockets', 'dies', 'clusters', 'modules', 'cores', 'threads'].reduce(
      (all, key) => all * (numbers.get(key) ?? 1),
      1,
    );
    const cpus = numbers.get('cpus') ?? numbers.get('maxcpus') ?? product;
    const maxcpus = numbers.get('maxcpus') ?? Math.max(cpus, product);
    if (maxcpus < cpus)
      error_setg(
        `Invalid CPU topology: maxcpus must be equal to or greater than smp: maxcpus (${maxcpus}) < smp_cpus (${cpus})`,
      );
    if (maxcpus > 4096)
      error_setg(`Invalid SMP CPUs ${maxcpus}. The max CPUs supported by machine 'pc-q35-9.2' is 4096`);
    return cpus;
  });
}
