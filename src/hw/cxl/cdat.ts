import { viewOf } from '../../base/bytes.ts';

/**
 * Coherent device attribute tables QEMU makes when no file is given: hw/mem/cxl_type3.c ct3_build_cdat_table and
 * hw/pci-bridge/cxl_upstream.c build_cdat_table. The first part is the header, the others are the entries in order: what
 * DOE hands out one by one.
 */
export type CdatTable = readonly Uint8Array[];

const DSMAS = 0;
const DSLBIS = 1;
const DSEMTS = 4;
const SSLBIS = 5;
const NON_VOLATILE = 4;
/** Data types of HMAT. */
const ACCESS_LATENCY = 0;
const READ_LATENCY = 1;
const WRITE_LATENCY = 2;
const ACCESS_BANDWIDTH = 3;
const READ_BANDWIDTH = 4;
const WRITE_BANDWIDTH = 5;
const EFI_CONVENTIONAL = 1;
const EFI_RESERVED = 2;
const UPSTREAM_PORT = 0x100;
const REVISION = 2;

export function type3_cdat(volatileSize: number, persistentSize: number): CdatTable {
  const entries: Uint8Array[] = [];
  let handle = 0;
  const region = (base: number, size: number, persistent: boolean) => {
    const own = handle++;
    entries.push(
      entry(DSMAS, 24, (view) => {
        view.setUint8(4, own);
        view.setUint8(5, persistent ? NON_VOLATILE : 0);
        view.setBigUint64(8, BigInt(base), true);
        view.setBigUint64(16, BigInt(size), true);
      }),
      dslbis(own, READ_LATENCY, 10000, 15),
      dslbis(own, WRITE_LATENCY, 10000, 25),
      dslbis(own, READ_BANDWIDTH, 1000, 16),
      dslbis(own, WRITE_BANDWIDTH, 1000, 16),
      entry(DSEMTS, 24, (view) => {
        view.setUint8(4, own);
        view.setUint8(5, persistent ? EFI_RESERVED : EFI_CONVENTIONAL);
        view.setBigUint64(16, BigInt(size), true);
      }),
    );
  };
  if (volatileSize > 0) region(0, volatileSize, false);
  if (persistentSize > 0) region(volatileSize, persistentSize, true);
  return withHeader(entries);
}

/** Latency and bandwidth between the upstream port and every downstream port, by port number. */
export function switch_cdat(ports: readonly number[]): CdatTable {
  if (ports.length === 0) return withHeader([]);
  const sslbis = (type: number, unit: number, value: number) =>
    entry(SSLBIS, 16 + 8 * ports.length, (view) => {
      view.setUint8(4, type);
      view.setBigUint64(8, BigInt(unit), true);
      ports.forEach((port, n) => {
        view.setUint16(16 + n * 8, UPSTREAM_PORT, true);
        view.setUint16(18 + n * 8, port, true);
        view.setUint16(20 + n * 8, value, true);
      });
    });
  return withHeader([sslbis(ACCESS_LATENCY, 10000, 15), sslbis(ACCESS_BANDWIDTH, 1024, 16)]);
}

function dslbis(handle: number, type: number, unit: number, value: number): Uint8Array {
  return entry(DSLBIS, 24, (view) => {
    view.setUint8(4, handle);
    view.setUint8(6, type);
    view.setBigUint64(8, BigInt(unit), true);
    view.setUint16(16, value, true);
  });
}

function entry(type: number, length: number, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  view.setUint8(0, type);
  view.setUint16(2, length, true);
  fill(view);
  return bytes;
}

/** The header; its checksum makes all bytes of the table sum to 0. */
function withHeader(entries: readonly Uint8Array[]): CdatTable {
  const header = new Uint8Array(16);
  const view = viewOf(header);
  view.setUint32(
    0,
    entries.reduce((sum, part) => sum + part.length, header.length),
    true,
  );
  view.setUint8(4, REVISION);
  let sum = 0;
  for (const part of [header, ...entries]) for (const byte of part) sum += byte;
  view.setUint8(5, -sum & 0xff);
  return [header, ...entries];
}
