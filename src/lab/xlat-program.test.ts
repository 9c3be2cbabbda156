import { expect, test } from 'vitest';
import { backendBytes } from './export/backend.ts';
import { Lab } from './lab.ts';
import { runStep } from './run-step.ts';
import { host } from './testing/host.ts';

const QEMU =
  'cd /boot && qemu-system-x86_64 -M q35,cxl=on -m 2G,maxmem=8G,slots=8 -cpu max,hypervisor=off ' +
  '-object memory-backend-ram,id=m0,size=256M -object memory-backend-ram,id=m1,size=256M ' +
  '-device pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1 -device cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2 ' +
  '-device cxl-rp,port=1,bus=cxl.1,id=rp1,chassis=0,slot=3 -device cxl-type3,bus=rp0,volatile-memdev=m0,id=v0 ' +
  '-device cxl-type3,bus=rp1,volatile-memdev=m1,id=v1 -M cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G ' +
  '-kernel vmlinuz-6.12 -initrd initrd-6.12 -append console=ttyS0 -nographic';

test('xlat in a guest follows an address of an interleaved region to the device and byte that hold it', async () => {
  const lab = await Lab.start({ seed: 1, host });
  const type = async (console: 'host' | 'l1', line: string) =>
    (await runStep(lab, { console, line, expected: [], at: 1 }, 'test')).output;
  await type('host', QEMU);
  await type('l1', 'modprobe -a cxl_acpi cxl_pci cxl_mem dax_cxl');
  await type('l1', 'cxl create-region -m -t ram -d decoder0.0 -w 2 -g 1024 mem0 mem1');
  await type('l1', 'devmem $(( $(cat /sys/bus/cxl/devices/region0/resource) + 0x1804 )) 8 0x5a');
  const text = await type('l1', 'xlat region0+0x1804');
  const [, at = '', id = ''] = /backend +(0x[0-9a-f]+) +memory backend (m[01])/.exec(text) ?? [];
  expect(at).toBe('0xc04');
  expect(backendBytes(lab, 'host', id)[Number(at)]).toBe(0x5a);

  expect(await type('l1', 'xlat 12q; echo $?')).toMatch(/^xlat: "12q" is not an address: [^\n]*\n2\n$/);
  expect(await type('l1', 'xlat region7; echo $?')).toBe('xlat: there is no region7 on this machine\n2\n');
  expect(await type('host', 'xlat 0')).toContain('No process of the host has 0x0 mapped');
  lab.stop();
});
