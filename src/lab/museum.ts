import type { Exhibit } from '../content/museum.ts';
import { type BootChoices, bind, bootL1, bootL2 } from './boot-to-l2.ts';
import type { Setting } from './build/kernel-build.ts';

/** The lines of a transcript that play an exhibit in one setting: builds, the start of the machines, then the exhibit's own. */
export function exhibitLines(exhibit: Exhibit, setting: Setting): readonly string[] {
  const { part, options = '', builds = [], boot = {}, until, id } = exhibit;
  const more = options === '' ? '' : ` ${options}`;
  const quirk = `--quirk ${id}=${setting}${more} -o`;
  const shown = until === 'build' ? '' : ' > build.log';
  const build = part === 'qemu' ? `qbuild ${quirk} q` : `kbuild ${part} ${quirk} k`;
  const own: BootChoices =
    part === 'qemu' ? { l1Qemu: 'q' } : part === 'l1' ? { l1Kernel: 'k' } : { l2Kernel: '/boot/k' };
  const choices: BootChoices = { ...boot, ...own };
  const drop = boot.drop ?? '';
  const lines = [...builds, `${build}${shown}; echo $?`].map((line) => `host# ${line}`);
  if (until === 'build') return lines;
  lines.push(`host# ${bootL1(choices).replace(drop, '')}`);
  if (until !== 'l1') lines.push(...bind(choices).map((line) => `l1# ${line}`));
  if (until === 'l2') lines.push(`l1# ${bootL2(choices)}`);
  return [
    ...lines,
    ...exhibit.lines.map(([machine, line]) => `${machine}# ${line === '@L2' ? bootL2(choices) : line}`),
  ];
}
