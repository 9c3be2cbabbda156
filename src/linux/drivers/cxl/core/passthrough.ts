import { E } from '../../../../base/errno.ts';
import { paths } from '../../../../state/schema.ts';
import type { CxlDevState } from '../../../include/cxl_types.ts';
import { PciDev } from '../../../include/pci_types.ts';
import { pci_read_config_dword, pci_read_config_word } from '../../pci/access.ts';
import { ShadowBytes } from '../../vfio/pci/vconfig.ts';

/**
 * drivers/cxl/core/passthrough.c of "vfio/pci: Add CXL Type-2 device passthrough support" v3 (25 Jun 2026, patches 01 and 06): the
 * shadows a guest reads and writes, owned by the CXL core. Register rules as posted, their stated limits included: a dword write that
 * straddles two 16-bit DVSEC fields reaches the first alone. Left out: the lock around the shadows, there is one thread of control.
 */
const CXL_CM_OFFSET = 0x1000;
const CM_SIZE = 0x1000;
const DVSEC = {
  HEADER1: 0x04,
  CAPABILITY: 0x0a,
  CONTROL: 0x0c,
  STATUS: 0x0e,
  CONTROL2: 0x10,
  STATUS2: 0x12,
  LOCK: 0x14,
  RANGE1: 0x18,
  BODY_END: 0x38,
} as const;
const CONFIG_LOCK = 1;
const LOCK_ON_COMMIT = 0x100;
const COMMIT = 0x200;
const COMMITTED = 0x400;
const ERR_NOT_COMMITTED = 0x800;
const DECODER0 = 0x10;
const STRIDE = 0x20;
const CTRL = 0x10;

/** cxl_get_hdm_info (v3, patch 01): unlike the RFC's function of this name it counts decoders. */
export function cxl_get_hdm_info_v3(cxlds: CxlDevState, out: { count: number; offset: number; size: number }): number {
  const { hdm_decoder } = cxlds.reg_map;
  if (!hdm_decoder.valid) return -E.ENODEV;
  out.count = (hdm_decoder.size - DECODER0) / STRIDE;
  out.offset = hdm_decoder.offset;
  out.size = hdm_decoder.size;
  return 0;
}

/** Result of a helper that reads: a value, or a negated errno. Values are unsigned. */
type Value = number;

/** struct cxl_passthrough: opaque to vfio-pci. */
export class CxlPassthrough {
  /** Set by a guest's write alone: as posted, a lock firmware had set is shown and not obeyed. */
  private config_locked = false;

  constructor(
    private readonly dvsec: ShadowBytes,
    /** Position of the DVSEC in configuration space; the shadow has the same offsets. */
    private readonly dvsec_offset: number,
    private readonly dvsec_size: number,
    private readonly component: ShadowBytes,
    private readonly hdm_offset: number,
    private readonly hdm_size: number,
  ) {}

  /** cxl_passthrough_dvsec_rw, reading. `off` counts from the capability. */
  dvsec_read(off: number, width: 1 | 2 | 4): Value {
    if (off < DVSEC.CAPABILITY || off + width > this.dvsec_size) return -E.EINVAL;
    return this.dvsec.read(this.dvsec_offset + off, width);
  }

  /** cxl_passthrough_dvsec_rw, writing: the field is merged at its own width, then its rule applies. */
  dvsec_write(off: number, width: 1 | 2 | 4, value: number): number {
    if (off < DVSEC.CAPABILITY || off + width > this.dvsec_size) return -E.EINVAL;
    // Range 1 is HwInit, range 2 reserved, what follows is not modelled: dropped.
    if (off >= DVSEC.RANGE1) return 0;
    const field = off & ~1;
    const at = this.dvsec_offset + field;
    const before = this.dvsec.read(at, 2);
    const shift = (off - field) * 8;
    const mask = ((width === 1 ? 0xff : 0xffff) << shift) & 0xffff;
    const merged = (before & ~mask) | ((value << shift) & mask);
    switch (field) {
      case DVSEC.CONTROL:
      case DVSEC.CONTROL2:
        if (!this.config_locked) this.dvsec.write(at, 2, merged);
        break;
      case DVSEC.STATUS:
      case DVSEC.STATUS2:
        // As posted, a byte write merges with the other byte first, so its ones are cleared as well.
        this.dvsec.write(at, 2, before & ~merged);
        break;
      case DVSEC.LOCK:
        if (before & CONFIG_LOCK || !(merged & CONFIG_LOCK)) break;
        this.dvsec.write(at, 2, before | CONFIG_LOCK);
        this.config_locked = true;
        break;
    }
    return 0;
  }

