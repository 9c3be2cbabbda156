/** intel-iommu (hw/i386/intel_iommu.c): the DMAR unit announces itself and its capabilities. Left out: translation (DMA is not remapped), invalidation queues, faults. */
import type { Width } from '../../../base/addr.ts';
import type { MemoryRegionOps } from '../../../hw/memory/index.ts';
import { registerDeviceType } from '../../qdev/device-type.ts';
import type { PropertySpec } from '../../qdev/property.ts';
import { error_setg } from '../../system/error.ts';

export const INTEL_IOMMU_BASE = 0xfed9_0000;
const SIZE = 0x230;
/** VER 1.0, CAP and ECAP of QEMU's unit with 48-bit addresses, queued invalidation and interrupt remapping. */
const REGISTERS: Readonly<Record<number, number>> = {
  0: 0x10,
  8: 0x2226_0286,
  12: 0x00d2_008c,
  16: 0x00f0_0f5a,
};

const flag = (name: string, value = false): PropertySpec => ({ name, kind: 'bool', value });

registerDeviceType({
  name: 'intel-iommu',
  description: 'Intel IOMMU (VT-d) DMA Remapping device',
  category: 'Misc',
  bus: 'System',
  userCreatable: true,
  properties: [
    { name: 'version', kind: 'uint32', value: 0 },
    { name: 'eim', kind: 'enum', value: 'auto', words: ['auto', 'on', 'off'] },
    flag('x-buggy-eim'),
    { name: 'aw-bits', kind: 'uint8', value: 48 },
    flag('caching-mode'),
    flag('x-scalable-mode'),
    flag('snoop-control'),
    flag('x-pasid-mode'),
    flag('dma-drain', true),
    flag('dma-translation', true),
    flag('stale-tm'),
    { name: 'intremap', kind: 'enum', value: 'auto', words: ['auto', 'on', 'off'] },
    flag('device-iotlb'),
    flag('pt', true),
  ],
  realize(dev) {
    const { vm } = dev;
    if (vm.allDevices().some((other) => other.type.name === 'intel-iommu'))
      error_setg('QEMU does not support multiple vIOMMUs for x86 yet.');
    if (![39, 48].includes(dev.props.number('aw-bits'))) error_setg('Supported values for aw-bits are: 39, 48');
    const at = (offset: number) => REGISTERS[offset & ~3] ?? 0;
    const read = (offset: number, width: Width) => {
      ops.hi = width === 8 ? at(offset + 4) : 0;
      return at(offset) >>> (8 * (offset & 3));
    };
    const ops: MemoryRegionOps = { hi: 0, read, write: () => {}, peek: read, valid: { min: 4, max: 8 } };
    const mr = vm.core.memory_region_init_io(ops, 'intel_iommu', SIZE);
    vm.core.memory_region_add_subregion_overlap(vm.system_memory, INTEL_IOMMU_BASE, mr, 1);
    dev.qtreeLines = () => [`mmio 00000000fed90000/0000000000000230`];
  },
});
