import { fromHalves, hex } from '../../../base/addr.ts';
import { viewOf } from '../../../base/bytes.ts';
import { E } from '../../../base/errno.ts';
import { acpi_devices_by_hid, acpi_get_table } from '../../include/acpi.ts';
import { mock_dev_ops } from '../../include/cxl_mock.ts';
import {
  CXL_DECODER_DEVMEM,
  CXL_DECODER_F_ENABLE,
  CXL_DECODER_F_LOCK,
  CXL_DECODER_F_PMEM,
  CXL_DECODER_F_RAM,
  CXL_DECODER_F_TYPE2,
  CXL_DECODER_F_TYPE3,
  CXL_DECODER_HOSTONLYMEM,
  type CxlPort,
  CxlRootDecoder,
  IS_ERR,
} from '../../include/cxl_types.ts';
import type { Device, DeviceDriver } from '../../include/device.ts';
import type { Kernel } from '../../include/kernel.ts';
import { acpi_first_window_node } from '../acpi/tables.ts';
import { cxl_decoder_add, cxl_root_decoder_alloc } from './core/decoder.ts';
import { eig_to_granularity, eiw_to_ways } from './core/interleave.ts';
import { devm_cxl_add_dport, devm_cxl_add_port } from './core/port.ts';
import { publish_decoder } from './core/publish.ts';
import { devm_cxl_add_rch_dport } from './core/rcrb.ts';
import { CXL_RESOURCE_NONE } from './core/regs.ts';
import { hbiw_to_nr_maps } from './core/translate.ts';
import { devm_cxl_add_nvdimm_bridge } from './pmem.ts';

/**
 * The platform's CXL root (drivers/cxl/acpi.c, v6.12): root0, its windows from CEDT, its host bridges. The devices of
 * the mock topology (tools/testing/cxl) have a table and bridges of their own.
 */

interface CedtRecord {
  readonly type: number;
  readonly view: DataView;
  readonly length: number;
}

/** The records of CEDT in order (acpi_table_parse_cedt). */
function cedt_records(host: Device): CedtRecord[] {
  const table = mock_dev_ops(host)?.cedt ?? acpi_get_table(host.kernel, 'CEDT');
  const out: CedtRecord[] = [];
  if (!table) return out;
  const view = viewOf(table);
  for (let at = 36; at + 4 <= table.length; ) {
    const length = view.getUint16(at + 2, true);
    if (length < 4 || at + length > table.length) break;
    out.push({ type: view.getUint8(at), view: viewOf(table.subarray(at, at + length)), length });
    at += length;
  }
  return out;
}

const ACPI_CEDT_TYPE_CHBS = 0;
const ACPI_CEDT_TYPE_CFMWS = 1;
const ACPI_CEDT_TYPE_CXIMS = 2;

const quad = (view: DataView, at: number) => fromHalves(view.getUint32(at + 4, true), view.getUint32(at, true));
const long = (value: number) => `0x${hex(value, 16)}`;

/** What stands for a host bridge: the device of the bus that was walked, its _UID, and the root bus below it. */
interface HostBridge {
  readonly match: Device;
  readonly uid: number | null;
  readonly bridge: Device | null;
}

/** to_cxl_host_bridge for everything on the bus of the root's companion. */
function host_bridges(host: Device): readonly HostBridge[] {
  const mock = mock_dev_ops(host);
  if (mock) return mock.host_bridges().map(({ dev, uid }) => ({ match: dev, uid, bridge: dev }));
  return acpi_devices_by_hid(host.kernel, 'ACPI0016').map((match) => {
    const uid = match.uid === null ? Number.NaN : Number(match.uid);
    return { match, uid: Number.isInteger(uid) ? uid : null, bridge: match.physical_node };
  });
}

interface Chbs {
  readonly base: number;
  readonly version: number;
  /** How many versions the platform's records have. */
  readonly nr_versions: number;
}

/** cxl_get_chbs: registers of the host bridge with this _UID, or null. */
function cxl_get_chbs(host: Device, { match, uid }: HostBridge): Chbs | null {
  if (uid === null) {
    match.err('unable to retrieve _UID');
    return null;
  }
  match.dbg('cxl_acpi', 'cxl_get_chbs', `UID found: ${uid}`);
  const versions = new Set<number>();
  let found: { base: number; version: number } | null = null;
  for (const { type, view } of cedt_records(host)) {
    if (type !== ACPI_CEDT_TYPE_CHBS) continue;
    const version = view.getUint32(8, true);
    const base = quad(view, 16);
    if (base === 0 || quad(view, 24) !== (version === 0 ? 0x2000 : 0x10000)) continue;
    versions.add(version);
    if (view.getUint32(4, true) === uid) found ??= { base, version };
  }
  if (!found) return null;
  return { ...found, nr_versions: versions.size };
}

