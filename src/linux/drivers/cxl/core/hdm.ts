import { type Addr, fromHalves, hex, hi32, lo32 } from '../../../../base/addr.ts';
import { E } from '../../../../base/errno.ts';
import { mock_port_ops } from '../../../include/cxl_mock.ts';
import {
  CXL_DECODER_DEVMEM,
  CXL_DECODER_F_ENABLE,
  CXL_DECODER_F_LOCK,
  CXL_DECODER_HOSTONLYMEM,
  type CxlDecoder,
  CxlEndpointDecoder,
  type CxlHdm,
  type CxlPort,
  CxlSwitchDecoder,
  IS_ERR,
  type Range,
} from '../../../include/cxl_types.ts';
import { cxl_decoder_add, cxl_endpoint_decoder_alloc, cxl_switch_decoder_alloc } from './decoder.ts';
import { devm_cxl_dpa_reserve } from './dpa.ts';
import { eig_to_granularity, eiw_to_ways, granularity_to_eig, ways_to_eiw } from './interleave.ts';
import { publish_decoder, publish_port } from './publish.ts';
import { cxl_hdm_decoder_count, devm_cxl_iomap_block } from './regs.ts';
import { at_least } from './version.ts';

/**
 * HDM decoders in hardware (drivers/cxl/core/hdm.c, v6.11): mapping the block, reading what firmware left, commit and
 * reset. Leaves out CXL 3.x fields (back invalidate, UIO), which keep what they had.
 */

const CTRL_COMMIT = 0x200;
const CTRL_COMMITTED = 0x400;
const CTRL_COMMIT_ERROR = 0x800;
const CTRL_LOCK = 0x100;
const CTRL_HOSTONLY = 0x1000;
const COMMIT_TIMEOUT_MS = 20;
const MS = 1_000_000;

/** Register addresses of decoder n in the block at `hdm`. */
export const HDM = {
  cap: (hdm: Addr) => hdm,
  ctrl: (hdm: Addr) => hdm + 4,
  base_lo: (hdm: Addr, n: number) => hdm + 0x10 + 0x20 * n,
  base_hi: (hdm: Addr, n: number) => hdm + 0x14 + 0x20 * n,
  size_lo: (hdm: Addr, n: number) => hdm + 0x18 + 0x20 * n,
  size_hi: (hdm: Addr, n: number) => hdm + 0x1c + 0x20 * n,
  decoder_ctrl: (hdm: Addr, n: number) => hdm + 0x20 + 0x20 * n,
  tl_lo: (hdm: Addr, n: number) => hdm + 0x24 + 0x20 * n,
  tl_hi: (hdm: Addr, n: number) => hdm + 0x28 + 0x20 * n,
} as const;

/** struct cxl_endpoint_dvsec_info */
export interface CxlEndpointDvsecInfo {
  mem_enabled: boolean;
  ranges: number;
  readonly dvsec_range: Range[];
}

const end_text = (range: Range) => (range.end < range.start ? 'ffffffffffffffff' : hex(range.end));

/** should_emulate_decoders: DVSEC ranges rule when Mem_Enable is set and no decoder is committed. */
function should_emulate_decoders(port: CxlPort, cxlhdm: CxlHdm, info: CxlEndpointDvsecInfo | null): boolean {
  if (!info) return false;
  const hdm = cxlhdm.hdm_decoder;
  if (hdm === null) return true;
  if (!info.mem_enabled) return false;
  const { mmio } = port.kernel;
  for (let n = 0; n < cxlhdm.decoder_count; n++)
    if (mmio.readl(HDM.decoder_ctrl(hdm, n)) & CTRL_COMMITTED) return false;
  return true;
}

