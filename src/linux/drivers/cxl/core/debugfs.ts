import { hex } from '../../../../base/addr.ts';
import { E } from '../../../../base/errno.ts';
import type { CxlMemdev, DpaResource } from '../../../include/cxl_types.ts';
import type { Kernel } from '../../../include/kernel.ts';
import { cxl_poison_write } from './poison.ts';

/** /sys/kernel/debug/cxl (drivers/cxl/core/hdm.c:cxl_dpa_debug, mem.c, core/mbox.c, v6.12). */

const size = (res: DpaResource) => res.end - res.start + 1;
const width = (res: DpaResource) => `${hex(res.start, 8)}-${hex(res.end, 8)} : ${res.name}`;

/** cxl_dpa_debug: partitions, and below them what decoders have reserved. */
function dpamem(cxlmd: CxlMemdev): string {
  const { cxlds } = cxlmd;
  const lines: string[] = [];
  for (const part of [cxlds.ram_res, cxlds.pmem_res]) {
    if (size(part) <= 0) continue;
    lines.push(width(part));
    const inside = cxlds.dpa_res.children.filter((res) => res.start >= part.start && res.end <= part.end);
    for (const res of inside.sort((a, b) => a.start - b.start)) lines.push(`  ${width(res)}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** cxl_mem_probe's files; gone with the driver. Poison files only on a device with a mailbox. */
export function cxl_mem_debugfs(cxlmd: CxlMemdev): void {
  const { vfs } = cxlmd.kernel;
  const dir = `cxl/${cxlmd.name}`;
  vfs.debugfs_create(`${dir}/dpamem`, () => dpamem(cxlmd), null);
  const poison = (clear: boolean) => (text: string) => {
    const value = text.trim();
    if (!/^(0x[0-9a-f]+|\d+)$/i.test(value)) return -E.EINVAL;
    return cxl_poison_write(cxlmd, Number(value), clear);
  };
  const { commands } = cxlmd.cxlds.mbox ?? {};
  if (commands?.has(0x4301)) vfs.debugfs_create(`${dir}/inject_poison`, null, poison(false));
  if (commands?.has(0x4302)) vfs.debugfs_create(`${dir}/clear_poison`, null, poison(true));
  cxlmd.devm(() => vfs.debugfs_remove(dir));
}

/** cxl_mbox_init: the switch that lets raw commands through. */
export function cxl_mbox_debugfs(kernel: Kernel): void {
  let allowed = false;
  kernel.vfs.debugfs_create(
    'cxl/mbox/raw_allow_all',
    () => (allowed ? 'Y\n' : 'N\n'),
    (text) => {
      const value = text.trim();
      if (!/^[01yn]/i.test(value)) return -E.EINVAL;
      allowed = /^[1y]/i.test(value);
      return 0;
    },
  );
}
