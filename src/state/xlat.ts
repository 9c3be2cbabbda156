import { type Addr, hex0x } from '../base/addr.ts';
import type { MachineId } from '../log/index.ts';
import { decodeHpa, dpaToHpa, windowAt } from './decode.ts';
import { functionsOf, publishedAs } from './functions.ts';
import type { StateReader } from './reader.ts';
import {
  type FixedWindowState,
  type KvmSlotsState,
  type MachineState,
  type MemoryMapState,
  type PciFunctionState,
  paths,
  type VfioDeviceState,
  type VmasState,
} from './schema.ts';

/**
 * Follows one address through every space it passes, in both directions, from published state only: L1 KVM's memory
 * slots, the VMAs of L1's QEMU, the HDM decoders of the machine L1 runs on, the device's backend. The page and the
 * headless runner use the same functions.
 */
export type XlatSpace = 'l2-gpa' | 'l1-hva' | 'l1-hpa' | 'dpa' | 'backend';
/** `host-hva` appears only as the place of L1's plain RAM. */
export type HopSpace = XlatSpace | 'host-hva';
export const XLAT_SPACES: readonly XlatSpace[] = ['l2-gpa', 'l1-hva', 'l1-hpa', 'dpa', 'backend'];
export const SPACE_LABELS: Readonly<Record<HopSpace, string>> = {
  'l2-gpa': 'L2 GPA',
  'l1-hva': 'L1 QEMU HVA',
  'l1-hpa': 'L1 HPA',
  dpa: 'DPA',
  backend: 'backend',
  'host-hva': 'host QEMU HVA',
};

export interface Hop {
  readonly space: HopSpace;
  readonly address: Addr;
  /** What leads here from the hop above (from the start: what the address is). */
  readonly mechanism: string;
  readonly arithmetic: string;
  readonly ok: boolean;
  /** Of a DPA or a backend's offset: id of the function it belongs to. */
  readonly device?: string;
}

export interface Xlat {
  readonly query: { readonly space: XlatSpace; readonly address: Addr };
  /** From L2 down to the backend; the asked address among them at `at`. */
  readonly hops: readonly Hop[];
  readonly at: number;
  /** Why it goes no further down, where it does not reach a backend. */
  readonly end?: string;
  /** Why it goes no further up, where nothing above maps it. */
  readonly top?: string;
}

type Step = Hop | { readonly end: string };
const isEnd = (step: Step): step is { readonly end: string } => 'end' in step;

/** `on`: the device whose memory a DPA or backend offset means; without it the first that has a backend. */
export function xlat(reader: StateReader, space: XlatSpace, address: Addr, on?: PciFunctionState): Xlat {
  const own = space === 'dpa' || space === 'backend' ? memoryDevice(reader, on) : undefined;
  const start: Hop = { space, address, mechanism: 'asked', arithmetic: '', ok: true, ...deviceOf(own) };
  const down: Hop[] = [];
  let end: string | undefined;
  let device = on;
  for (let hop = start; ; ) {
    const step = stepDown(reader, hop, device);
    if (isEnd(step)) {
      end = step.end === '' ? undefined : step.end;
      break;
    }
    if (step.space === 'dpa') device = decodeHpa(reader, decoderOf(hop.space), hop.address).target?.fn;
    down.push(step);
    hop = step;
  }
  const up: Hop[] = [];
  let top: string | undefined;
  for (let hop = start; ; ) {
    const step = stepUp(reader, hop, on);
    if (isEnd(step)) {
      top = step.end === '' ? undefined : step.end;
      break;
    }
    up.unshift(step);
    hop = step;
  }
  // Read downwards, a hop's mechanism says how it is reached from the one above: shift the upward findings by one.
  const chain = [...up, start];
  const hops = chain.map((hop, n): Hop => {
    const above = chain[n - 1];
    return above
      ? { ...hop, mechanism: above.mechanism, arithmetic: above.arithmetic }
      : { ...hop, mechanism: n === chain.length - 1 ? 'asked' : 'start', arithmetic: '' };
  });
  return {
    query: { space, address },
    hops: [...hops, ...down],
    at: up.length,
    ...(end === undefined ? {} : { end }),
    ...(top === undefined ? {} : { top }),
  };
}

