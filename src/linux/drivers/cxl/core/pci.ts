import { fromHalves } from '../../../../base/addr.ts';
import { assert } from '../../../../base/assert.ts';
import { E } from '../../../../base/errno.ts';
import { mock_dev_ops } from '../../../include/cxl_mock.ts';
import {
  CXL_DECODER_F_RAM,
  type CxlDevState,
  type CxlHdm,
  type CxlPort,
  CxlRootDecoder,
} from '../../../include/cxl_types.ts';
import { PciDev } from '../../../include/pci_types.ts';
import { hasPatch } from '../../../include/quirks.ts';
import { pci_read_config_dword, pci_read_config_word, pci_write_config_word } from '../../pci/access.ts';
import { type CxlEndpointDvsecInfo, HDM } from './hdm.ts';

/**
 * The PCIe DVSEC for CXL devices (drivers/cxl/core/pci.c, v6.11, and patch 02 of the vfio-cxl RFC): media readiness,
 * Mem_Enable, range registers. Leaves out CDAT/DOE and AER handling.
 */

const CAP = 0x0a;
const CTRL = 0x0c;
const CTRL_MEM_ENABLE = 0x4;
const RANGE_SIZE_HIGH = (n: number) => 0x18 + n * 0x10;
const RANGE_SIZE_LOW = (n: number) => 0x1c + n * 0x10;

/** Size of range 1 of a device's CXL DVSEC; the drivers of the lab that do not take a constant ask for it. */
export function cxl_dvsec_range1_size(pdev: PciDev, dvsec: number): number {
  const lo = pci_read_config_dword(pdev, dvsec + RANGE_SIZE_LOW(0));
  return fromHalves(pci_read_config_dword(pdev, dvsec + RANGE_SIZE_HIGH(0)), (lo & 0xf0000000) >>> 0);
}
const RANGE_BASE_HIGH = (n: number) => 0x20 + n * 0x10;
const RANGE_BASE_LOW = (n: number) => 0x24 + n * 0x10;
const S = 1_000_000_000;
/** cxl_core.media_ready_timeout */
const MEDIA_READY_TIMEOUT = 60;

/** to_pci_dev: the function behind a device state. */
function to_pci_dev(cxlds: CxlDevState): PciDev {
  assert(cxlds.dev instanceof PciDev, `${cxlds.dev.name} is not a PCI function`);
  return cxlds.dev;
}

const hdm_count = (cap: number) => (cap >> 4) & 3;

/** cxl_dvsec_mem_range_valid */
function cxl_dvsec_mem_range_valid(cxlds: CxlDevState, id: number): number {
  const pdev = to_pci_dev(cxlds);
  const at = cxlds.cxl_dvsec + RANGE_SIZE_LOW(id);
  for (let i = 0; ; i++) {
    if (pci_read_config_dword(pdev, at) & 1) return 0;
    if (i >= 1) break;
    pdev.kernel.scheduler.advance(S);
  }
  pdev.err(`Timeout awaiting memory range ${id} valid after 1s.`);
  return -E.ETIMEDOUT;
}

/** cxl_dvsec_mem_range_active */
function cxl_dvsec_mem_range_active(cxlds: CxlDevState, id: number): number {
  const pdev = to_pci_dev(cxlds);
  const at = cxlds.cxl_dvsec + RANGE_SIZE_LOW(id);
  for (let i = MEDIA_READY_TIMEOUT; i > 0; i--) {
    if (pci_read_config_dword(pdev, at) & 2) return 0;
    pdev.kernel.scheduler.advance(S);
  }
  pdev.err(`timeout awaiting memory active after ${MEDIA_READY_TIMEOUT} seconds`);
  return -E.ETIMEDOUT;
}

/** cxl_await_media_ready: each range valid within 1 s, active within 60 s. A type-2 device has no memdev status to ask. */
export function cxl_await_media_ready(cxlds: CxlDevState): number {
  const pdev = to_pci_dev(cxlds);
  const { kernel } = pdev;
  return kernel.span(kernel.site('cxl_await_media_ready', [], 'drivers/cxl/core/pci.c'), 0, 0, () => {
    const count = hdm_count(pci_read_config_word(pdev, cxlds.cxl_dvsec + CAP));
    for (let i = 0; i < count; i++) {
      const rc = cxl_dvsec_mem_range_valid(cxlds, i);
      if (rc) return rc;
    }
    for (let i = 0; i < count; i++) {
      const rc = cxl_dvsec_mem_range_active(cxlds, i);
      if (rc) return rc;
    }
    return 0;
  });
}

