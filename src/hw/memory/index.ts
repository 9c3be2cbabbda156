export { AddressSpace, type MemoryListener } from './address-space.ts';
export type { FlatRange, HostMemory, MemoryRegionOps } from './api.ts';
export { FlatEntry, FlatView } from './flat-view.ts';
export { MemoryCore, type MemoryHooks } from './memory.ts';
export { MemoryRegion, type RegionKind, UINT64_SIZE, unassigned_io_ops } from './memory-region.ts';
