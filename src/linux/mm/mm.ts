/**
 * Memory management of one kernel: mm/mmap.c and mm/memory.c as far as processes, VFIO and KVM need them. Left out: swap,
 * copy-on-write, overcommit, address space randomization, partial munmap of a mapping.
 */
import { type Addr, alignDown, alignUp, type Hva, PAGE_SIZE } from '../../base/addr.ts';
import { E } from '../../base/errno.ts';
import type { RamRef } from '../../hw/bus/cpu-bus.ts';
import { layerIndex, type MachineId, type SiteId } from '../../log/index.ts';
import { paths, type VmasState } from '../../state/schema.ts';
import type { File } from '../include/fs.ts';
import type { Kernel } from '../include/kernel.ts';
import type { Mm } from '../include/mm.ts';
import type { Process } from '../include/tasks.ts';
import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MAP_SHARED,
  O_ACCMODE,
  O_RDONLY,
  O_WRONLY,
  PROT_WRITE,
} from '../uapi/constants.ts';
import type { UserMemory } from '../uapi/sys.ts';
import { clear_granule, FilePages } from './filemap.ts';
import { GRANULE, PageAllocator } from './page-alloc.ts';
import { UserAccess } from './user-access.ts';
import { Vma } from './vma.ts';

/** mmap_base without randomization: mappings grow downwards from here. */
const MMAP_TOP = 0x7fff_f700_0000;
const MMAP_BOTTOM = 0x1000_0000;
/** User addresses end here. */
const TASK_SIZE = 0x7fff_ffff_f000;
/** Mappings smaller than this are not worth publishing unless a device is behind them. */
const PUBLISH_FROM = 1 << 20;
const LONG_LIST = 64;

export class MemoryManager implements Mm {
  private readonly allocator: PageAllocator;
  private readonly spaces = new Map<Process, Vma[]>();
  private readonly access = new Map<Process, UserAccess>();
  private readonly publishedPages = new Map<Vma, number>();
  /** Processes whose list is to be published soon. */
  private readonly waiting = new Set<Process>();
  private readonly zapSite: SiteId;
  private readonly machine: MachineId;
  private hotBytes = 0;

  constructor(private readonly kernel: Kernel) {
    this.machine = kernel.machine;
    this.allocator = new PageAllocator(kernel.boot.e820, kernel.boot.warm);
    this.zapSite = kernel.log.site({
      layer: layerIndex(kernel.machine, 'kernel'),
      name: 'unmap_mapping_range',
      args: ['offset', 'length'],
      cite: 'mm/memory.c',
    });
  }

  get freeBytes(): number {
    return this.allocator.freeBytes;
  }
  get totalBytes(): number {
    const usable = this.kernel.boot.e820.filter((entry) => entry.type === 'usable');
    return usable.reduce((sum, entry) => sum + entry.size, 0) + this.hotBytes;
  }

  free_in(start: Addr, end: Addr): number {
    return this.allocator.freeIn(start, end);
  }

  online_pages(start: Addr, size: number): void {
    this.allocator.add(start, size);
    this.hotBytes += size;
  }
  offline_pages(start: Addr, size: number): boolean {
    const gone = this.allocator.remove(start, size);
    if (gone) this.hotBytes -= size;
    return gone;
  }

  /** mmap(2): the address, or a negated errno. */
  mmap(
    process: Process,
    addr: Hva,
    length: number,
    prot: number,
    flags: number,
    file: File | null,
    offset: number,
  ): Hva {
    const anonymous = file === null || (flags & MAP_ANONYMOUS) !== 0;
    if (length <= 0 || offset < 0 || offset % PAGE_SIZE !== 0) return -E.EINVAL;
    if (length > TASK_SIZE) return -E.ENOMEM;
    const type = flags & (MAP_SHARED | MAP_PRIVATE);
    if (type === 0) return -E.EINVAL;
    if (!anonymous) {
      const mode = file.flags & O_ACCMODE;
      if (type & MAP_SHARED && prot & PROT_WRITE && mode === O_RDONLY) return -E.EACCES;
      if (mode === O_WRONLY) return -E.EACCES;
      if (!file.fops.mmap) return -E.ENODEV;
    }
    const list = this.vmasOf(process);
    const size = alignUp(length, PAGE_SIZE);
    // The address is a wish (MAP_FIXED is not modelled).
    const start = this.place(list, alignUp(addr, PAGE_SIZE), size);
    if (start < 0) return -E.ENOMEM;
    const vma = new Vma(process, start, size, prot, flags, anonymous ? null : file, offset);
    if (vma.file?.fops.mmap) {
      vma.label = { kind: 'file', name: vma.file.path };
      const error = vma.file.fops.mmap(vma.file, vma);
      if (error < 0) return error;
      if (vma.fault === null && vma.extents.length === 0) return -E.ENODEV;
    } else {
      const extents = this.allocator.alloc(size);
      if (extents === null) return -E.ENOMEM;
      vma.extents = extents;
    }
    list.push(vma);
    list.sort((a, b) => a.start - b.start);
    this.kernel.platform.mapEpoch.bump();
    if (this.isPublished(vma)) this.publish(process);
    return start;
  }

