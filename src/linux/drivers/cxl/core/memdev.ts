import { hex } from '../../../../base/addr.ts';
import { assert } from '../../../../base/assert.ts';
import { E } from '../../../../base/errno.ts';
import { CXL, type CxlDevState, CxlMemdev, type DpaResource, ida_alloc } from '../../../include/cxl_types.ts';
import type { Attribute, AttributeGroup, Device } from '../../../include/device.ts';
import type { Kernel } from '../../../include/kernel.ts';
import { cxl_unpublish, publish_memdev } from './publish.ts';

/**
 * memN and /dev/cxl/memN (drivers/cxl/core/memdev.c, v6.11). Leaves out the mailbox: firmware, security and poison files
 * belong to type-3 devices; the character device opens, its ioctls do not exist.
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

const groups: readonly AttributeGroup[] = [
  {
    attrs: [
      ro('serial', (cxlmd) => `0x${hex(cxlmd.cxlds.serial)}`),
      // without a mailbox these three read as an empty line
      ro('firmware_version', () => ''),
      ro('payload_max', () => ''),
      ro('label_storage_size', () => ''),
      ro('numa_node', () => '-1'),
    ],
  },
  { name: 'ram', attrs: [ro('size', (cxlmd) => `0x${hex(size(cxlmd.cxlds.ram_res))}`)] },
  { name: 'pmem', attrs: [ro('size', (cxlmd) => `0x${hex(size(cxlmd.cxlds.pmem_res))}`)] },
];

/** cxl_memdev_init: the character device region. */
export function cxl_memdev_init(kernel: Kernel): number {
  const state = kernel.get(CXL);
  state.cxl_major = kernel.vfs.alloc_major('cxl');
  kernel.vfs.register_chrdev(state.cxl_major, 'cxl', (minor) =>
    state.memdev_ida.has(minor) ? { unlocked_ioctl: () => -E.ENOTTY } : null,
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