  /** cxl_passthrough_cm_rw, reading: the capability array in front of the HDM block. Writes are dropped by the caller. */
  cm_read(off: number): Value {
    if (off % 4 !== 0 || off < 0 || CXL_CM_OFFSET + off >= this.hdm_offset) return -E.EINVAL;
    return this.component.read(CXL_CM_OFFSET + off, 4);
  }

  /** cxl_passthrough_hdm_rw, reading. `off` counts from the HDM block. */
  hdm_read(off: number): Value {
    if (off % 4 !== 0 || off < 0 || off + 4 > this.hdm_size) return -E.EINVAL;
    return this.component.read(this.hdm_offset + off, 4);
  }

  /** cxl_passthrough_hdm_rw, writing. */
  hdm_write(off: number, value: number): number {
    if (off % 4 !== 0 || off < 0 || off + 4 > this.hdm_size) return -E.EINVAL;
    const at = this.hdm_offset + off;
    if (off === 4) this.component.write(at, 4, value);
    if (off < DECODER0) return 0;
    const field = (off - DECODER0) % STRIDE;
    const ctrl_at = at - field + CTRL;
    const ctrl = this.component.read(ctrl_at, 4);
    if (field === CTRL) this.component.write(at, 4, hdm_ctrl_next(ctrl, value));
    // BASE and SIZE are locked by COMMITTED and by Lock On Commit, even before the commit.
    else if (field < CTRL) {
      if (!(ctrl & (COMMITTED | LOCK_ON_COMMIT))) this.component.write(at, 4, value);
    } else this.component.write(at, 4, value);
    return 0;
  }
}

/** Committed: only COMMIT counts, and letting it go lets COMMITTED and Lock On Commit go. Otherwise COMMITTED follows COMMIT. */
export function hdm_ctrl_next(before: number, value: number): number {
  if (!(before & COMMITTED)) {
    const kept = value & ~(COMMITTED | ERR_NOT_COMMITTED);
    return (kept | (value & COMMIT ? COMMITTED : 0)) >>> 0;
  }
  if (value & COMMIT) return (before | COMMIT) >>> 0;
  return (before & ~(COMMIT | COMMITTED | LOCK_ON_COMMIT)) >>> 0;
}

/** devm_cxl_passthrough_create: takes the snapshots. Needs memory decoding on and the component block found. */
export function devm_cxl_passthrough_create(dev: PciDev, cxlds: CxlDevState): CxlPassthrough | number {
  const { kernel } = dev;
  if (!cxlds.cxl_dvsec || cxlds.reg_map.resource < 0 || !(cxlds.dev instanceof PciDev)) return -E.EINVAL;
  const hdm = { count: 0, offset: 0, size: 0 };
  const rc = cxl_get_hdm_info_v3(cxlds, hdm);
  if (rc) return rc;
  if (hdm.count !== 1 || hdm.offset <= CXL_CM_OFFSET) return -E.EOPNOTSUPP;
  const size = pci_read_config_dword(dev, cxlds.cxl_dvsec + DVSEC.HEADER1) >>> 20;
  if (size < DVSEC.BODY_END) return -E.EINVAL;
  const base = paths.vfioDevice(kernel.machine, dev.name);
  return kernel.span(kernel.site('devm_cxl_passthrough_create', [], 'v3 (25 Jun 2026), patch 06'), 0, 0, () => {
    const dvsec = new ShadowBytes(kernel.log, `${base}/dvsec`, 'cxl-accel.config', 4096);
    for (let off = DVSEC.CAPABILITY; off < size; off += 2)
      dvsec.write(cxlds.cxl_dvsec + off, 2, pci_read_config_word(dev, cxlds.cxl_dvsec + off));
    const component = new ShadowBytes(kernel.log, `${base}/comp`, 'cxl-accel1.component', CM_SIZE, CXL_CM_OFFSET);
    const values = new Uint32Array((hdm.offset + hdm.size - CXL_CM_OFFSET) / 4);
    kernel.mmio.readl_loop(values, cxlds.reg_map.resource + CXL_CM_OFFSET);
    values.forEach((value, n) => {
      component.write(CXL_CM_OFFSET + 4 * n, 4, value);
    });
    return new CxlPassthrough(dvsec, cxlds.cxl_dvsec, size, component, hdm.offset, hdm.size);
  });
}
