import type { BuildChoice, Part } from '../protocol/build-choice.ts';
import { type BootChoices, bind, bootL1, bootL2, L2_STORE } from './boot-to-l2.ts';
import type { Attempt } from './ladder.ts';

/** L2's module by test driver. */
const MODULES = { rfc: 'cxl-accel', '2025': 'qemu-cxl-accel', v28: 'cxl-accel-v28' } as const satisfies Readonly<
  Record<BuildChoice['driver'], string>
>;

/** The host's command lines that make the chosen builds, and the boot that uses them. */
export function attemptOf(choice: BuildChoice): Attempt {
  const builds: string[] = [];
  const choices: { -readonly [K in keyof BootChoices]: BootChoices[K] } = {};
  const quirks = (part: Part) => Object.entries(choice.quirks[part]).map(([id, how]) => `--quirk ${id}=${how}`);
  const config = (words: readonly string[]) => words.map((option) => `--config CONFIG_${option}`);
  const make = (command: string, options: readonly string[], name: string): boolean => {
    if (options.length > 0) builds.push(`${command} ${options.join(' ')} -o ${name}`);
    return options.length > 0;
  };

  const l1 = [
    ...(choice.series === 'rfc-v1' ? [] : [`--series ${choice.series}`]),
    ...(choice.without.length > 0 ? [`--without ${choice.without.join(',')}`] : []),
    ...(choice.soft.length > 0 ? [`--soft ${choice.soft.join(',')}`] : []),
    ...config(choice.config),
    ...quirks('l1'),
  ];
  if (make('kbuild l1', l1, 'k1')) choices.l1Kernel = 'k1';

  const host = [
    ...(choice.device === 'B' ? [] : [`--accel ${choice.device}`]),
    ...(choice.reset ? ['--accel-reset'] : []),
  ];
  if (make('qbuild', host, 'q0')) choices.hostQemu = './q0';

  const stub = [...(choice.qemu === 'intended' ? [] : [`--variant ${choice.qemu}`]), ...quirks('qemu')];
  if (make('qbuild', stub, 'q1')) choices.l1Qemu = 'q1';

  const l2 = [
    ...(choice.driver === 'rfc' ? [] : [`--driver ${choice.driver}`]),
    ...config(choice.configL2),
    ...quirks('l2'),
  ];
  if (make('kbuild l2', l2, 'k2')) choices.l2Kernel = '/boot/k2';
  if (choice.driver !== 'rfc') choices.l2Module = MODULES[choice.driver];

  const accel = deviceText(choice);
  if (accel !== '') choices.accel = accel;
  if (choice.memory !== '256M') choices.memory = choice.memory;
  if (choice.hypervisor) choices.cpu = 'host';
  if (choice.failIoremap) choices.l1Append = ' cxlab.fail_ioremap';
  if (choice.bind === 'vfio-pci') choices.driver = 'vfio-pci';
  if (choice.released) choices.vfio = ',x-cxl-decoder=released';
  return { builds, choices };
}

/** What follows `-device cxl-accel,…,id=cxl-accel0`. */
function deviceText({ decoders, committed, bar }: BuildChoice): string {
  const [size, offset] = bar.split('@');
  return [
    decoders === '4' ? '' : `,hdm-decoders=${decoders}`,
    committed ? ',firmware-committed=on' : '',
    size === '64K' ? '' : `,x-bar0-size=${size}`,
    offset === undefined ? '' : `,x-component-offset=${offset}`,
  ].join('');
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
