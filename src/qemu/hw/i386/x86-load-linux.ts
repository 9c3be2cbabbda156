/** -kernel, -initrd, -append (hw/i386/x86-common.c x86_load_linux) as fw_cfg items. Left out: multiboot, PVH, the ROM that jumps to the kernel (the firmware model does). */
import { utf8, viewOf } from '../../../base/bytes.ts';
import { strerror } from '../../../base/errno.ts';
import type { Sys } from '../../../linux/uapi/sys.ts';
import { QemuError } from '../../system/error.ts';
import { read_file } from '../../system/files.ts';
import type { Settings } from '../../system/settings.ts';
import { FW_CFG, type FwCfgState } from '../nvram/fw_cfg.ts';

const HDRS = 0x53726448;
/** The lab's kernel images start so instead of with a boot sector and `HdrS`; anything else is no kernel. */
const IMAGE_MAGIC = utf8('cxlab-kernel ');
const CMDLINE_ADDR = 0x20000;
const KERNEL_ADDR = 0x100000;

export async function x86_load_linux(sys: Sys, settings: Settings, fw: FwCfgState, below4g: number): Promise<void> {
  if (settings.kernel === null) {
    if (settings.initrd !== null) throw new QemuError('-initrd only allowed with -kernel option');
    if (settings.append !== null) throw new QemuError('-append only allowed with -kernel option');
    return;
  }
  const image = await read_file(sys, settings.kernel);
  if (typeof image === 'number')
    throw new QemuError(`qemu: could not open kernel file '${settings.kernel}': ${strerror(image)}`, '', true);
  let setupSize = 0;
  if (image.length > 0x210 && viewOf(image).getUint32(0x202, true) === HDRS) {
    setupSize = Math.min(((image[0x1f1] || 4) + 1) * 512, image.length);
  } else if (!IMAGE_MAGIC.every((byte, n) => image[n] === byte))
    throw new QemuError('qemu: invalid kernel header', '', true);
  const cmdline = utf8(`${settings.append ?? ''}\0`);
  fw.add_i32(FW_CFG.CMDLINE_ADDR, CMDLINE_ADDR);
  fw.add_i32(FW_CFG.CMDLINE_SIZE, cmdline.length);
  fw.add_bytes(FW_CFG.CMDLINE_DATA, cmdline);
  let initrd: Uint8Array = new Uint8Array(0);
  if (settings.initrd !== null) {
    const bytes = await read_file(sys, settings.initrd);
    if (typeof bytes === 'number')
      throw new QemuError(
        `qemu: error reading initrd ${settings.initrd}: Failed to open file “${settings.initrd}”: ${strerror(bytes)}`,
        '',
        true,
      );
    initrd = bytes;
    fw.add_i32(FW_CFG.INITRD_ADDR, Math.floor((Math.min(below4g, 0x37ff_ffff) - initrd.length) / 4096) * 4096);
  }
  fw.add_i32(FW_CFG.INITRD_SIZE, initrd.length);
  fw.add_bytes(FW_CFG.INITRD_DATA, initrd);
  fw.add_i32(FW_CFG.KERNEL_ADDR, KERNEL_ADDR);
  fw.add_i32(FW_CFG.KERNEL_SIZE, image.length - setupSize);
  fw.add_bytes(FW_CFG.KERNEL_DATA, image.subarray(setupSize));
  fw.add_i32(FW_CFG.SETUP_ADDR, 0x10000);
  fw.add_i32(FW_CFG.SETUP_SIZE, setupSize);
  fw.add_bytes(FW_CFG.SETUP_DATA, image.subarray(0, setupSize));
}
