/**
 * `-machine` properties of q35 (hw/i386/pc.c, pc_q35.c) and the fixed memory windows (hw/cxl/cxl-host.c
 * machine_set_cfmws, cxl_fixed_memory_window_config).
 */
import { MiB } from '../../base/addr.ts';
import { qemu_strtosz } from './cutils.ts';
import { error_setg } from './error.ts';
import { qapi_bool_parse } from './qemu-opts.ts';

export const MACHINE_TYPE = 'pc-q35-9.2';

export interface FixedWindowOptions {
  readonly size: number;
  readonly granularity: number;
  /** ids of pxb-cxl devices, in order. */
  readonly targets: readonly string[];
}

export interface MachineOptions {
  readonly cxl: boolean;
  readonly windows: readonly FixedWindowOptions[];
  readonly hpet: boolean;
  readonly smm: boolean;
  readonly vmport: boolean;
  readonly acpi: boolean;
  /** `memory-backend=id`: an object that gives the RAM. */
  readonly memoryBackend: string | null;
  /** `accel=kvm:tcg`, in order. */
  readonly accel: readonly string[];
}

/** Machine types of `-machine help`. */
export const MACHINES = new Map<string, string>([
  ['none', 'empty machine'],
  ['q35', `Standard PC (Q35 + ICH9, 2009) (alias of ${MACHINE_TYPE})`],
  [MACHINE_TYPE, 'Standard PC (Q35 + ICH9, 2009)'],
]);

/** Boolean properties that exist and change nothing that is modelled. */
const INERT_BOOLS = [
  ...['pit', 'sata', 'i8042', 'usb', 'graphics', 'mem-merge', 'dump-guest-core', 'nvdimm', 'hmat', 'fd-bootchk'],
  ...['default-bus-bypass-iommu', 'suppress-vmdesc', 'smbus', 'aux-ram-share'],
];
const INERT_STRINGS = [
  'kernel-irqchip',
  'dt-compatible',
  'firmware',
  'dumpdtb',
  'phandle-start',
  'smbios-entry-point-type',
];
const INERT_SIZES = ['max-ram-below-4g', 'max-fw-size'];

const MAX_WINDOWS = 16;

export function parseMachine(values: ReadonlyMap<string, string>): MachineOptions {
  const type = values.get('type') ?? null;
  if (type === null) error_setg('No machine specified, and there is no default');
  if (!MACHINES.has(type) || type === 'none') {
    if (type === 'none' || type === 'pc' || type.startsWith('pc-') || type === 'microvm')
      error_setg(`machine type '${type}' is not modelled in this lab: use q35`);
    error_setg(`unsupported machine type: "${type}"\nUse -machine help to list supported machines`);
  }
  const bools = new Map<string, boolean>();
  let memoryBackend: string | null = null;
  let accel: readonly string[] = [];
  const windows = new Map<number, { targets: Map<number, string>; size: number | null; granularity: number }>();
  for (const [key, value] of values) {
    const window = /^cxl-fmw\.(\d+)\.(.+)$/.exec(key);
    if (key === 'type') continue;
    if (window) window_property(windows, Number(window[1]), window[2] as string, value);
    else if (['cxl', 'hpet', 'smm', 'vmport', 'acpi', ...INERT_BOOLS].includes(key))
      bools.set(key, value === 'auto' ? true : qapi_bool_parse(key, value));
    else if (key === 'memory-backend') memoryBackend = value;
    else if (key === 'accel') accel = value.split(':');
    else if (INERT_SIZES.includes(key)) {
      if (qemu_strtosz(value) === null) error_setg(`Parameter '${key}' expects size`);
    } else if (!INERT_STRINGS.includes(key)) error_setg(`Property '${MACHINE_TYPE}-machine.${key}' not found`);
  }
  return {
    cxl: bools.get('cxl') ?? false,
    windows: finishWindows(windows),
    hpet: bools.get('hpet') ?? true,
    smm: bools.get('smm') ?? true,
    vmport: bools.get('vmport') ?? true,
    acpi: bools.get('acpi') ?? true,
    memoryBackend,
    accel,
  };
}

type RawWindow = { targets: Map<number, string>; size: number | null; granularity: number };

function window_property(windows: Map<number, RawWindow>, n: number, property: string, value: string): void {
  const window = windows.get(n) ?? { targets: new Map<number, string>(), size: null, granularity: 256 };
  windows.set(n, window);
  const target = /^targets\.(\d+)$/.exec(property);
  const name = `cxl-fmw.${n}.${property}`;
  if (target) window.targets.set(Number(target[1]), value);
  else if (property === 'size') window.size = qemu_strtosz(value) ?? error_setg(`Parameter '${name}' expects size`);
  else if (property === 'interleave-granularity')
    window.granularity = qemu_strtosz(value) ?? error_setg(`Parameter '${name}' expects size`);
  else error_setg(`Parameter '${name}' is unexpected`);
}

function finishWindows(windows: ReadonlyMap<number, RawWindow>): FixedWindowOptions[] {
  const out: FixedWindowOptions[] = [];
  for (let n = 0; n < windows.size; n++) {
    const window = windows.get(n);
    if (!window) return error_setg(`Parameter 'cxl-fmw.${n}' missing`);
    if (window.targets.size === 0) error_setg(`Parameter 'cxl-fmw.${n}.targets' is missing`);
    const targets: string[] = [];
    for (let t = 0; t < window.targets.size; t++)
      targets.push(window.targets.get(t) ?? error_setg(`Parameter 'cxl-fmw.${n}.targets.${t}' missing`));
    if (window.size === null) return error_setg(`Parameter 'cxl-fmw.${n}.size' is missing`);
    if (window.size % (256 * MiB) !== 0) error_setg('Size of a CXL fixed memory window must be a multiple of 256MiB');
    if (![1, 2, 4, 8, 16, 3, 6, 12].includes(targets.length))
      error_setg(`Interleave ways: ${targets.length} not supported`);
    if (![256, 512, 1024, 2048, 4096, 8192, 16384].includes(window.granularity))
      error_setg(`Interleave granularity: ${window.granularity} invalid`);
    out.push({ size: window.size, granularity: window.granularity, targets });
  }
  if (out.length > MAX_WINDOWS) error_setg(`at most ${MAX_WINDOWS} CXL fixed memory windows are modelled`);
  return out;
}