/** devm_cxl_setup_hdm: maps the HDM block of a port and reads its capability. */
export function devm_cxl_setup_hdm(port: CxlPort, info: CxlEndpointDvsecInfo | null): CxlHdm | number {
  const mock = mock_port_ops(port.uport_dev);
  if (mock) return mock.devm_cxl_setup_hdm(port);
  const map = port.reg_map;
  const cxlhdm: CxlHdm = {
    hdm_decoder: null,
    emulate: false,
    decoder_count: 0,
    target_count: 0,
    interleave_mask: 0,
    iw_cap_mask: 0,
  };
  port.hdm = cxlhdm;
  if (!map || map.resource < 0) {
    if (!info?.mem_enabled) {
      port.err('No component registers mapped');
      return -E.ENXIO;
    }
    cxlhdm.decoder_count = info.ranges;
    cxlhdm.emulate = true;
    return cxlhdm;
  }
  if (!map.hdm_decoder.valid) {
    port.dbg('cxl_core', 'devm_cxl_setup_hdm', 'HDM decoder registers not implemented');
    return -E.ENODEV;
  }
  const base = devm_cxl_iomap_block(port, map.resource + map.hdm_decoder.offset, map.hdm_decoder.size);
  if (base === null) {
    port.err('Failed to map HDM capability.');
    return -E.ENOMEM;
  }
  cxlhdm.hdm_decoder = base;
  const cap = port.kernel.mmio.readl(HDM.cap(base));
  cxlhdm.decoder_count = cxl_hdm_decoder_count(cap);
  cxlhdm.target_count = (cap >>> 4) & 0xf;
  if (cap & 0x100) cxlhdm.interleave_mask |= 0xf00;
  if (cap & 0x200) cxlhdm.interleave_mask |= 0x7000;
  cxlhdm.iw_cap_mask = 0x116 | (cap & 0x800 ? 0x1048 : 0) | (cap & 0x1000 ? 0x10000 : 0);
  if (cxlhdm.decoder_count === 0) {
    port.err('Spec violation. Caps invalid');
    return -E.ENXIO;
  }
  if (info && should_emulate_decoders(port, cxlhdm, info)) {
    port.dbg(
      'cxl_core',
      'devm_cxl_setup_hdm',
      `Fallback map ${info.ranges} range register${info.ranges > 1 ? 's' : ''}`,
    );
    cxlhdm.decoder_count = info.ranges;
    cxlhdm.emulate = true;
  }
  return cxlhdm;
}

/** cxld_await_commit: up to 20 polls a millisecond apart, in virtual time. */
function cxld_await_commit(cxld: CxlDecoder, hdm: Addr): number {
  const { mmio, scheduler } = cxld.kernel;
  for (let n = 0; n < COMMIT_TIMEOUT_MS; n++) {
    const ctrl = mmio.readl(HDM.decoder_ctrl(hdm, cxld.id));
    if (ctrl & CTRL_COMMIT_ERROR) {
      mmio.writel((ctrl & ~CTRL_COMMIT) >>> 0, HDM.decoder_ctrl(hdm, cxld.id));
      return -E.EIO;
    }
    if (ctrl & CTRL_COMMITTED) return 0;
    scheduler.advance(MS);
  }
  return -E.ETIMEDOUT;
}

