/**
 * What the patch board chooses: every setting of the three build commands (kbuild l1, kbuild l2, qbuild), and of the command
 * lines that start what they made. Travels in links as text (choice-text.ts); lab/build-choice.ts makes commands of it.
 */
import { KCONFIG } from '../content/series/kconfig.ts';
import { RFC_V1_CREATES, RFC_V1_PATCHES } from '../content/series/rfc-v1.ts';
import { KERNEL_QUIRKS } from '../spec/quirks/kernel.ts';
import { QEMU_QUIRKS } from '../spec/quirks/qemu.ts';

export const SERIES = ['rfc-v1', 'v3'] as const;
export const DEVICES = ['B', 'A', 'none'] as const;
export const DECODERS = ['4', '1'] as const;
export const MEMORIES = ['256M', '512M', '1G', 'none'] as const;
/** Size of BAR 0, and where in it the component block lies. */
export const BARS = ['64K', '8K', '128K', '128K@64K'] as const;
export const QEMUS = ['intended', 'posted', 'branch', 'upstream', 'v3'] as const;
export const VFIO_DRIVERS = ['variant', 'vfio-pci'] as const;
export const DRIVERS = ['rfc', '2025', 'v28'] as const;

export type Setting = 'posted' | 'intended';
export type Quirks = Readonly<Record<string, Setting>>;
/** Whose build a quirk belongs to: L1's kernel, L2's kernel, L1's QEMU. */
export const PARTS = ['l1', 'l2', 'qemu'] as const;
export type Part = (typeof PARTS)[number];

export interface BuildChoice {
  readonly series: (typeof SERIES)[number];
  /** Numbers of the RFC's patches that are left out, ascending. */
  readonly without: readonly number[];
  /** Left out too, but linked: stand-ins for what they export (`kbuild --soft`). */
  readonly soft: readonly number[];
  /** Options that differ from the published configuration, `NAME=y`, for L1's and for L2's kernel. */
  readonly config: readonly string[];
  readonly configL2: readonly string[];
  /** Defects set apart from what a build has by itself. */
  readonly quirks: Readonly<Record<Part, Quirks>>;
  readonly device: (typeof DEVICES)[number];
  /** The device has a reset handler. */
  readonly reset: boolean;
  readonly decoders: (typeof DECODERS)[number];
  /** Firmware commits and locks decoder 0 before L1 starts. */
  readonly committed: boolean;
  readonly memory: (typeof MEMORIES)[number];
  readonly bar: (typeof BARS)[number];
  /** Guests see the hypervisor bit of CPUID. */
  readonly hypervisor: boolean;
  /** L1 fails to map the region (`cxlab.fail_ioremap`). */
  readonly failIoremap: boolean;
  /** Driver of L1 that gets the device: the RFC's for this device, or vfio-pci. */
  readonly bind: (typeof VFIO_DRIVERS)[number];
  readonly qemu: (typeof QEMUS)[number];
  /** The v3 VMM leaves the virtual decoder uncommitted (`x-cxl-decoder=released`). */
  readonly released: boolean;
  readonly driver: (typeof DRIVERS)[number];
}

/** The RFC as posted, all of it, with parts that let it reach the memory. */
export const POSTED_SERIES: BuildChoice = {
  series: 'rfc-v1',
  without: [],
  soft: [],
  config: [],
  configL2: [],
  quirks: { l1: {}, l2: {}, qemu: {} },
  device: 'B',
  reset: false,
  decoders: '4',
  committed: false,
  memory: '256M',
  bar: '64K',
  hypervisor: false,
  failIoremap: false,
  bind: 'variant',
  qemu: 'intended',
  released: false,
  driver: 'rfc',
};

/** The series of June 2026 with what it needs around it: one decoder that firmware committed, its VMM, an L2 driver for it. */
export const V3_SERIES: BuildChoice = {
  ...POSTED_SERIES,
  series: 'v3',
  decoders: '1',
  committed: true,
  bind: 'vfio-pci',
  qemu: 'v3',
  driver: 'v28',
};

/** The whole series a choice departs from. */
export function wholeSeries(series: BuildChoice['series']): BuildChoice {
  return series === 'v3' ? V3_SERIES : POSTED_SERIES;
}

/** Options worth a switch of their own: what the series' outcome hangs on. */
export const CONFIG_SWITCHES = [
  'CXL_REGION_INVALIDATION_TEST=y',
  'CXL_REGION=n',
  'VFIO_CXL_CORE=n',
  'PROVE_LOCKING=y',
] as const;

/** Quirks a part's build command knows, each with what the build has when nothing is said. */
export function quirksOf(part: Part, qemu: BuildChoice['qemu']): Quirks {
  if (part !== 'qemu') return KERNEL_QUIRKS;
  const variant: string = qemu;
  return Object.fromEntries(
    Object.entries(QEMU_QUIRKS).map(([id, shownBy]) => [
      id,
      shownBy.some((one) => one === variant) ? ('posted' as const) : ('intended' as const),
    ]),
  );
}

/** The same choice without settings a build has anyway. */
export function tidyChoice(choice: BuildChoice): BuildChoice {
  const own = (part: Part): Quirks => {
    const has = quirksOf(part, choice.qemu);
    return Object.fromEntries(Object.entries(choice.quirks[part]).filter(([id, how]) => has[id] !== how));
  };
  return { ...choice, quirks: { l1: own('l1'), l2: own('l2'), qemu: own('qemu') } };
}

/** Patches that are whole files: nothing can stand in for them. */
export const WHOLE_FILES: readonly number[] = Object.values(RFC_V1_CREATES);
export const PATCH_COUNT = RFC_V1_PATCHES.length;

/** What is wrong with an option word for a machine's kernel, in one sentence; null when it can be asked for. */
export function configFault(word: string, machine: 'l1' | 'l2', series: string): string | null {
  const [, name = '', value] = /^(?:CONFIG_)?([A-Z0-9_]+)=([ymn])$/.exec(word) ?? [];
  if (value === undefined) return `“${word}” is no option; one is written CXL_REGION=n, with y, m or n.`;
  const known = KCONFIG.filter(
    (one) => (one.machine ?? machine) === machine && (machine === 'l2' || (one.series ?? series) === series),
  );
  const symbol = known.find((one) => one.name === name);
  if (!symbol) return `The tree of ${machine.toUpperCase()}’s kernel has no CONFIG_${name}.`;
  if (value === 'm' && symbol.type === 'bool') return `CONFIG_${name} is y or n, never m.`;
  return null;
}

/** Settings that no build can have together, as one sentence; null when the choice can be built. */
export function choiceFault(choice: BuildChoice): string | null {
  const { series, without, soft, quirks } = choice;
  if (series === 'v3' && (without.length > 0 || soft.length > 0 || Object.keys(quirks.l1).length > 0))
    return 'The v3 series is built whole: no patch of it can be left out and no defect of L1’s kernel set.';
  const file = soft.find((number) => WHOLE_FILES.includes(number));
  if (file !== undefined) return `Patch ${file} is a whole file, nothing can stand in for it; leave it out instead.`;
  const both = soft.find((number) => without.includes(number));
  if (both !== undefined) return `Patch ${both} is both left out and given a stand-in; it is one or the other.`;
  return null;
}
