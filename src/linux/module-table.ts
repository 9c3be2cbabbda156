/** The kernel tree's modules, and the /lib/modules directory that depmod would make of a build. */
import { acpi_modules } from './drivers/acpi/modules.ts';
import { cxl_modules } from './drivers/cxl/modules.ts';
import { dax_modules } from './drivers/dax/modules.ts';
import { iommu_modules } from './drivers/iommu/iommu.ts';
import { nvdimm_modules } from './drivers/nvdimm/modules.ts';
import { pci_modules } from './drivers/pci/modules.ts';
import { vfio_modules } from './drivers/vfio/modules.ts';
import type { InitrdEntry } from './image.ts';
import type { KernelBuild } from './include/build.ts';
import type { ModuleDef } from './include/module.ts';
import { depmod } from './module-tree.ts';
import { cxl_test_modules } from './tools/cxl/modules.ts';
import { kvm_intel_module, kvm_module } from './virt/kvm/module.ts';

export const MODULES: readonly ModuleDef[] = [
  ...acpi_modules,
  ...pci_modules,
  ...iommu_modules,
  ...nvdimm_modules,
  ...dax_modules,
  ...cxl_modules,
  ...vfio_modules,
  ...cxl_test_modules,
  kvm_module,
  kvm_intel_module,
];

/** What the image builder puts below /lib/modules for a build. */
export function moduleTreeEntries(build: KernelBuild): readonly InitrdEntry[] {
  return depmod(build, MODULES);
}
