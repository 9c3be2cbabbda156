/** What the patch board chooses: a build of L1's kernel, the host's device, L1's QEMU, L2's driver. Travels in links. */
export interface BuildChoice {
  /** Numbers of the RFC's patches that are left out, ascending. */
  readonly without: readonly number[];
  /** Make it link all the same: stand-ins for what the missing patches export (`kbuild --soft`). */
  readonly soft: boolean;
  readonly device: 'B' | 'A' | 'none';
  /** The device has a reset handler. */
  readonly reset: boolean;
  readonly qemu: 'intended' | 'posted' | 'branch' | 'upstream';
  readonly driver: 'rfc' | '2025';
  /** Options of L1's kernel that differ from the published configuration. */
  readonly config: readonly ConfigSwitch[];
  /** Guests see the hypervisor bit of CPUID. */
  readonly hypervisor: boolean;
}

export const CONFIG_SWITCHES = [
  'CXL_REGION_INVALIDATION_TEST=y',
  'CXL_REGION=n',
  'VFIO_CXL_CORE=n',
  'PROVE_LOCKING=y',
] as const;
export type ConfigSwitch = (typeof CONFIG_SWITCHES)[number];

export const POSTED_SERIES: BuildChoice = {
  without: [],
  soft: false,
  device: 'B',
  reset: false,
  qemu: 'intended',
  driver: 'rfc',
  config: [],
  hypervisor: false,
};

const DEVICES = ['B', 'A', 'none'] as const;
const QEMUS = ['intended', 'posted', 'branch', 'upstream'] as const;
const DRIVERS = ['rfc', '2025'] as const;

/** Only what differs from the whole series: `without=4,12&qemu=posted`; empty for the series itself. */
export function choiceToText(choice: BuildChoice): string {
  const text = new URLSearchParams();
  if (choice.without.length > 0) text.set('without', choice.without.join(','));
  if (choice.soft) text.set('soft', '1');
  if (choice.device !== POSTED_SERIES.device) text.set('device', choice.device);
  if (choice.reset) text.set('reset', '1');
  if (choice.qemu !== POSTED_SERIES.qemu) text.set('qemu', choice.qemu);
  if (choice.driver !== POSTED_SERIES.driver) text.set('driver', choice.driver);
  if (choice.config.length > 0) text.set('config', choice.config.join(','));
  if (choice.hypervisor) text.set('hypervisor', '1');
  return text.toString();
}

/** The choice a link carries, or one sentence about what in it is wrong. */
export function choiceFromText(text: string): BuildChoice | string {
  const asked = new URLSearchParams(text);
  const known = ['without', 'soft', 'device', 'reset', 'qemu', 'driver', 'config', 'hypervisor'];
  for (const name of asked.keys())
    if (!known.includes(name)) return `This link sets “${name}”; a build knows ${known.join(', ')}.`;
  const list = (name: string): readonly string[] => (asked.get(name) ?? '').split(',').filter((one) => one !== '');
  const numbers = list('without').map(Number);
  const wrong = numbers.find((one) => !Number.isInteger(one) || one < 1 || one > 13);
  if (wrong !== undefined) return `This link leaves out patch “${list('without').join(',')}”; patches are 1 to 13.`;
  const device = oneOf(DEVICES, asked.get('device') ?? 'B');
  const qemu = oneOf(QEMUS, asked.get('qemu') ?? 'intended');
  const driver = oneOf(DRIVERS, asked.get('driver') ?? 'rfc');
  if (device === undefined) return `This link wants device “${asked.get('device')}”; there are ${DEVICES.join(', ')}.`;
  if (qemu === undefined) return `This link wants QEMU “${asked.get('qemu')}”; there are ${QEMUS.join(', ')}.`;
  if (driver === undefined) return `This link wants driver “${asked.get('driver')}”; there are ${DRIVERS.join(', ')}.`;
  const config: ConfigSwitch[] = [];
  for (const word of list('config')) {
    const option = oneOf(CONFIG_SWITCHES, word);
    if (option === undefined) return `This link sets “${word}”; the options are ${CONFIG_SWITCHES.join(', ')}.`;
    config.push(option);
  }
  return {
    without: [...new Set(numbers)].sort((a, b) => a - b),
    soft: asked.get('soft') === '1',
    device,
    reset: asked.get('reset') === '1',
    qemu,
    driver,
    config,
    hypervisor: asked.get('hypervisor') === '1',
  };
}

function oneOf<T extends string>(from: readonly T[], word: string): T | undefined {
  return from.find((one) => one === word);
}
