import { hex } from '../../../../base/addr.ts';
import { assert } from '../../../../base/assert.ts';
import { E } from '../../../../base/errno.ts';
import {
  CXL,
  CXL_CONFIG_ACTIVE,
  CXL_CONFIG_COMMIT,
  CXL_CONFIG_INTERLEAVE_ACTIVE,
  CXL_DECODER_F_LOCK,
  CxlEndpointDecoder,
  CxlRegion,
} from '../../../include/cxl_types.ts';
import type { Attribute, AttributeGroup, Device } from '../../../include/device.ts';
import { cxl_base_group } from './base-group.ts';
import { publish_region } from './publish.ts';
import { attach_target, detach_target } from './region-attach.ts';
import { cxl_region_commit, cxl_region_decode_reset, cxl_region_invalidate_memregion } from './region-commit.ts';
import { alloc_hpa, free_hpa } from './region-hpa.ts';
import { at_least } from './version.ts';

/** A region's files (drivers/cxl/core/region.c, v6.11); the checks and errors of linux-cxl-core.md §4. */

function region(dev: Device): CxlRegion {
  assert(dev instanceof CxlRegion, `${dev.name} is not a region`);
  return dev;
}

const number = (text: string): number => {
  const value = text.trim();
  return /^(0x[0-9a-f]+|\d+)$/i.test(value) ? Number(value) : -1;
};
const is_power_of_2 = (n: number) => n > 0 && Number.isInteger(Math.log2(n));

const NULL_UUID = '00000000-0000-0000-0000-000000000000';

function uuid_store(dev: Device, text: string): number {
  const cxlr = region(dev);
  const value = text.replace(/\n$/, '').toLowerCase();
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value) || value === NULL_UUID) return -E.EINVAL;
  if (cxlr.uuid === value) return 0;
  if (cxlr.state >= CXL_CONFIG_ACTIVE) return -E.EBUSY;
  const same = cxlr.kernel.drivers
    .bus_devices('cxl')
    .some((other) => other instanceof CxlRegion && other.uuid === value);
  if (same) return -E.EBUSY;
  cxlr.uuid = value;
  return 0;
}

function ways_store(dev: Device, text: string): number {
  const cxlr = region(dev);
  const ways = number(text);
  if (![1, 2, 3, 4, 6, 8, 12, 16].includes(ways)) return -E.EINVAL;
  const root = cxlr.cxlrd.interleave_ways;
  if (!is_power_of_2(ways / root) || ways % root !== 0) {
    cxlr.dbg('cxl_core', 'interleave_ways_store', `invalid interleave: ${ways}`);
    return -E.EINVAL;
  }
  if (cxlr.state >= CXL_CONFIG_INTERLEAVE_ACTIVE) return -E.EBUSY;
  cxlr.interleave_ways = ways;
  cxlr.kernel.drivers.sysfs_update_group(cxlr, target_group);
  publish_region(cxlr);
  return 0;
}

function granularity_store(dev: Device, text: string): number {
  const cxlr = region(dev);
  const value = number(text);
  if (!is_power_of_2(value) || value < 256 || value > 16384) return -E.EINVAL;
  const root = cxlr.cxlrd;
  if (root.interleave_ways > 1 && root.interleave_granularity !== value) return -E.EINVAL;
  if (cxlr.state >= CXL_CONFIG_INTERLEAVE_ACTIVE) return -E.EBUSY;
  cxlr.interleave_granularity = value;
  publish_region(cxlr);
  return 0;
}

/** down_write_killable(&cxl_region_rwsem) … up_write. */
function locked(dev: Device, fn: string, body: () => number): number {
  return dev.kernel.get(CXL).region_rwsem.write(fn, body);
}

function commit_store(dev: Device, text: string): number {
  const cxlr = region(dev);
  const value = text.trim();
  if (!/^[01yn]/i.test(value)) return -E.EINVAL;
  return locked(dev, 'commit_store', () => commit_locked(cxlr, /^[1y]/i.test(value)));
}

