/** Program text of everything in `userland/`, by the name an executable file carries. */
import type { Program } from '../linux/uapi/sys.ts';
import { bash } from './shell/bash.ts';

export const PROGRAMS: ReadonlyMap<string, Program> = new Map<string, Program>([
  ['bash', bash],
  ['sh', bash],
]);
