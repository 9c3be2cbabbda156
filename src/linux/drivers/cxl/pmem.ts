import { CXL_DECODER_F_PMEM, type CxlPort } from '../../include/cxl_types.ts';
import { Device, type DeviceDriver } from '../../include/device.ts';
import type { Kernel } from '../../include/kernel.ts';
import { cxl_base_group } from './core/base-group.ts';

/**
 * nvdimm-bridge0 and the cxl_pmem module's drivers (drivers/cxl/core/pmem.c, drivers/cxl/pmem.c, v6.12). Leaves out the
 * nvdimm bus below the bridge, nvdimms of memdevs and persistent regions' namespaces: the bridge binds and does no more.
 */

class CxlNvdimmBridge extends Device {}

/** devm_cxl_add_nvdimm_bridge: for a root with a window for persistent memory, when CXL_PMEM is configured. */
export function devm_cxl_add_nvdimm_bridge(host: Device, root: CxlPort): void {
  const { kernel } = host;
  if (kernel.config('CXL_PMEM') !== 'm') return;
  if (!root.decoders.some((cxld) => cxld.flags & CXL_DECODER_F_PMEM)) return;
  const bridge = new CxlNvdimmBridge(
    kernel,
    'nvdimm-bridge0',
    root,
    'cxl',
    [cxl_base_group('cxl:t1')],
    'cxl_nvdimm_bridge',
  );
  if (kernel.drivers.device_add(bridge)) return;
  host.devm(() => kernel.drivers.device_del(bridge));
  host.dbg('cxl_acpi', 'devm_cxl_add_nvdimm_bridge', `${root.name}: add: ${bridge.name}`);
}

const drivers = new WeakMap<Kernel, readonly DeviceDriver[]>();

export function cxl_pmem_init(kernel: Kernel, owner: string | null): number {
  const make = (name: string, id: number) => ({
    name,
    bus: 'cxl',
    owner,
    id,
    suppress_bind_attrs: true,
    probe: () => 0,
  });
  const all = [make('cxl_nvdimm_bridge', 1), make('cxl_nvdimm', 2), make('cxl_pmem_region', 7)];
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
