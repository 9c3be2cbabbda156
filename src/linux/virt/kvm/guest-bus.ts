/**
 * The bus of a virtual CPU: what memory virtualization (EPT filled by KVM's fault handler) does for guest code; what it does not map
 * exits (vcpu-exits.ts). Left out: instruction decoding (an access arrives decoded).
 */
import { type Addr, PAGE_SIZE, type Width } from '../../../base/addr.ts';
import { load_across, store_across } from '../../../hw/bus/across.ts';
import type { CpuBus, RamObject, RamRef } from '../../../hw/bus/cpu-bus.ts';
import { Backing, LARGE_PAGE, PageTlb } from '../../../hw/bus/page-tlb.ts';
import type { Kernel } from '../../include/kernel.ts';
import type { Process } from '../../include/tasks.ts';
import type { ExitWindows, KvmExits, WindowPort, WindowRef } from '../../uapi/sys.ts';
import type { MemorySlots } from './memslots.ts';
import type { ExitCounts, VcpuExits } from './vcpu-exits.ts';

/** Size of the largest aligned piece at the beginning of a misaligned access. */
function aligned(addr: Addr, left: number): Width {
  let size: Width = 1;
  for (const bigger of [2, 4] as const) if (addr % bigger === 0 && bigger <= left) size = bigger;
  return size;
}

export class GuestBus implements CpuBus {
  hi = 0;
  /**
   * A CPU of QEMU's own (-accel tcg) does an access to a device that is not aligned in aligned pieces; a real one hands it to the
   * VMM whole.
   */
  pieces = false;
  private readonly tlb: PageTlb;
  private readonly ref: RamRef = { ram: null, offset: 0, limit: 0 };
  private readonly windows: ExitWindows | null;
  private readonly window: WindowRef = { port: null, base: 0, first: 0, past: 0 };
  /** Who answers each cached page of kind WINDOW, as of `windowGeneration`. */
  private readonly ports: (WindowPort | null)[] = [];
  private windowGeneration = -1;

  constructor(
    private readonly kernel: Kernel,
    private readonly process: Process,
    private readonly slots: MemorySlots,
    private readonly exits: KvmExits,
    private readonly counts: ExitCounts,
    readonly vcpu: VcpuExits,
  ) {
    this.tlb = new PageTlb(kernel.platform.mapEpoch);
    this.windows = exits.windows ?? null;
  }

  load(addr: Addr, width: Width): number {
    const at = addr & 4095;
    if (at + width > PAGE_SIZE) return load_across(this, addr, width);
    const { tlb } = this;
    let slot = tlb.find(addr);
    if (slot < 0) slot = this.fill(addr - at);
    if (slot < 0) return this.answered(this.vcpu.dead(width));
    const kind = tlb.kinds[slot];
    if (this.pieces && (at & (width - 1)) !== 0 && kind !== Backing.RAM) return this.loadPieces(addr, width);
    if (kind === Backing.RAM) {
      const ram = tlb.rams[slot] as RamObject;
      const value = ram.load(addr + (tlb.deltas[slot] as number), width);
      this.hi = ram.hi;
      return value;
    }
    if (kind === Backing.PHYS) {
      const { bus } = this.kernel.cpu;
      const value = bus.load(addr + (tlb.deltas[slot] as number), width);
      this.hi = bus.hi;
      return value;
    }
    if (kind === Backing.WINDOW && this.vcpu.running) {
      if ((this.windows as ExitWindows).generation !== this.windowGeneration) {
        tlb.clear();
        return this.load(addr, width);
      }
      this.counts.mmioRead++;
      const ram = tlb.rams[slot] as RamObject | null;
      if (ram !== null) {
        const value = ram.load(addr + (tlb.deltas[slot] as number), width);
        this.hi = ram.hi;
        return value;
      }
      const port = this.ports[slot] as WindowPort;
      const value = port.read(addr + (tlb.deltas[slot] as number), width);
      this.hi = width === 8 ? port.hi : 0;
      return value;
    }
    return this.answered(this.vcpu.read(addr, width));
  }

  private loadPieces(addr: Addr, width: Width): number {
    let [lo, hi] = [0, 0];
    for (let n = 0, piece = aligned(addr, width); n < width; n += piece, piece = aligned(addr + n, width - n)) {
      const value = this.load(addr + n, piece);
      const bits = 8 * (n % 4);
      if (n >= 4) hi |= value << bits;
      else {
        lo |= value << bits;
        if (bits > 0) hi |= bits + 8 * piece > 32 ? value >>> (32 - bits) : 0;
      }
    }
    this.hi = width === 8 ? hi >>> 0 : 0;
    return lo >>> 0;
  }

