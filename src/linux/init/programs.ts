import type { Program } from '../uapi/sys.ts';
import { init } from './init-program.ts';

/** Programs that belong to the kernel's own early user space. */
export const INIT_PROGRAMS: ReadonlyMap<string, Program> = new Map([['init', init]]);
