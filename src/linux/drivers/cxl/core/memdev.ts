import { hex } from '../../../../base/addr.ts';
import { assert } from '../../../../base/assert.ts';
import { E } from '../../../../base/errno.ts';
import { CXL, type CxlDevState, CxlMemdev, type DpaResource, ida_alloc } from '../../../include/cxl_types.ts';
import type { Attribute, AttributeGroup, Device } from '../../../include/device.ts';
import type { Kernel } from '../../../include/kernel.ts';
import { cxl_mbox_debugfs } from './debugfs.ts';
import { cxl_trace_init } from './events.ts';
import { CXL_MBOX_OP, cxl_mbox_send_cmd } from './mbox.ts';
import { cxl_memdev_ioctl } from './memdev-ioctl.ts';
import { cxl_trigger_poison_list } from './poison.ts';
import { cxl_unpublish, publish_memdev } from './publish.ts';
import { at_least } from './version.ts';

/**
 * memN and /dev/cxl/memN (drivers/cxl/core/memdev.c, v6.11/6.12). Firmware, security and poison files belong to devices
 * with a mailbox.
 */

function memdev(dev: Device): CxlMemdev {
  assert(dev instanceof CxlMemdev, `${dev.name} is not a memdev`);
  return dev;
}
const size = (res: DpaResource) => res.end - res.start + 1;
const ro = (name: string, show: (cxlmd: CxlMemdev) => string): Attribute => ({
  name,
  mode: 0o444,
  show: (dev) => `${show(memdev(dev))}\n`,
});

const has = (dev: Device, op: number) => memdev(dev).cxlds.mbox?.commands.has(op) === true;

/** security_state_show: what Get Security State answers (bits: passphrase set 2, locked 4, frozen 8). */
function security_state(cxlmd: CxlMemdev): string {
  if (cxlmd.cxlds.mbox?.sanitize_active?.()) return 'sanitize';
  const out = cxl_mbox_send_cmd(cxlmd.cxlds, CXL_MBOX_OP.GET_SECURITY_STATE);
  const state = typeof out === 'number' ? 0 : (out[0] ?? 0);
  if (!(state & 0x2)) return 'disabled';
  if (state & 0x40 || state & 0x8) return 'frozen';
  return state & 0x4 ? 'locked' : 'unlocked';
}

/** cxl_mem_sanitize: only with the memdev out of use. */
function sanitize(cxlmd: CxlMemdev, op: number, text: string): number {
  if (!/^[1y]/i.test(text.trim())) return -E.EINVAL;
  const { endpoint } = cxlmd;
  if (!endpoint?.driver) return -E.ENXIO;
  if (endpoint.commit_end >= 0) return -E.EBUSY;
  const out = cxl_mbox_send_cmd(cxlmd.cxlds, op);
  return typeof out === 'number' ? out : 0;
}

/** ram/ and pmem/: qos_class is there once the platform's coordinates are known. */
const perf_groups: readonly AttributeGroup[] = [
  {
    name: 'ram',
    attrs: [
      ro('size', (cxlmd) => `0x${hex(size(cxlmd.cxlds.ram_res))}`),
      ro('qos_class', (cxlmd) => String(cxlmd.cxlds.ram_qos_class)),
    ],
    is_visible: (dev, attr) =>
      attr.name === 'qos_class' && memdev(dev).cxlds.ram_qos_class === undefined ? 0 : attr.mode,
  },
  {
    name: 'pmem',
    attrs: [
      ro('size', (cxlmd) => `0x${hex(size(cxlmd.cxlds.pmem_res))}`),
      ro('qos_class', (cxlmd) => String(cxlmd.cxlds.pmem_qos_class)),
    ],
    is_visible: (dev, attr) =>
      attr.name === 'qos_class' && memdev(dev).cxlds.pmem_qos_class === undefined ? 0 : attr.mode,
  },
];

/** cxl_memdev_update_perf */
export function cxl_memdev_update_perf(cxlmd: CxlMemdev): void {
  for (const group of perf_groups) cxlmd.kernel.drivers.sysfs_update_group(cxlmd, group);
}

