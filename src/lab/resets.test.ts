import { expect, test } from 'vitest';
import { Lab } from './lab.ts';
import { runStep } from './run-step.ts';
import { host, WALKTHROUGH } from './testing/host.ts';
import { parseTranscript } from './transcript.ts';

/** What each reset of the accelerator leaves: vfio-cxl-rfc.md (g), l0-type2-device.md 6, CXL 3.1 9.6 and 9.7. */
const BOOT = WALKTHROUGH.split('\n').find((line) => line.startsWith('host# qemu')) ?? '';

/** The RFC's device, the one with a reset handler, and one that follows the specification. */
const DEVICES = {
  rfc: [BOOT],
  handler: ['host# qbuild --accel-reset -o qemu-reset', BOOT.replace('qemu-system-x86_64', './qemu-reset')],
  strict: [BOOT.replace('id=cxl-accel0', 'id=cxl-accel0,silicon=strict')],
} as const;
type Device = keyof typeof DEVICES;

/** Decoder 0 committed at the window's start, memory enabled, a word in the memory. */
const PROGRAM = [
  'l1# setpci -s 0d:00.0 COMMAND=6:6 10c.w=4:4',
  'l1# devmem 0xfe801138 32 0x90000000; devmem 0xfe80113c 32 4; devmem 0xfe801140 32 0x10000000',
  'l1# devmem 0xfe80112c 32 2; devmem 0xfe801148 32 0x200; devmem 0x490000000 32 0xcafe',
];
const reset = (method: string): string[] => [
  `l1# cd /sys/bus/pci/devices/0000:0d:00.0; echo ${method} > reset_method; echo 1 > reset`,
];
const PATHS = {
  flr: reset('flr'),
  // CXL ports mask a secondary bus reset; the kernel unmasks it for this one.
  'hot reset': reset('cxl_bus'),
  'CXL reset': ['l1# setpci -s 0d:00.0 110.w=4:4; sleep 0.02'],
  'CXL reset, clearing': ['l1# setpci -s 0d:00.0 110.w=c:c; sleep 0.02'],
  'CXL reset, locked': ['l1# setpci -s 0d:00.0 114.w=1:1; setpci -s 0d:00.0 110.w=4:4; sleep 0.02'],
  'L1 reboots': ['l1# reboot'],
} as const;
type Path = keyof typeof PATHS;

interface After {
  readonly memEnable: boolean;
  readonly globalEnable: boolean;
  readonly committed: boolean;
  readonly base: string;
  readonly memory: string;
}

async function afterReset(device: Device, path: Path | 'power cycle'): Promise<After> {
  const steps: string[] = [...DEVICES[device], ...PROGRAM];
  if (path === 'power cycle') steps.push('l1# poweroff', DEVICES[device].at(-1) ?? '');
  else steps.push(...PATHS[path]);
  const boot = DEVICES[device].at(-1) ?? '';
  // The kernel switches memory decoding off while it sizes BARs; what is asked here is what the reset left.
  steps.push(
    'l1# setpci -s 0d:00.0 COMMAND=6:6; setpci -s 0d:00.0 10c.w; for a in 12c 148 13c; do devmem 0xfe801$a 32; done',
  );
  // The memory is looked at where it lives: through the window once more.
  steps.push(...PROGRAM.slice(0, 2), 'l1# devmem 0xfe80112c 32 2; devmem 0xfe801148 32 0x200; devmem 0x490000000 32');
  const lab = await Lab.start({ seed: 1, host });
  const outputs: string[] = [];
  for (const step of parseTranscript(`${steps.join('\n')}\n`, boot)) {
    const { output } = await runStep(lab, step, path);
    outputs.push(output);
  }
  lab.stop();
  const lines = (outputs.at(-4) ?? '').trim().split('\n').slice(-4);
  const [control = '0', global = '0', decoder = '0', base = ''] = lines;
  return {
    memEnable: (Number.parseInt(control, 16) & 4) !== 0,
    globalEnable: (Number(global) & 2) !== 0,
    committed: (Number(decoder) & 0x400) !== 0,
    base,
    memory: (outputs.at(-1) ?? '').trim(),
  };
}

const KEPT: After = { memEnable: true, globalEnable: true, committed: true, base: '0x00000004', memory: '0x0000CAFE' };
const GONE: After = {
  memEnable: false,
  globalEnable: false,
  committed: false,
  base: '0x00000000',
  memory: '0x0000CAFE',
};
const EMPTY: After = { ...GONE, memory: '0x00000000' };

test.each<readonly [Device, Path | 'power cycle', After]>([
  // No reset handler: nothing short of a new QEMU process touches the CXL registers.
  ['rfc', 'hot reset', KEPT],
  ['rfc', 'CXL reset', KEPT],
  ['rfc', 'L1 reboots', KEPT],
  ['rfc', 'power cycle', EMPTY],
  ['handler', 'hot reset', GONE],
  ['handler', 'CXL reset', KEPT],
  ['handler', 'L1 reboots', GONE],
  ['strict', 'flr', KEPT],
  ['strict', 'hot reset', GONE],
  ['strict', 'CXL reset', GONE],
  ['strict', 'CXL reset, clearing', EMPTY],
  ['strict', 'CXL reset, locked', { ...GONE, memEnable: true }],
  ['strict', 'L1 reboots', GONE],
])('%s device, %s', async (device, path, expected) => {
  expect(await afterReset(device, path)).toEqual(expected);
});
