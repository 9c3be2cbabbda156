/** How each layer reaches a register of the passed-through device: only by the means that layer really has. */
import { present } from '../../base/assert.ts';
import { pci_bus_read_config, pci_bus_write_config } from '../../linux/drivers/pci/access.ts';
import type { Linux } from '../../linux/kernel/linux.ts';
import { decode } from '../../linux/uapi/struct.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import {
  VFIO_PCI_CONFIG_REGION_INDEX,
  VFIO_PCI_INDEX_TO_OFFSET,
  VFIO_REGION_TYPE_CXL,
  vfio_device_info,
} from '../../linux/uapi/vfio.ts';
import { VFIO_REGION_SUBTYPE_CXL_COMP_REGS } from '../../linux/uapi/vfio-cxl-v3.ts';
import { type VfioDeviceFd, vfio_get_dev_region_info, vfio_get_device_info } from '../../qemu/hw/vfio/common.ts';
import { type ResolvedRegister, resolveLayout } from '../../spec/dsl/resolve.ts';
import { layoutById } from '../../spec/layouts.ts';
import { functionsOf } from '../../state/functions.ts';
import { type PciFunctionState, paths } from '../../state/schema.ts';
import type { Lab } from '../lab.ts';
import { liveState } from '../live-state.ts';

export const WRITERS = ['l2', 'l1.user', 'l1.kernel'] as const;
export type Writer = (typeof WRITERS)[number];
export const READERS = [...WRITERS, 'device'] as const;
export type Reader = (typeof READERS)[number];

/** A register of the device in one of its spaces. */
export interface Place {
  readonly space: 'config' | 'bar0';
  /** Byte offset in the space. */
  readonly offset: number;
  readonly width: 1 | 2 | 4;
  readonly register: ResolvedRegister;
}

interface Port {
  read(place: Place): number;
  write(place: Place, value: number): void;
}

/** The stack at the moment L2 runs: the same device as three layers and the hardware see it. */
export class Stack {
  readonly ports: Readonly<Record<Writer, Port>>;
  readonly device: PciFunctionState;
  readonly places: readonly Place[];

  constructor(readonly lab: Lab) {
    const l1 = present(lab.machines.get('l1'), 'L1 runs');
    const l2 = present(lab.machines.get('l2'), 'L2 runs');
    const reader = liveState(lab.log);
    const passed = present(
      functionsOf(reader, 'l2').find((fn) => fn.host !== undefined),
      'a function passed through to L2',
    );
    const bdf = (passed.host ?? '').replace(/^0000:/, '');
    this.device = present(
      functionsOf(reader, 'l1').find((fn) => fn.bdf === bdf),
      'the device on L1’s bus',
    );
    this.ports = { l2: kernelPort(l2, passed), 'l1.user': vfioPort(l1), 'l1.kernel': kernelPort(l1, this.device) };
    this.places = placesOf(lab, this.device);
  }

  read(reader: Reader, place: Place): number {
    return reader === 'device' ? this.cell(place) : this.ports[reader].read(place);
  }
  write(writer: Writer, place: Place, value: number): void {
    this.ports[writer].write(place, value);
  }

  /** What the device itself holds: its register cell. */
  private cell({ space, offset, width }: Place): number {
    const route = present(
      this.device.routes.find((one) => one.space === space && offset >= one.offset && offset < one.offset + one.size),
      'a route to the register',
    );
    const at = route.blockOffset + offset - route.offset;
    const dword = present(liveState(this.lab.log).register(route.block, at - (at % 4)), 'the register’s cell');
    return width === 4 ? dword : (dword >>> (8 * (at % 4))) & (2 ** (8 * width) - 1);
  }
}

/** Registers of the CXL DVSECs and of the component block: everything the passthrough is about. */
function placesOf(lab: Lab, device: PciFunctionState): readonly Place[] {
  const places: Place[] = [];
  for (const route of device.routes) {
    if (route.space !== 'config' && route.space !== 'bar0') continue;
    const layout = layoutById(lab.log.find(route.block)?.block.layout ?? '');
    if (!layout) continue;
    for (const register of resolveLayout(layout).registers) {
      const offset = route.offset + register.offset - route.blockOffset;
      if (route.space === 'config' && !register.block.id.startsWith('cxl.dvsec')) continue;
      places.push({ space: route.space, offset, width: register.width, register });
    }
  }
  return places;
}

/** A kernel's own accesses: configuration mechanism, and loads and stores on its physical addresses. */
function kernelPort(kernel: Linux, fn: PciFunctionState): Port {
  const [bus = 0, device = 0, number = 0] = fn.bdf.split(/[:.]/).map((part) => Number.parseInt(part, 16));
  const devfn = device * 8 + number;
  const bar = present(fn.bars.find((one) => one.index === 0)?.addr, 'BAR 0 has an address');
  return {
    read: ({ space, offset, width }) =>
      space === 'config'
        ? pci_bus_read_config(kernel, bus, devfn, offset, width)
        : kernel.cpu.bus.load(bar + offset, width),
    write: ({ space, offset, width }, value) => {
      if (space === 'config') pci_bus_write_config(kernel, bus, devfn, offset, width, value);
      else kernel.cpu.bus.store(bar + offset, width, value);
    },
  };
}

/** User space of L1: the VMM's descriptor of the VFIO device. */
function vfioPort(kernel: Linux): Port {
  const { sys, fd } = vfioFile(kernel);
  const component = comp_regs_region(sys, fd) ?? 0;
  const at = ({ space, offset }: Place): number =>
    VFIO_PCI_INDEX_TO_OFFSET(space === 'config' ? VFIO_PCI_CONFIG_REGION_INDEX : component) + offset;
  return {
    read(place) {
      const bytes = new Uint8Array(place.width);
      if (sys.pread(fd, bytes, at(place)) !== place.width) return 2 ** (8 * place.width) - 1;
      return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
    },
    write(place, value) {
      const bytes = Uint8Array.from({ length: place.width }, (_, n) => Math.floor(value / 256 ** n) & 255);
      sys.pwrite(fd, bytes, at(place));
    },
  };
}

/** Index of the region a kernel of the later series has for the component registers: raw accesses of the BAR are refused there. */
function comp_regs_region(sys: Sys, fd: number): number | null {
  const device: VfioDeviceFd = { fd, name: '' };
  const info = vfio_get_device_info(sys, fd);
  if (typeof info === 'number') return null;
  const { num_regions } = decode(vfio_device_info, info);
  const subtype = VFIO_REGION_SUBTYPE_CXL_COMP_REGS;
  return vfio_get_dev_region_info(sys, device, num_regions, VFIO_REGION_TYPE_CXL, subtype)?.index ?? null;
}

function vfioFile(kernel: Linux): { readonly sys: Sys; readonly fd: number } {
  for (const task of kernel.tasks.processes.values())
    for (const [fd, file] of task.files.entries())
      if (/vfio-device|vfio\/devices/.test(file.path)) return { sys: task.sys, fd };
  throw new Error(`no process of ${paths.machine(kernel.machine)} has a VFIO device open`);
}
