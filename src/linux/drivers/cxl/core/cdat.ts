import { concat, viewOf } from '../../../../base/bytes.ts';
import { E } from '../../../../base/errno.ts';
import { mock_port_ops } from '../../../include/cxl_mock.ts';
import type { CxlMemdev, CxlPort } from '../../../include/cxl_types.ts';
import { PciDev } from '../../../include/pci_types.ts';
import { pci_read_config_dword, pci_write_config_dword } from '../../pci/access.ts';
import { pci_find_next_ext_capability } from '../../pci/pci.ts';

/**
 * The coherent device attribute table of a port, read through the device's data object exchange (drivers/pci/doe.c,
 * drivers/cxl/core/pci.c:read_cdat_data, core/cdat.c, v6.12). Performance numbers are not computed from it: as on the
 * captured machine the platform gives none for its generic ports.
 */

const PCI_EXT_CAP_ID_DOE = 0x2e;
const DOE = { ctrl: 8, status: 12, write: 16, read: 20 } as const;
const READY = 0x8000_0000;
const MS = 1_000_000;
const PCI_VENDOR_ID_CXL = 0x1e98;

/** pci_doe: one request, one answer; the answer without its two header words. */
function exchange(
  pdev: PciDev,
  cap: number,
  vendor: number,
  type: number,
  payload: readonly number[],
): number[] | null {
  const put = (at: number, value: number) => pci_write_config_dword(pdev, cap + at, value);
  const get = (at: number) => pci_read_config_dword(pdev, cap + at);
  if (get(DOE.status) & 1) return null;
  put(DOE.write, vendor + type * 0x10000);
  put(DOE.write, payload.length + 2);
  for (const word of payload) put(DOE.write, word);
  put(DOE.ctrl, 0x8000_0000);
  for (let waited = 0; (get(DOE.status) & READY) === 0; waited++) {
    if (get(DOE.status) & 4 || waited >= 1000) {
      put(DOE.ctrl, 1);
      return null;
    }
    pdev.kernel.scheduler.advance(MS);
  }
  const next = (): number => {
    const value = get(DOE.read);
    put(DOE.read, 0);
    return value;
  };
  if (next() !== vendor + type * 0x10000) return null;
  const length = (next() & 0x3ffff) - 2;
  const out: number[] = [];
  for (let n = 0; n < length; n++) out.push(next());
  return out;
}

/** pci_find_doe_mailbox: the capability that speaks this protocol, found by discovery; 0 if none does. */
function pci_find_doe_mailbox(pdev: PciDev, vendor: number, type: number): number {
  let cap = pci_find_next_ext_capability(pdev, 0, PCI_EXT_CAP_ID_DOE);
  for (; cap; cap = pci_find_next_ext_capability(pdev, cap, PCI_EXT_CAP_ID_DOE)) {
    let index = 0;
    do {
      const [answer] = exchange(pdev, cap, 1, 0, [index]) ?? [];
      if (answer === undefined) break;
      if ((answer & 0xffff) === vendor && ((answer >>> 16) & 0xff) === type) return cap;
      index = answer >>> 24;
    } while (index !== 0);
  }
  return 0;
}

/** cxl_cdat_read_table: entry by entry, from the header on. */
function read_table(pdev: PciDev, doe: number, length: number): Uint8Array | number {
  const parts: Uint8Array[] = [];
  for (let handle = 0, left = length; handle !== 0xffff && left > 0; ) {
    const words = exchange(pdev, doe, PCI_VENDOR_ID_CXL, 2, [handle * 0x10000]);
    if (!words || words.length < 2) return -E.EIO;
    const bytes = new Uint8Array((words.length - 1) * 4);
    words.slice(1).forEach((word, n) => {
      viewOf(bytes).setUint32(n * 4, word, true);
    });
    parts.push(bytes);
    left -= bytes.length;
    handle = (words[0] as number) >>> 16;
  }
  const table = concat(parts).subarray(0, length);
  return table.reduce((sum, byte) => (sum + byte) & 0xff, 0) === 0 ? table : -E.EINVAL;
}

/** read_cdat_data: gives the port its CDAT file. */
export function read_cdat_data(port: CxlPort): void {
  const uport = port.port_kind === 'endpoint' ? (port.uport_dev as CxlMemdev).cxlds.dev : port.uport_dev;
  if (!(uport instanceof PciDev)) return;
  const say = (text: string) => port.dbg('cxl_core', 'read_cdat_data', text);
  const doe = pci_find_doe_mailbox(uport, PCI_VENDOR_ID_CXL, 2);
  if (!doe) {
    say('No CDAT mailbox');
    return;
  }
  const length = exchange(uport, doe, PCI_VENDOR_ID_CXL, 2, [0])?.[1];
  if (length === undefined) {
    say('No CDAT length');
    return;
  }
  say(`CDAT length ${length}`);
  const table = read_table(uport, doe, length);
  if (typeof table === 'number') {
    port.err('Failed to read/validate CDAT.');
    return;
  }
  port.kernel.drivers.device_create_file(port, {
    name: 'CDAT',
    mode: 0o400,
    size: () => 0,
    read(_dev, offset, into) {
      const part = table.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
  });
  port.devm(() => {
    if (port.registered) port.kernel.drivers.device_remove_file(port, 'CDAT');
  });
}

/** cxl_endpoint_parse_cdat */
export function cxl_endpoint_parse_cdat(port: CxlPort): void {
  const mock = mock_port_ops(port.uport_dev);
  if (mock) {
    mock.cxl_endpoint_parse_cdat(port);
    return;
  }
  port.dbg('cxl_core', 'cxl_port_perf_data_calculate', 'Failed to retrieve ep perf coordinates.');
  port.dbg('cxl_core', 'cxl_endpoint_parse_cdat', 'Failed to do perf coord calculations.');
}
