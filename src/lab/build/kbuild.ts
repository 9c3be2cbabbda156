import { UserError } from '../../base/assert.ts';
import { text } from '../../base/bytes.ts';
import { RFC_V1_CREATES, RFC_V1_PATCHES, RFC_V1_SYMBOLS } from '../../content/series/rfc-v1.ts';
import { movedConcerns, V3_PATCHES } from '../../content/series/v3.ts';
import { SERIES_VERSIONS } from '../../content/series/versions.ts';
import { encodeKernelImage } from '../../linux/image.ts';
import type { Program } from '../../linux/uapi/sys.ts';
import { complain } from '../../userland/misc/io.ts';
import { defineTool, type Tool } from '../../userland/misc/tool.ts';
import { addToRoot, baseName, L1_ROOT, writeNew } from './install.ts';
import {
  ALL_PATCHES,
  checkQuirk,
  type KernelRequest,
  type KernelResult,
  kernelBuild,
  kernelQuirkIds,
  patchList,
  SERIES,
  type Setting,
} from './kernel-build.ts';

/**
 * kbuild: the lab's own command for `make` in the kernel tree of the series. It writes an image that `-kernel` takes; the
 * modules of the build are in the image's own initramfs, so the stock initrd goes with it. An image for L2 is also
 * put into L1's root image.
 */
export const kbuild: Program = defineTool(
  {
    name: 'kbuild',
    usage: 'l1|l2 [OPTION]... -o NAME',
    about:
      "Builds a kernel out of a base tree, patches of a series and options. A command of the lab's own, not of any system:\nwhat it writes behaves like the image such a build gives. -o NAME goes to QEMU's -kernel; modules are inside the image.\nFor l2 the image is also put into L1's root image, as /boot/NAME, where L1 finds it when it starts next.",
    options: [
      ['-o, --output=NAME', 'file to write'],
      ['--without=N[,N]', 'leave these patches out (ranges: 4-8)'],
      ['--with=N[,N]', 'apply only these patches'],
      ['--soft=N[,N]', 'leave out, and link what the tree has instead, or empty functions'],
      ['--config=CONFIG_X=V', 'set an option to y, m or n (repeat for more)'],
      ['--series=NAME', 'series of patches: rfc-v1 (default), or v3, the one of June 2026 (l1)'],
      ['--fix=ID', 'this posted defect as intended (repeat for more)'],
      ['--quirk=ID=HOW', 'a defect posted or intended'],
      ['--driver=WHICH', 'l2: the test driver, rfc, 2025 or v28'],
      ['--no-install', 'l2: do not put it into the root image of L1'],
      ['--list', 'the patches, what moved between the series, and the quirks, then nothing'],
    ],
    misuse: 2,
  },
  async (tool) => {
    try {
      if (tool.has('list')) return list(tool);
      return await make(tool);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      await tool.fail(error.message, 2);
      return 2;
    }
  },
);

function request(tool: Tool): KernelRequest {
  const all = (key: string) => tool.order.filter(([name]) => name === key).map(([, value]) => value);
  const [machine, ...more] = tool.args;
  if ((machine !== 'l1' && machine !== 'l2') || more.length > 0)
    throw new UserError('say which kernel to build: kbuild l1 … or kbuild l2 …');
  const series = tool.get('series') ?? 'rfc-v1';
  if (!SERIES.includes(series)) throw new UserError(`--series ${series}: the series here are ${SERIES.join(', ')}`);
  if (series !== 'rfc-v1') {
    if (machine !== 'l1') throw new UserError(`--series ${series} is a series for L1's kernel: kbuild l1 …`);
    const single = ['with', 'without', 'soft', 'fix', 'quirk'].find((name) => tool.has(name));
    if (single) throw new UserError(`--${single} goes with --series rfc-v1; ${series} is built whole`);
  }
  const soft = patchList('--soft', all('soft'));
  for (const number of soft)
    if (Object.values(RFC_V1_CREATES).includes(number))
      throw new UserError(`--soft ${number}: the patch is a whole file, nothing can stand in for it; use --without`);
  const out = [...patchList('--without', all('without')), ...soft];
  const start = tool.has('with') ? patchList('--with', all('with')) : ALL_PATCHES;
  const both = tool.has('with') ? out.find((number) => start.includes(number)) : undefined;
  if (both !== undefined)
    throw new UserError(`patch ${both} is asked for by --with and left out by --without or --soft; say one of them`);
  const quirks: Record<string, Setting> = {};
  for (const id of all('fix')) quirks[checkQuirk(id, kernelQuirkIds)] = 'intended';
  for (const word of all('quirk')) {
    const [id = '', how] = word.split('=');
    if (how !== 'posted' && how !== 'intended')
      throw new UserError(`--quirk wants ID=posted or ID=intended, not "${word}"`);
    if (quirks[id] !== undefined && quirks[id] !== how)
      throw new UserError(`${id} is asked for as posted and as intended; say one of them`);
    quirks[checkQuirk(id, kernelQuirkIds)] = how;
  }
  const driver = tool.get('driver') ?? 'rfc';
  if (driver !== 'rfc' && driver !== '2025' && driver !== 'v28')
    throw new UserError(`--driver is rfc, 2025 or v28, not "${driver}"`);
  return {
    machine,
    series,
    patches: series === 'rfc-v1' ? start.filter((number) => !out.includes(number)) : [],
    soft,
    config: all('config'),
    quirks,
    driver,
  };
}

