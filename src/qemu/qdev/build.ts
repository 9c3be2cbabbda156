import { QEMU_QUIRKS, type QemuQuirk, type VfioStub } from '../../spec/quirks/qemu.ts';

/** What a QEMU binary was built with (ARCHITECTURE, decision 4). Every flag travels in links and in the binary's first line. */
export interface QemuBuild {
  /** Zhi Wang's patches of December 2024: the `cxl-accel` device. */
  readonly accel: boolean;
  /**
   * Fixed windows reach memory expanders only, as upstream and in the tree of the RFC's time. Absent (not false), they reach `cxl-accel`
   * too: the change of cxl-host.c in the same series.
   */
  readonly type3Window?: true;
  /** Which device `cxl-accel` is: of the RFC's time (A: memory-device registers on BAR 2) or of December 2024 (B). */
  readonly profile: 'A' | 'B';
  readonly vfioCxl: VfioStub;
  /** Reset handler of the accelerator (profile B has one; the tree used with the RFC has none). */
  readonly accelReset: boolean;
  /** Single defects of the VFIO stub set apart from the variant. */
  readonly quirks: Readonly<Partial<Record<QemuQuirk, 'posted' | 'intended'>>>;
  /** Build id shown by `--version`; absent in the stock binary. */
  readonly id?: string;
}

/** True when this binary shows the defect. */
export function qemuPosted(build: QemuBuild, quirk: QemuQuirk): boolean {
  const shownBy: readonly string[] = QEMU_QUIRKS[quirk];
  return (build.quirks[quirk] ?? (shownBy.includes(build.vfioCxl) ? 'posted' : 'intended')) === 'posted';
}

/** What a binary of qbuild was built with. */
export function buildWords(build: QemuBuild): string {
  const stub = { off: 'upstream', posted: 'posted', branch: 'branch', fixed: 'intended', v3: 'v3' }[build.vfioCxl];
  const accel = build.accel ? `profile ${build.profile}${build.accelReset ? ' with reset' : ''}` : 'absent';
  const quirks = Object.entries(build.quirks).map(([id, how]) => `, ${id} ${how}`);
  const window = build.type3Window ? ', windows for cxl-type3 only' : '';
  return `VFIO stub ${stub}, cxl-accel ${accel}${window}${quirks.join('')}`;
}
