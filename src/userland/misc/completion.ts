/** Completion knowledge of particular commands; tools in other folders add theirs with `COMPLETIONS.set`. */
import { O_DIRECTORY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';

export interface Candidates {
  readonly words: readonly string[];
  /** Part of the current word that stands before the candidates (`if=`, `host=`). */
  readonly base?: string;
  /** No paths when nothing fits. */
  readonly only?: boolean;
}
/** Gets the command's words (the last is being typed); null: nothing special here. */
export type Completer = (sys: Sys, words: readonly string[]) => Candidates | null;

export function names(sys: Sys, dir: string): string[] {
  const fd = sys.open(dir, O_DIRECTORY);
  if (fd < 0) return [];
  const entries = sys.getdents(fd);
  sys.close(fd);
  return typeof entries === 'number' ? [] : entries.map((e) => e.name).sort();
}

/** Addresses of the machine's PCI functions, with and without the domain. */
export function pciAddresses(sys: Sys): string[] {
  const full = names(sys, '/sys/bus/pci/devices');
  return [...full.map((a) => a.replace(/^0000:/, '')), ...full];
}

/** Names of all module files of the running kernel, found in its directory tree. */
export function moduleNames(sys: Sys): string[] {
  const found: string[] = [];
  const walk = (dir: string, depth: number): void => {
    if (depth > 8) return;
    for (const name of names(sys, dir)) {
      const m = /^(.+)\.ko(\.\w+)?$/.exec(name);
      if (m) found.push((m[1] ?? '').replaceAll('-', '_'), m[1] ?? '');
      else if (!/\./.test(name)) walk(`${dir}/${name}`, depth + 1);
    }
  };
  walk(`/lib/modules/${sys.uname().release}`, 0);
  return [...new Set(found)];
}

const loaded = (sys: Sys): string[] =>
  names(sys, '/sys/module').filter(
    (n) => names(sys, `/sys/module/${n}`).includes('initstate') || names(sys, `/sys/module/${n}`).includes('refcnt'),
  );

/** lspci and setpci have no option table: their options, and addresses behind -s. */
const pci =
  (options: readonly string[], registers: readonly string[] = []): Completer =>
  (sys, words) => {
    if (words.at(-2) === '-s') return { words: pciAddresses(sys), only: true };
    if (words.at(-2) === '-d' || words.at(-2) === '-F') return null;
    if ((words.at(-1) ?? '').startsWith('-')) return { words: options, only: true };
    return registers.length > 0 ? { words: registers, only: true } : null;
  };
const LSPCI_OPTIONS = '-n -nn -v -vv -vvv -k -t -tv -x -xxx -xxxx -D -s -d -F -m -mm -vmm --version --help'.split(' ');
const SETPCI_OPTIONS = '-s -d -v -f -D --dumpregs --version --help'.split(' ');
const SETPCI_REGISTERS = (
  'VENDOR_ID DEVICE_ID COMMAND STATUS REVISION CLASS_DEVICE HEADER_TYPE BASE_ADDRESS_0 BASE_ADDRESS_1 BASE_ADDRESS_2 ' +
  'BASE_ADDRESS_3 BASE_ADDRESS_4 BASE_ADDRESS_5 SUBSYSTEM_VENDOR_ID SUBSYSTEM_ID INTERRUPT_LINE PRIMARY_BUS ' +
  'SECONDARY_BUS SUBORDINATE_BUS MEMORY_BASE MEMORY_LIMIT PREF_MEMORY_BASE PREF_MEMORY_LIMIT BRIDGE_CONTROL ' +
  'CAP_PM CAP_MSI CAP_MSIX CAP_EXP ECAP_AER ECAP_DSN'
).split(' ');

const CXL: Record<string, readonly string[]> = {
  list: (
    '-M -D -B -P -E -T -R -X -S -H -I -F -A -L -i -u -v -vv -vvv -m -s -d -b -p -e -r --memdevs --decoders --buses --ports ' +
    '--endpoints --targets --regions --dax --single --health --partition --firmware --alert-config --media-errors ' +
    '--idle --human --verbose --memdev --serial --decoder --bus --port --endpoint --region'
  ).split(' '),
  version: [],
  'create-region': ['-d', '-m', '-s', '-t', '-w', '-g', '-u'],
  'destroy-region': ['-f'],
  'enable-region': [],
  'disable-region': ['-f'],
  'enable-memdev': [],
  'disable-memdev': ['-f'],
  'enable-port': ['-m'],
  'disable-port': ['-f', '-e'],
};

/** Device models of a QEMU program and their properties; QEMU's own tables, put here by who assembles the images. */
export const QEMU_DEVICES = new Map<string, readonly string[]>();

export const COMPLETIONS = new Map<string, Completer>([
  ['lspci', pci(LSPCI_OPTIONS)],
  ['setpci', pci(SETPCI_OPTIONS, SETPCI_REGISTERS)],
  [
    'modprobe',
    (sys, words) =>
      words.includes('-r')
        ? { words: loaded(sys), only: true }
        : (words.at(-1) ?? '').startsWith('-')
          ? null
          : { words: moduleNames(sys), only: true },
  ],
  ['modinfo', (sys) => ({ words: moduleNames(sys) })],
  ['rmmod', (sys) => ({ words: loaded(sys), only: true })],
  [
    'driverctl',
    (sys, words) => ({
      words:
        words.length === 2
          ? ['list-devices', 'list-overrides', 'set-override', 'unset-override']
          : names(sys, '/sys/bus/pci/devices'),
      only: true,
    }),
  ],
  [
    'cxl',
    (sys, words) => {
      if (words.length === 2) return { words: Object.keys(CXL), only: true };
      const options = CXL[words[1] ?? ''] ?? [];
      if ((words.at(-1) ?? '').startsWith('-')) return { words: options, only: true };
      const kind = /region/.test(words[1] ?? '')
        ? /^(region|mem|decoder)/
        : /memdev/.test(words[1] ?? '')
          ? /^mem/
          : /port/.test(words[1] ?? '')
            ? /^(port|endpoint)/
            : /./;
      return { words: names(sys, '/sys/bus/cxl/devices').filter((n) => kind.test(n)), only: true };
    },
  ],
  [
    'kill',
    (sys, words) =>
      (words.at(-1) ?? '').startsWith('-')
        ? null
        : { words: names(sys, '/proc').filter((n) => /^\d+$/.test(n)), only: true },
  ],
  [
    'qemu-system-x86_64',
    (sys, words) => {
      const current = words.at(-1) ?? '';
      const host = /^(vfio-pci(?:-nohotplug)?,(?:.*,)?host=)/.exec(current)?.[1];
      if (words.at(-2) === '-device' && host)
        return { words: names(sys, '/sys/bus/pci/devices'), base: host, only: true };
      if (words.at(-2) === '-device') {
        const comma = current.lastIndexOf(',');
        if (comma < 0) return { words: [...QEMU_DEVICES.keys(), 'help'], only: true };
        const given = current.slice(comma + 1);
        const properties = QEMU_DEVICES.get(current.slice(0, current.indexOf(','))) ?? [];
        if (given.includes('=')) return null;
        return {
          words: [...properties, 'bus', 'id', 'addr'].map((name) => `${name}=`),
          base: current.slice(0, comma + 1),
          only: true,
        };
      }
      if (words.at(-2) === '-object')
        return { words: ['memory-backend-ram', 'memory-backend-file', 'iommufd'], only: true };
      if (current.startsWith('-'))
        return {
          words: [
            '-M',
            '-machine',
            '-m',
            '-smp',
            '-cpu',
            '-enable-kvm',
            '-accel',
            '-device',
            '-object',
            '-kernel',
            '-initrd',
            '-append',
            '-nographic',
            '-monitor',
            '-serial',
            '-drive',
            '-netdev',
            '-name',
            '-S',
            '-version',
            '-help',
          ],
          only: true,
        };
      return null;
    },
  ],
]);