/** cxl_decoder_commit: the register sequence of decoding.md §6, lowest decoder first. */
export function cxl_decoder_commit(cxld: CxlDecoder): number {
  const { port, kernel } = cxld;
  const hdm = port.hdm?.hdm_decoder;
  if (hdm === null || hdm === undefined || cxld.flags & CXL_DECODER_F_ENABLE) return 0;
  if (port.commit_end + 1 !== cxld.id) {
    port.dbg(
      'cxl_core',
      'cxl_decoder_commit',
      `${cxld.name}: out of order commit, expected decoder${port.id}.${port.commit_end + 1}`,
    );
    return -E.EBUSY;
  }
  const { mmio } = kernel;
  const n = cxld.id;
  return kernel.span(
    kernel.site('cxl_decoder_commit', ['decoder', 'base'], 'drivers/cxl/core/hdm.c'),
    n,
    cxld.hpa.start,
    () => {
      let ctrl = mmio.readl(HDM.decoder_ctrl(hdm, n));
      ctrl =
        (ctrl & ~0xff) | granularity_to_eig(cxld.interleave_granularity) | (ways_to_eiw(cxld.interleave_ways) << 4);
      ctrl = cxld.target_type === CXL_DECODER_HOSTONLYMEM ? ctrl | CTRL_HOSTONLY : ctrl & ~CTRL_HOSTONLY;
      const base = cxld.hpa.start;
      const size = cxld.hpa.end - cxld.hpa.start + 1;
      mmio.writel(hi32(base), HDM.base_hi(hdm, n));
      mmio.writel(lo32(base), HDM.base_lo(hdm, n));
      mmio.writel(hi32(size), HDM.size_hi(hdm, n));
      mmio.writel(lo32(size), HDM.size_lo(hdm, n));
      if (cxld instanceof CxlSwitchDecoder) {
        const ids = cxld.target.slice(0, 8).map((dport) => dport?.port_id ?? 0);
        const word = (from: number) =>
          [0, 1, 2, 3].reduce((sum, k) => sum + ((ids[from + k] ?? 0) & 0xff) * 2 ** (8 * k), 0);
        mmio.writel(word(4), HDM.tl_hi(hdm, n));
        mmio.writel(word(0), HDM.tl_lo(hdm, n));
      } else if (cxld instanceof CxlEndpointDecoder) {
        mmio.writel(hi32(cxld.skip), HDM.tl_hi(hdm, n));
        mmio.writel(lo32(cxld.skip), HDM.tl_lo(hdm, n));
      }
      mmio.writel((ctrl | CTRL_COMMIT) >>> 0, HDM.decoder_ctrl(hdm, n));
      port.commit_end++;
      const rc = cxld_await_commit(cxld, hdm);
      if (rc) {
        port.dbg('cxl_core', 'cxl_decoder_commit', `${cxld.name}: error ${rc} committing decoder`);
        // the decoder is not enabled yet, so this only takes back the bookkeeping and the registers
        cxld.flags |= CXL_DECODER_F_ENABLE;
        cxl_decoder_reset(cxld);
        return rc;
      }
      cxld.flags |= CXL_DECODER_F_ENABLE;
      publish_decoder(cxld);
      publish_port(port);
      return 0;
    },
  );
}

/** cxl_decoder_reset: Commit off, then size and base to 0. Out of order is refused (v6.11) or reaped later (v6.12 on). */
export function cxl_decoder_reset(cxld: CxlDecoder): number {
  const { port, kernel } = cxld;
  const hdm = port.hdm?.hdm_decoder;
  if (hdm === null || hdm === undefined || !(cxld.flags & CXL_DECODER_F_ENABLE)) return 0;
  if (port.commit_end !== cxld.id) {
    port.dbg(
      'cxl_core',
      'cxl_decoder_reset',
      `${cxld.name}: out of order reset, expected decoder${port.id}.${port.commit_end}`,
    );
    if (!at_least(kernel, 6, 12)) return -E.EBUSY;
  }
  const { mmio } = kernel;
  const n = cxld.id;
  kernel.span(
    kernel.site('cxl_decoder_reset', ['decoder', 'base'], 'drivers/cxl/core/hdm.c'),
    n,
    cxld.hpa.start,
    () => {
      const ctrl = mmio.readl(HDM.decoder_ctrl(hdm, n));
      mmio.writel((ctrl & ~CTRL_COMMIT) >>> 0, HDM.decoder_ctrl(hdm, n));
      mmio.writel(0, HDM.size_hi(hdm, n));
      mmio.writel(0, HDM.size_lo(hdm, n));
      mmio.writel(0, HDM.base_hi(hdm, n));
      mmio.writel(0, HDM.base_lo(hdm, n));
    },
  );
  cxld.flags &= ~CXL_DECODER_F_ENABLE;
  if (cxld instanceof CxlEndpointDecoder) cxld.state = 'manual';
  if (port.commit_end === n) {
    port.commit_end--;
    if (at_least(kernel, 6, 12)) commit_reap(port, n);
  }
  publish_decoder(cxld);
  publish_port(port);
  return 0;
}

/** cxl_port_commit_reap (v6.12): decoders that were reset out of order follow. */
export function commit_reap(port: CxlPort, from: number): void {
  const say = (n: number) =>
    port.dbg('cxl_core', 'commit_reap', `reap: decoder${port.id}.${n} commit_end: ${port.commit_end}`);
  say(from);
  for (let n = port.commit_end; n >= 0; n--) {
    const cxld = port.decoders.find((other) => other.id === n);
    if (!cxld || cxld.flags & CXL_DECODER_F_ENABLE) return;
    port.commit_end--;
    say(n);
  }
}

