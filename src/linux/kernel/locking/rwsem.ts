/**
 * kernel/locking/rwsem.c: readers share, a writer is alone. The kernel runs one thing at a time, so a lock is found taken only when a task
 * died or hangs with it, or when somebody gave it back without having it; whoever wants it then never gets it.
 */
import type { Kernel } from '../../include/kernel.ts';
import { type LockClass, lockdep } from './lockdep.ts';

export class RwSemaphore implements LockClass {
  private readers = 0;
  private writers = 0;

  constructor(
    private readonly kernel: Kernel,
    readonly name: string,
  ) {}

  /** Is it held for writing, by anybody? */
  get write_locked(): boolean {
    return this.writers === 1;
  }

  /** down_write: `at` is the function that calls it. */
  down_write(at: string): void {
    lockdep(this.kernel).acquire(this, true, at);
    if (this.writers !== 0 || this.readers !== 0) this.kernel.hung('rwsem_down_write_slowpath');
    this.writers = 1;
  }
  /** up_write: takes the writer's bit out of the count, whether it is in it or not. */
  up_write(at: string): void {
    lockdep(this.kernel).release(this, at);
    this.writers--;
  }
  down_read(at: string): void {
    lockdep(this.kernel).acquire(this, false, at);
    if (this.writers !== 0) this.kernel.hung('rwsem_down_read_slowpath');
    this.readers++;
  }
  up_read(at: string): void {
    lockdep(this.kernel).release(this, at);
    this.readers--;
  }

  /** `body` between down_write and up_write. An oops in it leaves the lock held, as in life. */
  write<T>(at: string, body: () => T): T {
    this.down_write(at);
    const value = body();
    this.up_write(at);
    return value;
  }
  /** The same for reading. */
  read<T>(at: string, body: () => T): T {
    this.down_read(at);
    const value = body();
    this.up_read(at);
    return value;
  }

  /** lockdep_assert_held_write */
  assert_held_write(where: string): void {
    lockdep(this.kernel).assert_held(this, true, where);
  }
  /** lockdep_assert_held */
  assert_held(where: string): void {
    lockdep(this.kernel).assert_held(this, false, where);
  }
}
