/**
 * kernel/locking/lockdep.c with CONFIG_PROVE_LOCKING: which of the modelled locks each task holds, and the reports that follow from that
 * alone: assertions, a lock taken twice, a lock given back that is not held. Left out: lock order between classes, interrupt states, the
 * addresses of locks and code, and every lock the model does not take (fidelity ledger, cxl-locks).
 */
import type { Kernel } from '../../include/kernel.ts';

/** What lockdep knows a lock by: its class's name, as reports print it. */
export interface LockClass {
  readonly name: string;
}

interface HeldLock {
  readonly lock: LockClass;
  readonly exclusive: boolean;
  readonly at: string;
}

const USAGE = '{+.+.}-{3:3}';

export class Lockdep {
  /** debug_locks: the first report, or an oops, ends the proof. */
  private debug_locks: boolean;
  private readonly held = new Map<number, HeldLock[]>();

  constructor(private readonly kernel: Kernel) {
    this.debug_locks = kernel.config('PROVE_LOCKING') !== 'n';
  }

  /** debug_locks_off: an oops leaves locks in an unknown state. */
  off(): void {
    this.debug_locks = false;
  }

  private get task(): { readonly pid: number; readonly comm: string } {
    return this.kernel.tasks.current ?? { pid: 1, comm: 'swapper/0' };
  }
  private mine(): HeldLock[] {
    const { pid } = this.task;
    const known = this.held.get(pid);
    if (known) return known;
    const fresh: HeldLock[] = [];
    this.held.set(pid, fresh);
    return fresh;
  }

  /** lock_acquire: `at` is the function that takes it. */
  acquire(lock: LockClass, exclusive: boolean, at: string): void {
    if (!this.debug_locks) return;
    const mine = this.mine();
    const before = mine.find((held) => held.lock.name === lock.name);
    if (before) this.deadlock({ lock, exclusive, at }, before);
    mine.push({ lock, exclusive, at });
  }

  /** lock_release */
  release(lock: LockClass, at: string): void {
    if (!this.debug_locks) return;
    const mine = this.mine();
    const n = mine.findLastIndex((held) => held.lock === lock);
    if (n >= 0) mine.splice(n, 1);
    else this.unlock_imbalance(lock, at);
  }

  /** lockdep_assert_held, lockdep_assert_held_write: a WARN in `where`, which does not end the proof. */
  assert_held(lock: LockClass, exclusive: boolean, where: string): void {
    if (!this.debug_locks) return;
    if (this.mine().some((held) => held.lock === lock && (held.exclusive || !exclusive))) return;
    this.kernel.warn('', where);
  }

  private say(text: string): void {
    this.kernel.printk(4, text);
  }
  private headed(mark: string, title: string): void {
    const { release, version } = this.kernel.build;
    this.say('');
    this.say(mark);
    this.say(`WARNING: ${title}`);
    this.say(`${release} ${version.split(' ')[0] ?? ''} Not tainted`);
    this.say('-'.repeat(mark.length));
  }
  /** lockdep_print_held_locks */
  private print_held(): void {
    const { pid, comm } = this.task;
    const mine = this.mine();
    if (mine.length === 0) this.say(`no locks held by ${comm}/${pid}.`);
    else this.say(`${mine.length} lock${mine.length > 1 ? 's' : ''} held by ${comm}/${pid}:`);
    mine.forEach(({ lock, at }, n) => {
      this.say(` #${n}: (${lock.name})${USAGE}, at: ${at}`);
    });
  }

  /** print_deadlock_bug */
  private deadlock(next: HeldLock, before: HeldLock): void {
    this.debug_locks = false;
    const { pid, comm } = this.task;
    const { name } = next.lock;
    this.headed('='.repeat(44), 'possible recursive locking detected');
    this.say(`${comm}/${pid} is trying to acquire lock:`);
    this.say(`(${name})${USAGE}, at: ${next.at}`);
    this.say('');
    this.say('but task is already holding lock:');
    this.say(`(${before.lock.name})${USAGE}, at: ${before.at}`);
    this.say('');
    this.say('other info that might help us debug this:');
    this.say(' Possible unsafe locking scenario:');
    this.say('');
    this.say('       CPU0');
    this.say('       ----');
    this.say(`  lock(${before.lock.name});`);
    this.say(`  lock(${name});`);
    this.say('');
    this.say(' *** DEADLOCK ***');
    this.say('');
    this.say(' May be due to missing lock nesting notation');
    this.say('');
    this.print_held();
  }

  /** print_unlock_imbalance_bug */
  private unlock_imbalance(lock: LockClass, at: string): void {
    this.debug_locks = false;
    const { pid, comm } = this.task;
    this.headed('='.repeat(37), 'bad unlock balance detected!');
    this.say(`${comm}/${pid} is trying to release lock (${lock.name}) at:`);
    this.say(at);
    this.say('but there are no more locks to release!');
    this.say('');
    this.say('other info that might help us debug this:');
    this.print_held();
  }
}

const proofs = new WeakMap<Kernel, Lockdep>();

/** The proof of one running kernel. */
export function lockdep(kernel: Kernel): Lockdep {
  const known = proofs.get(kernel);
  if (known) return known;
  const fresh = new Lockdep(kernel);
  proofs.set(kernel, fresh);
  return fresh;
}
