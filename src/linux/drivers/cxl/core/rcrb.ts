import { type Addr, fromHalves } from '../../../../base/addr.ts';
import { E } from '../../../../base/errno.ts';
import { mock_port_ops } from '../../../include/cxl_mock.ts';
import type { CxlDport, CxlPort } from '../../../include/cxl_types.ts';
import type { Device } from '../../../include/device.ts';
import { devm_cxl_add_dport } from './port.ts';
import { CXL_RESOURCE_NONE } from './regs.ts';

/** Restricted host bridges (CXL 1.1): the root complex register block (drivers/cxl/core/regs.c and port.c, v6.12). */

const PCI_COMMAND_MEMORY = 2;
const BLOCK = 0x10000;

/** __rcrb_to_component: where the downstream port's component registers are, or none. */
function __rcrb_to_component(dev: Device, rcrb: Addr): Addr {
  const { mmio } = dev.kernel;
  if (mmio.readl(rcrb) === 0xffffffff) {
    dev.err('Failed to access Downstream Port RCRB');
    return CXL_RESOURCE_NONE;
  }
  const bar0 = mmio.readl(rcrb + 0x10);
  if (!(mmio.readl(rcrb + 4) & PCI_COMMAND_MEMORY)) return CXL_RESOURCE_NONE;
  // an I/O bar, or one below 1 MiB, is none of these registers
  if (bar0 & 3) return CXL_RESOURCE_NONE;
  const high = bar0 & 4 ? mmio.readl(rcrb + 0x14) : 0;
  const base = fromHalves(high, (bar0 & ~0xf) >>> 0);
  return base !== 0 && base % BLOCK === 0 ? base : CXL_RESOURCE_NONE;
}

/** devm_cxl_add_rch_dport: a restricted host bridge as downstream port of the root. */
export function devm_cxl_add_rch_dport(
  host: Device,
  port: CxlPort,
  dport_dev: Device,
  port_id: number,
  rcrb: Addr,
): CxlDport | number {
  if (mock_port_ops(dport_dev)) return devm_cxl_add_dport(host, port, dport_dev, port_id, CXL_RESOURCE_NONE, true);
  const component = __rcrb_to_component(dport_dev, rcrb);
  if (component === CXL_RESOURCE_NONE) {
    dport_dev.warn('Invalid Component Registers in RCRB');
    return -E.ENXIO;
  }
  return devm_cxl_add_dport(host, port, dport_dev, port_id, component, true);
}
