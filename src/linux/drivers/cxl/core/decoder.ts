import { hex } from '../../../../base/addr.ts';
import { assert } from '../../../../base/assert.ts';
import { E } from '../../../../base/errno.ts';
import {
  CXL,
  CXL_DECODER_DEVMEM,
  CXL_DECODER_F_ENABLE,
  CXL_DECODER_F_LOCK,
  CXL_DECODER_F_PMEM,
  CXL_DECODER_F_RAM,
  CXL_DECODER_F_TYPE2,
  CXL_DECODER_F_TYPE3,
  CxlDecoder,
  CxlEndpointDecoder,
  type CxlPort,
  CxlRootDecoder,
  CxlSwitchDecoder,
  ida_alloc,
} from '../../../include/cxl_types.ts';
import type { Attribute, AttributeGroup, Device } from '../../../include/device.ts';
import type { Kernel } from '../../../include/kernel.ts';
import { cxl_base_group } from './base-group.ts';
import { cxl_dpa_alloc, cxl_dpa_free, cxl_dpa_set_mode, SZ_256M } from './dpa.ts';
import { cxl_unpublish, publish_decoder } from './publish.ts';
import { detach_target } from './region-attach.ts';
import { create_region_store, delete_region_store, next_region_id } from './region-create.ts';

/** Decoder objects and their files (drivers/cxl/core/port.c, v6.11). */

function decoder(dev: Device): CxlDecoder {
  assert(dev instanceof CxlDecoder, `${dev.name} is not a CXL decoder`);
  return dev;
}
function root(dev: Device): CxlRootDecoder {
  assert(dev instanceof CxlRootDecoder, `${dev.name} is not a root decoder`);
  return dev;
}
function endpoint(dev: Device): CxlEndpointDecoder {
  assert(dev instanceof CxlEndpointDecoder, `${dev.name} is not an endpoint decoder`);
  return dev;
}

const text = (name: string, mode: number, show: (cxld: CxlDecoder) => string): Attribute => ({
  name,
  mode,
  show: (dev) => `${show(decoder(dev))}\n`,
});

const base: AttributeGroup = {
  attrs: [
    text('start', 0o400, (cxld) => `0x${hex(cxld.hpa.start)}`),
    text('size', 0o444, (cxld) => `0x${hex(cxld.hpa.end - cxld.hpa.start + 1)}`),
    text('locked', 0o444, (cxld) => (cxld.flags & CXL_DECODER_F_LOCK ? '1' : '0')),
    text('interleave_granularity', 0o444, (cxld) => String(cxld.interleave_granularity)),
    text('interleave_ways', 0o444, (cxld) => String(cxld.interleave_ways)),
  ],
};

const target_type = text('target_type', 0o444, (cxld) =>
  cxld.target_type === CXL_DECODER_DEVMEM ? 'accelerator' : 'expander',
);
const region = text('region', 0o444, (cxld) => cxld.region?.name ?? '');
const target_list = text('target_list', 0o444, (cxld) =>
  cxld instanceof CxlSwitchDecoder
    ? cxld.target
        .slice(0, Math.max(cxld.interleave_ways, 1))
        .flatMap((dport) => (dport ? [dport.port_id] : []))
        .join(',')
    : '',
);
const cap = (name: string, bit: number) => text(name, 0o444, (cxld) => (cxld.flags & bit ? '1' : '0'));

const create = (name: string, mode: 'ram' | 'pmem'): Attribute => ({
  name,
  mode: 0o644,
  show: (dev) => `region${next_region_id(root(dev))}\n`,
  store: (dev, value) => create_region_store(root(dev), mode, value),
});

const root_group: AttributeGroup = {
  attrs: [
    cap('cap_pmem', CXL_DECODER_F_PMEM),
    cap('cap_ram', CXL_DECODER_F_RAM),
    cap('cap_type2', CXL_DECODER_F_TYPE2),
    cap('cap_type3', CXL_DECODER_F_TYPE3),
    target_list,
    text('qos_class', 0o444, (cxld) => (cxld instanceof CxlRootDecoder ? String(cxld.qos_class) : '')),
    create('create_pmem_region', 'pmem'),
    create('create_ram_region', 'ram'),
    { name: 'delete_region', mode: 0o200, store: (dev, value) => delete_region_store(root(dev), value) },
  ],
  is_visible(dev, attr) {
    const { flags } = root(dev);
    const both = (bit: number) => (flags & CXL_DECODER_F_TYPE3) !== 0 && (flags & bit) !== 0;
    const ram = both(CXL_DECODER_F_RAM);
    const pmem = both(CXL_DECODER_F_PMEM);
    if (attr.name.endsWith('_region') && dev.kernel.config('CXL_REGION') === 'n') return 0;
    if (attr.name === 'create_pmem_region' && !pmem) return 0;
    if (attr.name === 'create_ram_region' && !ram) return 0;
    if (attr.name === 'delete_region' && !ram && !pmem) return 0;
    return attr.mode;
  },
};