async function make(tool: Tool): Promise<number> {
  const asked = request(tool);
  const output = tool.get('o');
  if (!output) throw new UserError('say what to write: -o NAME');
  const result = kernelBuild(asked);
  const { out, sys } = tool;
  for (const remark of result.remarks) await complain(sys, `kbuild: ${remark}`);
  out.put('  SYNC    include/config/auto.conf\n');
  for (const line of compiled(result)) out.put(`${line}\n`);
  out.put('  MODPOST Module.symvers\n');
  await out.flush();
  if (result.errors.length > 0) {
    for (const line of result.errors) await complain(sys, line);
    return 2;
  }
  for (const symbol of RFC_V1_SYMBOLS)
    if (symbol.patch !== null && asked.soft.includes(symbol.patch))
      out.put(`kbuild: ${symbol.name}: ${symbol.instead === undefined ? 'an empty function' : symbol.instead}\n`);
  const image = text(encodeKernelImage(result.build, result.initramfs));
  const written = await writeNew(sys, output, image, 0o644);
  if (written < 0) {
    await tool.failErrno(output, written);
    return 1;
  }
  out.put('Kernel: arch/x86/boot/bzImage is ready  (#1)\n');
  out.put(`kbuild: ${output} is ${result.build.release}\n`);
  if (asked.machine === 'l2' && !tool.has('no-install')) {
    const path = `/boot/${baseName(output)}`;
    const added = await addToRoot(sys, L1_ROOT, { path, type: 'file', mode: 0o644, content: image });
    if (added < 0) {
      await tool.failErrno(L1_ROOT, added);
      return 1;
    }
    out.put(`kbuild: ${path} in L1's root image ${L1_ROOT}\n`);
  }
  return 0;
}

/** One line for each source file of the series that this build compiles. */
function compiled(result: KernelResult): readonly string[] {
  const { patches, config, series } = result.build;
  if (series === 'v3')
    return V3_PATCHES.flatMap((patch) => patch.files.filter((file) => file.endsWith('.c') && patch.built !== false))
      .filter((file, n, every) => every.indexOf(file) === n)
      .map((file) => `  CC ${file.startsWith('drivers/vfio') ? '[M] ' : '    '} ${file.replace(/\.c$/, '.o')}`);
  const files = new Set(
    RFC_V1_PATCHES.filter((patch) => patches.includes(patch.number))
      .flatMap((patch) => patch.files)
      .filter(
        (file) =>
          file.endsWith('.c') &&
          (config.VFIO !== undefined || !file.startsWith('drivers/vfio')) &&
          patches.includes(RFC_V1_CREATES[file] ?? patches[0] ?? 0),
      ),
  );
  return [...files].map(
    (file) => `  CC ${file.startsWith('drivers/vfio') ? '[M] ' : '    '} ${file.replace(/\.c$/, '.o')}`,
  );
}

async function list(tool: Tool): Promise<number> {
  const { out } = tool;
  out.put('rfc-v1: vfio: introduce vfio-cxl to support CXL type-2 accelerator passthrough (20 Sep 2024)\n');
  for (const { number, subject, purpose } of RFC_V1_PATCHES)
    out.put(`  ${String(number).padStart(2, '0')}  ${subject}\n      ${purpose}\n`);
  out.put('v3: vfio/pci: Add CXL Type-2 device passthrough support (25 Jun 2026)\n');
  for (const { number, subject, purpose } of V3_PATCHES)
    out.put(`  ${String(number).padStart(2, '0')}  ${subject}\n      ${purpose}\n`);
  out.put('moved from rfc-v1 to v3:\n');
  for (const { concern, rfc, v3 } of movedConcerns())
    out.put(`  ${concern}\n      ${rfc.layer} (${rfc.cite}) -> ${v3.layer} (${v3.cite})\n`);
  out.put('all postings:\n');
  for (const one of SERIES_VERSIONS) {
    const { name, posted, series, patches, ...facts } = one;
    out.put(
      `  ${name} (${posted}, ${patches} patches)${series === null ? ', not to be built here' : `: --series ${series}`}\n`,
    );
    for (const [what, text] of Object.entries(facts)) out.put(`      ${what}: ${text}\n`);
  }
  out.put('quirks:\n');
  for (const id of kernelQuirkIds) out.put(`  ${id}\n`);
  return 0;
}
