/**
 * ACPI tables of the machine as fw_cfg files (hw/i386/acpi-build.c acpi_setup, acpi_build_update): built again when firmware
 * selects one of the files, because bus numbers and windows are known only then. Left out: TPM, NVDIMM, hot-plug methods.
 */
import { alignUp, GiB, MiB } from '../../../base/addr.ts';
import {
  ACPI_BUILD_LOADER_FILE,
  ACPI_BUILD_RSDP_FILE,
  ACPI_BUILD_TABLE_FILE,
  type AcpiDescription,
  build_crs,
  buildTables,
  freeRanges,
  type SratMemory,
} from '../../../hw/acpi/index.ts';
import { CXL2_COMPONENT_BLOCK_SIZE } from '../../../hw/cxl/index.ts';
import { PciBridge, type PciBus } from '../../../hw/pci/index.ts';
import type { MachineOptions } from '../../system/machine-options.ts';
import type { MemoryOptions } from '../../system/memory-options.ts';
import type { Vm } from '../../system/vm.ts';
import type { FwCfgState } from '../nvram/fw_cfg.ts';
import { INTEL_IOMMU_BASE } from './intel_iommu.ts';
import { type MemoryLayout, PCI_HOLE64_SIZE, PCIE_MMCFG_BASE, PCIE_MMCFG_SIZE } from './memory-layout.ts';

/** ACPI_BUILD_TABLE_SIZE, ACPI_BUILD_ALIGN_SIZE. */
const TABLES_ALIGN = 0x20000;
const LOADER_ALIGN = 0x1000;
const PCI_HOLE_END = 0xfebf_ffff;
/** Bus, slot the IOAPIC answers as to the interrupt remapper (Q35_PSEUDO_BUS_PLATFORM, Q35_PSEUDO_DEVFN_IOAPIC). */
const IOAPIC = { id: 0, bus: 0xff, slot: 0, fn: 0 };

export function acpi_setup(
  vm: Vm,
  fw: FwCfgState,
  layout: MemoryLayout,
  machine: MachineOptions,
  memory: MemoryOptions,
): void {
  let patched = false;
  const build = () => {
    const { tables, rsdp, loader } = buildTables(describe(vm, layout, machine, memory));
    return { tables: padded(tables, TABLES_ALIGN), rsdp, loader: padded(loader, LOADER_ALIGN) };
  };
  const update = () => {
    if (patched) return;
    patched = true;
    const built = build();
    fw.modify_file(ACPI_BUILD_TABLE_FILE, built.tables);
    fw.modify_file(ACPI_BUILD_RSDP_FILE, built.rsdp);
    fw.modify_file(ACPI_BUILD_LOADER_FILE, built.loader);
  };
  const first = build();
  fw.add_file(ACPI_BUILD_TABLE_FILE, first.tables, update);
  fw.add_file(ACPI_BUILD_LOADER_FILE, first.loader, update);
  fw.add_file(ACPI_BUILD_RSDP_FILE, first.rsdp, update);
  vm.onReset(() => {
    patched = false;
  });
}

/** acpi_align_size(): a file must not grow when it is built again, so it is made long enough the first time. */
function padded(bytes: Uint8Array, align: number): Uint8Array {
  const out = new Uint8Array(alignUp(bytes.length, align));
  out.set(bytes);
  return out;
}

function describe(vm: Vm, layout: MemoryLayout, machine: MachineOptions, memory: MemoryOptions): AcpiDescription {
  // Host bridges in the order the root bus lists its children: the newest first.
  const expanders = [...vm.expanders].reverse();
  const bridgeOf = (bus: PciBus) => (id: string) => {
    const fn = [...bus.devices.values()].find((other) => other.id === id);
    return fn instanceof PciBridge ? fn : null;
  };
  const cxlRoots = expanders.map((bus) => ({ ...build_crs(bus, bridgeOf(bus)), uid: bus.busNumber }));
  const below = cxlRoots.flatMap((root) => root.memory);
  const above = cxlRoots.flatMap((root) => root.memory64);
  const hole = freeRanges(
    [{ start: PCIE_MMCFG_BASE, end: PCIE_MMCFG_BASE + PCIE_MMCFG_SIZE - 1 }, ...below],
    layout.below4g,
    PCI_HOLE_END,
  );
  // With an expander QEMU's last range has its end before its start, and the kernel drops it (captured DSDT).
  if (below.length > 0) hole.pop();
  const end64 = Math.max(alignUp(layout.pciHole64 + PCI_HOLE64_SIZE, GiB) - 1, ...above.map((range) => range.end));
  const iommu = vm.devices.find((dev) => dev.type.name === 'intel-iommu');
  const hostReg = layout.cxlHostReg;
  return {
    cpus: vm.cpus,
    mcfg: { base: PCIE_MMCFG_BASE, startBus: 0, endBus: 255 },
    pci0: {
      firstBus: 0,
      lastBus: Math.min(256, ...expanders.map((bus) => bus.busNumber)) - 1,
      io: [
        { start: 0, end: 0xcf7 },
        { start: 0xd00, end: 0xffff },
      ],
      memory: hole,
      memory64: freeRanges(above, layout.pciHole64, end64),
    },
    cxlRoots,
    ...(hostReg !== null
      ? {
          cedt: {
            hostBridges: expanders.map((bus, n) => ({
              uid: bus.busNumber,
              base: hostReg + n * CXL2_COMPONENT_BLOCK_SIZE,
              size: CXL2_COMPONENT_BLOCK_SIZE,
            })),
            windows: machine.windows.map((window, n) => ({
              base: layout.windows[n]?.base ?? 0,
              size: window.size,
              granularity: window.granularity,
              targets: window.targets.map((id) => expanders.find((bus) => bus.name === id)?.busNumber ?? 0),
            })),
          },
        }
      : {}),
    ...(iommu
      ? {
          dmar: {
            base: INTEL_IOMMU_BASE,
            addressWidth: iommu.props.number('aw-bits'),
            interruptRemapping: iommu.props.text('intremap') === 'on',
            deviceIotlb: iommu.props.bool('device-iotlb'),
            ioapic: IOAPIC,
          },
        }
      : {}),
    ...(memory.slots > 0 ? { srat: srat(layout) } : {}),
    slots: [...vm.pcie0.devices.keys()].filter((devfn) => devfn !== 0 && devfn < 0xf8),
    serialPorts: vm.devices.filter((dev) => dev.type.name === 'isa-serial').map((dev) => dev.props.number('index') + 1),
  };
}

/** Memory affinity of the one node QEMU makes when memory slots are asked for (auto_enable_numa_with_memhp). */
function srat(layout: MemoryLayout): SratMemory[] {
  const out: SratMemory[] = [
    { start: 0, size: 0xa0000 },
    { start: MiB, size: layout.below4g - MiB },
  ];
  if (layout.above4g > 0) out.push({ start: layout.above4gStart, size: layout.above4g });
  if (layout.deviceMemory) out.push({ start: layout.deviceMemory.base, size: layout.deviceMemory.size, hotplug: true });
  return out;
}
