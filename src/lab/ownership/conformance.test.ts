import { beforeAll, expect, test } from 'vitest';
import { bind, bootL1, bootL2 } from '../boot-to-l2.ts';
import { Lab } from '../lab.ts';
import { runStep } from '../run-step.ts';
import { host, labWithL2 } from '../testing/host.ts';
import { parseTranscript } from '../transcript.ts';
import { type OwnershipRow, ownership } from './ownership.ts';

/** One run seen by strace, by ftrace with the KVM events, and by the ownership table: they have to tell the same story. */
const BAR0 = 0xfe600000;
const ECAM = 0xb0d00000;
const CONFIG = 7 * 2 ** 40;

/** An access of L2 that left the guest: from kvm_exit to kvm_entry. */
interface Exit {
  readonly exits: number;
  readonly write: boolean;
  /** Offset in the VFIO file of what the address stands for; null when it is another device's. */
  readonly at: number | null;
  readonly length: number;
  readonly value: number;
  readonly functions: readonly string[];
}
interface Call {
  readonly write: boolean;
  readonly at: number;
  readonly length: number;
  readonly value: number;
}

/** What L2 does: its driver's probe, then stores to registers of every owner, in BAR 0 and in configuration space. */
const REGISTERS = [0x1128, 0x112c, 0x1158, 0x1168, 0x11ac, 0x11b4, 0x1000, 0x1088, 0x10d8, 0x1148];
const FIELDS = [
  [0x10a, 16],
  [0x10c, 16],
  [0x110, 16],
  [0x114, 16],
  [0x118, 32],
  [0x12c, 32],
  [0x148, 32],
] as const;
const hex = (value: number) => `0x${value.toString(16)}`;
const IN_L2 = [
  'modprobe cxl-accel',
  ...REGISTERS.map((at, n) => `devmem ${hex(BAR0 + at)} 32 ${hex(0x12345600 + n)}`),
  ...FIELDS.map(([at, width], n) => `devmem ${hex(ECAM + at)} ${width} ${hex(0x1230 + n)}`),
];

const exits: Exit[] = [];
let calls: readonly Call[] = [];
const rows: OwnershipRow[] = [];

/** Where an address of L2 is in the VFIO file, or null when it is no register of the device. */
function inFile(gpa: number): number | null {
  if (gpa >= BAR0 && gpa < BAR0 + 0x10000) return gpa - BAR0;
  return gpa >= ECAM && gpa < ECAM + 4096 ? CONFIG + gpa - ECAM : null;
}

function readTrace(text: string): void {
  let latch = 0;
  for (const group of text.split(/(?=^.*: kvm_exit:)/m)) {
    const access =
      /kvm_mmio: mmio (?<what>read|write) len (?<size>\d) gpa (?<where>\w+) val (?<value>\w+)/.exec(group) ??
      /kvm_pio: pio_(?<what>read|write) at (?<where>\w+) size (?<size>\d) count 1 val (?<value>\w+)/.exec(group);
    const { what = '', where = '', size = '', value = '' } = access?.groups ?? {};
    const port = group.includes('kvm_pio') ? Number(where) : null;
    if (port === 0xcf8) latch = Number(value);
    // Configuration mechanism 1, when it names the device.
    const legacy = port !== null && port >= 0xcfc && port < 0xd00 && latch >= 0x800d0000 && latch < 0x800d0100;
    exits.push({
      exits: group.split(': kvm_exit:').length - 1,
      write: what === 'write',
      at: port === null ? inFile(Number(where)) : legacy ? CONFIG + (latch % 256) + port - 0xcfc : null,
      length: Number(size),
      value: Number(value),
      functions: [...group.matchAll(/: (\w+)(?: <-\w+)?$/gm)].map((match) => match[1] ?? ''),
    });
  }
}

/** Bytes of a C string as strace writes it. */
function unescaped(text: string): readonly number[] {
  const named: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, v: 11, f: 12, '"': 34, '\\': 92 };
  return [...text.matchAll(/\\([0-7]{1,3})|\\(.)|([^\\])/g)].map(([, octal, name, plain]) =>
    octal !== undefined
      ? Number.parseInt(octal, 8)
      : name !== undefined
        ? (named[name] ?? 0)
        : (plain ?? '').charCodeAt(0),
  );
}

function readCalls(text: string): readonly Call[] {
  return [...text.matchAll(/p(read|write)64\(\d+, "(.*)", (\d+), (\d+)\) = \d+$/gm)].map(
    ([, what, bytes = '', length, at]) => ({
      write: what === 'write',
      at: Number(at),
      length: Number(length),
      value: unescaped(bytes).reduceRight((value, byte) => value * 256 + byte, 0),
    }),
  );
}

