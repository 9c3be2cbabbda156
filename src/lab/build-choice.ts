import type { BuildChoice } from '../protocol/build-choice.ts';
import { type BootChoices, bind, bootL1, bootL2, L2_STORE } from './boot-to-l2.ts';
import type { Attempt } from './ladder.ts';

/** The host's command lines that make the chosen builds, and the boot that uses them. */
export function attemptOf(choice: BuildChoice): Attempt {
  const builds: string[] = [];
  const choices: { -readonly [K in keyof BootChoices]: BootChoices[K] } = {};
  const left = choice.without.join(',');
  if (choice.without.length > 0 || choice.config.length > 0) {
    const patches = left === '' ? '' : ` ${choice.soft ? '--soft' : '--without'} ${left}`;
    const config = choice.config.map((option) => ` --config CONFIG_${option}`).join('');
    builds.push(`kbuild l1${patches}${config} -o k1`);
    choices.l1Kernel = 'k1';
  }
  if (choice.device !== 'B' || choice.reset) {
    const device = choice.device === 'B' ? '' : ` --accel ${choice.device}`;
    builds.push(`qbuild${device}${choice.reset ? ' --accel-reset' : ''} -o q0`);
    choices.hostQemu = './q0';
  }
  if (choice.qemu !== 'intended') {
    builds.push(`qbuild --variant ${choice.qemu} -o q1`);
    choices.l1Qemu = 'q1';
  }
  if (choice.driver === '2025') {
    builds.push('kbuild l2 --driver 2025 -o k2');
    choices.l2Kernel = '/boot/k2';
    choices.l2Module = 'qemu-cxl-accel';
  }
  if (choice.hypervisor) choices.cpu = 'host';
  return { builds, choices };
}

/** The same as a transcript, to be typed where one can watch: complaints of L1's VMM stay on the terminal. */
export function transcriptOf(choice: BuildChoice): string {
  const { builds, choices } = attemptOf(choice);
  const loud = (line: string): string => line.replace(' quiet', '').replace(/ 2> qemu\.err$/, '');
  return [
    ...builds.map((line) => `host# ${line}`),
    `host# ${loud(bootL1(choices))}`,
    ...bind(choices).map((line) => `l1# ${line}`),
    `l1# ${loud(bootL2(choices))}`,
    `l2# modprobe ${choices.l2Module ?? 'cxl-accel'}`,
    `l2# ${L2_STORE}`,
    '',
  ].join('\n');
}
