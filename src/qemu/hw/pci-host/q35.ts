/** The q35 host bridge (hw/pci-host/q35.c): `mch` at 00:00.0 with the configuration window and the PAM registers. Left out: SMRAM and TSEG behaviour, DRAM registers. */
import { fromHalves, GiB, MiB } from '../../../base/addr.ts';
import type { MemoryRegion } from '../../../hw/memory/index.ts';
import { PciFunction, type PciHost } from '../../../hw/pci/index.ts';
import { layout } from '../../../spec/layouts.ts';
import { type Device, registerDeviceType } from '../../qdev/device-type.ts';
import { PCI_PROPERTIES } from '../../qdev/pci-properties.ts';
import type { VirtualMachine } from '../../qdev/virtual-machine.ts';
import { pci_public_id, pci_register_device } from '../pci/pci.ts';

const WINDOW_SIZES = [256, 128, 64, 0];
const PAM_COUNT = 13;

registerDeviceType({
  name: 'mch',
  description: 'Host bridge',
  category: 'Controller/Bridge/Hub',
  bus: 'PCI',
  userCreatable: false,
  properties: [
    { name: 'extended-tseg-mbytes', kind: 'uint16', value: 16 },
    { name: 'smbase-smram', kind: 'bool', value: true },
    ...PCI_PROPERTIES,
  ],
  realize(dev) {
    const fn = new PciFunction(dev.vm.pciEnv, {
      id: pci_public_id(dev, 0),
      type: 'mch',
      label: 'host bridge',
      layout: layout('mch.config'),
    });
    pci_register_device(dev, fn, 0);
  },
});

/** mch_realize()'s memory side: everything software can move by writing the host bridge's registers. */
export function mch_init(dev: Device, host: PciHost, ram: MemoryRegion, pci: MemoryRegion): void {
  const { vm, pci: fn } = dev;
  if (!fn) return;
  const { config } = fn;
  new McfgWindow(vm, host, fn);
  const pam = new PamRegions(vm, ram, pci);
  const update = () => pam.update((n) => config.get(`PAM${n}`));
  for (let n = 0; n < 7; n++) config.onWrite(`PAM${n}`, update);
  fn.resetHooks.push(() => {
    for (let n = 0; n < 7; n++) config.set(`PAM${n}`, 0);
    update();
  });
  update();
}

/** mch_update_pciexbar(): the memory-mapped configuration space, where PCIEXBAR puts it. */
class McfgWindow {
  private mapped: MemoryRegion | null = null;

  constructor(
    private readonly vm: VirtualMachine,
    private readonly host: PciHost,
    private readonly fn: PciFunction,
  ) {
    const update = () => this.mch_update_pciexbar();
    fn.config.onWrite('PCIEXBAR_LO', update);
    fn.config.onWrite('PCIEXBAR_HI', update);
    fn.resetHooks.push(() => {
      fn.config.set('PCIEXBAR_LO', 0xb000_0000);
      fn.config.set('PCIEXBAR_HI', 0);
      update();
    });
  }

  private mch_update_pciexbar(): void {
    const { core, system_memory } = this.vm;
    const { config } = this.fn;
    const lo = config.get('PCIEXBAR_LO');
    const size = (WINDOW_SIZES[(lo >>> 1) & 3] ?? 0) * MiB;
    const base = fromHalves(config.get('PCIEXBAR_HI'), lo);
    core.memory_region_transaction_begin();
    if (this.mapped) core.memory_region_del_subregion(system_memory, this.mapped);
    this.mapped = null;
    if (lo & 1 && size > 0) {
      this.mapped = this.host.pcie_mmcfg_init(core, size);
      core.memory_region_add_subregion_overlap(system_memory, base - (base % size), this.mapped, 0);
    }
    core.memory_region_transaction_commit();
  }
}

/** init_pam(), pam_update() (hw/pci-host/pam.c): thirteen ranges below 1 MiB, each PCI, read-only RAM, or RAM. */
class PamRegions {
  private readonly regions: (readonly MemoryRegion[])[] = [];
  private readonly current: number[] = [];

  constructor(
    private readonly vm: VirtualMachine,
    ram: MemoryRegion,
    pci: MemoryRegion,
  ) {
    for (let n = 0; n < PAM_COUNT; n++) {
      const start = n === 0 ? 0xf0000 : 0xc0000 + (n - 1) * 0x4000;
      this.regions.push(this.init_pam(ram, pci, start, n === 0 ? 0x10000 : 0x4000));
      this.current.push(0);
    }
  }

  private init_pam(ram: MemoryRegion, pci: MemoryRegion, start: number, size: number): MemoryRegion[] {
    const { core, system_memory } = this.vm;
    const rom = core.memory_region_init_alias('pam-rom', ram, start, size);
    core.memory_region_set_readonly(rom, true);
    const aliases = [
      core.memory_region_init_alias('pam-pci', pci, start, size),
      rom,
      core.memory_region_init_alias('pam-pci', ram, start, size),
      core.memory_region_init_alias('pam-ram', ram, start, size),
    ];
    core.memory_region_transaction_begin();
    aliases.forEach((alias, n) => {
      core.memory_region_set_enabled(alias, n === 0);
      core.memory_region_add_subregion_overlap(system_memory, start, alias, 1);
    });
    core.memory_region_transaction_commit();
    return aliases;
  }

  update(register: (n: number) => number): void {
    const { core } = this.vm;
    core.memory_region_transaction_begin();
    this.regions.forEach((aliases, n) => {
      const value = register(Math.ceil(n / 2));
      const mode = (n % 2 === 0 ? value >>> 4 : value) & 3;
      if (mode === this.current[n]) return;
      core.memory_region_set_enabled(aliases[this.current[n] as number] as MemoryRegion, false);
      core.memory_region_set_enabled(aliases[mode] as MemoryRegion, true);
      this.current[n] = mode;
    });
    core.memory_region_transaction_commit();
  }
}

/** Properties of the sysbus device in front of it, as `info qtree` shows them. */
registerDeviceType({
  name: 'q35-pcihost',
  category: 'Controller/Bridge/Hub',
  bus: 'System',
  userCreatable: false,
  properties: [
    { name: 'MCFG', kind: 'uint64', value: 0xb000_0000 },
    { name: 'pci-hole64-size', kind: 'size', value: 32 * GiB },
    { name: 'below-4g-mem-size', kind: 'size', value: 0 },
    { name: 'above-4g-mem-size', kind: 'size', value: 0 },
    { name: 'smm-ranges', kind: 'bool', value: true },
    { name: 'x-pci-hole64-fix', kind: 'bool', value: true },
    { name: 'x-config-reg-migration-enabled', kind: 'bool', value: true },
    { name: 'bypass-iommu', kind: 'bool', value: false },
  ],
  realize() {},
});
