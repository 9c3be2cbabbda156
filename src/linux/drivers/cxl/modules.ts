import type { Kernel } from '../../include/kernel.ts';
import type { ModuleDef } from '../../include/module.ts';
import { qemu_cxl_accel_exit, qemu_cxl_accel_init } from './accel/accel-2025.ts';
import { cxl_accel_v28_exit, cxl_accel_v28_init } from './accel/accel-v28.ts';
import { cxl_accel_exit, cxl_accel_init } from './accel/cxl-accel.ts';
import { cxl_acpi_exit, cxl_acpi_init } from './acpi.ts';
import { cxl_memdev_init } from './core/memdev.ts';
import { cxl_core_init } from './core/port.ts';
import { cxl_region_init } from './core/region.ts';
import { cxl_mem_exit, cxl_mem_init } from './mem.ts';
import { cxl_pci_exit, cxl_pci_init } from './pci-type3.ts';
import { cxl_pmem_exit, cxl_pmem_init } from './pmem.ts';
import { cxl_port_exit, cxl_port_init } from './port.ts';

/** Modules of drivers/cxl. The port driver comes before cxl_acpi, so that host bridges find their driver at once. */

/** The module's name when it is loadable, null when built in. */
const owner = (kernel: Kernel, config: string, name: string) => (kernel.config(config) === 'm' ? name : null);

const COMMON = { dir: 'drivers/cxl', author: 'Intel Corporation', license: 'GPL v2' } as const;

const timeout = (description: string) => ({ type: 'uint', description, default: '60', mode: 0o644 }) as const;

export const cxl_modules: readonly ModuleDef[] = [
  {
    ...COMMON,
    name: 'cxl_core',
    config: 'CXL_BUS',
    dir: 'drivers/cxl/core',
    description: 'CXL: Core Compute Express Link support',
    params: { media_ready_timeout: timeout('seconds to wait for media ready') },
    size: 307200,
    initcall: 4,
    init(kernel) {
      return cxl_core_init(kernel) || cxl_memdev_init(kernel) || cxl_region_init(kernel);
    },
  },
  {
    ...COMMON,
    name: 'cxl_port',
    config: 'CXL_PORT',
    depends: ['cxl_core'],
    alias: ['cxl:t3*'],
    description: 'CXL: Port enumeration and services',
    size: 16384,
    initcall: 6,
    init: (kernel) => cxl_port_init(kernel, owner(kernel, 'CXL_PORT', 'cxl_port')),
    exit: cxl_port_exit,
  },
  {
    ...COMMON,
    name: 'cxl_acpi',
    config: 'CXL_ACPI',
    depends: ['cxl_core'],
    softdepPre: ['cxl_port'],
    alias: ['acpi*:ACPI0017:*'],
    description: 'CXL ACPI: Platform Support',
    size: 24576,
    initcall: 6,
    init: (kernel) => cxl_acpi_init(kernel, owner(kernel, 'CXL_ACPI', 'cxl_acpi')),
    exit: cxl_acpi_exit,
  },
  {
    ...COMMON,
    name: 'cxl_mem',
    config: 'CXL_MEM',
    depends: ['cxl_core'],
    softdepPre: ['cxl_port'],
    alias: ['cxl:t5*'],
    description: 'CXL: Memory Expansion',
    size: 12288,
    initcall: 6,
    init: (kernel) => cxl_mem_init(kernel, owner(kernel, 'CXL_MEM', 'cxl_mem')),
    exit: cxl_mem_exit,
  },
  {
    ...COMMON,
    name: 'cxl_pmem',
    config: 'CXL_PMEM',
    depends: ['libnvdimm'],
    softdepPre: ['cxl_port'],
    alias: ['cxl:t7*', 'cxl:t2*', 'cxl:t1*'],
    description: 'CXL PMEM: Persistent Memory Support',
    size: 24576,
    initcall: 6,
    init: (kernel) =>
      // the walkthrough's kernels have it built in, with nothing for it to do
      kernel.config('CXL_PMEM') === 'm' ? cxl_pmem_init(kernel, 'cxl_pmem') : 0,
    exit: cxl_pmem_exit,
  },
  {
    ...COMMON,
    name: 'cxl_pci',
    config: 'CXL_PCI',
    depends: ['cxl_core'],
    alias: ['pci:v*d*sv*sd*bc05sc02i10*'],
    description: 'CXL: PCI manageability',
    params: { mbox_ready_timeout: timeout('seconds to wait for mailbox ready') },
    size: 28672,
    initcall: 6,
    init: (kernel) => cxl_pci_init(kernel, owner(kernel, 'CXL_PCI', 'cxl_pci')),
    exit: cxl_pci_exit,
  },
  {
    name: 'cxl-accel',
    config: 'CXL_ACCEL',
    dir: 'drivers/cxl',
    depends: ['cxl_core'],
    alias: ['pci:v00008086d00000D94sv*sd*bc*sc*i*'],
    description: 'QEMU CXL Accel driver',
    author: 'Zhi Wang',
    license: 'GPL',
    size: 12288,
    initcall: 6,
    init: (kernel) => cxl_accel_init(kernel, owner(kernel, 'CXL_ACCEL', 'cxl_accel')),
    exit: cxl_accel_exit,
  },
  {
    name: 'qemu-cxl-accel',
    config: 'SAMPLE_QEMU_CXL_ACCEL',
    dir: 'samples/cxl',
    depends: ['cxl_core'],
    softdepPre: ['cxl_core', 'cxl_port', 'cxl_acpi', 'cxl-mem'],
    alias: ['pci:v00008086d00000D94sv*sd*bc*sc*i*'],
    description: 'QEMU CXL Accel driver',
    author: 'Zhi Wang',
    license: 'GPL',
    size: 12288,
    initcall: 6,
    init: (kernel) => qemu_cxl_accel_init(kernel, owner(kernel, 'SAMPLE_QEMU_CXL_ACCEL', 'qemu_cxl_accel')),
    exit: qemu_cxl_accel_exit,
  },
  {
    name: 'cxl-accel-v28',
    config: 'CXL_ACCEL_V28',
    dir: 'drivers/cxl',
    depends: ['cxl_core'],
    alias: ['pci:v00008086d00000D94sv*sd*bc*sc*i*'],
    description: 'Test driver on the type-2 interface of series v28 (of this lab)',
    author: 'cxlab',
    license: 'GPL',
    size: 12288,
    initcall: 6,
    init: (kernel) => cxl_accel_v28_init(kernel, owner(kernel, 'CXL_ACCEL_V28', 'cxl_accel_v28')),
    exit: cxl_accel_v28_exit,
  },
];
