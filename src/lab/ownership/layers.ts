/** How each layer reaches a register of the passed-through device: only by the means that layer really has. */
import { present, UserError } from '../../base/assert.ts';
import { errnoName } from '../../base/errno.ts';
import { pci_bus_read_config, pci_bus_write_config } from '../../linux/drivers/pci/access.ts';
import { VFIO } from '../../linux/drivers/vfio/vfio.ts';
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
import type { MachineId } from '../../log/index.ts';
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

/** How one layer reaches the device. `write` gives the errno the writer gets, or null: a store and a posted write have none. */
interface Port {
  read(place: Place): number;
  write(place: Place, value: number): string | null;
}

/** A function on L1's bus: the device the layers share. */
export interface Subject {
  readonly machine: 'l1';
  readonly id: string;
}

/** The stack at one moment: the same device as three layers and the hardware see it. A layer that has no way to it is absent. */
export class Stack {
  readonly ports: Readonly<Partial<Record<Writer, Port>>>;
  readonly device: PciFunctionState;
  readonly places: readonly Place[];
  private readonly passed: PciFunctionState | undefined;

  /** @param subject the function to look at; without it, the first one that L2 has. */
  constructor(
    readonly lab: Lab,
    subject?: Subject,
  ) {
    const reader = liveState(lab.log);
    const l1 = running(lab, 'l1');
    if (!l1) throw new UserError('L1 does not run at this moment: there is nobody to write a register of its device.');
    const passedOn = functionsOf(reader, 'l2').filter((fn) => fn.host !== undefined);
    const chosen = subject
      ? (fn: PciFunctionState) => fn.id === subject.id
      : (fn: PciFunctionState) => passedOn.some((one) => one.host === `0000:${fn.bdf}`);
    const device = functionsOf(reader, 'l1').find(chosen);
    if (!device)
      throw new UserError(`At this moment ${subject ? `L1 has no ${subject.id}` : 'L2 has no device of L1'}.`);
    this.device = device;
    const address = `0000:${this.device.bdf}`;
    this.passed = passedOn.find((fn) => fn.host === address);
    const l2 = running(lab, 'l2');
    const user = vfioPort(l1, address);
    this.ports = {
      ...(l2 && this.passed ? { l2: kernelPort(l2, this.passed) } : {}),
      ...(user ? { 'l1.user': user } : {}),
      'l1.kernel': kernelPort(l1, this.device),
    };
    this.places = placesOf(lab, this.device);
  }

  /** What a layer reads; null when it has no way to the device. */
  read(reader: Reader, place: Place): number | null {
    return reader === 'device' ? this.cell(place) : (this.ports[reader]?.read(place) ?? null);
  }
  write(writer: Writer, place: Place, value: number): string | null {
    return present(this.ports[writer], `a way from ${writer} to the device`).write(place, value);
  }

  /** Register blocks in which something of this device is kept, at any layer. */
  blocks(): readonly string[] {
    const own = [...this.device.routes, ...(this.passed?.routes ?? [])].map((route) => route.block);
    const vfio = `${paths.vfioDevice('l1', `0000:${this.device.bdf}`)}/`;
    const kept = this.lab.log.blocks.map(({ block }) => block.path).filter((path) => path.startsWith(vfio));
    return [...new Set([...own, ...kept])];
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

function running(lab: Lab, machine: MachineId): Linux | undefined {
  const kernel = lab.machines.get(machine);
  return kernel && !kernel.off ? kernel : undefined;
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
  const bar = fn.bars.find((one) => one.index === 0)?.addr ?? null;
  const physical = (offset: number): number => present(bar, 'BAR 0 has an address') + offset;
  return {
    read: ({ space, offset, width }) =>
      space === 'config'
        ? pci_bus_read_config(kernel, bus, devfn, offset, width)
        : kernel.cpu.bus.load(physical(offset), width),
    write: ({ space, offset, width }, value) => {
      if (space === 'config') pci_bus_write_config(kernel, bus, devfn, offset, width, value);
      else kernel.cpu.bus.store(physical(offset), width, value);
      return null;
    },
  };
}

/** User space of L1: the descriptor of the VFIO device some process has, as the VMM has; undefined when nobody has one. */
function vfioPort(kernel: Linux, address: string): Port | undefined {
  const held = vfioFile(kernel, address);
  if (!held) return undefined;
  const { sys, fd } = held;
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
      const rc = sys.pwrite(fd, bytes, at(place));
      return rc < 0 ? errnoName(-rc) : null;
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

function vfioFile(kernel: Linux, address: string): { readonly sys: Sys; readonly fd: number } | null {
  const device = kernel.has(VFIO) ? kernel.get(VFIO).devices.find(({ dev }) => dev.name === address) : undefined;
  if (!device?.file) return null;
  for (const task of kernel.tasks.processes.values())
    for (const [fd, file] of task.files.entries()) if (file === device.file) return { sys: task.sys, fd };
  return null;
}
