import { hex } from '../../../../base/addr.ts';
import { assert } from '../../../../base/assert.ts';
import { E } from '../../../../base/errno.ts';
import type { AcpiDevice } from '../../../include/acpi.ts';
import {
  CXL,
  CxlDecoder,
  CxlDport,
  type CxlMemdev,
  CxlPort,
  CxlRegion,
  type CxlRegisterMap,
  ida_alloc,
} from '../../../include/cxl_types.ts';
import type { AttributeGroup, BusType, Device, DeviceDriver } from '../../../include/device.ts';
import type { Kernel } from '../../../include/kernel.ts';
import { lockdep, RwSemaphore } from '../../../include/locking.ts';
import { PciDev } from '../../../include/pci_types.ts';
import { PLATFORM } from '../../acpi/platform.ts';
import { cxl_base_group } from './base-group.ts';
import { cxl_port_class } from './port-lock.ts';
import { cxl_num_decoders_committed, cxl_unpublish, publish_port } from './publish.ts';
import {
  CXL_REGLOC_RBI_COMPONENT,
  CXL_RESOURCE_NONE,
  cxl_find_regblock,
  cxl_register_map,
  cxl_setup_regs,
} from './regs.ts';

/**
 * The cxl bus and its port topology (drivers/cxl/core/port.c, v6.11). Leaves out the nvdimm bridge, QoS coordinates.
 */

const dbg = (dev: Device, fn: string, text: string) => dev.dbg('cxl_core', fn, text);

const DEVTYPE_ID: Readonly<Record<string, number>> = {
  ...{ cxl_nvdimm_bridge: 1, cxl_nvdimm: 2, cxl_pmem_region: 7, cxl_dax_region: 8 },
};

/** cxl_device_id: the number in `cxl:t%d`. */
function cxl_device_id(dev: Device): number {
  if (dev instanceof CxlDecoder) return 0;
  if (dev instanceof CxlPort) return dev.port_kind === 'root' ? 4 : 3;
  if (dev instanceof CxlRegion) return 6;
  return dev.devtype === null ? 5 : (DEVTYPE_ID[dev.devtype] ?? 5);
}

/** What a driver of this bus declares besides struct device_driver. */
export interface CxlDriver extends DeviceDriver {
  readonly id: number;
}

const id_of = (drv: DeviceDriver): number => ('id' in drv && typeof drv.id === 'number' ? drv.id : -1);

export const cxl_bus_type: BusType = {
  name: 'cxl',
  match: (dev, drv) => id_of(drv) === cxl_device_id(dev) && cxl_device_id(dev) !== 0,
  uevent: (dev) => ({ MODALIAS: `cxl:t${cxl_device_id(dev)}` }),
  probe(dev, drv) {
    const rc = drv.probe?.(dev) ?? 0;
    dbg(dev, 'cxl_bus_probe', `probe: ${rc}`);
    return rc;
  },
  bus_attrs: [{ name: 'flush', mode: 0o200, store: (text) => (text.trim() === '1' ? 0 : -E.EINVAL) }],
};

const port_group: AttributeGroup = {
  attrs: [
    {
      name: 'decoders_committed',
      mode: 0o444,
      show(dev) {
        assert(dev instanceof CxlPort, 'decoders_committed of a port');
        return `${cxl_num_decoders_committed(dev)}\n`;
      },
    },
  ],
};

const long = (value: number) => `0x${hex(value, 16)}`;

/** cxl_core_init */
export function cxl_core_init(kernel: Kernel): number {
  kernel.set(CXL, {
    port_ida: new Set<number>(),
    memdev_ida: new Set<number>(),
    region_ida: new Set<number>(),
    cxl_major: 0,
    bypass_warned: false,
    region_rwsem: new RwSemaphore(kernel, 'cxl_region_rwsem'),
    dpa_rwsem: new RwSemaphore(kernel, 'cxl_dpa_rwsem'),
  });
  kernel.drivers.bus_register(cxl_bus_type);
  return 0;
}

/** The name a host bridge's root bus carries: the uport of its port. */
export function host_bridge_device(adev: AcpiDevice): Device | null {
  return adev.physical_node;
}

