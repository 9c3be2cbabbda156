import { hex } from '../../../base/addr.ts';
import { viewOf } from '../../../base/bytes.ts';
import { E } from '../../../base/errno.ts';
import { CXL_DECODER_F_PMEM, type CxlMemdev, type CxlPort, type CxlRegion } from '../../include/cxl_types.ts';
import { type AttributeGroup, Device, type DeviceDriver } from '../../include/device.ts';
import type { Kernel } from '../../include/kernel.ts';
import {
  type NdRegion,
  type Nvdimm,
  type NvdimmBus,
  nvdimm_bus_register,
  nvdimm_create,
  nvdimm_pmem_region_create,
} from '../nvdimm/bus.ts';
import { cxl_base_group } from './core/base-group.ts';
import { cxl_mbox_send_cmd } from './core/mbox.ts';

/**
 * Persistent memory (drivers/cxl/core/pmem.c, drivers/cxl/pmem.c, v6.12): nvdimm-bridge0, pmemN of memdevs, pmem_regionN of
 * regions, and the drivers that put them on libnvdimm's bus. Leaves out label writes and security commands by way of libnvdimm.
 */

class CxlNvdimmBridge extends Device {
  nvdimm_bus: NvdimmBus | null = null;
}

class CxlNvdimm extends Device {
  nvdimm: Nvdimm | null = null;
  constructor(
    readonly cxlmd: CxlMemdev,
    readonly bridge: CxlNvdimmBridge,
    groups: readonly AttributeGroup[],
  ) {
    super(cxlmd.kernel, `pmem${cxlmd.id}`, cxlmd, 'cxl', groups, 'cxl_nvdimm');
  }
}

class CxlPmemRegion extends Device {
  nd_region: NdRegion | null = null;
  constructor(
    readonly cxlr: CxlRegion,
    readonly bridge: CxlNvdimmBridge,
    groups: readonly AttributeGroup[],
  ) {
    super(cxlr.kernel, `pmem_region${cxlr.id}`, cxlr, 'cxl', groups, 'cxl_pmem_region');
  }
}

/** The walkthrough's kernels have it built in, with nothing for it to do. */
const enabled = (kernel: Kernel) => kernel.config('CXL_PMEM') === 'm';

/** devm_cxl_add_nvdimm_bridge: for a root with a window for persistent memory, when CXL_PMEM is configured. */
export function devm_cxl_add_nvdimm_bridge(host: Device, root: CxlPort): void {
  const { kernel } = host;
  if (!enabled(kernel) || !root.decoders.some((cxld) => cxld.flags & CXL_DECODER_F_PMEM)) return;
  const used = new Set(kernel.drivers.bus_devices('cxl').map(({ name }) => name));
  let id = 0;
  while (used.has(`nvdimm-bridge${id}`)) id++;
  const groups = [cxl_base_group('cxl:t1')];
  const bridge = new CxlNvdimmBridge(kernel, `nvdimm-bridge${id}`, root, 'cxl', groups, 'cxl_nvdimm_bridge');
  if (kernel.drivers.device_add(bridge)) return;
  host.devm(() => kernel.drivers.device_del(bridge));
  host.dbg('cxl_acpi', 'devm_cxl_add_nvdimm_bridge', `${root.name}: add: ${bridge.name}`);
}

/** cxl_find_nvdimm_bridge: that of the root a port belongs to. */
function cxl_find_nvdimm_bridge(port: CxlPort): CxlNvdimmBridge | null {
  let root = port;
  while (root.parent_port) root = root.parent_port;
  return root.children.find((dev) => dev instanceof CxlNvdimmBridge) ?? null;
}

/** devm_cxl_add_nvdimm: pmemN of a memdev with persistent memory; -ENODEV when the platform has no window for it. */
export function devm_cxl_add_nvdimm(parent_port: CxlPort, cxlmd: CxlMemdev): number {
  const { kernel } = cxlmd;
  if (!enabled(kernel)) return 0;
  const bridge = cxl_find_nvdimm_bridge(parent_port);
  if (!bridge) return -E.ENODEV;
  const dev = new CxlNvdimm(cxlmd, bridge, [cxl_base_group('cxl:t2')]);
  const rc = kernel.drivers.device_add(dev);
  if (rc) return rc;
  cxlmd.dbg('cxl_core', 'devm_cxl_add_nvdimm', `register ${dev.name}`);
  cxlmd.devm(() => kernel.drivers.device_del(dev));
  return 0;
}