/** add_host_bridge_dport: the bridge as downstream port of root0. */
function add_host_bridge_dport(hb: HostBridge, root: CxlPort, host: Device): number {
  const { match, uid, bridge } = hb;
  if (!bridge) return 0;
  const chbs = cxl_get_chbs(host, hb);
  if (uid === null) return 0;
  if (!chbs) {
    match.warn(`No CHBS found for Host Bridge (UID ${uid})`);
    return 0;
  }
  if (chbs.nr_versions > 1)
    match.info('Unsupported platform config, mixed Virtual Host and Restricted CXL Host hierarchy.');
  if (chbs.version === 0)
    match.dbg('cxl_acpi', 'add_host_bridge_dport', `RCRB found for UID ${uid}: ${long(chbs.base)}`);
  const dport =
    chbs.version === 0
      ? devm_cxl_add_rch_dport(host, root, bridge, uid, chbs.base)
      : devm_cxl_add_dport(host, root, bridge, uid, CXL_RESOURCE_NONE);
  if (IS_ERR(dport)) return dport;
  match.dbg('cxl_acpi', 'get_genport_coordinates', 'Failed to get generic port perf coordinates.');
  return 0;
}

/** add_host_bridge_uport: the bridge as a port of its own, with its component registers. */
function add_host_bridge_uport(hb: HostBridge, root: CxlPort, host: Device): number {
  const { match, bridge } = hb;
  const dport = root.dports.find((other) => other.dport_dev === bridge);
  if (!bridge || !dport) {
    match.dbg('cxl_acpi', 'add_host_bridge_uport', 'host bridge expected and not found');
    return 0;
  }
  if (dport.rch) {
    bridge.info('host supports CXL (restricted)');
    return 0;
  }
  const chbs = cxl_get_chbs(host, hb);
  if (!chbs) return 0;
  if (chbs.version === 0) {
    bridge.info('CXL CHBS version mismatch, skip port registration');
    return 0;
  }
  match.dbg('cxl_acpi', 'add_host_bridge_uport', `CHBCR found for UID ${hb.uid}: ${long(chbs.base)}`);
  const port = devm_cxl_add_port(host, bridge, mock_dev_ops(host) ? CXL_RESOURCE_NONE : chbs.base, dport, 'port');
  if (IS_ERR(port)) return port;
  bridge.info('host supports CXL');
  return 0;
}

/**
 * cxl_parse_cxims: the XOR maps for a window of so many ways and this granularity. No maps are needed for one and three
 * ways; a negated errno when the record is too short, null when there is none.
 */
function cxl_parse_cxims(host: Device, ways: number, granularity: number): readonly bigint[] | number | null {
  const needed = hbiw_to_nr_maps(ways);
  if (needed === 0) return [];
  for (const { type, view, length } of cedt_records(host)) {
    if (type !== ACPI_CEDT_TYPE_CXIMS || eig_to_granularity(view.getUint8(6)) !== granularity) continue;
    const count = view.getUint8(7);
    if (count < needed || 8 + 8 * needed > length) {
      host.dbg('cxl_acpi', 'cxl_parse_cxims', `CXIMS nr_xormaps[${count}] expected[${needed}]`);
      return -E.ENXIO;
    }
    return Array.from({ length: needed }, (_, n) => view.getBigUint64(8 + 8 * n, true));
  }
  return null;
}

