import { GiB } from '../../base/addr.ts';
import type { EventLog } from '../../log/index.ts';
import { paths } from '../../state/schema.ts';

import { commitDecoder, publishL1Hardware, publishL2Hardware, publishL2Map } from './fake-hardware.ts';
import { bootNoise, openShadow, publishCxlCore, publishEndpoint, trappedStores, vfio } from './fake-kernel.ts';
import { ACCEL, device, L1_WINDOW, L2_WINDOW, machine, put, QEMU_L0, QEMU_L1, REGION } from './fake-parts.ts';

/**
 * The states of the walkthrough written by hand as an engine would publish them, for tests and for drawing the page
 * without an engine. Addresses are those of `-m 4G,maxmem=8G,slots=8` for L1 and `-m 2G` for L2.
 */
export interface StoryStep {
  readonly console: string;
  readonly prompt: string;
  readonly line: string;
  readonly output: string;
  readonly apply: (log: EventLog) => void;
}

const dmesg = (lines: readonly string[]): string =>
  lines.map((line, n) => `[    ${(0.3 + n * 0.117).toFixed(6)}] ${line}\r\n`).join('');

export const STORY: readonly StoryStep[] = [
  {
    console: 'host',
    prompt: 'root@host:~# ',
    line: 'qemu-system-x86_64 -M q35,cxl=on -m 4G,maxmem=8G,slots=8 -smp 4 -object memory-backend-ram,id=vmem0,share=on,size=256M -device pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1 -device cxl-rp,port=0,bus=cxl.1,id=root_port13,chassis=0,slot=2 -device cxl-accel,bus=root_port13,volatile-memdev=vmem0,id=cxl-accel0 -M cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G -kernel /boot/vmlinuz-6.11.0-rc2-vfio-cxl-l1 -nographic',
    output: dmesg([
      'Linux version 6.11.0-rc2-vfio-cxl-l1',
      'ACPI: CEDT 0x000000007FFE1A2C 0000E4 (v01 BOCHS  BXPC     00000001)',
      'acpi ACPI0016:00: _OSC: OS now controls [PCIeHotplug PME AER PCIeCapability CXL]',
      'pci 0000:0d:00.0: [8086:0d94] type 00 class 0x050310 PCIe Endpoint',
      'cxl_acpi ACPI0017:00: decoder0.0: [mem 0x490000000-0x58fffffff]',
    ]),
    apply: (log) => {
      publishL1Hardware(log);
      machine(log, {
        id: 'l1',
        state: 'booting',
        release: '6.11.0-rc2-vfio-cxl-l1',
        vmm: { machine: 'host', pid: QEMU_L0 },
        ramBytes: 4 * GiB,
        cpus: 4,
      });
      bootNoise(log, 'l1', 60);
      publishCxlCore(log, 'l1', L1_WINDOW);
      device(log, 'l1', '/devices/pci0000:0c/0000:0c:00.0', 'pcieport');
      device(log, 'l1', ACCEL, null);
      machine(log, {
        id: 'l1',
        state: 'running',
        release: '6.11.0-rc2-vfio-cxl-l1',
        vmm: { machine: 'host', pid: QEMU_L0 },
        ramBytes: 4 * GiB,
        cpus: 4,
      });
    },
  },
  {
    console: 'l1',
    prompt: 'root@l1:~# ',
    line: 'lspci -nn -s 0d:00.0',
    output: '0d:00.0 Memory controller [0503]: Intel Corporation Device [8086:0d94] (rev 01)\r\n',
    apply: (log) => bootNoise(log, 'l1', 2),
  },
  {
    console: 'l1',
    prompt: 'root@l1:~# ',
    line: 'modprobe cxl_accel_vfio_pci && echo cxl_accel_vfio_pci > /sys/bus/pci/devices/0000:0d:00.0/driver_override && echo 0000:0d:00.0 > /sys/bus/pci/drivers_probe',
    output: '',
    apply: (log) => {
      put(log, paths.module('l1', 'cxl_accel_vfio_pci'), {
        name: 'cxl_accel_vfio_pci',
        size: 12288,
        usedBy: [],
        refcount: 0,
      });
      device(log, 'l1', ACCEL, 'cxl_accel_vfio_pci');
      vfio(log, false);
    },
  },
  {
    console: 'l1',
    prompt: 'root@l1:~# ',
    line: 'qemu-system-x86_64 -M q35,accel=kvm,cxl=on -m 2G -cpu host -device pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1 -device cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2 -device vfio-pci,host=0000:0d:00.0,bus=rp0,id=accel0 -M cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G -kernel /boot/vmlinuz-6.11.0-rc2-type2-l2 -nographic',
    output: dmesg([
      'Linux version 6.11.0-rc2-type2-l2',
      'pci 0000:0d:00.0: [8086:0d94] type 00 class 0x050310 PCIe Endpoint',
      'cxl_acpi ACPI0017:00: decoder0.0: [mem 0x110000000-0x20fffffff]',
    ]),
    apply: (log) => {
      publishEndpoint(log, 'l1', L1_WINDOW, true);
      commitDecoder(log, 'hw/l1/cxl-accel0/component', 0x128, L1_WINDOW, REGION);
      openShadow(log);
      vfio(log, true);
      publishL2Hardware(log);
      machine(log, {
        id: 'l2',
        state: 'booting',
        release: '6.11.0-rc2-type2-l2',
        vmm: { machine: 'l1', pid: QEMU_L1 },
        ramBytes: 2 * GiB,
        cpus: 1,
      });
      bootNoise(log, 'l2', 40);
      publishCxlCore(log, 'l2', L2_WINDOW);
      device(log, 'l2', '/devices/pci0000:0c/0000:0c:00.0', 'pcieport');
      device(log, 'l2', ACCEL, null);
      machine(log, {
        id: 'l2',
        state: 'running',
        release: '6.11.0-rc2-type2-l2',
        vmm: { machine: 'l1', pid: QEMU_L1 },
        ramBytes: 2 * GiB,
        cpus: 1,
      });
    },
  },
  {
    console: 'l2',
    prompt: 'root@l2:~# ',
    line: 'modprobe cxl-accel',
    output: dmesg([
      'cxl-accel 0000:0d:00.0: CXL CXL_DVSEC_PCIE_DEVICE capability found',
      'cxl decoder0.0: found 0x0000000100000000 bytes of free space',
      'cxl-accel 0000:0d:00.0: QEMU ACCEL device driver is loaded',
    ]),
    apply: (log) => {
      put(log, paths.module('l2', 'cxl_accel'), { name: 'cxl_accel', size: 12288, usedBy: [], refcount: 1 });
      publishEndpoint(log, 'l2', L2_WINDOW, false);
      trappedStores(log, 'vfio/l1/0000:0d:00.0/hdm');
      publishL2Map(log, true);
      publishEndpoint(log, 'l2', L2_WINDOW, true);
      device(log, 'l2', ACCEL, 'cxl-accel');
    },
  },
  {
    console: 'l2',
    prompt: 'root@l2:~# ',
    line: 'devmem 0x110001000 32 0xc0ffee',
    output: '',
    apply: (log) => bootNoise(log, 'l2', 1),
  },
];

export function startHost(log: EventLog): void {
  machine(log, { id: 'host', state: 'running', release: '6.11.0-rc2', ramBytes: 16 * GiB, cpus: 8 });
}

/** Appends one step as a command typed and answered. */
export function playStep(log: EventLog, step: StoryStep, ns: number): void {
  log.mark(step.line.slice(0, 60), ns, { console: step.console, line: step.line });
  log.out(`${step.console}:tty`, ns, `${step.line}\r\n`);
  step.apply(log);
  log.out(`${step.console}:tty`, ns + 1e6, step.output);
  const next = STORY[STORY.indexOf(step) + 1];
  if (next && next.console !== step.console) log.out(`${next.console}:tty`, ns + 2e6, next.prompt);
  else log.out(`${step.console}:tty`, ns + 2e6, step.prompt);
}