function commit_locked(cxlr: CxlRegion, commit: boolean): number {
  if (commit) {
    if (cxlr.state >= CXL_CONFIG_COMMIT) return 0;
    if (cxlr.state < CXL_CONFIG_ACTIVE) return -E.ENXIO;
    return cxl_region_invalidate_memregion(cxlr) || cxl_region_commit(cxlr);
  }
  if (cxlr.targets.some((cxled) => cxled && cxled.flags & CXL_DECODER_F_LOCK)) return -E.EPERM;
  if (cxlr.state < CXL_CONFIG_COMMIT) return 0;
  const { region_rwsem } = cxlr.kernel.get(CXL);
  region_rwsem.up_write('commit_store');
  if (cxlr.driver) cxlr.kernel.drivers.device_release_driver(cxlr);
  region_rwsem.down_write('commit_store');
  const rc = cxl_region_decode_reset(cxlr, cxlr.interleave_ways);
  if (rc) return rc;
  cxlr.state = CXL_CONFIG_ACTIVE;
  publish_region(cxlr);
  return 0;
}

function target_store(dev: Device, pos: number, text: string): number {
  const cxlr = region(dev);
  const name = text.trim();
  if (name === '') {
    const old = cxlr.targets[pos];
    return old ? detach_target(old) : 0;
  }
  const found = cxlr.kernel.drivers.bus_find_device('cxl', name);
  if (!found) return -E.ENODEV;
  if (!(found instanceof CxlEndpointDecoder)) return -E.EINVAL;
  const rc = attach_target(cxlr, found, pos);
  // the message came after v6.12
  if (rc && at_least(cxlr.kernel, 7, 0)) found.port.warn(`failed to attach ${found.name} to ${cxlr.name}: ${rc}`);
  return rc;
}

const main: AttributeGroup = {
  attrs: [
    {
      name: 'uuid',
      mode: 0o644,
      show: (dev) => (region(dev).mode === 'pmem' ? `${region(dev).uuid || NULL_UUID}\n` : '\n'),
      store: uuid_store,
    },
    {
      name: 'commit',
      mode: 0o644,
      show: (dev) => `${region(dev).state >= CXL_CONFIG_COMMIT ? 1 : 0}\n`,
      store: commit_store,
    },
    { name: 'interleave_ways', mode: 0o644, show: (dev) => `${region(dev).interleave_ways}\n`, store: ways_store },
    {
      name: 'interleave_granularity',
      mode: 0o644,
      show: (dev) => `${region(dev).interleave_granularity}\n`,
      store: granularity_store,
    },
    {
      name: 'resource',
      mode: 0o444,
      show: (dev) => {
        const { res } = region(dev);
        return res ? `0x${hex(res.start)}\n` : '0xffffffffffffffff\n';
      },
    },
    {
      name: 'size',
      mode: 0o644,
      show: (dev) => {
        const { res } = region(dev);
        return `0x${hex(res ? res.end - res.start + 1 : 0)}\n`;
      },
      store: (dev, text) => {
        const size = number(text);
        if (size < 0) return -E.EINVAL;
        return locked(dev, 'size_store', () => (size === 0 ? free_hpa(region(dev)) : alloc_hpa(region(dev), size)));
      },
    },
    { name: 'mode', mode: 0o444, show: (dev) => `${region(dev).mode}\n` },
  ],
  is_visible: (dev, attr) => (attr.name === 'uuid' && region(dev).mode !== 'pmem' ? 0o444 : attr.mode),
};

const targets: readonly Attribute[] = Array.from({ length: 16 }, (_, pos) => ({
  name: `target${pos}`,
  mode: 0o644,
  show: (dev: Device) => `${region(dev).targets[pos]?.name ?? ''}\n`,
  store: (dev: Device, text: string) => target_store(dev, pos, text),
}));

const target_group: AttributeGroup = {
  attrs: targets,
  is_visible: (dev, attr) => (Number(attr.name.slice(6)) < region(dev).interleave_ways ? attr.mode : 0),
};

export const region_groups: readonly AttributeGroup[] = [main, target_group, cxl_base_group('cxl:t6')];

/** Shows the targetN files that the ways call for. */
export function region_ways_changed(cxlr: CxlRegion): void {
  cxlr.kernel.drivers.sysfs_update_group(cxlr, target_group);
}
