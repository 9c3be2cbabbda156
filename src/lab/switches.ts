import { MUSEUM } from '../content/museum.ts';
import { RFC_V1_PATCHES } from '../content/series/rfc-v1.ts';
import {
  type BuildChoice,
  CONFIG_SWITCHES,
  PARTS,
  type Part,
  POSTED_SERIES,
  quirksOf,
  V3_SERIES,
  WHOLE_FILES,
} from '../protocol/build-choice.ts';
import type { MatrixKind, MatrixSwitch } from '../protocol/ladder.ts';

/** The rows of the matrix: a whole series with one thing changed. What comes of each is found by booting it. */
export interface Switch extends MatrixSwitch {
  /** Tried in order: a later one makes link or bind what an earlier one could not. */
  readonly choices: readonly BuildChoice[];
}

const rfc = (change: Partial<BuildChoice>): BuildChoice => ({ ...POSTED_SERIES, ...change });
const v3 = (change: Partial<BuildChoice>): BuildChoice => ({ ...V3_SERIES, ...change });

function withoutPatch(number: number): readonly BuildChoice[] {
  const out = rfc({ without: [number] });
  // A whole file has no stand-in: what is left is plain vfio-pci, and patch 12 needs patch 04.
  if (WHOLE_FILES.includes(number)) return [out, rfc({ without: [...new Set([number, 12])], bind: 'vfio-pci' })];
  return [out, rfc({ soft: [number] })];
}

const PATCHES: readonly Switch[] = RFC_V1_PATCHES.map(({ number, subject }) => ({
  id: String(number).padStart(2, '0'),
  title: subject,
  kind: 'patch',
  choices: withoutPatch(number),
}));

const row = (kind: MatrixKind, id: string, title: string, choice: BuildChoice): Switch => ({
  id,
  title,
  kind,
  choices: [choice],
});

const AROUND: readonly Switch[] = [
  row('part', 'device', "host's QEMU without cxl-accel", rfc({ device: 'none' })),
  row('part', 'qemu', "L1's QEMU without the VFIO stub (upstream)", rfc({ qemu: 'upstream' })),
  row('part', 'driver', "L2's kernel without the test driver", rfc({ configL2: ['CXL_ACCEL=n'] })),
  row('variant', 'qemu-posted', "L1's QEMU as posted (map and unmap swapped)", rfc({ qemu: 'posted' })),
  row('variant', 'qemu-branch', "L1's QEMU of the later branch (BASE_LO >> 28)", rfc({ qemu: 'branch' })),
  row('variant', 'qemu-v3', "L1's QEMU made for the v3 series", rfc({ qemu: 'v3' })),
  row('variant', 'device-A', "host's cxl-accel of the RFC's time (profile A)", rfc({ device: 'A' })),
  row(
    'variant',
    'device-reset',
    "cxl-accel with a reset handler: the bus reset L2's start asks for takes L1's decoder away",
    rfc({ reset: true }),
  ),
  row('variant', 'device-empty', 'cxl-accel without memory', rfc({ memory: 'none' })),
  row('variant', 'device-512M', 'cxl-accel with 512 MiB', rfc({ memory: '512M' })),
  row('variant', 'device-committed', 'decoder 0 committed by firmware', rfc({ decoders: '1', committed: true })),
  row('variant', 'bar-8K', 'BAR 0 of 8 KiB', rfc({ bar: '8K' })),
  row('variant', 'block-64K', 'component block at 64 KiB of a BAR of 128 KiB', rfc({ bar: '128K@64K' })),
  row('variant', 'driver-2025', "L2's driver: the sample of 2025", rfc({ driver: '2025' })),
  row('variant', 'driver-v28', "L2's driver on the interface of 2026", rfc({ driver: 'v28' })),
  row('variant', 'bind-vfio-pci', 'plain vfio-pci has the device', rfc({ bind: 'vfio-pci' })),
  row('variant', 'hypervisor', 'guests see the hypervisor bit', rfc({ hypervisor: true })),
  ...CONFIG_SWITCHES.map((option) =>
    row('option', `CONFIG_${option}`, "an option of L1's kernel", rfc({ config: [option] })),
  ),
];

const LATER: readonly Switch[] = [
  row('later', 'v3', 'the series of June 2026, everything on', V3_SERIES),
  row('later', 'v3-uncommitted', 'v3 on a device no firmware committed', v3({ committed: false })),
  row('later', 'v3-four', 'v3 on four decoders', v3({ decoders: '4', committed: false })),
  row('later', 'v3-qemu-rfc', "v3 with the RFC's VMM", v3({ qemu: 'intended' })),
  row('later', 'v3-driver-rfc', "v3 with the RFC's L2 driver", v3({ driver: 'rfc' })),
  row(
    'later',
    'v3-released',
    "v3, virtual decoder released, the RFC's L2 driver",
    v3({ driver: 'rfc', released: true }),
  ),
  row('later', 'v3-variant', "v3, and the RFC's VFIO driver asked for", v3({ bind: 'variant' })),
  row('later', 'v3-option', 'v3 without its option', v3({ config: ['VFIO_PCI_CXL=n'] })),
];

const mended = (...ids: readonly string[]): Partial<BuildChoice> => ({
  quirks: { ...POSTED_SERIES.quirks, l1: Object.fromEntries(ids.map((id) => [id, 'intended' as const])) },
});

/** Devices the RFC was not tried with, and the defects they bring out as intended. */
const MENDED: readonly Switch[] = [
  row(
    'defect',
    'bar-8K-mended',
    'BAR 0 of 8 KiB, found by any size',
    rfc({ bar: '8K', ...mended('vfio-cxl-bar-64k') }),
  ),
  row(
    'defect',
    'block-64K-mended',
    'component block at 64 KiB, its place taken into account',
    rfc({ bar: '128K@64K', ...mended('vfio-cxl-block-offset', 'vfio-cxl-bar-64k') }),
  ),
  row(
    'defect',
    'device-empty-mended',
    'cxl-accel without memory, the open fails as it should',
    rfc({ memory: 'none', ...mended('vfio-cxl-media-inactive-open') }),
  ),
];

/** Every defect of a part, turned round: as intended where the build has it as posted, and the other way. */
function defects(part: Part): readonly Switch[] {
  return Object.entries(quirksOf(part, POSTED_SERIES.qemu)).flatMap(([id, how]): readonly Switch[] => {
    const exhibit = MUSEUM.find((one) => one.id === id);
    if (part !== 'qemu' && (exhibit?.part ?? 'l1') !== part) return [];
    const turned = how === 'posted' ? ('intended' as const) : ('posted' as const);
    const quirks = { ...POSTED_SERIES.quirks, [part]: { [id]: turned } };
    return [row('defect', id, `${exhibit?.title ?? id}: ${turned}`, rfc({ quirks }))];
  });
}

export const SWITCHES: readonly Switch[] = [
  row('none', 'all', 'everything on', POSTED_SERIES),
  ...PATCHES,
  ...AROUND,
  ...LATER,
  ...MENDED,
  ...PARTS.flatMap(defects),
];
