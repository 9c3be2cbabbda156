/** Locks the model takes (include/linux/rwsem.h, lockdep.h). */
export { lockdep } from '../kernel/locking/lockdep.ts';
export { RwSemaphore } from '../kernel/locking/rwsem.ts';