/** cxl_dvsec_rr_decode: what the range registers say, as far as Mem_Enable makes them count. */
export function cxl_dvsec_rr_decode(cxlds: CxlDevState, info: CxlEndpointDvsecInfo): number {
  if (mock_dev_ops(cxlds.dev)) return 0;
  const pdev = to_pci_dev(cxlds);
  const d = cxlds.cxl_dvsec;
  if (!d) {
    pdev.dbg('cxl_core', 'cxl_dvsec_rr_decode', 'No DVSEC Capability');
    return -E.ENXIO;
  }
  const cap = pci_read_config_word(pdev, d + CAP);
  if (!(cap & 4)) {
    pdev.dbg('cxl_core', 'cxl_dvsec_rr_decode', 'Not MEM Capable');
    return -E.ENXIO;
  }
  const count = hdm_count(cap);
  if (count === 0 || count > 2) return -E.EINVAL;
  const rc = cxl_dvsec_mem_range_valid(cxlds, 0);
  if (rc) return rc;
  info.mem_enabled = (pci_read_config_word(pdev, d + CTRL) & CTRL_MEM_ENABLE) !== 0;
  if (!info.mem_enabled) return 0;
  for (let i = 0; i < count; i++) {
    const high = pci_read_config_dword(pdev, d + RANGE_SIZE_HIGH(i));
    const low = pci_read_config_dword(pdev, d + RANGE_SIZE_LOW(i));
    const size = fromHalves(high, (low & 0xf0000000) >>> 0);
    if (size === 0) {
      info.dvsec_range.push({ start: 0, end: -1 });
      continue;
    }
    const baseHigh = pci_read_config_dword(pdev, d + RANGE_BASE_HIGH(i));
    const baseLow = pci_read_config_dword(pdev, d + RANGE_BASE_LOW(i));
    const base = fromHalves(baseHigh, (baseLow & 0xf0000000) >>> 0);
    info.dvsec_range.push({ start: base, end: base + size - 1 });
    info.ranges++;
  }
  return 0;
}

/** cxl_set_mem_enable: 1 when nothing had to change. */
function cxl_set_mem_enable(cxlds: CxlDevState, on: boolean): number {
  const pdev = to_pci_dev(cxlds);
  const at = cxlds.cxl_dvsec + CTRL;
  const ctrl = pci_read_config_word(pdev, at);
  if (((ctrl & CTRL_MEM_ENABLE) !== 0) === on) return 1;
  return pci_write_config_word(pdev, at, on ? ctrl | CTRL_MEM_ENABLE : ctrl & ~CTRL_MEM_ENABLE);
}

/** devm_cxl_enable_mem: undone when the endpoint goes. */
function devm_cxl_enable_mem(port: CxlPort, cxlds: CxlDevState): number {
  const rc = cxl_set_mem_enable(cxlds, true);
  if (rc < 0) return rc;
  if (rc > 0) return 0;
  port.devm(() => {
    cxl_set_mem_enable(cxlds, false);
  });
  return 0;
}

/** devm_cxl_enable_hdm */
function devm_cxl_enable_hdm(port: CxlPort, hdm: number): void {
  const { mmio } = port.kernel;
  mmio.writel((mmio.readl(HDM.ctrl(hdm)) | 2) >>> 0, HDM.ctrl(hdm));
  port.devm(() => mmio.writel((mmio.readl(HDM.ctrl(hdm)) & ~2) >>> 0, HDM.ctrl(hdm)));
}

/** cxl_hdm_decode_init: who is in charge of decode, firmware or this kernel (the table of linux-cxl-core.md §3). */
export function cxl_hdm_decode_init(
  cxlds: CxlDevState,
  cxlhdm: CxlHdm,
  info: CxlEndpointDvsecInfo,
  port: CxlPort,
): number {
  if (mock_dev_ops(cxlds.dev)) return 0;
  const pdev = to_pci_dev(cxlds);
  const hdm = cxlhdm.hdm_decoder;
  const global = hdm === null ? 0 : port.kernel.mmio.readl(HDM.ctrl(hdm));
  if (global & 2 || (hdm === null && info.mem_enabled)) return devm_cxl_enable_mem(port, cxlds);
  if (hdm === null) return -E.ENODEV;
  let allowed = 0;
  if (info.mem_enabled) {
    const root = port.parent_port ? root_of(port) : null;
    info.dvsec_range.forEach((range, i) => {
      if (range.end < range.start) return;
      const ok =
        root?.decoders.some((cxld) => cxld instanceof CxlRootDecoder && dvsec_range_allowed(cxld, range)) ?? false;
      pdev.dbg('cxl_core', 'cxl_hdm_decode_init', `DVSEC Range${i} ${ok ? 'allowed' : 'denied'} by platform`);
      if (ok) allowed++;
    });
    if (!allowed) {
      pdev.err('Range register decodes outside platform defined CXL ranges.');
      return -E.ENXIO;
    }
    cxlhdm.decoder_count = info.ranges;
    return 0;
  }
  devm_cxl_enable_hdm(port, hdm);
  return devm_cxl_enable_mem(port, cxlds);
}

function dvsec_range_allowed(cxld: CxlRootDecoder, range: { start: number; end: number }): boolean {
  return (cxld.flags & CXL_DECODER_F_RAM) !== 0 && range.start >= cxld.hpa.start && range.end <= cxld.hpa.end;
}

function root_of(port: CxlPort): CxlPort {
  return port.parent_port ? root_of(port.parent_port) : port;
}

/**
 * Patch 02: `cxl_get_hdm_info`. The offset counts from the start of the 64 KiB block. Without an HDM block offset and
 * size are 0 and, as posted, hdm_count is left alone.
 */
export function cxl_get_hdm_info(
  cxlds: CxlDevState,
  out: { hdm_count: number; hdm_reg_offset: number; hdm_reg_size: number },
): number {
  const pdev = to_pci_dev(cxlds);
  // A tree without the patch links an empty function here, if it links at all (kbuild --soft).
  if (!hasPatch(pdev.kernel, 2)) return 0;
  const map = cxlds.reg_map.hdm_decoder;
  if (!map.valid) {
    out.hdm_reg_offset = 0;
    out.hdm_reg_size = 0;
    return 0;
  }
  out.hdm_reg_offset = map.offset;
  out.hdm_reg_size = map.size;
  out.hdm_count = hdm_count(pci_read_config_word(pdev, cxlds.cxl_dvsec + CAP));
  return 0;
}