/** The cxl_mem driver's own file: there while the driver is. */
const poison_group: AttributeGroup = {
  attrs: [
    {
      name: 'trigger_poison_list',
      mode: 0o200,
      store(dev, text) {
        if (!/^[1y]/i.test(text.trim())) return -E.EINVAL;
        return cxl_trigger_poison_list(memdev(dev));
      },
    },
  ],
  is_visible: (dev, attr) => (memdev(dev).bound && has(dev, CXL_MBOX_OP.GET_POISON) ? attr.mode : 0),
};

/** Files of the driver come after its probe and leave with it. */
export function cxl_memdev_driver_files(cxlmd: CxlMemdev): void {
  const update = (bound: boolean) => {
    cxlmd.bound = bound;
    if (cxlmd.registered) cxlmd.kernel.drivers.sysfs_update_group(cxlmd, poison_group);
  };
  update(true);
  cxlmd.devm(() => update(false));
}

const groups: readonly AttributeGroup[] = [
  {
    attrs: [
      ro('serial', (cxlmd) => `0x${hex(cxlmd.cxlds.serial)}`),
      // without a mailbox these three read as an empty line
      ro('firmware_version', (cxlmd) => cxlmd.cxlds.mbox?.identity?.firmware_version ?? ''),
      ro('payload_max', (cxlmd) => String(cxlmd.cxlds.mbox?.payload_size ?? '')),
      ro('label_storage_size', (cxlmd) => String(cxlmd.cxlds.mbox?.identity?.lsa_size ?? '')),
      ro('numa_node', (cxlmd) => String(cxlmd.numa_node)),
    ],
  },
  poison_group,
  ...perf_groups,
  {
    name: 'security',
    attrs: [
      ro('state', security_state),
      { name: 'sanitize', mode: 0o200, store: (dev, text) => sanitize(memdev(dev), CXL_MBOX_OP.SANITIZE, text) },
      { name: 'erase', mode: 0o200, store: (dev, text) => sanitize(memdev(dev), CXL_MBOX_OP.SECURE_ERASE, text) },
    ],
    is_visible(dev, attr) {
      if (!memdev(dev).cxlds.mbox) return 0;
      if (attr.name === 'sanitize' && !has(dev, CXL_MBOX_OP.SANITIZE)) return 0;
      if (attr.name === 'erase' && !has(dev, CXL_MBOX_OP.SECURE_ERASE)) return 0;
      return attr.mode;
    },
  },
];

/** cxl_memdev_init: the character device region. */
export function cxl_memdev_init(kernel: Kernel): number {
  const state = kernel.get(CXL);
  cxl_mbox_debugfs(kernel);
  cxl_trace_init(kernel);
  state.cxl_major = kernel.vfs.alloc_major('cxl', at_least(kernel, 6, 12) ? 250 : undefined);
  kernel.vfs.register_chrdev(state.cxl_major, 'cxl', (minor) =>
    state.memdev_ida.has(minor)
      ? {
          unlocked_ioctl(_file, request, arg) {
            const dev = kernel.drivers.bus_find_device('cxl', `mem${minor}`);
            return dev instanceof CxlMemdev ? cxl_memdev_ioctl(dev, request, arg) : -E.ENXIO;
          },
        }
      : null,
  );
  return 0;
}

/** devm_cxl_add_memdev: adds memN; the cxl_mem driver may bind at once. Removed with `host`'s driver. */
export function devm_cxl_add_memdev(host: Device, cxlds: CxlDevState): CxlMemdev | number {
  const { kernel } = host;
  const { memdev_ida, cxl_major } = kernel.get(CXL);
  return kernel.span(kernel.site('devm_cxl_add_memdev', [], 'drivers/cxl/core/memdev.c'), 0, 0, () => {
    const id = ida_alloc(memdev_ida);
    const cxlmd = new CxlMemdev(kernel, cxlds, id, groups);
    cxlmd.devt = [cxl_major, id];
    cxlmd.devname = `cxl/mem${id}`;
    cxlds.cxlmd = cxlmd;
    publish_memdev(cxlmd);
    const rc = kernel.drivers.device_add(cxlmd);
    if (rc) {
      memdev_ida.delete(id);
      cxlds.cxlmd = null;
      cxl_unpublish(cxlmd);
      return rc;
    }
    publish_memdev(cxlmd);
    host.devm(() => {
      kernel.drivers.device_del(cxlmd);
      cxl_unpublish(cxlmd);
      memdev_ida.delete(id);
      cxlds.cxlmd = null;
    });
    return cxlmd;
  });
}
