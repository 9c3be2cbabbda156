import type { PciBridge } from '../pci/pci-bridge.ts';
import type { PciBus } from '../pci/pci-bus.ts';
import { PCI_BASE_ADDRESS_SPACE_IO, UNMAPPED } from '../pci/pci-function.ts';
import type { Range, RootResources } from './description.ts';

/**
 * build_crs() (QEMU hw/acpi/aml-build.c): what the devices of a root bus were given by firmware, BARs and bridge windows,
 * merged and split below/above 4 GiB. Only what is mapped counts.
 */
export function build_crs(root: PciBus, bridgeOf: (id: string) => PciBridge | null): RootResources {
  const io: Range[] = [];
  const memory: Range[] = [];
  let lastBus = root.busNumber;
  for (const device of root.devices.values()) {
    for (const region of device.io_regions) {
      if (!region || region.addr === UNMAPPED) continue;
      const range = { start: region.addr, end: region.addr + region.size - 1 };
      (region.type & PCI_BASE_ADDRESS_SPACE_IO ? io : memory).push(range);
    }
    const bridge = device.isBridge ? bridgeOf(device.id) : null;
    if (!bridge) continue;
    lastBus = Math.max(lastBus, bridge.config.peek(0x1a, 1));
    for (const kind of ['io', 'mem', 'pref'] as const) {
      const window = bridge.window(kind);
      // An I/O window that starts at 0 was never set up.
      if (!window || window[0] === 0) continue;
      (kind === 'io' ? io : memory).push({ start: window[0], end: window[1] });
    }
  }
  const below = memory.filter((r) => r.end < 0x1_0000_0000);
  const above = memory.filter((r) => r.end >= 0x1_0000_0000);
  return { firstBus: root.busNumber, lastBus, io: merged(io), memory: merged(below), memory64: merged(above) };
}

/** crs_range_merge(): neighbours join. */
export function merged(ranges: readonly Range[]): Range[] {
  const out: { start: number; end: number }[] = [];
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = out.at(-1);
    if (last && start <= last.end + 1) last.end = Math.max(last.end, end);
    else out.push({ start, end });
  }
  return out;
}

/** crs_replace_with_free_ranges(): what is left of [start, end] once `taken` is cut out. */
export function freeRanges(taken: readonly Range[], start: number, end: number): Range[] {
  const out: Range[] = [];
  let from = start;
  for (const range of merged(taken)) {
    if (range.end < from || range.start > end) continue;
    if (range.start > from) out.push({ start: from, end: range.start - 1 });
    from = Math.max(from, range.end + 1);
  }
  if (from <= end) out.push({ start: from, end });
  return out;
}
