import { assert } from '../../../base/assert.ts';
import { E } from '../../../base/errno.ts';
import { mock_port_ops } from '../../include/cxl_mock.ts';
import { type CxlMemdev, CxlPort, IS_ERR } from '../../include/cxl_types.ts';
import type { Device, DeviceDriver } from '../../include/device.ts';
import type { Kernel } from '../../include/kernel.ts';
import { PciDev, PciHostBridge } from '../../include/pci_types.ts';
import { pcie_capability_read_dword } from '../pci/access.ts';
import { cxl_endpoint_parse_cdat, read_cdat_data } from './core/cdat.ts';
import {
  type CxlEndpointDvsecInfo,
  devm_cxl_add_passthrough_decoder,
  devm_cxl_enumerate_decoders,
  devm_cxl_setup_hdm,
} from './core/hdm.ts';
import { cxl_dvsec_rr_decode, cxl_hdm_decode_init } from './core/pci.ts';
import { devm_cxl_add_dport } from './core/port.ts';
import { publish_port } from './core/publish.ts';
import { discover_regions } from './core/region.ts';
import { CXL_REGLOC_RBI_COMPONENT, cxl_find_regblock, cxl_register_map } from './core/regs.ts';

/** The cxl_port driver (drivers/cxl/port.c, v6.11): decoders of host bridges, switches and endpoints. No RAS. */

/** devm_cxl_port_enumerate_dports: root or downstream ports below the port's bus. */
function devm_cxl_port_enumerate_dports(port: CxlPort): number {
  const mock = mock_port_ops(port.uport_dev);
  if (mock) return mock.devm_cxl_port_enumerate_dports(port);
  const bus =
    port.uport_dev instanceof PciHostBridge
      ? port.uport_dev.bus_
      : port.uport_dev instanceof PciDev
        ? port.uport_dev.subordinate
        : null;
  if (!bus) return -E.ENXIO;
  const want = bus.parent ? 6 : 4;
  let count = 0;
  for (const pdev of bus.devices) {
    if (!pdev.pcie_cap || pdev.pcie_type !== want) continue;
    const port_num = pcie_capability_read_dword(pdev, 12) >>> 24;
    const map = cxl_register_map(pdev);
    if (cxl_find_regblock(pdev, CXL_REGLOC_RBI_COMPONENT, map))
      pdev.dbg('cxl_core', 'match_add_dports', 'failed to find component registers');
    const dport = devm_cxl_add_dport(port, port, pdev, port_num, map.resource);
    if (IS_ERR(dport)) return dport;
    count++;
  }
  return count;
}

/** cxl_switch_port_probe */
function cxl_switch_port_probe(port: CxlPort): number {
  if (port.uport_dev instanceof PciDev) read_cdat_data(port);
  const count = devm_cxl_port_enumerate_dports(port);
  if (count < 0) return count;
  const cxlhdm = devm_cxl_setup_hdm(port, null);
  if (!IS_ERR(cxlhdm)) return devm_cxl_enumerate_decoders(port, cxlhdm, null);
  if (cxlhdm !== -E.ENODEV) {
    port.err(`Failed to map HDM decoder capability (${cxlhdm})`);
    return cxlhdm;
  }
  if (count === 1) {
    port.dbg('cxl_port', 'cxl_switch_port_probe', 'Fallback to passthrough decoder');
    return devm_cxl_add_passthrough_decoder(port);
  }
  port.err('HDM decoder capability not found');
  return -E.ENXIO;
}

/** schedule_cxl_memdev_detach: when the endpoint loses its driver, so does the memdev, a moment later (a work item). */
function schedule_cxl_memdev_detach(port: CxlPort): void {
  const cxlmd = port.uport_dev as CxlMemdev;
  const { kernel } = port;
  const bound = cxlmd.driver;
  port.devm(() => {
    queueMicrotask(() => {
      if (cxlmd.registered && cxlmd.driver === bound && bound && cxlmd.endpoint === null)
        kernel.drivers.device_release_driver(cxlmd);
    });
  });
}

/** cxl_endpoint_port_probe */
function cxl_endpoint_port_probe(port: CxlPort): number {
  const { cxlds } = port.uport_dev as CxlMemdev;
  const info: CxlEndpointDvsecInfo = { mem_enabled: false, ranges: 0, dvsec_range: [] };
  let rc = cxl_dvsec_rr_decode(cxlds, info);
  if (rc < 0) return rc;
  const cxlhdm = devm_cxl_setup_hdm(port, info);
  if (IS_ERR(cxlhdm)) {
    if (cxlhdm === -E.ENODEV) port.err('HDM decoder registers not found');
    return cxlhdm;
  }
  if (cxlds.type === 'classmem') {
    read_cdat_data(port);
    cxl_endpoint_parse_cdat(port);
  }
  schedule_cxl_memdev_detach(port);
  rc = cxl_hdm_decode_init(cxlds, cxlhdm, info, port);
  if (rc) return rc;
  rc = devm_cxl_enumerate_decoders(port, cxlhdm, info);
  if (rc) return rc;
  discover_regions(port);
  return 0;
}

function cxl_port_probe(dev: Device): number {
  assert(dev instanceof CxlPort, `${dev.name} is not a port`);
  const { kernel } = dev;
  // runs last when the driver leaves or the probe fails
  dev.devm(() => {
    dev.commit_end = -1;
    dev.hdm_end = -1;
    dev.decoder_ids = 0;
    dev.hdm = null;
  });
  return kernel.span(kernel.site('cxl_port_probe', ['port'], 'drivers/cxl/port.c'), dev.id, 0, () => {
    const rc = dev.port_kind === 'endpoint' ? cxl_endpoint_port_probe(dev) : cxl_switch_port_probe(dev);
    publish_port(dev);
    return rc;
  });
}

const drivers = new WeakMap<Kernel, DeviceDriver>();

export function cxl_port_init(kernel: Kernel, owner: string | null): number {
  const driver = { name: 'cxl_port', bus: 'cxl', owner, mod_name: 'cxl_port', id: 3, probe: cxl_port_probe };
  drivers.set(kernel, driver);
  return kernel.drivers.driver_register(driver);
}

export function cxl_port_exit(kernel: Kernel): void {
  const driver = drivers.get(kernel);
  if (driver) kernel.drivers.driver_unregister(driver);
}
