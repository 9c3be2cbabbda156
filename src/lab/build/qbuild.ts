import { UserError } from '../../base/assert.ts';
import { programText } from '../../linux/image.ts';
import type { Program } from '../../linux/uapi/sys.ts';
import { DEFAULT_BUILD } from '../../qemu/main.ts';
import type { QemuBuild } from '../../qemu/qdev/build.ts';
import { QEMU_QUIRKS, type QemuQuirk } from '../../spec/quirks/qemu.ts';
import { defineTool, type Tool } from '../../userland/misc/tool.ts';
import { buildId } from './build-id.ts';
import { addToRoot, baseName, L1_ROOT, writeNew } from './install.ts';
import { checkQuirk } from './kernel-build.ts';

/**
 * qbuild: the lab's own command for configure and make in the QEMU tree. It writes an executable for the host and puts the
 * same one into L1's root image, in /usr/bin.
 */
export const qbuild: Program = defineTool(
  {
    name: 'qbuild',
    usage: '[OPTION]... -o NAME',
    about:
      "Builds a qemu-system-x86_64. A command of the lab's own, not of any system: what it writes behaves like the binary such\na build gives. NAME is written here, and put into L1's root image as /usr/bin/NAME, where L1 finds it when it starts next.",
    options: [
      ['-o, --output=NAME', 'file to write'],
      [
        '--variant=WHICH',
        'VFIO stub: posted, branch, intended (default), upstream (no CXL support), or v3 (for kbuild --series v3)',
      ],
      ['--accel=WHICH', "cxl-accel: profile A (the RFC's time), B (December 2024, default), or none"],
      ['--accel-reset', 'cxl-accel has a reset handler'],
      ['--type3-window', "fixed windows reach cxl-type3 only, as in the tree of the RFC's time"],
      ['--fix=ID', 'this posted defect as intended (repeat for more)'],
      ['--quirk=ID=HOW', 'a defect posted or intended'],
      ['--no-install', 'do not put it into the root image of L1'],
      ['--list', 'the quirks and the variants that show them, then nothing'],
    ],
    misuse: 2,
  },
  async (tool) => {
    try {
      if (tool.has('list')) {
        for (const [id, shownBy] of Object.entries(QEMU_QUIRKS)) tool.out.put(`${id}  ${shownBy.join(' ')}\n`);
        return 0;
      }
      return await make(tool);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      await tool.fail(error.message, 2);
      return 2;
    }
  },
);

const VARIANTS: Readonly<Record<string, QemuBuild['vfioCxl']>> = {
  posted: 'posted',
  branch: 'branch',
  intended: 'fixed',
  upstream: 'off',
  v3: 'v3',
};
const QUIRK_IDS: readonly string[] = Object.keys(QEMU_QUIRKS);
const isQuirk = (id: string): id is QemuQuirk => QUIRK_IDS.includes(id);

export interface QemuRequest {
  readonly variant: string;
  readonly accel: string;
  readonly accelReset: boolean;
  readonly type3Window?: boolean;
  readonly quirks: readonly (readonly [id: string, how: string])[];
}

/** @throws UserError for what no QEMU has */
export function qemuBuild(request: QemuRequest): QemuBuild {
  const vfioCxl = Object.hasOwn(VARIANTS, request.variant) ? VARIANTS[request.variant] : undefined;
  if (vfioCxl === undefined)
    throw new UserError(`--variant is ${Object.keys(VARIANTS).join(', ')}, not "${request.variant}"`);
  const { accel } = request;
  if (accel !== 'A' && accel !== 'B' && accel !== 'none')
    throw new UserError(`--accel is A, B or none, not "${accel}"`);
  const quirks: Partial<Record<QemuQuirk, 'posted' | 'intended'>> = {};
  for (const [id, how] of request.quirks) {
    if (how !== 'posted' && how !== 'intended')
      throw new UserError(`--quirk wants ID=posted or ID=intended, not "${id}=${how}"`);
    checkQuirk(id, QUIRK_IDS);
    if (isQuirk(id)) quirks[id] = how;
  }
  const build: QemuBuild = {
    ...DEFAULT_BUILD,
    vfioCxl,
    accel: accel !== 'none',
    profile: accel === 'A' ? 'A' : 'B',
    accelReset: request.accelReset,
    ...(request.type3Window ? { type3Window: true } : {}),
    quirks,
  };
  return { ...build, id: buildId(build) };
}

async function make(tool: Tool): Promise<number> {
  const { sys, out } = tool;
  const all = (key: string) => tool.order.filter(([name]) => name === key).map(([, value]) => value);
  if (tool.args.length > 0) throw new UserError(`qbuild takes options only, not "${tool.args[0]}"`);
  const output = tool.get('o');
  if (!output) throw new UserError('say what to write: -o NAME');
  const build = qemuBuild({
    variant: tool.get('variant') ?? 'intended',
    accel: tool.get('accel') ?? 'B',
    accelReset: tool.has('accel-reset'),
    type3Window: tool.has('type3-window'),
    quirks: [
      ...all('fix').map((id) => [id, 'intended'] as const),
      ...all('quirk').map((word) => [word.split('=')[0] ?? '', word.split('=')[1] ?? ''] as const),
    ],
  });
  const program = qemuProgramName(build);
  const written = await writeNew(sys, output, programText(program), 0o755);
  if (written < 0) {
    await tool.failErrno(output, written);
    return 1;
  }
  out.put(`qbuild: ${output} is build ${build.id}\n`);
  if (!tool.has('no-install')) {
    const path = `/usr/bin/${baseName(output)}`;
    const added = await addToRoot(sys, L1_ROOT, { path, type: 'program', mode: 0o755, program });
    if (added < 0) {
      await tool.failErrno(L1_ROOT, added);
      return 1;
    }
    out.put(`qbuild: ${path} in L1's root image ${L1_ROOT}\n`);
  }
  return 0;
}

const PREFIX = 'qemu-system-x86_64 ';

/** First line of a binary of qbuild: the program and what it was built with. */
export function qemuProgramName(build: QemuBuild): string {
  return PREFIX + JSON.stringify(build);
}

/** The build a program's name carries; null for another program. */
export function qemuBuildOf(name: string): QemuBuild | null {
  if (!name.startsWith(PREFIX)) return null;
  let value: unknown;
  try {
    value = JSON.parse(name.slice(PREFIX.length));
  } catch {
    return null;
  }
  return isBuild(value) ? value : null;
}

function isBuild(value: unknown): value is QemuBuild {
  if (typeof value !== 'object' || value === null) return false;
  const fields: Readonly<Record<string, unknown>> = { ...value };
  return (
    typeof fields.accel === 'boolean' &&
    (fields.profile === 'A' || fields.profile === 'B') &&
    Object.values(VARIANTS).some((variant) => variant === fields.vfioCxl) &&
    typeof fields.accelReset === 'boolean' &&
    (fields.type3Window === undefined || fields.type3Window === true) &&
    typeof fields.quirks === 'object' &&
    fields.quirks !== null
  );
}
