import type { CxlHdm, CxlPort } from './cxl_types.ts';
import type { Device } from './device.ts';
import type { Kernel } from './kernel.ts';
import { SubsystemKey } from './kernel.ts';

/**
 * Where tools/testing/cxl cuts in (test/mock.h, v6.12). There the linker wraps functions of the CXL modules; here those
 * functions ask for the operations themselves, and get them only for devices of the mock topology.
 */
export interface CxlMockOps {
  /** cxl_acpi.0 and the devices behind memdevs. */
  is_mock_dev(dev: Device): boolean;
  /** Bridges, root ports, switch ports, and memdevs of the topology. */
  is_mock_port(dev: Device): boolean;
  /** acpi_table_parse_cedt */
  readonly cedt: Uint8Array;
  /** to_cxl_host_bridge: platform devices that stand for ACPI0016, with their _UID. */
  host_bridges(): readonly { readonly dev: Device; readonly uid: number }[];
  devm_cxl_port_enumerate_dports(port: CxlPort): number;
  devm_cxl_setup_hdm(port: CxlPort): CxlHdm;
  devm_cxl_enumerate_decoders(port: CxlPort): number;
  cxl_endpoint_parse_cdat(port: CxlPort): void;
}

export const CXL_MOCK = new SubsystemKey<{ ops: CxlMockOps | null }>('cxl_mock');

/** get_cxl_mock_ops */
function get_cxl_mock_ops(kernel: Kernel): CxlMockOps | null {
  return kernel.has(CXL_MOCK) ? kernel.get(CXL_MOCK).ops : null;
}

/** The operations if `dev` is part of the mock topology as a port (or a memdev), else null. */
export function mock_port_ops(dev: Device): CxlMockOps | null {
  const ops = get_cxl_mock_ops(dev.kernel);
  return ops?.is_mock_port(dev) ? ops : null;
}

/** The operations if `dev` is the mock's root or stands behind a memdev, else null. */
export function mock_dev_ops(dev: Device): CxlMockOps | null {
  const ops = get_cxl_mock_ops(dev.kernel);
  return ops?.is_mock_dev(dev) ? ops : null;
}
