import type { File, FileOperations } from '../include/fs.ts';
import type { Process } from '../include/tasks.ts';
import type { Inode, Path } from './inode.ts';

/** struct file: an open file description, shared by dup and fork. */
export class OpenFile implements File {
  position = 0;
  private_data: unknown = null;
  fops: FileOperations = {};
  refs = 1;
  /** Output channel set by TIOCLABTAG. */
  channel = 0;
  constructor(
    readonly path: string,
    readonly flags: number,
    readonly process: Process,
    /** Where it was found; pipes and anonymous inodes have a text of their own in `name` and no parent. */
    readonly at: Path,
  ) {}
  get inode(): Inode {
    return this.at.inode;
  }
  get rdev(): number {
    return this.inode.rdev;
  }
  get(): this {
    this.refs++;
    return this;
  }
  /** fput: the last one releases. */
  put(): void {
    if (--this.refs === 0) this.fops.release?.(this);
  }
}

/** struct files_struct. */
export class FdTable {
  private readonly slots: ({ readonly file: OpenFile; cloexec: boolean } | null)[] = [];

  get(fd: number): OpenFile | null {
    return this.slots[fd]?.file ?? null;
  }
  install(file: OpenFile, cloexec: boolean, from = 0): number {
    let fd = from;
    while (this.slots[fd]) fd++;
    this.set(fd, file, cloexec);
    return fd;
  }
  set(fd: number, file: OpenFile, cloexec: boolean): void {
    while (this.slots.length < fd) this.slots.push(null);
    this.slots[fd] = { file, cloexec };
  }
  isCloexec(fd: number): boolean {
    return this.slots[fd]?.cloexec ?? false;
  }
  /** fdtable's size as /proc/PID/status tells it: a power of two from 64 on. */
  get size(): number {
    let size = 64;
    while (size < this.slots.length) size *= 2;
    return size;
  }
  setCloexec(fd: number, on: boolean): boolean {
    const slot = this.slots[fd];
    if (slot) slot.cloexec = on;
    return slot !== null && slot !== undefined;
  }
  close(fd: number): boolean {
    const slot = this.slots[fd];
    if (!slot) return false;
    this.slots[fd] = null;
    slot.file.put();
    return true;
  }
  copy(): FdTable {
    const table = new FdTable();
    this.slots.forEach((slot, fd) => {
      if (slot) table.set(fd, slot.file.get(), slot.cloexec);
    });
    return table;
  }
  closeOnExec(): void {
    this.slots.forEach((slot, fd) => {
      if (slot?.cloexec) this.close(fd);
    });
  }
  closeAll(): void {
    for (let fd = 0; fd < this.slots.length; fd++) this.close(fd);
  }
  *entries(): Generator<readonly [number, OpenFile]> {
    for (let fd = 0; fd < this.slots.length; fd++) {
      const slot = this.slots[fd];
      if (slot) yield [fd, slot.file];
    }
  }
}
