import { expect, test } from 'vitest';
import { kernelWithPrograms, runBash } from '../testing/scripts.ts';

/**
 * Scripts on a small machine, and what the real tools gave for the same files: util-linux 2.38.1 (`lscpu -s DIR`; its lines about
 * topology are left out), procps-ng 4.0.2, acpica-tools 20200925, gzip 1.12.
 */
const CASES: readonly (readonly [script: string, status: number, stdout: string, stderr: string])[] = [
  [
    'lscpu',
    0,
    'Architecture:        x86_64\nCPU op-mode(s):      32-bit, 64-bit\nByte Order:          Little Endian\nCPU(s):              2\nOn-line CPU(s) list: 0,1\nVendor ID:           GenuineIntel\nModel name:          QEMU TCG CPU version 2.5+\nFlags:               fpu pae lm\n',
    '',
  ],
  ['lscpu -e', 0, 'CPU ONLINE\n  0    yes\n  1    yes\n', ''],
  [
    'lscpu -p=cpu,core | tail -2; lscpu -b',
    1,
    '0,\n1,\n',
    'lscpu: options --all, --online and --offline may only be used with options --extended or --parse.\n',
  ],
  ['lsmem', 1, '', 'lsmem: cannot open /sys/devices/system/memory: No such file or directory\n'],
  [
    'sysctl kernel.hostname kernel/printk kernel.nosuch',
    1,
    'kernel.hostname = vm\nkernel.printk = 4\t4\t1\t7\n',
    'sysctl: cannot stat /proc/sys/kernel/nosuch: No such file or directory\n',
  ],
  ['sysctl -w kernel.hostname', 1, '', 'sysctl: command line(0): invalid syntax, continuing...\n'],
  ['sysctl -a -r printk$; sysctl -n kernel.hostname', 0, 'kernel.printk = 4\t4\t1\t7\nvm\n', ''],
  [
    'acpidump -n CEDT; acpidump -s; acpidump -n XX',
    255,
    'CEDT @ 0x0000000000000000\n    0000: 43 45 44 54 28 00 00 00 01 05 42 4F 43 48 53 20  CEDT(.....BOCHS \n    0010: 42 58 50 43 20 20 20 20 01 00 00 00 42 58 50 43  BXPC    ....BXPC\n    0020: 01 00 00 00 AA BB CC DD                          ........\n\nACPI: CEDT 0x0000000000000000 000028 (v01 BOCHS  BXPC     00000001 BXPC 00000001)\n',
    'Invalid table signature [XX]: must be exactly 4 characters\n',
  ],
  [
    'cd /tmp; acpidump -o all.txt; acpixtract -a all.txt | tail -1; cmp cedt.dat /sys/firmware/acpi/tables/CEDT',
    0,
    '  CEDT -      40 bytes written (0x00000028) - cedt.dat\n',
    '',
  ],
  ['zcat /etc/plain', 1, '', '\ngzip: /etc/plain: not in gzip format\n'],
  ['zcat -f /etc/plain; zgrep -c a /etc/plain', 0, 'a b\n1\n', ''],
  ['fuser /nosuch', 1, '', 'Specified filename /nosuch does not exist.\n'],
];

const CPU = (n: number): string =>
  `processor\t: ${n}\nvendor_id\t: GenuineIntel\nmodel name\t: QEMU TCG CPU version 2.5+\nflags\t\t: fpu pae lm\n\n`;
const CEDT = [...'CEDT(\0\0\0\x01\x05BOCHS BXPC    \x01\0\0\0BXPC\x01\0\0\0'].map((c) => c.charCodeAt(0));

test.each(CASES)('%s', async (script, status, stdout, stderr) => {
  const k = kernelWithPrograms();
  for (const dir of ['/proc/sys/kernel', '/sys/firmware/acpi/tables']) k.mkdir(dir);
  k.file('/etc/plain', 'a b\n');
  k.file('/proc/cpuinfo', CPU(0) + CPU(1));
  k.file('/proc/sys/kernel/hostname', 'vm\n');
  k.file('/proc/sys/kernel/printk', '4\t4\t1\t7\n');
  k.file('/sys/firmware/acpi/tables/CEDT', '').data = Uint8Array.from([...CEDT, 0xaa, 0xbb, 0xcc, 0xdd]);
  expect(await runBash(k, '-c', script)).toEqual({ status, stdout, stderr });
});