/** cxl_setup_hdm_decoder_from_dvsec: a DVSEC range stands for a locked, enabled decoder. */
function cxl_setup_hdm_decoder_from_dvsec(
  cxld: CxlEndpointDecoder,
  dpa: { base: number },
  info: CxlEndpointDvsecInfo,
): number {
  const range = info.dvsec_range[cxld.id];
  if (!range || range.end < range.start) return -E.ENOENT;
  const len = range.end - range.start + 1;
  cxld.target_type = CXL_DECODER_HOSTONLYMEM;
  cxld.commit = null;
  cxld.reset = null;
  cxld.hpa = { start: range.start, end: range.end };
  cxld.flags |= CXL_DECODER_F_ENABLE | CXL_DECODER_F_LOCK;
  cxld.port.commit_end = cxld.id;
  const rc = devm_cxl_dpa_reserve(cxld, dpa.base, len, 0);
  if (rc) {
    cxld.port.err(`${cxld.name}: Failed to reserve DPA range 0x${hex(dpa.base)} - 0x${hex(dpa.base + len - 1)}: ${rc}`);
    return rc;
  }
  dpa.base += len;
  cxld.state = 'auto';
  return 0;
}

/** init_hdm_decoder: takes a decoder over as hardware shows it. */
function init_hdm_decoder(
  cxld: CxlDecoder,
  hdm: Addr | null,
  dpa: { base: number },
  info: CxlEndpointDvsecInfo | null,
): number {
  const { port, kernel } = cxld;
  const { mmio } = kernel;
  const n = cxld.id;
  if (hdm === null)
    return cxld instanceof CxlEndpointDecoder && info ? cxl_setup_hdm_decoder_from_dvsec(cxld, dpa, info) : -E.ENXIO;
  const ctrl = mmio.readl(HDM.decoder_ctrl(hdm, n));
  const baseLo = mmio.readl(HDM.base_lo(hdm, n));
  const base = fromHalves(mmio.readl(HDM.base_hi(hdm, n)), baseLo);
  const sizeLo = mmio.readl(HDM.size_lo(hdm, n));
  const read = fromHalves(mmio.readl(HDM.size_hi(hdm, n)), sizeLo);
  const committed = (ctrl & CTRL_COMMITTED) !== 0;
  cxld.commit = cxl_decoder_commit;
  cxld.reset = cxl_decoder_reset;
  const size = committed ? read : 0;
  if (base >= 2 ** 52 || size >= 2 ** 52) {
    port.warn(`${cxld.name}: Invalid resource range`);
    return -E.ENXIO;
  }
  cxld.hpa = { start: committed ? base : 0, end: committed ? base + size - 1 : -1 };
  if (committed) {
    cxld.flags |= CXL_DECODER_F_ENABLE;
    if (ctrl & CTRL_LOCK) cxld.flags |= CXL_DECODER_F_LOCK;
    cxld.target_type = ctrl & CTRL_HOSTONLY ? CXL_DECODER_HOSTONLYMEM : CXL_DECODER_DEVMEM;
    if (n !== port.commit_end + 1) {
      port.warn(`${cxld.name}: Committed out of order`);
      return -E.ENXIO;
    }
    if (size === 0) {
      port.warn(`${cxld.name}: Committed with zero size`);
      return -E.ENXIO;
    }
    port.commit_end = n;
  } else {
    const device = cxld instanceof CxlEndpointDecoder && cxld.cxlmd.cxlds.type === 'devmem';
    cxld.target_type = device ? CXL_DECODER_DEVMEM : CXL_DECODER_HOSTONLYMEM;
    if (!device && !(ctrl & CTRL_HOSTONLY)) mmio.writel((ctrl | CTRL_HOSTONLY) >>> 0, HDM.decoder_ctrl(hdm, n));
  }
  const ways = eiw_to_ways((ctrl >>> 4) & 0xf);
  if (!ways) {
    port.warn(`${cxld.name}: Invalid interleave ways (ctrl: 0x${hex(ctrl)})`);
    return -E.EINVAL;
  }
  const granularity = eig_to_granularity(ctrl & 0xf);
  if (!granularity) {
    port.warn(`${cxld.name}: Invalid interleave granularity (ctrl: 0x${hex(ctrl)})`);
    return -E.EINVAL;
  }
  cxld.interleave_ways = ways;
  cxld.interleave_granularity = granularity;
  port.dbg(
    'cxl_core',
    'init_hdm_decoder',
    `${cxld.name}: range: 0x${hex(cxld.hpa.start)}-0x${end_text(cxld.hpa)} iw: ${ways} ig: ${granularity}`,
  );
  if (cxld instanceof CxlSwitchDecoder) {
    const lo = mmio.readl(HDM.tl_lo(hdm, n));
    const hi = mmio.readl(HDM.tl_hi(hdm, n));
    cxld.target_map = Array.from({ length: Math.min(ways, 8) }, (_, k) => ((k < 4 ? lo : hi) >>> ((k % 4) * 8)) & 0xff);
    return 0;
  }
  if (!committed || !(cxld instanceof CxlEndpointDecoder)) return 0;
  if (size % ways !== 0) {
    port.err(`${cxld.name}: invalid committed configuration size: 0x${hex(size)} ways: ${ways}`);
    return -E.ENXIO;
  }
  const dpaSize = size / ways;
  const skipLo = mmio.readl(HDM.tl_lo(hdm, n));
  const skip = fromHalves(mmio.readl(HDM.tl_hi(hdm, n)), skipLo);
  const rc = devm_cxl_dpa_reserve(cxld, dpa.base + skip, dpaSize, skip);
  if (rc) {
    port.err(`${cxld.name}: Failed to reserve DPA range 0x${hex(dpa.base)} - 0x${hex(dpa.base + dpaSize - 1)}: ${rc}`);
    return rc;
  }
  dpa.base += dpaSize + skip;
  cxld.state = 'auto';
  return 0;
}

