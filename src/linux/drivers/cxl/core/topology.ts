import type { CxlPort } from '../../../include/cxl_types.ts';

/** find_cxl_root */
export function find_cxl_root(port: CxlPort): CxlPort | null {
  let iter = port;
  while (iter.parent_port) iter = iter.parent_port;
  return iter.port_kind === 'root' ? iter : null;
}
