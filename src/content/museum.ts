import { CORE } from './museum/core.ts';
import type { Exhibit } from './museum/exhibit.ts';
import { HDM_SHADOW } from './museum/hdm-shadow.ts';
import { L2_DRIVER } from './museum/l2-driver.ts';
import { QEMU_STUB } from './museum/qemu-stub.ts';
import { REGION } from './museum/region.ts';
import { VFIO_PCI } from './museum/vfio-pci.ts';

export type { Exhibit, ExhibitLine } from './museum/exhibit.ts';

/** The review museum, part by part: see museum/exhibit.ts for what an exhibit is. */
export const MUSEUM: readonly Exhibit[] = [...HDM_SHADOW, ...REGION, ...CORE, ...VFIO_PCI, ...QEMU_STUB, ...L2_DRIVER];