/** cxl_acpi_cfmws_verify + cfmws_to_decoder_flags for one window. */
function parse_cfmws(record: CedtRecord, root: CxlPort, host: Device): number {
  const { view, length } = record;
  const base = quad(view, 8);
  const size = quad(view, 16);
  const arithmetic = view.getUint8(25);
  const ways = eiw_to_ways(view.getUint8(24));
  const restrictions = view.getUint16(32, true);
  const fail = (rc: number): number => {
    host.err(`Failed to add decode range: [0x${hex(base)} - 0x${hex(base + size - 1)}] (${rc})`);
    return rc;
  };
  const complain = (text: string): number => {
    host.err(text);
    return fail(-E.EINVAL);
  };
  if (arithmetic > 1) return complain(`CFMWS Unknown Interleave Arithmetic: ${arithmetic}`);
  if (base % 0x10000000 !== 0) return complain('CFMWS Base HPA not 256MB aligned');
  if (size % 0x10000000 !== 0) return complain('CFMWS Window Size not 256MB aligned');
  if (!ways) return complain(`CFMWS Interleave Ways (${view.getUint8(24)}) invalid`);
  if (length < 36 + 4 * ways) return complain(`CFMWS length ${length} less than expected ${36 + 4 * ways}`);
  // a window over one bridge has no granularity of its own: 256 whatever the table says
  const hbig = view.getUint32(28, true);
  const granularity = ways === 1 ? 256 : eig_to_granularity(hbig);
  if (!granularity) return fail(-E.EINVAL);
  const maps = arithmetic === 1 ? cxl_parse_cxims(host, ways, granularity) : undefined;
  if (typeof maps === 'number') return fail(maps);
  if (maps === null) {
    host.err(`No CXIMS for HBIG ${granularity}`);
    return fail(-E.EINVAL);
  }
  const cxlrd = cxl_root_decoder_alloc(root, ways);
  if (IS_ERR(cxlrd)) return cxlrd;
  const bits: readonly (readonly [number, number])[] = [
    [0, CXL_DECODER_F_TYPE2],
    [1, CXL_DECODER_F_TYPE3],
    [2, CXL_DECODER_F_RAM],
    [3, CXL_DECODER_F_PMEM],
    [4, CXL_DECODER_F_LOCK],
  ];
  cxlrd.flags = bits.reduce(
    (flags, [bit, flag]) => (restrictions & (1 << bit) ? flags | flag : flags),
    CXL_DECODER_F_ENABLE,
  );
  cxlrd.target_type = restrictions & 2 ? CXL_DECODER_HOSTONLYMEM : CXL_DECODER_DEVMEM;
  cxlrd.hpa = { start: base, end: base + size - 1 };
  cxlrd.interleave_ways = ways;
  cxlrd.interleave_granularity = granularity;
  cxlrd.xormaps = maps ?? null;
  cxlrd.qos_class = view.getUint16(34, true);
  cxlrd.target_map = Array.from({ length: ways }, (_, n) => view.getUint32(36 + 4 * n, true));
  const rc = cxl_decoder_add(cxlrd);
  const first = acpi_first_window_node(host.kernel);
  const node = first === null ? -1 : first + root.decoders.length - 1;
  if (rc) fail(rc);
  else
    host.dbg(
      'cxl_acpi',
      'cxl_parse_cfmws',
      `decode range: node: ${node} range [0x${hex(base)} - 0x${hex(base + size - 1)}]`,
    );
  return rc;
}

/** add_cxl_resources: "CXL Window N" in iomem, numbered over the accepted windows. */
function add_cxl_resources(root: CxlPort, host: Device): void {
  const { iomem } = root.kernel;
  let n = 0;
  for (const cxlrd of root.decoders) {
    if (!(cxlrd instanceof CxlRootDecoder)) continue;
    const res = iomem.make(`CXL Window ${n++}`, cxlrd.hpa.start, cxlrd.hpa.end);
    if (iomem.insert_resource(iomem.root, res) !== 0) {
      host.err(`Failed to insert CXL Window [mem 0x${hex(res.start)}-0x${hex(res.end)}]`);
      continue;
    }
    cxlrd.res = res;
    publish_decoder(cxlrd);
    host.devm(() => {
      for (const child of [...res.children]) iomem.release_resource(child);
      iomem.release_resource(res);
      cxlrd.res = null;
    });
  }
}

/** cxl_acpi_probe on ACPI0017:00. */
function cxl_acpi_probe(host: Device): number {
  const { kernel } = host;
  const root = devm_cxl_add_port(host, host, CXL_RESOURCE_NONE, null, 'root');
  if (IS_ERR(root)) return root;
  const bridges = host_bridges(host);
  for (const bridge of bridges) {
    const rc = add_host_bridge_dport(bridge, root, host);
    if (rc < 0) return rc;
  }
  for (const record of cedt_records(host)) if (record.type === ACPI_CEDT_TYPE_CFMWS) parse_cfmws(record, root, host);
  add_cxl_resources(root, host);
  for (const bridge of bridges) {
    const rc = add_host_bridge_uport(bridge, root, host);
    if (rc < 0) return rc;
  }
  devm_cxl_add_nvdimm_bridge(host, root);
  // cxl_bus_rescan: memdevs that came before their ports
  for (const dev of kernel.drivers.bus_devices('cxl'))
    if (!dev.driver && dev.devtype === 'cxl_memdev') kernel.drivers.device_attach(dev);
  return 0;
}

const drivers = new WeakMap<Kernel, DeviceDriver>();

export function cxl_acpi_init(kernel: Kernel, owner: string | null): number {
  const driver = {
    name: 'cxl_acpi',
    bus: 'platform',
    owner,
    acpi_match_table: ['ACPI0017'],
    id_table: ['cxl_acpi'],
    probe: cxl_acpi_probe,
  };
  drivers.set(kernel, driver);
  return kernel.drivers.driver_register(driver);
}

export function cxl_acpi_exit(kernel: Kernel): void {
  const driver = drivers.get(kernel);
  if (driver) kernel.drivers.driver_unregister(driver);
}
