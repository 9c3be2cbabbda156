import { E } from '../../../../base/errno.ts';
import { cxl_memdev_update_perf } from '../../../drivers/cxl/core/memdev.ts';
import { devm_cxl_add_dport } from '../../../drivers/cxl/core/port.ts';
import { CXL_RESOURCE_NONE } from '../../../drivers/cxl/core/regs.ts';
import { CXL_MOCK, type CxlMockOps } from '../../../include/cxl_mock.ts';
import { CxlMemdev, type CxlPort, IS_ERR } from '../../../include/cxl_types.ts';
import type { Device } from '../../../include/device.ts';
import type { Kernel } from '../../../include/kernel.ts';
import { FAKE_QTG_ID, MockPool, populate_cedt } from './cedt.ts';
import { mock_cxl_enumerate_decoders } from './decoders.ts';
import { MockTopology } from './topology.ts';

/**
 * cxl_test: the mock topology (tools/testing/cxl/test/cxl.c, v6.12), out of the same CXL core as any other. Leaves out
 * the mocked soft-reserved memory (hmem) and extended linear cache of later kernels.
 */

class Mock implements CxlMockOps {
  constructor(
    readonly topology: MockTopology,
    readonly cedt: Uint8Array,
    private readonly window0: number,
  ) {}

  is_mock_dev(dev: Device): boolean {
    return dev === this.topology.acpi || this.topology.mems.some((mem) => mem === dev);
  }
  is_mock_port(dev: Device): boolean {
    const { bridges, ports } = this.topology;
    if (bridges.some((one) => one === dev) || ports.some((one) => one === dev)) return true;
    return dev instanceof CxlMemdev && dev.parent !== null && this.is_mock_dev(dev.parent);
  }
  host_bridges() {
    return this.topology.bridges.map((dev) => ({ dev, uid: dev.id }));
  }
  devm_cxl_port_enumerate_dports(port: CxlPort): number {
    const below = this.topology.ports.filter((dev) => dev.parent === port.uport_dev);
    for (const dev of below) {
      const dport = devm_cxl_add_dport(port, port, dev, dev.id, CXL_RESOURCE_NONE);
      if (IS_ERR(dport)) return dport;
    }
    return below.length;
  }
  devm_cxl_setup_hdm(port: CxlPort) {
    const cxlhdm = {
      hdm_decoder: null,
      emulate: false,
      decoder_count: 0,
      target_count: 0,
      interleave_mask: -1,
      iw_cap_mask: -1,
    };
    port.hdm = cxlhdm;
    return cxlhdm;
  }
  devm_cxl_enumerate_decoders(port: CxlPort): number {
    return mock_cxl_enumerate_decoders(port, this.topology, this.window0);
  }
  cxl_endpoint_parse_cdat(port: CxlPort): void {
    const cxlmd = port.uport_dev;
    if (!(cxlmd instanceof CxlMemdev)) return;
    const { cxlds } = cxlmd;
    if (cxlds.ram_res.end >= cxlds.ram_res.start) cxlds.ram_qos_class = FAKE_QTG_ID;
    if (cxlds.pmem_res.end >= cxlds.pmem_res.start) cxlds.pmem_qos_class = FAKE_QTG_ID;
    cxl_memdev_update_perf(cxlmd);
  }
}

const mocks = new WeakMap<Kernel, Mock>();

/** cxl_test_init */
export function cxl_test_init(kernel: Kernel, params: Readonly<Record<string, string>>): number {
  const cedt = populate_cedt(new MockPool(), params.interleave_arithmetic === '1');
  if (!cedt) return -E.ENOMEM;
  const topology = new MockTopology(kernel);
  const mock = new Mock(topology, cedt.table, cedt.window0);
  mocks.set(kernel, mock);
  kernel.get(CXL_MOCK).ops = mock;
  topology.populate();
  // udev answers the new devices' events with modprobe of their modalias
  for (const stem of new Set(topology.mems.map((mem) => mem.stem))) kernel.modules.request(`platform:${stem}`);
  return 0;
}

/** cxl_test_exit */
export function cxl_test_exit(kernel: Kernel): void {
  mocks.get(kernel)?.topology.remove();
  mocks.delete(kernel);
  kernel.get(CXL_MOCK).ops = null;
}

/** register_cxl_mock_ops' module. */
export function cxl_mock_init(kernel: Kernel): number {
  kernel.set(CXL_MOCK, { ops: null });
  return 0;
}
