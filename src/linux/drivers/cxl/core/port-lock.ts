import type { CxlPort } from '../../../include/cxl_types.ts';
import type { LockClass } from '../../../kernel/locking/lockdep.ts';

/** cxl_port_key: the class of a port's device lock, one for each depth (drivers/cxl/core/port.c). */
const classes = new WeakMap<CxlPort, LockClass>();

export function cxl_port_class(port: CxlPort): LockClass {
  const known = classes.get(port);
  if (known) return known;
  let depth = 0;
  for (let above = port.parent_port; above; above = above.parent_port) depth++;
  const fresh = { name: depth === 0 ? '&cxl_port_key' : `&cxl_port_key/${depth}` };
  classes.set(port, fresh);
  return fresh;
}