const deviceOf = (fn: PciFunctionState | undefined): { readonly device?: string } => (fn ? { device: fn.id } : {});

// --- downwards ----------------------------------------------------------------------------------------------------

function stepDown(reader: StateReader, hop: Hop, device: PciFunctionState | undefined): Step {
  switch (hop.space) {
    case 'l2-gpa':
      return gpaDown(reader, hop.address);
    case 'l1-hva':
      return hvaToHpa(reader, hop.address);
    case 'l1-hpa':
      return hpaDown(reader, hop.address);
    case 'dpa':
      return dpaToBackend(reader, hop.address, device);
    case 'backend':
    case 'host-hva':
      return { end: '' };
  }
}

/** The machine whose decoders take an address of a space apart. */
const decoderOf = (space: HopSpace): MachineId => (space === 'l2-gpa' ? 'l2' : 'l1');

/** L2's address: a memory slot, or the decoders of the devices that L1's VMM models itself. */
function gpaDown(reader: StateReader, gpa: Addr): Step {
  const slot = gpaToHva(reader, 'l2', 'l1-hva', gpa);
  if (!isEnd(slot)) return slot;
  const modelled = windowAt(reader, 'l2', gpa) ? decodeHpa(reader, 'l2', gpa).target?.fn.backend : undefined;
  return modelled ? windowDown(reader, 'l2', gpa) : slot;
}

function windowDown(reader: StateReader, machine: MachineId, hpa: Addr): Step {
  const decoded = decodeHpa(reader, machine, hpa);
  if (!decoded.target) return { end: decoded.end ?? 'The decoders end here.' };
  return {
    space: 'dpa',
    address: decoded.target.dpa,
    mechanism: `${decoded.steps.map((step) => step.component).join(' → ')} HDM ${decoded.target.decoder}`,
    arithmetic: decoded.steps.at(-1)?.arithmetic ?? '',
    ok: true,
    device: decoded.target.fn.id,
  };
}

const slotsOf = (reader: StateReader, m: MachineId): KvmSlotsState['slots'] =>
  publishedAs<KvmSlotsState>(reader.object(paths.kvmSlots(m)))?.slots ?? [];

function gpaToHva(reader: StateReader, guest: 'l1' | 'l2', space: HopSpace, gpa: Addr): Step {
  const slot = slotsOf(reader, guest).find((one) => gpa >= one.gpa && gpa < one.gpa + one.size);
  if (!slot) return { end: whyNoSlot(reader, guest, gpa) };
  const address = slot.hva + (gpa - slot.gpa);
  return {
    space,
    address,
    mechanism: `${guest.toUpperCase()} KVM slot ${slot.slot}${slot.readonly ? ' (read-only)' : ''}`,
    arithmetic: shift(gpa, slot.gpa, slot.hva, address),
    ok: true,
  };
}

function shift(from: Addr, oldBase: Addr, newBase: Addr, to: Addr): string {
  return `${hex0x(from)} − ${hex0x(oldBase)} + ${hex0x(newBase)} = ${hex0x(to)}`;
}

function whyNoSlot(reader: StateReader, guest: 'l1' | 'l2', gpa: Addr): string {
  const name = guest.toUpperCase();
  const state = publishedAs<MachineState>(reader.object(paths.machine(guest)));
  if (!state || state.state === 'off') return `${name} is not running: it has no memory slots.`;
  const window = windowAt(reader, guest, gpa);
  if (window) {
    const decoded = decodeHpa(reader, guest, gpa);
    const why =
      decoded.end ?? `Its decoders give DPA ${hex0x(decoded.target?.dpa ?? 0)}, yet the VMM has no mapping there.`;
    return `Inside CXL window ${window.n} of ${name}, but no memory slot maps it: the access exits to the VMM. ${why}`;
  }
  const range = mapRange(reader, guest, gpa);
  if (range) return `No memory slot: the access exits to the VMM, where ${range.name} (${range.kind}) answers.`;
  return `Nothing of ${name}'s memory map is at ${hex0x(gpa)}: the access exits and the VMM finds no device.`;
}

