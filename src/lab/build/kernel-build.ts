import { UserError } from '../../base/assert.ts';
import { L1_BUILD, L2_BUILD } from '../../content/machines/builds.ts';
import { RFC_V1_PATCHES } from '../../content/series/rfc-v1.ts';
import type { InitrdEntry } from '../../linux/image.ts';
import type { KernelBuild } from '../../linux/include/build.ts';
import { MODULES } from '../../linux/module-table.ts';
import { depmod } from '../../linux/module-tree.ts';
import { KERNEL_QUIRKS } from '../../spec/quirks/kernel.ts';
import { buildId } from './build-id.ts';
import { olddefconfig } from './kconfig.ts';
import { linkErrors, symvers, undefinedSymbols } from './link.ts';

/** What `kbuild` was asked for, and the build that comes of it (or the errors of make). Nothing here touches a file. */
export type Setting = 'posted' | 'intended';

export interface KernelRequest {
  readonly machine: 'l1' | 'l2';
  readonly series: string;
  /** Patches applied, ascending. */
  readonly patches: readonly number[];
  /** Left-out patches whose callers get empty functions instead of a link error. */
  readonly soft: readonly number[];
  readonly config: readonly string[];
  readonly quirks: Readonly<Record<string, Setting>>;
  /** L2's test driver: of the RFC's time, the sample of 2025, or the lab's on the interface of 2026. */
  readonly driver: 'rfc' | '2025' | 'v28';
}

export interface KernelResult {
  readonly build: KernelBuild;
  readonly remarks: readonly string[];
  /** Lines make ends with; empty when everything linked. */
  readonly errors: readonly string[];
  /** Files linked into the image: the modules of this build. */
  readonly initramfs: readonly InitrdEntry[];
}

export const SERIES: readonly string[] = ['rfc-v1', 'v3'];
export const ALL_PATCHES: readonly number[] = RFC_V1_PATCHES.map((patch) => patch.number);

/** `2,4-6`, `all`, `none`. */
export function patchList(option: string, words: readonly string[]): readonly number[] {
  const out = new Set<number>();
  for (const word of words.flatMap((text) => text.split(','))) {
    if (word === 'none') continue;
    const match = word === 'all' ? ['', '1', String(ALL_PATCHES.length)] : /^(\d{1,2})(?:-(\d{1,2}))?$/.exec(word);
    if (!match) throw new UserError(`${option} wants patch numbers such as 5 or 2,4-6, not "${word}"`);
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (first > last) throw new UserError(`${option} ${word}: a range goes upwards, ${last}-${first}`);
    if (first < 1 || last > ALL_PATCHES.length)
      throw new UserError(`${option} ${word}: the series has the patches 1 to ${ALL_PATCHES.length}`);
    for (let number = first; number <= last; number++) out.add(number);
  }
  return [...out].sort((a, b) => a - b);
}

/** @throws UserError for a quirk nobody knows */
export function checkQuirk(id: string, known: readonly string[]): string {
  if (known.includes(id)) return id;
  throw new UserError(`there is no quirk "${id}"; there are ${known.join(' ')}`);
}

export const kernelQuirkIds: readonly string[] = Object.keys(KERNEL_QUIRKS);

/** Makes the build, as configuration and link let it. */
export function kernelBuild(request: KernelRequest): KernelResult {
  const { machine, patches, soft, quirks, driver, series } = request;
  const base: KernelBuild = machine === 'l1' ? L1_BUILD : L2_BUILD;
  const start: Record<string, 'y' | 'm'> = { ...base.config };
  if (machine === 'l2' && driver !== 'rfc') {
    delete start.CXL_ACCEL;
    start[driver === '2025' ? 'SAMPLE_QEMU_CXL_ACCEL' : 'CXL_ACCEL_V28'] = 'm';
  }
  // defconfig of the later series as posted: the option is new, and on.
  if (series === 'v3') start.VFIO_PCI_CXL = 'y';
  const intendedDepends = quirks['vfio-cxl-kconfig-depends'] === 'intended';
  const { config, remarks } = olddefconfig({
    base: start,
    settings: request.config,
    patches,
    machine,
    series,
    intendedDepends,
  });
  const left = ALL_PATCHES.filter((number) => !patches.includes(number));
  const id = buildId({ base: base.release, series, config, patches, soft, quirks });
  const list = (numbers: readonly number[]) => numbers.map((number) => String(number).padStart(2, '0')).join(' ');
  const fixed = Object.entries(quirks).map(([name, setting]) => `${name}=${setting}`);
  const build: KernelBuild = {
    release: `${base.release}-g${id}`,
    version: base.version,
    config,
    ...(series === 'v3' ? { series } : {}),
    patches,
    quirks,
    notes: [
      `cxlab build ${id}, made by kbuild (a command of the lab)`,
      series === 'v3'
        ? 'series v3 (25 Jun 2026), all 11 patches'
        : `series ${series}, patches ${list(patches) || 'none'}${left.length > 0 ? `, left out ${list(left)}` : ''}`,
      ...(soft.length > 0 ? [`empty functions stand for patches ${list(soft)}`] : []),
      ...(fixed.length > 0 ? [`quirks ${fixed.join(' ')}`] : []),
      ...(request.config.length > 0 ? [`options ${request.config.join(' ')}`] : []),
      ...(driver === 'rfc' ? [] : [`test driver ${driver}`]),
    ],
  };
  const errors = linkErrors(undefinedSymbols(build, MODULES, soft));
  const tree = `/lib/modules/${build.release}`;
  const initramfs: readonly InitrdEntry[] = [
    ...depmod(build, MODULES),
    {
      path: `${tree}/build/Module.symvers`,
      type: 'file',
      mode: 0o644,
      content: symvers(build, MODULES, quirks['vfio-cxl-export-kind'] === 'intended'),
    },
  ];
  return { build, remarks, errors, initramfs };
}