const rowAt = (at: number): OwnershipRow => {
  const config = at >= CONFIG;
  const found = rows.find((row) => (row.space === 'config') === config && row.offset === (config ? at - CONFIG : at));
  if (!found) throw new Error(`no row for 0x${at.toString(16)}`);
  return found;
};
beforeAll(async () => {
  const lab = await Lab.start({ seed: 1, host });
  const lines = [
    `host# ${bootL1()}`,
    ...bind().map((line) => `l1# ${line}`),
    `l1# strace -f -e trace=pread64,pwrite64 -o /tmp/calls ${bootL2()}`,
    'l1# wc -l < /tmp/calls; cd /sys/kernel/tracing; echo 1 > events/kvm/enable; echo function > current_tracer; echo > trace',
    ...IN_L2.map((line) => `l2# ${line}`),
    'l1# echo 0 > tracing_on; cat trace',
    'l1# cat /tmp/calls',
  ];
  const outputs: string[] = [];
  for (const step of parseTranscript(`${lines.join('\n')}\n`, 'one run'))
    outputs.push((await runStep(lab, step, 'one run')).output);
  lab.stop();
  readTrace(outputs.at(-2) ?? '');
  const before = Number(outputs[bind().length + 2]);
  calls = readCalls((outputs.at(-1) ?? '').split('\n').slice(before).join('\n'));
  for await (const row of ownership(() => labWithL2())) rows.push(row);
});

const writes = (): readonly (Exit & { readonly at: number })[] =>
  exits.flatMap((exit) => (exit.write && exit.at !== null ? [{ ...exit, at: exit.at }] : []));

test('the run holds the probe’s writes of the decoder, in the order of the commit, and those made by hand', () => {
  expect(writes().map(({ at }) => at % CONFIG)).toEqual([
    ...[0x112c, 0x10c, 0x113c, 0x1138, 0x1144, 0x1140, 0x1150, 0x114c, 0x1148],
    ...REGISTERS,
    ...FIELDS.map(([at]) => at),
  ]);
});

test('strace’s calls are those of ftrace’s exits, in order, and each access of L2 is the last call of its exit, byte for byte', () => {
  const left = [...calls];
  for (const exit of exits) {
    const made = exit.functions.filter((name) => /^__x64_sys_p(read|write)64$/.test(name));
    const own = left.splice(0, made.length);
    expect(own.map(({ write }) => (write ? '__x64_sys_pwrite64' : '__x64_sys_pread64'))).toEqual(made);
    // A write always reaches the kernel; what the VMM keeps a copy of is read without a call.
    if (exit.at === null || (own.length === 0 && !exit.write)) expect(own).toEqual([]);
    else {
      const { write, at, length, value } = exit;
      expect(own.at(-1)).toEqual({ write, at, length, value });
      // What comes before are the VMM's own looks at the shadow.
      expect(own.slice(0, -1).every((call) => !call.write && call.at >= 0x1128 && call.at < 0x11b8)).toBe(true);
    }
  }
  expect(left).toEqual([]);
});

test('each write is one exit, one pwrite64 and one vfio_cxl_core_write', () => {
  for (const { at, exits: count, functions } of writes()) {
    const of = (name: string) => functions.filter((one) => one === name).length;
    expect([count, of('__x64_sys_pwrite64'), of('vfio_cxl_core_write')], hex(at)).toEqual([1, 1, 1]);
  }
});

test('where the trace says a write went is where the ownership table says it goes', () => {
  for (const { at, functions } of writes()) {
    const row = rowAt(at);
    const after = functions.slice(functions.indexOf('vfio_cxl_core_write') + 1).join(' ');
    const changed = Object.keys(row.writes.l2?.changed ?? {});
    if (at >= CONFIG) {
      expect(after, row.name).toBe('vfio_pci_rw vfio_config_do_rw');
      expect(changed, row.name).toEqual(['vconfig']);
    } else if (row.owner === 'hdm-shadow') expect(after, row.name).toBe('emulate_hdm_regblock');
    // Read-only in the table: dropped by the shadow's rules, or by the device itself.
    else expect(after, row.name).toBe(at === 0x1128 ? 'emulate_hdm_regblock' : 'vfio_pci_rw');
    if (after === 'emulate_hdm_regblock') expect(changed, row.name).not.toContain('device');
    if (after === 'vfio_pci_rw') expect(changed, row.name).not.toContain('hdm-shadow');
  }
});