function mapRange(reader: StateReader, m: MachineId, addr: Addr): MemoryMapState['ranges'][number] | undefined {
  const map = publishedAs<MemoryMapState>(reader.object(paths.memoryMap(m)));
  return map?.ranges.find((range) => addr >= range.start && addr < range.start + range.size);
}

/** The VMAs of the process that is L2's VMM. */
function vmmVmas(reader: StateReader): { readonly vmas: VmasState['vmas']; readonly pid: number } | undefined {
  const vmm = publishedAs<MachineState>(reader.object(paths.machine('l2')))?.vmm;
  if (!vmm) return undefined;
  const state = publishedAs<VmasState>(reader.object(paths.vmas(vmm.machine, vmm.pid)));
  return { vmas: state?.vmas ?? [], pid: vmm.pid };
}

/** Where vfio-cxl's fault handler will point a mapping of its region: the region it created (vfio_cxl_region_vm_fault). */
export function promisedPhys(reader: StateReader, vma: VmasState['vmas'][number]): Addr | null {
  if (vma.kind !== 'vfio') return null;
  for (const path of reader.objectPaths('vfio/l1/')) {
    const region = publishedAs<VfioDeviceState>(reader.object(path))?.region;
    if (region && region.size === vma.size) return region.hpa;
  }
  return null;
}

const VMA_WORDS: Readonly<Record<VmasState['vmas'][number]['kind'], string>> = {
  anon: 'anonymous',
  vfio: 'VFIO mmap',
  devmem: '/dev/mem mmap',
  file: 'file mapping',
};

function hvaToHpa(reader: StateReader, hva: Addr): Step {
  const found = vmmVmas(reader);
  if (!found) return { end: 'L1 runs no VMM: there is no address space to look in.' };
  const vma = found.vmas.find((one) => hva >= one.start && hva < one.start + one.size);
  if (!vma) return { end: `Process ${found.pid} on L1 has nothing mapped at ${hex0x(hva)}.` };
  let at = vma.start;
  for (const extent of vma.extents) {
    if (hva < at + extent.size) {
      const address = extent.phys + (hva - at);
      return {
        space: 'l1-hpa',
        address,
        mechanism: `page tables of pid ${found.pid}, ${VMA_WORDS[vma.kind]} ${vma.name}`,
        arithmetic: shift(hva, at, extent.phys, address),
        ok: true,
      };
    }
    at += extent.size;
  }
  const promised = promisedPhys(reader, vma);
  if (promised !== null) {
    const address = promised + (hva - vma.start);
    return {
      space: 'l1-hpa',
      address,
      mechanism: `VFIO mmap ${vma.name}, page inserted at the first touch`,
      arithmetic: shift(hva, vma.start, promised, address),
      ok: true,
    };
  }
  return { end: `${hex0x(hva)} lies in “${vma.name}” of process ${found.pid}, but no page is behind it yet.` };
}

function hpaDown(reader: StateReader, hpa: Addr): Step {
  if (windowAt(reader, 'l1', hpa)) return windowDown(reader, 'l1', hpa);
  const slot = slotsOf(reader, 'l1').find((one) => hpa >= one.gpa && hpa < one.gpa + one.size);
  if (slot) return gpaToHva(reader, 'l1', 'host-hva', hpa);
  const range = mapRange(reader, 'l1', hpa);
  if (range) return { end: `${range.name} (${range.kind}) of L1 answers here; it is no CXL memory.` };
  return { end: `Nothing of L1's memory map is at ${hex0x(hpa)}.` };
}