/** __devm_cxl_add_port: registers a root, switch-level or endpoint port; undone with `host`'s driver. */
export function devm_cxl_add_port(
  host: Device,
  uport_dev: Device,
  component_reg_phys: number,
  parent_dport: CxlDport | null,
  kind: 'root' | 'port' | 'endpoint',
): CxlPort | number {
  const { kernel } = uport_dev;
  const { port_ida } = kernel.get(CXL);
  const id = ida_alloc(port_ida);
  const parent_port = parent_dport?.port ?? null;
  const name = `${kind}${id}`;
  let host_bridge: Device | null = null;
  if (parent_port) {
    const top = parent_dport?.rch ? parent_dport.dport_dev : uport_dev;
    host_bridge = parent_port.port_kind === 'root' ? top : parent_port.host_bridge;
    if (host_bridge) dbg(uport_dev, 'cxl_port_alloc', `host-bridge: ${host_bridge.name}`);
  }
  const port = new CxlPort(
    kernel,
    name,
    parent_port ?? uport_dev,
    [port_group, cxl_base_group(kind === 'root' ? 'cxl:t4' : 'cxl:t3')],
    id,
    kind,
    uport_dev,
    parent_dport,
    host_bridge,
  );
  if (kind === 'endpoint') {
    const cxlmd = uport_dev as CxlMemdev;
    port.reg_map = { ...cxlmd.cxlds.reg_map, host: port };
    cxlmd.endpoint = port;
  } else if (component_reg_phys !== CXL_RESOURCE_NONE) {
    const map = cxl_register_map(port, component_reg_phys);
    cxl_setup_regs(map);
    port.reg_map = map;
  }
  const rc = kernel.drivers.device_add(port);
  if (rc) {
    port_ida.delete(id);
    if (kind === 'endpoint') (uport_dev as CxlMemdev).endpoint = null;
    return rc;
  }
  kernel.drivers.sysfs_create_link(port, uport_dev, 'uport');
  if (parent_dport) kernel.drivers.sysfs_create_link(port, parent_dport.dport_dev, 'parent_dport');
  publish_port(port);
  host.devm(() => unregister_port(port));
  dbg(
    uport_dev,
    '__devm_cxl_add_port',
    parent_port ? `${name} added to ${parent_port.name}` : `${name} added (root port)`,
  );
  return port;
}

function unregister_port(port: CxlPort): void {
  const { kernel } = port;
  if (!port.registered) return;
  // device_release_driver() wants the device's lock, which cxl_acquire_endpoint() took.
  if (port.acquired) {
    lockdep(kernel).acquire(cxl_port_class(port), true, 'device_release_driver');
    kernel.hung('device_release_driver');
  }
  port.dead = true;
  kernel.drivers.device_del(port);
  if (port.port_kind === 'endpoint') (port.uport_dev as CxlMemdev).endpoint = null;
  cxl_unpublish(port);
  kernel.get(CXL).port_ida.delete(port.id);
}

/** delete_endpoint: harmless on one that is gone. */
export function cxl_delete_endpoint(endpoint: CxlPort): void {
  unregister_port(endpoint);
}

/** __devm_cxl_add_dport: a downstream port of `port`, with its component registers when it has some. */
export function devm_cxl_add_dport(
  host: Device,
  port: CxlPort,
  dport_dev: Device,
  port_id: number,
  component_reg_phys: number,
  rch = false,
): CxlDport | number {
  const { kernel } = port;
  let map: CxlRegisterMap | null = null;
  if (component_reg_phys !== CXL_RESOURCE_NONE) {
    map = cxl_register_map(dport_dev, component_reg_phys);
    cxl_setup_regs(map);
    dbg(dport_dev, '__devm_cxl_add_dport', `Component Registers found for dport: ${long(component_reg_phys)}`);
  }
  const dup = port.dports.find((other) => other.port_id === port_id);
  if (dup) {
    port.err(`unable to add dport${port_id}-${dport_dev.name} non-unique port id (${dup.dport_dev.name})`);
    return -E.EBUSY;
  }
  const dport = new CxlDport(dport_dev, port_id, port, map, rch);
  port.dports.push(dport);
  port.nr_dports++;
  kernel.drivers.sysfs_create_link(port, dport_dev, `dport${port_id}`);
  publish_port(port);
  host.devm(() => {
    if (port.registered) kernel.drivers.sysfs_remove_link(port, `dport${port_id}`);
    port.dports.splice(port.dports.indexOf(dport), 1);
    port.nr_dports--;
  });
  dbg(dport_dev, '__devm_cxl_add_dport', `dport added to ${port.name}`);
  return dport;
}

/** find_cxl_port: the port that has `dport_dev` as a downstream port. */
export function find_cxl_port(kernel: Kernel, dport_dev: Device): { port: CxlPort; dport: CxlDport } | null {
  for (const dev of kernel.drivers.bus_devices('cxl')) {
    if (!(dev instanceof CxlPort) || dev.port_kind === 'endpoint') continue;
    const dport = dev.dports.find((other) => other.dport_dev === dport_dev);
    if (dport) return { port: dev, dport };
  }
  return null;
}

/** The PCI function or host bridge above a device, the next downstream port on the way up. */
function grandparent(dev: Device): Device | null {
  return dev.parent?.parent ?? null;
}

/** cxl_add_ep: remembers through which downstream port the memdev is reached; -EBUSY when it is known already. */
function cxl_add_ep(cxlmd: CxlMemdev, port: CxlPort, dport: CxlDport): void {
  if (port.endpoints.has(cxlmd)) return;
  port.endpoints.set(cxlmd, { ep: cxlmd, dport, next: null });
}

/** find_component_registers: the block's address, or none. */
function find_component_registers(pdev: Device): number {
  if (!(pdev instanceof PciDev)) return CXL_RESOURCE_NONE;
  const map = cxl_register_map(pdev);
  return cxl_find_regblock(pdev, CXL_REGLOC_RBI_COMPONENT, map) ? CXL_RESOURCE_NONE : map.resource;
}

