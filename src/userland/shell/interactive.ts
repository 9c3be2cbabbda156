/** placeholder until written */
import type { Shell } from './shell.ts';
export async function interact(sh: Shell): Promise<number> {
  return sh.status;
}