/** devm_cxl_add_pmem_region: pmem_regionN of a committed persistent region. */
export function devm_cxl_add_pmem_region(cxlr: CxlRegion): number {
  const { kernel } = cxlr;
  if (!enabled(kernel)) return 0;
  const first = cxlr.targets[0]?.cxlmd.endpoint;
  const bridge = first ? cxl_find_nvdimm_bridge(first) : null;
  if (!bridge) return -E.ENODEV;
  const dev = new CxlPmemRegion(cxlr, bridge, [cxl_base_group('cxl:t7')]);
  const rc = kernel.drivers.device_add(dev);
  if (rc) return rc;
  cxlr.devm(() => kernel.drivers.device_del(dev));
  cxlr.dbg('cxl_core', 'devm_cxl_add_pmem_region', `${cxlr.name}: register ${dev.name}`);
  return 0;
}

function cxl_nvdimm_bridge_probe(dev: Device): number {
  if (!(dev instanceof CxlNvdimmBridge)) return -E.ENODEV;
  const bus = nvdimm_bus_register(dev, 'CXL');
  if (typeof bus === 'number') return -E.ENOMEM;
  dev.nvdimm_bus = bus;
  dev.devm(() => {
    dev.nvdimm_bus = null;
  });
  return 0;
}

/** cxl_nvdimm_probe: nmemN; libnvdimm asks for its security state (for the user and for the master) and reads its labels. */
function cxl_nvdimm_probe(dev: Device): number {
  if (!(dev instanceof CxlNvdimm)) return -E.ENODEV;
  const { cxlds } = dev.cxlmd;
  const bus = dev.bridge.nvdimm_bus;
  if (!bus) return -E.ENXIO;
  for (let n = 0; n < 2; n++) cxl_mbox_send_cmd(cxlds, 0x4500);
  const attrs = [
    { name: 'id', mode: 0o444, show: () => `${hex(cxlds.serial)}\n` },
    { name: 'provider', mode: 0o444, show: () => `${dev.name}\n` },
  ];
  const nvdimm = nvdimm_create(bus, dev, [{ name: 'cxl', attrs }]);
  if (typeof nvdimm === 'number') return -E.ENOMEM;
  dev.nvdimm = nvdimm;
  dev.devm(() => {
    dev.nvdimm = null;
  });
  const lsa = cxlds.mbox?.identity?.lsa_size ?? 0;
  if (lsa > 0) {
    const request = new Uint8Array(8);
    viewOf(request).setUint32(4, Math.min(lsa, (cxlds.mbox?.payload_size ?? 0) - 8), true);
    cxl_mbox_send_cmd(cxlds, 0x4102, request);
  }
  return 0;
}

/** cxl_pmem_region_probe: the range is known as persistent memory, libnvdimm gets a region over the mapped devices. */
function cxl_pmem_region_probe(dev: Device): number {
  if (!(dev instanceof CxlPmemRegion)) return -E.ENODEV;
  const { cxlr, kernel } = dev;
  const bus = dev.bridge.nvdimm_bus;
  if (!bus || !cxlr.res) return -E.ENODEV;
  const { iomem } = kernel;
  const { start, end } = cxlr.res;
  const res = iomem.make('Persistent Memory', start, end);
  const rc = iomem.insert_resource(iomem.root, res);
  if (rc) return rc;
  dev.devm(() => iomem.remove_resource(res));
  for (const [n, cxled] of cxlr.targets.entries()) {
    const cxlmd = cxled?.cxlmd;
    const nvd = cxlmd?.children.find((child) => child instanceof CxlNvdimm);
    if (nvd?.nvdimm) continue;
    dev.dbg('cxl_pmem', 'cxl_pmem_region_probe', `[${n}]: ${cxlmd?.name}: no ${nvd ? 'nvdimm' : 'cxl_nvdimm'} found`);
    return -E.ENODEV;
  }
  const region = nvdimm_pmem_region_create(bus, dev, cxlr.id, end - start + 1, cxlr.targets.length);
  if (typeof region === 'number') return -E.ENOMEM;
  dev.nd_region = region;
  return 0;
}

const drivers = new WeakMap<Kernel, readonly DeviceDriver[]>();

export function cxl_pmem_init(kernel: Kernel, owner: string | null): number {
  const make = (name: string, id: number, probe: (dev: Device) => number) => ({
    ...{ name, bus: 'cxl', owner, id, suppress_bind_attrs: true, probe },
  });
  const all = [
    make('cxl_nvdimm_bridge', 1, cxl_nvdimm_bridge_probe),
    make('cxl_nvdimm', 2, cxl_nvdimm_probe),
    make('cxl_pmem_region', 7, cxl_pmem_region_probe),
  ];
  drivers.set(kernel, all);
  for (const driver of all) {
    const rc = kernel.drivers.driver_register(driver);
    if (rc) return rc;
  }
  return 0;
}

export function cxl_pmem_exit(kernel: Kernel): void {
  for (const driver of drivers.get(kernel) ?? []) kernel.drivers.driver_unregister(driver);
}