/** cxl_settle_decoders: gives hardware 20 ms when some decoder is not committed. */
function cxl_settle_decoders(port: CxlPort, cxlhdm: CxlHdm): void {
  const hdm = cxlhdm.hdm_decoder;
  if (hdm === null || cxlhdm.emulate) return;
  let committed = 0;
  for (let n = 0; n < cxlhdm.decoder_count; n++)
    if (port.kernel.mmio.readl(HDM.decoder_ctrl(hdm, n)) & CTRL_COMMITTED) committed++;
  if (committed !== cxlhdm.decoder_count) port.kernel.scheduler.advance(COMMIT_TIMEOUT_MS * MS);
}

/** devm_cxl_enumerate_decoders: decoder objects of a port or endpoint. */
export function devm_cxl_enumerate_decoders(port: CxlPort, cxlhdm: CxlHdm, info: CxlEndpointDvsecInfo | null): number {
  const mock = mock_port_ops(port.uport_dev);
  if (mock) return mock.devm_cxl_enumerate_decoders(port);
  cxl_settle_decoders(port, cxlhdm);
  const dpa = { base: 0 };
  for (let n = 0; n < cxlhdm.decoder_count; n++) {
    const cxld =
      port.port_kind === 'endpoint'
        ? cxl_endpoint_decoder_alloc(port)
        : cxl_switch_decoder_alloc(port, cxlhdm.target_count);
    if (IS_ERR(cxld)) return cxld;
    let rc = init_hdm_decoder(cxld, cxlhdm.emulate ? null : cxlhdm.hdm_decoder, dpa, info);
    if (rc) {
      port.warn(`Failed to initialize decoder${port.id}.${n}`);
      return rc;
    }
    rc = cxl_decoder_add(cxld);
    if (rc) {
      port.warn(`Failed to add decoder${port.id}.${n}`);
      return rc;
    }
  }
  publish_port(port);
  return 0;
}

/** devm_cxl_add_passthrough_decoder: a host bridge with a single root port routes without registers. */
export function devm_cxl_add_passthrough_decoder(port: CxlPort): number {
  const cxld = cxl_switch_decoder_alloc(port, 1);
  if (IS_ERR(cxld)) return cxld;
  cxld.passthrough = true;
  cxld.interleave_granularity = 4096;
  cxld.target_map = port.dports[0] ? [port.dports[0].port_id] : [];
  return cxl_decoder_add(cxld);
}