const switch_group: AttributeGroup = { attrs: [target_type, target_list, region] };

const endpoint_group: AttributeGroup = {
  attrs: [
    target_type,
    {
      name: 'mode',
      mode: 0o644,
      show: (dev) => `${endpoint(dev).mode}\n`,
      store(dev, value) {
        const mode = value.trim();
        if (mode !== 'ram' && mode !== 'pmem') return -E.EINVAL;
        return cxl_dpa_set_mode(endpoint(dev), mode);
      },
    },
    text('dpa_resource', 0o444, (cxld) => {
      const { dpa_res } = endpoint(cxld);
      return dpa_res ? `0x${hex(dpa_res.start)}` : '0xffffffffffffffff';
    }),
    {
      name: 'dpa_size',
      mode: 0o644,
      show(dev) {
        const { dpa_res } = endpoint(dev);
        return `0x${hex(dpa_res ? dpa_res.end - dpa_res.start + 1 : 0, 16)}\n`;
      },
      store(dev, value) {
        const size = Number(value.trim());
        if (!Number.isSafeInteger(size) || size < 0 || size % SZ_256M !== 0) return -E.EINVAL;
        const cxled = endpoint(dev);
        const rc = cxl_dpa_free(cxled);
        if (rc || size === 0) return rc;
        return cxl_dpa_alloc(cxled, size);
      },
    },
    region,
  ],
};

const t0 = cxl_base_group('cxl:t0');

/** cxl_root_decoder_alloc */
export function cxl_root_decoder_alloc(port: CxlPort, targets: number): CxlRootDecoder | number {
  if (targets > 16) return -E.EINVAL;
  const cxlrd = new CxlRootDecoder(port.kernel, port, port.decoder_ids++, 'cxl_decoder_root', [root_group, base, t0]);
  cxlrd.region_id = ida_alloc(port.kernel.get(CXL).region_ida);
  return cxlrd;
}

/** cxl_switch_decoder_alloc */
export function cxl_switch_decoder_alloc(port: CxlPort, targets: number): CxlSwitchDecoder | number {
  if (targets > 16 || port.port_kind !== 'port') return -E.EINVAL;
  return new CxlSwitchDecoder(port.kernel, port, port.decoder_ids++, 'cxl_decoder_switch', [switch_group, base, t0]);
}

/** cxl_endpoint_decoder_alloc */
export function cxl_endpoint_decoder_alloc(port: CxlPort): CxlEndpointDecoder | number {
  if (port.port_kind !== 'endpoint') return -E.EINVAL;
  return new CxlEndpointDecoder(port.kernel, port, port.decoder_ids++, 'cxl_decoder_endpoint', [
    endpoint_group,
    base,
    t0,
  ]);
}

/** cxl_decoder_add: resolves the target list, adds the device, removes it with the port's driver. */
export function cxl_decoder_add(cxld: CxlDecoder): number {
  const { port, kernel } = cxld;
  if (cxld instanceof CxlSwitchDecoder && port.dports.length > 0) {
    for (let n = 0; n < cxld.interleave_ways; n++) {
      const id = cxld.target_map[n];
      const dport = port.dports.find((other) => other.port_id === id) ?? null;
      if (!dport) {
        port.dbg('cxl_core', 'decoder_populate_targets', `${cxld.name}: no dport ${id}`);
        if (cxld.flags & CXL_DECODER_F_ENABLE) return -E.ENXIO;
      }
      cxld.target[n] = dport;
    }
  }
  const rc = kernel.drivers.device_add(cxld);
  if (rc) return rc;
  port.decoders.push(cxld);
  if (port.port_kind !== 'root') cxld.dbg('cxl_core', 'cxl_decoder_add', `Added to port ${port.name}`);
  publish_decoder(cxld);
  const host = port.port_kind === 'root' ? port.uport_dev : port;
  host.devm(() => cxl_decoder_remove(kernel, cxld));
  return 0;
}

/** cxld_unregister: an endpoint decoder takes its place in a region along (cxl_decoder_kill_region). */
function cxl_decoder_remove(kernel: Kernel, cxld: CxlDecoder): void {
  if (cxld instanceof CxlEndpointDecoder) detach_target(cxld, 'cxl_decoder_kill_region');
  // cxl_root_decoder_release gives the advertised region id back
  if (cxld instanceof CxlRootDecoder) kernel.get(CXL).region_ida.delete(cxld.region_id);
  const { decoders } = cxld.port;
  decoders.splice(decoders.indexOf(cxld), 1);
  kernel.drivers.device_del(cxld);
  cxl_unpublish(cxld);
}
