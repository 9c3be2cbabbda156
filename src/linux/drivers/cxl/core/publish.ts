import { type CxlDecoderState, type CxlObjectState, paths } from '../../../../state/schema.ts';
import {
  CXL_DECODER_DEVMEM,
  CXL_DECODER_F_ENABLE,
  CXL_DECODER_F_LOCK,
  type CxlDecoder,
  CxlEndpointDecoder,
  type CxlMemdev,
  type CxlPort,
  type CxlRegion,
  CxlSwitchDecoder,
} from '../../../include/cxl_types.ts';
import type { Device } from '../../../include/device.ts';

/** Shows the CXL core's objects to the log: the page's picture of ports, decoders, memdevs and regions. */

function put(dev: Device, state: CxlObjectState): void {
  dev.kernel.log.publish(paths.cxl(dev.kernel.machine, dev.name), { ...state });
}

export function cxl_unpublish(dev: Device): void {
  dev.kernel.log.publish(paths.cxl(dev.kernel.machine, dev.name), null);
}

/** Decoders from 0 up to commit_end; the root commits nothing. */
export function cxl_num_decoders_committed(port: CxlPort): number {
  return port.commit_end + 1;
}

export function publish_port(port: CxlPort): void {
  put(port, {
    kind: port.port_kind,
    name: port.name,
    parent: port.parent_port?.name ?? null,
    uport: port.uport_dev.name,
    dports: port.dports.map((dport) => ({ id: dport.port_id, name: dport.dport_dev.name })),
    decodersCommitted: cxl_num_decoders_committed(port),
  });
}

export function publish_decoder(cxld: CxlDecoder): void {
  const state: CxlDecoderState = {
    kind: cxld.kind,
    name: cxld.name,
    port: cxld.port.name,
    start: cxld.hpa.start,
    size: cxld.hpa.end - cxld.hpa.start + 1,
    ways: cxld.interleave_ways,
    granularity: cxld.interleave_granularity,
    enabled: (cxld.flags & CXL_DECODER_F_ENABLE) !== 0,
    locked: (cxld.flags & CXL_DECODER_F_LOCK) !== 0,
    target: cxld.target_type === CXL_DECODER_DEVMEM ? 'accelerator' : 'expander',
    region: cxld.region?.name ?? null,
    ...(cxld instanceof CxlSwitchDecoder
      ? {
          targets: cxld.target.flatMap((dport) => (dport ? [dport.port_id] : [])),
          passthrough: cxld.passthrough,
        }
      : {}),
    ...(cxld instanceof CxlEndpointDecoder
      ? { dpa: cxld.dpa_res ? { start: cxld.dpa_res.start, size: cxld.dpa_res.end - cxld.dpa_res.start + 1 } : null }
      : {}),
  };
  put(cxld, state);
}

export function publish_memdev(cxlmd: CxlMemdev): void {
  const { cxlds } = cxlmd;
  const size = (res: { start: number; end: number }) => res.end - res.start + 1;
  put(cxlmd, {
    kind: 'memdev',
    name: cxlmd.name,
    host: cxlds.dev.name,
    serial: `0x${cxlds.serial.toString(16)}`,
    type: cxlds.type,
    ramSize: size(cxlds.ram_res),
    pmemSize: size(cxlds.pmem_res),
    endpoint: cxlmd.endpoint?.name ?? null,
  });
}

const STATES = ['idle', 'interleave-active', 'active', 'reset-pending', 'commit'] as const;

export function publish_region(cxlr: CxlRegion): void {
  put(cxlr, {
    kind: 'region',
    name: cxlr.name,
    rootDecoder: cxlr.cxlrd.name,
    start: cxlr.res?.start ?? 0,
    size: cxlr.res ? cxlr.res.end - cxlr.res.start + 1 : 0,
    ways: cxlr.interleave_ways,
    granularity: cxlr.interleave_granularity,
    state: STATES[cxlr.state] ?? 'idle',
    targets: cxlr.targets.flatMap((cxled) => (cxled ? [cxled.name] : [])),
    mode: cxlr.mode,
    type: cxlr.type === CXL_DECODER_DEVMEM ? 'accelerator' : 'expander',
  });
}
