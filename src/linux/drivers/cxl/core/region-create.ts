import { E } from '../../../../base/errno.ts';
import {
  CXL,
  CXL_CONFIG_ACTIVE,
  CXL_DECODER_HOSTONLYMEM,
  type CxlDecoderType,
  CxlRegion,
  type CxlRootDecoder,
  ida_alloc,
} from '../../../include/cxl_types.ts';
import { cxl_unpublish, publish_region } from './publish.ts';
import { detach_target } from './region-attach.ts';
import { region_groups } from './region-sysfs.ts';

/** Making and removing region devices (drivers/cxl/core/region.c, v6.11). Ids come from one pool, one held per window. */

/** The id the next region of this window will get. */
export function next_region_id(cxlrd: CxlRootDecoder): number {
  return cxlrd.region_id;
}

/** __create_region: `id` must be the advertised one. */
export function __create_region(
  cxlrd: CxlRootDecoder,
  mode: 'ram' | 'pmem',
  id: number,
  type: CxlDecoderType,
): CxlRegion | number {
  const { kernel } = cxlrd;
  const { region_ida } = kernel.get(CXL);
  if (id !== cxlrd.region_id) return -E.EBUSY;
  cxlrd.region_id = ida_alloc(region_ida);
  const cxlr = new CxlRegion(kernel, id, cxlrd, mode, type, region_groups);
  publish_region(cxlr);
  const rc = kernel.drivers.device_add(cxlr);
  if (rc) {
    region_ida.delete(id);
    cxl_unpublish(cxlr);
    return rc;
  }
  const host = cxlrd.port.uport_dev;
  host.devm(() => unregister_region(cxlr));
  host.dbg('cxl_core', 'devm_cxl_add_region', `${cxlrd.name}: created ${cxlr.name}`);
  return cxlr;
}

/** unregister_region: detaches every target, gives the address space back. */
export function unregister_region(cxlr: CxlRegion): void {
  if (!cxlr.registered) return;
  const { kernel } = cxlr;
  kernel.drivers.device_del(cxlr);
  for (const cxled of [...cxlr.targets]) if (cxled) detach_target(cxled);
  if (cxlr.res && cxlr.state < CXL_CONFIG_ACTIVE) {
    if (cxlr.res.parent) kernel.iomem.remove_resource(cxlr.res);
    cxlr.res = null;
  }
  cxl_unpublish(cxlr);
  // cxl_region_release: a recently idled id lower than the advertised one is advertised instead
  const { region_ida } = kernel.get(CXL);
  const { cxlrd } = cxlr;
  if (cxlr.id < cxlrd.region_id) {
    region_ida.delete(cxlrd.region_id);
    cxlrd.region_id = cxlr.id;
  } else region_ida.delete(cxlr.id);
}

/** create_region_store: `region<id>` with the advertised id. Regions made by hand are host-only coherent. */
export function create_region_store(cxlrd: CxlRootDecoder, mode: 'ram' | 'pmem', text: string): number {
  const match = /^region(\d+)$/.exec(text.trim());
  if (!match) return -E.EINVAL;
  const cxlr = __create_region(cxlrd, mode, Number(match[1]), CXL_DECODER_HOSTONLYMEM);
  return typeof cxlr === 'number' ? cxlr : 0;
}

export function delete_region_store(cxlrd: CxlRootDecoder, text: string): number {
  const name = text.trim();
  const cxlr = cxlrd.children.find((dev) => dev.name === name);
  if (!(cxlr instanceof CxlRegion)) return -E.ENODEV;
  unregister_region(cxlr);
  return 0;
}
