import type { CxlDport, CxlEndpointDecoder, CxlPort, CxlRegion } from '../../../include/cxl_types.ts';

/** The way of an endpoint decoder through the ports above it, and how the messages of region.c name it. */
export const dbg = (cxlr: CxlRegion, fn: string, text: string) => cxlr.dbg('cxl_core', fn, text);
export const who = (cxled: CxlEndpointDecoder) => `${cxled.cxlmd.name}:${cxled.name}`;

/** Ports from the endpoint up to the host bridge. */
export function ports_up(cxled: CxlEndpointDecoder): CxlPort[] {
  const path: CxlPort[] = [];
  for (let port: CxlPort | null = cxled.port; port && port.port_kind !== 'root'; port = port.parent_port)
    path.push(port);
  return path;
}

/** Downstream port of `port` that leads to the memdev; null on the endpoint itself. */
export function ep_dport(port: CxlPort, cxled: CxlEndpointDecoder): CxlDport | null {
  return port.endpoints.get(cxled.cxlmd)?.dport ?? null;
}