  /** Pages for a file of `size` bytes, or null when memory is exhausted. */
  file_pages(size: number): FilePages | null {
    const extents = this.allocator.alloc(size);
    return extents && new FilePages(this.kernel, this.allocator, extents);
  }

  munmap(process: Process, addr: Hva, length: number): number {
    if (addr % PAGE_SIZE !== 0 || length <= 0) return -E.EINVAL;
    const end = addr + alignUp(length, PAGE_SIZE);
    const list = this.vmasOf(process);
    const hit = list.filter((vma) => vma.start < end && vma.end > addr);
    if (hit.some((vma) => vma.start < addr || vma.end > end)) return -E.EINVAL;
    for (const vma of hit) {
      list.splice(list.indexOf(vma), 1);
      this.drop(vma);
    }
    if (hit.length > 0) this.kernel.platform.mapEpoch.bump();
    if (hit.some((vma) => this.isPublished(vma))) this.publish(process);
    return 0;
  }

  /** exit_mmap(): everything the process mapped goes. */
  exitProcess(process: Process): void {
    const list = this.spaces.get(process);
    this.access.delete(process);
    if (!list) return;
    this.spaces.delete(process);
    for (const vma of list) this.drop(vma);
    this.kernel.platform.mapEpoch.bump();
    if (list.some((vma) => this.isPublished(vma))) this.kernel.log.publish(paths.vmas(this.machine, process.pid), null);
  }

  /** Loads and stores of a process; one object per process. */
  userMemory(process: Process): UserMemory {
    let access = this.access.get(process);
    if (!access) {
      access = new UserAccess(this.kernel, this, process);
      this.access.set(process, access);
    }
    return access;
  }

  /** prctl_set_vma(): a name for anonymous memory, for /proc/PID/maps and whoever looks. */
  set_anon_name(process: Process, start: Hva, name: string): number {
    const vma = this.vmasOf(process).find((one) => one.start === start);
    if (vma?.label.kind !== 'anon') return -E.EBADF;
    vma.label = { kind: 'anon', name };
    if (this.isPublished(vma)) this.publish(process);
    return 0;
  }

  /** Writes the text of /proc/<pid>/maps is made of. */
  vmas(process: Process): readonly Vma[] {
    return this.spaces.get(process) ?? [];
  }

  /** Resident bytes: anonymous memory has its pages from the start; what a device maps is not counted (VM_PFNMAP). */
  rss(process: Process): number {
    return this.vmas(process).reduce((sum, vma) => sum + (vma.fault === null ? vma.end - vma.start : 0), 0);
  }

  find(process: Process, addr: Hva): Vma | null {
    const list = this.spaces.get(process);
    if (!list) return null;
    for (const vma of list) if (addr >= vma.start && addr < vma.end) return vma;
    return null;
  }

  translate(process: Process, addr: Hva): Addr {
    const vma = this.find(process, addr);
    return vma ? this.fault(vma, addr - vma.start) : -1;
  }

  present(process: Process, addr: Hva): Addr {
    const vma = this.find(process, addr);
    if (!vma) return -1;
    const offset = addr - vma.start;
    if (vma.fault === null) {
      const phys = vma.physAt(offset);
      // Never written memory reads as the zeros the first touch would give.
      return this.allocator.isDirty(Vma.granuleOf(phys)) ? -1 : phys;
    }
    if (vma.linear !== null) return vma.linear + offset;
    const inPage = offset % PAGE_SIZE;
    const page = vma.pages.get(offset - inPage);
    return page === undefined ? -1 : page + inPage;
  }

  resolve(process: Process, addr: Hva, out: RamRef): boolean {
    const vma = this.find(process, addr);
    if (!vma) return false;
    const offset = addr - vma.start;
    const phys = this.fault(vma, offset);
    if (phys < 0 || !this.kernel.cpu.bus.resolve(phys, out)) return false;
    out.limit = Math.min(out.limit, this.inRow(vma, offset));
    return true;
  }

  contiguous(process: Process, addr: Hva): number {
    const vma = this.find(process, addr);
    return vma ? this.inRow(vma, addr - vma.start) : 0;
  }

