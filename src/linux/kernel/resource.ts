/** kernel/resource.c for physical memory. Left out: muxed and exclusive regions, descriptors. */
import { type Addr, alignUp, hex } from '../../base/addr.ts';
import { assert } from '../../base/assert.ts';
import { E } from '../../base/errno.ts';
import type { EventLog, Json, MachineId } from '../../log/index.ts';
import { type IomemNode, paths } from '../../state/schema.ts';
import type { Iomem, Resource } from '../include/ioport.ts';

const LARGE = 250;

export class IomemImpl implements Iomem {
  readonly root: Resource;
  conflict: Resource | null = null;
  /** While booting, the tree is published once at the end instead of at every change. */
  quiet = false;

  constructor(
    private readonly log: EventLog,
    private readonly machine: MachineId,
  ) {
    this.root = this.make('PCI mem', 0, 2 ** 52 - 1);
  }

  make(name: string, start: Addr, end: Addr): Resource {
    return { start, end, name, busy: false, parent: null, children: [] };
  }

  /** __request_resource: the conflicting child, or null after linking it in. */
  private link(parent: Resource, res: Resource): Resource | null {
    if (res.end < res.start || res.start < parent.start || res.end > parent.end) return parent;
    let at = 0;
    for (const child of parent.children) {
      if (child.start > res.end) break;
      if (child.end >= res.start) return child;
      at++;
    }
    parent.children.splice(at, 0, res);
    res.parent = parent;
    return null;
  }

  request_resource(parent: Resource, res: Resource): number {
    this.conflict = this.link(parent, res);
    if (this.conflict) return -E.EBUSY;
    this.changed();
    return 0;
  }

  /** __insert_resource: goes as deep as it fits, and takes over the children it covers. */
  insert_resource(parent: Resource, res: Resource): number {
    let at = parent;
    for (;;) {
      const first = this.link(at, res);
      if (!first) break;
      if (first === at || first === res) {
        this.conflict = first;
        return -E.EBUSY;
      }
      const inside = first.start <= res.start && first.end >= res.end;
      if (inside && !(first.start === res.start && first.end === res.end)) {
        at = first;
        continue;
      }
      const covered = at.children.filter((child) => child.end >= res.start && child.start <= res.end);
      const partial = covered.find((child) => child.start < res.start || child.end > res.end);
      if (partial) {
        this.conflict = partial;
        return -E.EBUSY;
      }
      const index = at.children.indexOf(first);
      at.children.splice(index, covered.length, res);
      for (const child of covered) child.parent = res;
      res.children = covered;
      res.parent = at;
      break;
    }
    this.conflict = null;
    this.changed();
    return 0;
  }

  /** __request_region: descends into what is not busy. */
  request_mem_region(start: Addr, size: number, name: string): Resource | null {
    const res = this.make(name, start, start + size - 1);
    res.busy = true;
    let parent = this.root;
    for (;;) {
      const conflict = this.link(parent, res);
      if (!conflict) break;
      if (conflict === parent || conflict.busy) {
        this.conflict = conflict;
        return null;
      }
      parent = conflict;
    }
    this.conflict = null;
    this.changed();
    return res;
  }

  release_resource(res: Resource): number {
    const siblings = res.parent?.children;
    const at = siblings?.indexOf(res) ?? -1;
    if (!siblings || at < 0) return -E.EINVAL;
    siblings.splice(at, 1);
    res.parent = null;
    this.changed();
    return 0;
  }

  /** __release_region: the busy resource with exactly this range. */
  release_mem_region(start: Addr, size: number): void {
    const end = start + size - 1;
    let list = this.root.children;
    for (;;) {
      const res = list.find((child) => child.start <= start && child.end >= end);
      if (!res) return;
      if (res.busy && res.start === start && res.end === end) {
        this.release_resource(res);
        return;
      }
      list = res.children;
    }
  }

  /** remove_resource: takes it out and hands its children to its parent. */
  remove_resource(res: Resource): void {
    const { parent } = res;
    assert(parent, `resource ${res.name} is not in the tree`);
    parent.children.splice(parent.children.indexOf(res), 1, ...res.children);
    for (const child of res.children) child.parent = parent;
    res.children = [];
    res.parent = null;
    this.changed();
  }

  find_free(parent: Resource, size: number, align: number, min: Addr, max: Addr): Addr | null {
    let from = Math.max(parent.start, min);
    const last = Math.min(parent.end, max);
    for (const child of [...parent.children, null]) {
      const end = child ? Math.min(child.start - 1, last) : last;
      const start = alignUp(from, align);
      if (start + size - 1 <= end) return start;
      if (child) from = Math.max(from, child.end + 1);
    }
    return null;
  }

  /** Innermost-first test of region_intersects: is any part of the range System RAM / busy? */
  intersects(start: Addr, end: Addr, test: (res: Resource) => boolean): boolean {
    const visit = (list: readonly Resource[]): boolean =>
      list.some((res) => res.end >= start && res.start <= end && (test(res) || visit(res.children)));
    return visit(this.root.children);
  }

  /** Nodes of the tree when it was published last. */
  private size = 0;
  private waiting = false;

  /** Small trees are published at every change; of a large one what stands when the present burst of work pauses. */
  changed(): void {
    if (this.quiet || this.waiting) return;
    if (this.size < LARGE) this.publish();
    else {
      this.waiting = true;
      void Promise.resolve().then(() => {
        this.waiting = false;
        if (!this.quiet) this.publish();
      });
    }
  }
  private publish(): void {
    this.size = count(this.root);
    this.log.publish(paths.iomem(this.machine), node(this.root));
  }

  /** /proc/iomem */
  show(): string {
    const lines: string[] = [];
    // r_show: width by the root's end; children deeper than MAX_IORES_LEVEL are shown at that depth's indent.
    const width = this.root.end < 0x10000 ? 4 : 8;
    const visit = (res: Resource, depth: number): void => {
      for (const child of res.children) {
        const indent = ' '.repeat(Math.min(depth, 8) * 2);
        lines.push(`${indent}${hex(child.start, width)}-${hex(child.end, width)} : ${child.name}\n`);
        visit(child, depth + 1);
      }
    };
    visit(this.root, 0);
    return lines.join('');
  }
}

const count = (res: Resource): number => res.children.reduce((sum, child) => sum + count(child), 1);

/** The IomemNode of a resource, as log value. */
function node(res: Resource): Json {
  return {
    start: res.start,
    end: res.end,
    name: res.name,
    children: res.children.map(node),
  } satisfies Plain<IomemNode>;
}
type Plain<T> = { [K in keyof T]: K extends 'children' ? Json[] : T[K] };
