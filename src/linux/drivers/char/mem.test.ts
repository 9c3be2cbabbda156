import { expect, test } from 'vitest';
import { E } from '../../../base/errno.ts';
import { BUILD, runShell } from '../../testing/fake-machine.ts';
import { MAP_SHARED, O_RDWR, PROT_READ, PROT_WRITE } from '../../uapi/constants.ts';
import type { Sys } from '../../uapi/sys.ts';

const probe = async (sys: Sys) => {
  const fd = sys.open('/dev/mem', O_RDWR);
  const byte = new Uint8Array(4).fill(9);
  const bios = sys.pread(fd, byte, 0xf0000);
  const low = new Uint8Array(4).fill(9);
  return {
    bios,
    low: [sys.pread(fd, low, 0x2000), low[0]],
    ram: sys.pread(fd, byte, 0x200000),
    mapRam: sys.mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0x200000),
    busy: sys.pread(fd, byte, 0xd0000000),
    free: sys.pread(fd, byte, 0xe0000000),
  };
};
const modules = [
  {
    name: 'claims',
    config: 'BUILTIN',
    dir: 'x',
    size: 1,
    initcall: 6 as const,
    init: (kernel: Parameters<import('../../include/module.ts').ModuleDef['init']>[0]) => {
      kernel.iomem.request_mem_region(0xd0000000, 4096, 'claimed');
      return 0;
    },
  },
];

test('/dev/mem keeps RAM to itself, and busy ranges unless iomem=relaxed', async () => {
  const strict = await runShell(probe, { modules, build: BUILD, cmdline: 'console=ttyS0' });
  expect(strict.result).toEqual({ bios: 4, low: [4, 0], ram: -E.EPERM, mapRam: -E.EPERM, busy: -E.EPERM, free: 4 });
  const relaxed = await runShell(probe, { modules, build: BUILD, cmdline: 'console=ttyS0 iomem=relaxed' });
  expect(relaxed.result).toMatchObject({ ram: -E.EPERM, busy: 4 });
});
