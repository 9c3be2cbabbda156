import { assert } from '../../../base/assert.ts';
import { E } from '../../../base/errno.ts';
import { CxlMemdev, IS_ERR } from '../../include/cxl_types.ts';
import type { Device, DeviceDriver } from '../../include/device.ts';
import type { Kernel } from '../../include/kernel.ts';
import { cxl_mem_debugfs } from './core/debugfs.ts';
import { cxl_memdev_driver_files } from './core/memdev.ts';
import {
  cxl_delete_endpoint,
  cxl_mem_find_port,
  cxl_record_chain,
  devm_cxl_add_port,
  devm_cxl_enumerate_ports,
} from './core/port.ts';
import { publish_memdev } from './core/publish.ts';
import { CXL_RESOURCE_NONE, devm_cxl_iomap_block } from './core/regs.ts';
import { at_least } from './core/version.ts';
import { devm_cxl_add_nvdimm } from './pmem.ts';

/** The cxl_mem driver (drivers/cxl/mem.c, v6.11): gives a memdev its endpoint port. No suspend. */
function cxl_mem_probe(dev: Device): number {
  assert(dev instanceof CxlMemdev, `${dev.name} is not a memdev`);
  const { cxlds } = dev;
  // a range that may hold memory must not be touched before it is ready
  if (!cxlds.media_ready) return -E.EBUSY;
  cxl_mem_debugfs(dev);
  const rc = devm_cxl_enumerate_ports(dev);
  if (rc) return rc;
  const found = cxl_mem_find_port(dev);
  if (!found) {
    dev.err('CXL port topology not found');
    return -E.ENXIO;
  }
  const { port, dport } = found;
  if (cxlds.pmem_res.end >= cxlds.pmem_res.start) {
    const rc = devm_cxl_add_nvdimm(port, dev);
    if (rc === -E.ENODEV) dev.info('PMEM disabled by platform');
    if (rc) return rc;
  }
  // below a restricted host bridge the endpoint's parent is the root, which the platform's driver holds
  const parent = dport.rch ? port.uport_dev : port;
  if (!parent.driver) {
    dev.err(`CXL port topology ${parent.name} not enabled`);
    return -E.ENXIO;
  }
  // cxl_dport_init_ras_reporting: the port's RAS registers are mapped for the memdev
  const map = dport.reg_map;
  if (map?.ras.valid && at_least(dev.kernel, 6, 12))
    devm_cxl_iomap_block(dev, map.resource + map.ras.offset, map.ras.size);
  const endpoint = devm_cxl_add_port(dev, dev, CXL_RESOURCE_NONE, dport, 'endpoint');
  if (IS_ERR(endpoint)) return endpoint;
  // an endpoint goes with its memdev's driver or with the port above it, whichever leaves first
  parent.devm(() => cxl_delete_endpoint(endpoint));
  cxl_record_chain(dev);
  publish_memdev(dev);
  cxl_memdev_driver_files(dev);
  if (!endpoint.driver) {
    dev.err(`${endpoint.name} failed probe`);
    return -E.ENXIO;
  }
  return 0;
}

const drivers = new WeakMap<Kernel, DeviceDriver>();

export function cxl_mem_init(kernel: Kernel, owner: string | null): number {
  const driver = { name: 'cxl_mem', bus: 'cxl', owner, id: 5, probe: cxl_mem_probe };
  drivers.set(kernel, driver);
  return kernel.drivers.driver_register(driver);
}

export function cxl_mem_exit(kernel: Kernel): void {
  const driver = drivers.get(kernel);
  if (driver) kernel.drivers.driver_unregister(driver);
}
