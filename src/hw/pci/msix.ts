import { fromHalves } from '../../base/addr.ts';
import { layout } from '../../spec/layouts.ts';
import type { MemoryRegionOps } from '../memory/api.ts';
import type { MemoryRegion } from '../memory/memory-region.ts';
import { RegisterSpace } from '../registers/register-space.ts';
import type { PciFunction } from './pci-function.ts';

/** QEMU hw/pci/msix.c: table and pending bits in one 4 KiB BAR (msix_init_exclusive_bar). */
export class Msix {
  readonly memory: MemoryRegion;
  readonly registers: RegisterSpace;

  constructor(
    private readonly device: PciFunction,
    readonly vectors: 6 | 8,
    readonly bar: number,
  ) {
    const { env, options } = device;
    const { core } = env;
    const path = `hw/${env.machine}/${device.id}/msix`;
    const registers = new RegisterSpace(env.log, path, layout(`msix-bar.${vectors}`), { layer: env.layer });
    this.registers = registers;
    this.memory = core.memory_region_init(`${options.type}-msix`, 4096);
    const part = (name: string, at: number, size: number) => {
      const ops: MemoryRegionOps = {
        hi: 0,
        valid: { min: 4, max: 8 },
        impl: { min: 4, max: 4 },
        read: (offset, width) => registers.read(at + offset, width),
        write: (offset, width, lo, hi) => registers.write(at + offset, width, lo, hi),
        peek: (offset, width) => registers.peek(at + offset, width),
      };
      core.memory_region_add_subregion(this.memory, at, core.memory_region_init_io(ops, name, size));
    };
    part('msix-table', 0, vectors * 16);
    part('msix-pba', 0x800, 8);
    device.pci_register_bar(bar, 0, this.memory);
    device.addRoute({ space: `bar${bar}`, offset: 0, size: 4096, block: path, blockOffset: 0, answeredBy: 'device' });
    device.resetHooks.push(() => registers.reset('hot'));
  }

  /** msix_enabled(). */
  get enabled(): boolean {
    return this.device.config.get('MSIX_CONTROL', 'ENABLE') === 1;
  }

  /** msix_notify(): sends the vector's message, or remembers it while masked. */
  msix_notify(vector: number): void {
    const { device, registers } = this;
    if (!this.enabled || vector >= this.vectors) return;
    const masked =
      device.config.get('MSIX_CONTROL', 'MASK_ALL') === 1 || registers.get(`MSIX${vector}_CTRL`, 'MASK') === 1;
    if (masked) {
      registers.set('MSIX_PBA0', (registers.get('MSIX_PBA0') | (1 << vector)) >>> 0);
      return;
    }
    const address = fromHalves(registers.get(`MSIX${vector}_ADDR_HI`), registers.get(`MSIX${vector}_ADDR_LO`));
    device.env.message?.(address, registers.get(`MSIX${vector}_DATA`));
  }
}