/** add_port_attach_ep: a switch between the host bridge and the device; -EAGAIN while the port above it is missing. */
function add_port_attach_ep(cxlmd: CxlMemdev, uport_dev: Device, dport_dev: Device): number {
  const { kernel } = cxlmd;
  const dparent = grandparent(dport_dev);
  if (!dparent) {
    dbg(cxlmd, 'add_port_attach_ep', `${dport_dev.name} is a root dport`);
    return -E.ENXIO;
  }
  const parent = find_cxl_port(kernel, dparent);
  if (!parent) return -E.EAGAIN;
  if (!parent.port.driver) {
    cxlmd.warn(`port ${parent.port.name}:${parent.port.uport_dev.name} disabled, failed to enumerate CXL.mem`);
    return -E.ENXIO;
  }
  const port = devm_cxl_add_port(parent.port, uport_dev, find_component_registers(uport_dev), parent.dport, 'port');
  if (typeof port === 'number') return port;
  const dport = port.dports.find((other) => other.dport_dev === dport_dev);
  if (!dport) return -E.ENXIO;
  dbg(cxlmd, 'add_port_attach_ep', `add to new port ${port.name}:${uport_dev.name}`);
  cxl_add_ep(cxlmd, port, dport);
  return 0;
}

/** devm_cxl_enumerate_ports: finds every port on the way up from a memdev (switch ports are added when missing). */
export function devm_cxl_enumerate_ports(cxlmd: CxlMemdev): number {
  const { kernel } = cxlmd;
  const fn = 'devm_cxl_enumerate_ports';
  cxlmd.devm(() => cxl_detach_ep(cxlmd));
  // a restricted device hangs right below its host bridge, which is no port
  if (cxlmd.cxlds.rcd) return 0;
  for (let iter: Device | null = cxlmd; iter; ) {
    const dport_dev = grandparent(iter);
    // the walk ends above PCI; above platform devices it ends at the platform bus
    if (!dport_dev || (kernel.has(PLATFORM) && dport_dev === kernel.get(PLATFORM).root)) return 0;
    const uport_dev = dport_dev.parent;
    if (!uport_dev) {
      // the walk has reached the host bridge's own device: dport of the root
      if (find_cxl_port(kernel, dport_dev)) return 0;
      cxlmd.warn(`at ${iter.name} no parent for dport: ${dport_dev.name}`);
      return -E.ENXIO;
    }
    dbg(cxlmd, fn, `scan: iter: ${iter.name} dport_dev: ${dport_dev.name} parent: ${uport_dev.name}`);
    const found = find_cxl_port(kernel, dport_dev);
    if (found) {
      dbg(cxlmd, fn, `found already registered port ${found.port.name}:${found.port.uport_dev.name}`);
      cxl_add_ep(cxlmd, found.port, found.dport);
      if (found.port.parent_port?.port_kind === 'root') return 0;
      iter = dport_dev;
      continue;
    }
    const rc = add_port_attach_ep(cxlmd, uport_dev, dport_dev);
    if (rc === -E.EAGAIN) iter = dport_dev;
    else if (rc) return rc;
    // a new port can have new descendants: start over
    else iter = cxlmd;
  }
  return 0;
}

/** Ports between the memdev and the root, lowest first. */
function ports_of(cxlmd: CxlMemdev): CxlPort[] {
  const ports = cxlmd.kernel.drivers
    .bus_devices('cxl')
    .filter((dev): dev is CxlPort => dev instanceof CxlPort && dev.endpoints.has(cxlmd));
  const depth = (port: CxlPort): number => (port.parent_port ? depth(port.parent_port) + 1 : 0);
  return ports.sort((a, b) => depth(b) - depth(a));
}

/** The chain of ports from a host bridge to an endpoint: each level's `next` is the port below it. */
export function cxl_record_chain(cxlmd: CxlMemdev): void {
  let down: CxlPort | null = null;
  for (const port of ports_of(cxlmd)) {
    const ep = port.endpoints.get(cxlmd);
    if (ep) port.endpoints.set(cxlmd, { ...ep, next: down });
    down = port;
  }
}

/** cxl_detach_ep: the memdev leaves every port above it; a switch port without endpoints goes. */
function cxl_detach_ep(cxlmd: CxlMemdev): void {
  for (const port of ports_of(cxlmd)) {
    dbg(cxlmd, 'cxl_detach_ep', `disconnect ${cxlmd.name} from ${port.name}`);
    port.endpoints.delete(cxlmd);
    const parent = port.parent_port;
    if (port.dead || port.endpoints.size > 0 || !parent || parent.port_kind === 'root' || !parent.driver) continue;
    dbg(cxlmd, 'cxl_detach_ep', `delete ${port.name}`);
    unregister_port(port);
  }
}

/** cxl_mem_find_port: the port right above the memdev's PCI function. */
export function cxl_mem_find_port(cxlmd: CxlMemdev): { port: CxlPort; dport: CxlDport } | null {
  const above = grandparent(cxlmd);
  return above ? find_cxl_port(cxlmd.kernel, above) : null;
}