  store(addr: Addr, width: Width, lo: number, hi = 0): void {
    const at = addr & 4095;
    if (at + width > PAGE_SIZE) {
      store_across(this, addr, width, lo, hi);
      return;
    }
    const { tlb } = this;
    let slot = tlb.find(addr);
    if (slot < 0) slot = this.fill(addr - at);
    if (slot < 0) return;
    const kind = tlb.kinds[slot];
    if (this.pieces && (at & (width - 1)) !== 0 && kind !== Backing.RAM) {
      for (let n = 0, piece = aligned(addr, width); n < width; n += piece, piece = aligned(addr + n, width - n)) {
        const [low, high] = n < 4 ? [lo, hi] : [hi, 0];
        const bits = 8 * (n % 4);
        const word = bits === 0 ? low : (low >>> bits) | (high << (32 - bits));
        this.store(addr + n, piece, word >>> 0);
      }
      return;
    }
    const to = addr + (tlb.deltas[slot] as number);
    if (tlb.writable[slot] === 0) this.vcpu.write(addr, width, lo, hi);
    else if (kind === Backing.RAM) (tlb.rams[slot] as RamObject).store(to, width, lo, hi);
    else if (kind === Backing.PHYS) this.kernel.cpu.bus.store(to, width, lo, hi);
    else if ((this.windows as ExitWindows).generation !== this.windowGeneration) {
      tlb.clear();
      this.store(addr, width, lo, hi);
    } else if (this.vcpu.running) {
      this.counts.mmioWrite++;
      const ram = tlb.rams[slot] as RamObject | null;
      if (ram !== null) ram.store(to, width, lo, hi);
      else (this.ports[slot] as WindowPort).write(to, width, lo, hi);
    }
  }

  copyFrom(addr: Addr, into: Uint8Array): void {
    let done = 0;
    while (done < into.length) {
      const gpa = addr + done;
      const slot = this.slots.find(gpa);
      if (!this.vcpu.running) {
        into.fill(0xff, done);
        return;
      }
      if (slot === null) {
        const count = Math.min(into.length - done, this.slots.next(gpa) - gpa);
        this.vcpu.readBytes(gpa, into.subarray(done, done + count));
        done += count;
        continue;
      }
      const left = Math.min(into.length - done, slot.gpa + slot.size - gpa);
      const hva = slot.hva + (gpa - slot.gpa);
      if (this.kernel.mm.resolve(this.process, hva, this.ref)) {
        const count = Math.min(left, this.ref.limit);
        (this.ref.ram as RamObject).read(this.ref.offset, into.subarray(done, done + count));
        done += count;
        continue;
      }
      const phys = this.kernel.mm.translate(this.process, hva);
      if (phys < 0) {
        this.vcpu.fault(gpa);
        into.fill(0xff, done);
        return;
      }
      const count = this.run(hva, phys, left);
      this.kernel.cpu.bus.copyFrom(phys, into.subarray(done, done + count));
      done += count;
    }
  }

  copyTo(addr: Addr, from: Uint8Array): void {
    let done = 0;
    while (done < from.length && this.vcpu.running) {
      const gpa = addr + done;
      const slot = this.slots.find(gpa);
      if (slot === null || slot.readonly) {
        const limit = slot === null ? this.slots.next(gpa) : slot.gpa + slot.size;
        const count = Math.min(from.length - done, limit - gpa);
        this.vcpu.writeBytes(gpa, from.subarray(done, done + count));
        done += count;
        continue;
      }
      const left = Math.min(from.length - done, slot.gpa + slot.size - gpa);
      const hva = slot.hva + (gpa - slot.gpa);
      if (this.kernel.mm.resolve(this.process, hva, this.ref)) {
        const count = Math.min(left, this.ref.limit);
        (this.ref.ram as RamObject).write(this.ref.offset, from.subarray(done, done + count));
        done += count;
        continue;
      }
      const phys = this.kernel.mm.translate(this.process, hva);
      if (phys < 0) {
        this.vcpu.fault(gpa);
        return;
      }
      const count = this.run(hva, phys, left);
      this.kernel.cpu.bus.copyTo(phys, from.subarray(done, done + count));
      done += count;
    }
  }

  loadLoop(addr: Addr, into: Uint32Array): void {
    const end = addr + into.length * 4;
    const trapped = this.vcpu.running && this.slots.find(addr) === null && this.slots.next(addr) >= end;
    if (trapped && this.vcpu.readLoop(addr, into)) return;
    for (let n = 0; n < into.length; n++) into[n] = this.load(addr + n * 4, 4);
  }