  /** Bytes from `offset` on that are known to follow each other in physical memory. */
  private inRow(vma: Vma, offset: number): number {
    if (vma.fault === null) {
      const phys = vma.physAt(offset);
      return Math.min(GRANULE - (phys % GRANULE), vma.end - vma.start - offset);
    }
    return vma.linear !== null ? vma.end - vma.start - offset : PAGE_SIZE - (offset % PAGE_SIZE);
  }

  zap(file: object, offset: number, length: number): void {
    const outer = this.kernel.log.begin(this.zapSite, offset, length);
    let pages = 0;
    for (const [process, list] of this.spaces) {
      let changed = false;
      for (const vma of list) {
        if (vma.fault === null || (vma.file !== file && vma.file?.private_data !== file)) continue;
        if (vma.linear !== null && vma.offset + vma.length > offset && vma.offset < offset + length) {
          vma.linear = null;
          pages += Math.ceil(vma.length / PAGE_SIZE);
          changed = true;
        }
        for (const at of [...vma.pages.keys()]) {
          const inFile = vma.offset + at;
          if (inFile + PAGE_SIZE <= offset || inFile >= offset + length) continue;
          vma.pages.delete(at);
          pages++;
          changed = true;
        }
        this.publishedPages.set(vma, 0);
      }
      if (changed) this.publish(process);
    }
    this.kernel.platform.mapEpoch.bump();
    this.kernel.log.end(outer, pages);
  }

  /** handle_mm_fault(): physical address of a mapped byte, -1 when its owner refuses (SIGBUS). */
  private fault(vma: Vma, offset: number): Addr {
    if (vma.fault === null) {
      const phys = vma.physAt(offset);
      const granule = Vma.granuleOf(phys);
      if (phys >= 0 && !vma.touched.has(granule)) {
        vma.touched.add(granule);
        // clear_huge_page(): only what a former owner has used needs it.
        if (this.allocator.takeDirty(granule)) clear_granule(this.kernel, granule);
      }
      return phys;
    }
    if (vma.linear !== null) return vma.linear + offset;
    const inPage = offset % PAGE_SIZE;
    const page = offset - inPage;
    const known = vma.pages.get(page);
    if (known !== undefined) return known + inPage;
    const phys = vma.fault(page);
    if (phys < 0) return -1;
    if (vma.linear !== null) {
      if (this.isPublished(vma)) this.publish(vma.process);
      return phys + inPage;
    }
    vma.pages.set(page, phys);
    // The state shows what is mapped; once per doubling is enough to see it grow.
    const published = this.publishedPages.get(vma) ?? 0;
    if (vma.pages.size >= 2 * published) {
      this.publishedPages.set(vma, vma.pages.size);
      if (this.isPublished(vma)) this.publish(vma.process);
    }
    return phys + inPage;
  }

  private drop(vma: Vma): void {
    vma.close?.();
    this.publishedPages.delete(vma);
    if (vma.shared) return;
    for (const granule of vma.touched) this.allocator.markDirty(granule);
    this.allocator.release(vma.extents);
    vma.pages.clear();
  }

  /** get_unmapped_area(): the hint if it is free, else the highest gap below MMAP_TOP. */
  private place(list: readonly Vma[], hint: Hva, size: number): Hva {
    const free = (start: Hva) => !list.some((vma) => vma.start < start + size && vma.end > start);
    if (hint > 0 && free(hint)) return hint;
    const align = size >= GRANULE ? GRANULE : PAGE_SIZE;
    let top = MMAP_TOP;
    for (const vma of [...list].reverse()) {
      const start = alignDown(top - size, align);
      if (start >= vma.end) return start;
      top = Math.min(top, vma.start);
    }
    const start = alignDown(top - size, align);
    return start >= MMAP_BOTTOM ? start : -1;
  }

  private vmasOf(process: Process): Vma[] {
    let list = this.spaces.get(process);
    if (!list) {
      list = [];
      this.spaces.set(process, list);
    }
    return list;
  }

  private isPublished(vma: Vma): boolean {
    return vma.length >= PUBLISH_FROM || vma.label.kind === 'vfio' || vma.label.kind === 'devmem';
  }

  /** A long list is published when the present burst of work is over, not at every mmap(). */
  private publish(process: Process): void {
    const list = this.spaces.get(process) ?? [];
    if (list.length < LONG_LIST) this.publishNow(process, list);
    else if (!this.waiting.has(process)) {
      this.waiting.add(process);
      void Promise.resolve().then(() => {
        this.waiting.delete(process);
        const present = this.spaces.get(process);
        if (present) this.publishNow(process, present);
      });
    }
  }
  private publishNow(process: Process, list: readonly Vma[]): void {
    const state: VmasState = { vmas: list.filter((vma) => this.isPublished(vma)).map((vma) => vma.state()) };
    this.kernel.log.publish(paths.vmas(this.machine, process.pid), state.vmas.length > 0 ? { ...state } : null);
  }
}
