import { type Addr, GiB } from '../../../../base/addr.ts';
import { assert } from '../../../../base/assert.ts';
import { E } from '../../../../base/errno.ts';
import {
  cxl_decoder_add,
  cxl_endpoint_decoder_alloc,
  cxl_switch_decoder_alloc,
} from '../../../drivers/cxl/core/decoder.ts';
import { devm_cxl_dpa_reserve } from '../../../drivers/cxl/core/dpa.ts';
import { commit_reap } from '../../../drivers/cxl/core/hdm.ts';
import { publish_decoder, publish_port } from '../../../drivers/cxl/core/publish.ts';
import { at_least } from '../../../drivers/cxl/core/version.ts';
import {
  CXL_DECODER_F_ENABLE,
  CXL_DECODER_HOSTONLYMEM,
  type CxlDecoder,
  CxlEndpointDecoder,
  type CxlPort,
  CxlSwitchDecoder,
  IS_ERR,
} from '../../../include/cxl_types.ts';
import { MockDevice, type MockTopology } from './topology.ts';

/**
 * Decoders without hardware (tools/testing/cxl/test/cxl.c, v6.12): eight on every port; committing one is bookkeeping.
 * Two of them come up committed, as firmware would leave them, and make the automatic region.
 */

const NR_CXL_PORT_DECODERS = 8;
const NR_TARGETS = 2;
const MOCK_AUTO_REGION_SIZE = GiB / 2;
const MOCK_AUTO_GRANULARITY = 4096;

/** mock_decoder_commit */
function mock_decoder_commit(cxld: CxlDecoder): number {
  const { port } = cxld;
  if (cxld.flags & CXL_DECODER_F_ENABLE) return 0;
  port.dbg('cxl_test', 'mock_decoder_commit', `${cxld.name} commit`);
  if (port.commit_end + 1 !== cxld.id) {
    port.dbg(
      'cxl_test',
      'mock_decoder_commit',
      `${cxld.name}: out of order commit, expected decoder${port.id}.${port.commit_end + 1}`,
    );
    return -E.EBUSY;
  }
  port.commit_end++;
  cxld.flags |= CXL_DECODER_F_ENABLE;
  publish_decoder(cxld);
  publish_port(port);
  return 0;
}

/** mock_decoder_reset: as in hardware, out of order is refused before v6.12 and reaped later from then on. */
function mock_decoder_reset(cxld: CxlDecoder): number {
  const { port } = cxld;
  if (!(cxld.flags & CXL_DECODER_F_ENABLE)) return 0;
  port.dbg('cxl_test', 'mock_decoder_reset', `${cxld.name} reset`);
  const reaps = at_least(port.kernel, 6, 12);
  if (port.commit_end !== cxld.id) {
    port.dbg(
      'cxl_test',
      'mock_decoder_reset',
      `${cxld.name}: out of order reset, expected decoder${port.id}.${port.commit_end}`,
    );
    if (!reaps) return -E.EBUSY;
  }
  cxld.flags &= ~CXL_DECODER_F_ENABLE;
  if (cxld instanceof CxlEndpointDecoder) cxld.state = 'manual';
  if (port.commit_end === cxld.id) {
    port.commit_end--;
    if (reaps) commit_reap(port, cxld.id);
  }
  publish_decoder(cxld);
  publish_port(port);
  return 0;
}

function enable(cxld: CxlDecoder, base: Addr, ways: number): void {
  cxld.hpa = { start: base, end: base + MOCK_AUTO_REGION_SIZE - 1 };
  cxld.interleave_ways = ways;
  cxld.interleave_granularity = MOCK_AUTO_GRANULARITY;
  cxld.target_type = CXL_DECODER_HOSTONLYMEM;
  cxld.flags = CXL_DECODER_F_ENABLE;
}

/**
 * mock_init_hdm_decoder: the first decoder of cxl_mem.0 and cxl_mem.4, the two devices of the first switch, is found
 * committed, and with it the switch's and the host bridge's.
 */
function mock_init_hdm_decoder(cxld: CxlDecoder, topology: MockTopology, window0: Addr): void {
  cxld.target_type = CXL_DECODER_HOSTONLYMEM;
  cxld.commit = mock_decoder_commit;
  cxld.reset = mock_decoder_reset;
  if (!(cxld instanceof CxlEndpointDecoder) || cxld.id > 0) return;
  const { port } = cxld;
  const host = cxld.cxlmd.cxlds.dev;
  assert(host instanceof MockDevice, `${host.name} is not of the mock topology`);
  if (port.host_bridge !== topology.bridges[0] || (host.id !== 0 && host.id !== 4)) return;
  enable(cxld, window0, 2);
  cxld.state = 'auto';
  port.commit_end = cxld.id;
  devm_cxl_dpa_reserve(cxld, 0, MOCK_AUTO_REGION_SIZE / 2, 0);
  const toSwitch = port.parent_dport;
  const toBridge = toSwitch?.port.parent_dport;
  // cxl_mem.4 is second in the order of the switch's targets
  for (const [dport, ways, at] of [
    [toSwitch, 2, host.id === 4 ? 1 : 0],
    [toBridge, 1, 0],
  ] as const) {
    const cxlsd = dport?.port.decoders.find((one) => one.id === 0);
    if (!dport || !(cxlsd instanceof CxlSwitchDecoder)) continue;
    enable(cxlsd, window0, ways);
    cxlsd.target[at] = dport;
    dport.port.commit_end = 0;
    publish_decoder(cxlsd);
    publish_port(dport.port);
  }
}

/** mock_cxl_enumerate_decoders */
export function mock_cxl_enumerate_decoders(port: CxlPort, topology: MockTopology, window0: Addr): number {
  for (let i = 0; i < NR_CXL_PORT_DECODERS; i++) {
    const cxld =
      port.port_kind === 'endpoint' ? cxl_endpoint_decoder_alloc(port) : cxl_switch_decoder_alloc(port, NR_TARGETS);
    if (IS_ERR(cxld)) {
      port.warn('Failed to allocate the decoder');
      return cxld;
    }
    mock_init_hdm_decoder(cxld, topology, window0);
    if (cxld instanceof CxlSwitchDecoder)
      cxld.target_map = port.uport_dev.children.flatMap((dev) => (dev instanceof MockDevice ? [dev.id] : []));
    const rc = cxl_decoder_add(cxld);
    if (rc) {
      port.err('Failed to add decoder');
      return rc;
    }
  }
  publish_port(port);
  return 0;
}