/** The function whose memory DPAs mean: the one the address came through, else the first with a backend. */
function memoryDevice(reader: StateReader, device?: PciFunctionState): PciFunctionState | undefined {
  return device?.backend ? device : functionsOf(reader, 'l1').find((fn) => fn.backend !== undefined);
}

function dpaToBackend(reader: StateReader, dpa: Addr, from: PciFunctionState | undefined): Step {
  const device = memoryDevice(reader, from);
  if (!device?.backend) return { end: 'No device of L1 has a memory backend.' };
  const { id, size } = device.backend;
  if (dpa >= size) return { end: `DPA ${hex0x(dpa)} is beyond backend ${id} (${hex0x(size)} bytes).` };
  return {
    space: 'backend',
    address: dpa,
    mechanism: `memory backend ${id}`,
    arithmetic: `offset = DPA = ${hex0x(dpa)}`,
    ok: true,
    device: device.id,
  };
}

// --- upwards ------------------------------------------------------------------------------------------------------
// A step up gives the hop above, carrying the mechanism that leads from it *down* to where we came from.

function stepUp(reader: StateReader, hop: Hop, on: PciFunctionState | undefined): Step {
  switch (hop.space) {
    case 'backend':
      return backendUp(reader, hop.address, on);
    case 'dpa':
      return dpaUp(reader, hop.address, on);
    case 'l1-hpa':
      return hpaUp(reader, hop.address);
    case 'l1-hva':
      return hvaUp(reader, hop.address);
    case 'l2-gpa':
    case 'host-hva':
      return { end: '' };
  }
}

function above(reader: StateReader, space: HopSpace, address: Addr, device?: PciFunctionState): Step {
  const hop: Hop = { space, address, mechanism: '', arithmetic: '', ok: true, ...deviceOf(device) };
  const down = stepDown(reader, hop, device);
  return isEnd(down) ? { end: down.end } : { ...hop, mechanism: down.mechanism, arithmetic: down.arithmetic };
}

function backendUp(reader: StateReader, offset: Addr, on: PciFunctionState | undefined): Step {
  const device = memoryDevice(reader, on);
  if (!device?.backend) return { end: 'No device of L1 has a memory backend.' };
  if (offset >= device.backend.size)
    return { end: `Beyond backend ${device.backend.id} (${hex0x(device.backend.size)} bytes).` };
  return above(reader, 'dpa', offset, device);
}

function dpaUp(reader: StateReader, dpa: Addr, on: PciFunctionState | undefined): Step {
  const device = memoryDevice(reader, on);
  if (!device) return { end: 'No device of L1 has device memory.' };
  const found = dpaToHpa(reader, 'l1', device, dpa);
  if (!found) return { end: `No committed HDM decoder of ${device.id} maps DPA ${hex0x(dpa)}.` };
  return above(reader, 'l1-hpa', found.hpa);
}

function hpaUp(reader: StateReader, hpa: Addr): Step {
  const found = vmmVmas(reader);
  if (!found) return { end: 'L1 runs no VMM that could map it further.' };
  for (const vma of found.vmas) {
    let at = vma.start;
    for (const extent of vma.extents) {
      if (hpa >= extent.phys && hpa < extent.phys + extent.size)
        return above(reader, 'l1-hva', at + (hpa - extent.phys));
      at += extent.size;
    }
    const promised = promisedPhys(reader, vma);
    if (promised !== null && hpa >= promised && hpa < promised + vma.size)
      return above(reader, 'l1-hva', vma.start + (hpa - promised));
  }
  return { end: `No mapping of process ${found.pid} on L1 covers HPA ${hex0x(hpa)}.` };
}

function hvaUp(reader: StateReader, hva: Addr): Step {
  const slot = slotsOf(reader, 'l2').find((one) => hva >= one.hva && hva < one.hva + one.size);
  if (!slot) return { end: `No KVM memory slot of L2 uses HVA ${hex0x(hva)}.` };
  return above(reader, 'l2-gpa', slot.gpa + (hva - slot.hva));
}

/** Windows are exported for the lanes. */
export type { FixedWindowState };