  peek(addr: Addr, length: number): Uint8Array | null {
    const out = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const gpa = addr + done;
      const slot = this.slots.find(gpa);
      let count: number;
      let bytes: Uint8Array | null;
      if (slot === null) {
        count = Math.min(length - done, this.slots.next(gpa) - gpa);
        bytes = this.vcpu.running ? this.exits.peek(gpa, count) : null;
      } else {
        count = Math.min(length - done, slot.gpa + slot.size - gpa, PAGE_SIZE - (gpa & 4095));
        const phys = this.kernel.mm.present(this.process, slot.hva + (gpa - slot.gpa));
        bytes = phys < 0 ? null : this.kernel.cpu.bus.peek(phys, count);
      }
      if (bytes === null) return null;
      out.set(bytes, done);
      done += count;
    }
    return out;
  }

  resolve(addr: Addr, out: RamRef): boolean {
    const slot = this.slots.find(addr);
    if (slot === null || slot.readonly) return false;
    if (!this.kernel.mm.resolve(this.process, slot.hva + (addr - slot.gpa), out)) return false;
    out.limit = Math.min(out.limit, slot.gpa + slot.size - addr);
    return true;
  }

  inp(port: number, width: 1 | 2 | 4): number {
    return this.vcpu.inp(port, width);
  }
  outp(port: number, width: 1 | 2 | 4, value: number): void {
    this.vcpu.outp(port, width, value);
  }
  outs(port: number, bytes: Uint8Array): void {
    this.vcpu.outs(port, bytes);
  }
  ins(port: number, into: Uint8Array): void {
    this.vcpu.ins(port, into);
  }

  private answered(value: number): number {
    this.hi = this.vcpu.hi;
    return value;
  }

  /** Fills the cache for one page as the EPT violation handler would, a large one where that maps the same; -1 when the page cannot be had. */
  private fill(page: Addr): number {
    if (!this.vcpu.running) return -1;
    const { mm } = this.kernel;
    const { process, ref, tlb } = this;
    const slot = this.slots.find(page);
    if (slot === null) return this.fillWindow(page);
    const writable = !slot.readonly;
    const hva = slot.hva + (page - slot.gpa);
    if (!mm.resolve(process, hva, ref)) ref.limit = 0;
    const phys = ref.limit > 0 ? 0 : mm.translate(process, hva);
    if (phys < 0) {
      this.vcpu.fault(page);
      return -1;
    }
    const large = page - (page & (LARGE_PAGE - 1));
    if (slot.gpa <= large && slot.gpa + slot.size >= large + LARGE_PAGE) {
      const from = hva - (page - large);
      if (mm.contiguous(process, from) >= LARGE_PAGE) {
        if (phys > 0) return tlb.put(large, Backing.PHYS, writable, phys - (page - large), null, true);
        if (mm.resolve(process, from, ref) && ref.limit >= LARGE_PAGE)
          return tlb.put(large, Backing.RAM, writable, ref.offset, ref.ram, true);
        if (!mm.resolve(process, hva, ref)) ref.limit = 0;
      }
    }
    if (phys === 0 && ref.limit >= PAGE_SIZE) return tlb.put(page, Backing.RAM, writable, ref.offset, ref.ram);
    return tlb.put(page, Backing.PHYS, writable, mm.translate(process, hva), null);
  }

  private fillWindow(page: Addr): number {
    const { tlb, window, windows } = this;
    if (windows === null) return tlb.put(page, Backing.NONE, false, 0, null);
    if (windows.generation !== this.windowGeneration) {
      this.windowGeneration = windows.generation;
      tlb.clear();
    }
    if (!windows.find(page, window)) return tlb.put(page, Backing.NONE, false, 0, null);
    const first = Math.max(window.first, this.slots.end(page));
    const past = Math.min(window.past, this.slots.next(page));
    const large = page - (page & (LARGE_PAGE - 1));
    const whole = first <= large && past >= large + LARGE_PAGE;
    if (!whole && (first > page || past < page + PAGE_SIZE)) return tlb.put(page, Backing.NONE, false, 0, null);
    const at = whole ? large : page;
    const port = window.port as WindowPort;
    const { ref } = this;
    if (port.resolve?.(at - window.base, ref) && ref.limit >= (whole ? LARGE_PAGE : PAGE_SIZE))
      return tlb.put(at, Backing.WINDOW, true, ref.offset, ref.ram, whole);
    const slot = tlb.put(at, Backing.WINDOW, true, at - window.base, null, whole);
    this.ports[slot] = port;
    return slot;
  }

  private run(hva: Addr, phys: Addr, length: number): number {
    const { mm } = this.kernel;
    let count = mm.contiguous(this.process, hva);
    while (count < length && mm.translate(this.process, hva + count) === phys + count)
      count += mm.contiguous(this.process, hva + count);
    return Math.min(count, length);
  }
}
