import { PlatformDevice, platform_bus_init } from '../../../drivers/acpi/platform.ts';
import type { Device } from '../../../include/device.ts';
import type { Kernel } from '../../../include/kernel.ts';

/**
 * The platform devices of the mock topology (tools/testing/cxl/test/cxl.c, v6.12): two host bridges with two root ports
 * each, one with a single root port, a switch with two downstream ports and two memory devices below every root port,
 * and a restricted host bridge with one device.
 */

const NR_CXL_HOST_BRIDGES = 2;
const NR_CXL_SINGLE_HOST = 1;
const NR_CXL_RCH = 1;
const NR_CXL_ROOT_PORTS = 2;
const NR_CXL_SWITCH_PORTS = 2;
const NR_MULTI_ROOT = NR_CXL_HOST_BRIDGES * NR_CXL_ROOT_PORTS;
const NR_MEM_MULTI = NR_MULTI_ROOT * NR_CXL_SWITCH_PORTS;
const NR_MEM_SINGLE = NR_CXL_SINGLE_HOST * NR_CXL_SWITCH_PORTS;

/** A numbered platform device: `cxl_mem.3`. */
export class MockDevice extends PlatformDevice {
  constructor(
    kernel: Kernel,
    readonly stem: string,
    readonly id: number,
    parent: Device,
  ) {
    super(kernel, `${stem}.${id}`, parent, `platform:${stem}`);
  }
}

export class MockTopology {
  acpi: MockDevice | null = null;
  readonly bridges: MockDevice[] = [];
  /** Root ports, switch upstream and downstream ports. */
  readonly ports: MockDevice[] = [];
  readonly mems: MockDevice[] = [];
  /** In the order they were added. */
  private readonly added: MockDevice[] = [];

  constructor(private readonly kernel: Kernel) {}

  /** cxl_test_init's devices. The root comes before the memory devices, and its driver may bind at once. */
  populate(): void {
    const platform = platform_bus_init(this.kernel);
    for (let i = 0; i < NR_CXL_HOST_BRIDGES; i++) this.bridge(i, platform, 'physical_node');
    const roots = this.level('cxl_root_port', 0, NR_MULTI_ROOT, this.bridges);
    const uports = this.level('cxl_switch_uport', 0, NR_MULTI_ROOT, roots);
    const dports = this.level('cxl_switch_dport', 0, NR_MEM_MULTI, uports);
    const single = this.bridge(NR_CXL_HOST_BRIDGES, platform, 'physical_node');
    const root1 = this.level('cxl_root_port', NR_MULTI_ROOT, NR_CXL_SINGLE_HOST, [single]);
    const uport1 = this.level('cxl_switch_uport', NR_MULTI_ROOT, NR_CXL_SINGLE_HOST, root1);
    const dports1 = this.level('cxl_switch_dport', NR_MEM_MULTI, NR_MEM_SINGLE, uport1);
    const rch = this.bridge(NR_CXL_HOST_BRIDGES + NR_CXL_SINGLE_HOST, platform, 'firmware_node');
    this.add('cxl_acpi', 0, platform);
    this.memdevs('cxl_mem', 0, dports);
    this.memdevs('cxl_mem', NR_MEM_MULTI, dports1);
    this.memdevs(
      'cxl_rcd',
      NR_MEM_MULTI + NR_MEM_SINGLE,
      Array.from({ length: NR_CXL_RCH }, () => rch),
    );
  }

  private add(stem: string, id: number, parent: Device, numa_node = -1): MockDevice {
    const dev = new MockDevice(this.kernel, stem, id, parent);
    dev.numa_node = numa_node;
    this.added.push(dev);
    if (stem === 'cxl_host_bridge') this.bridges.push(dev);
    else if (stem === 'cxl_mem' || stem === 'cxl_rcd') this.mems.push(dev);
    else if (stem === 'cxl_acpi') this.acpi = dev;
    else this.ports.push(dev);
    this.kernel.drivers.device_add(dev);
    return dev;
  }

  /** The link that names a dport's alias points at the bridge itself. */
  private bridge(id: number, platform: Device, link: string): MockDevice {
    const dev = this.add('cxl_host_bridge', id, platform);
    this.kernel.drivers.sysfs_create_link(dev, dev, link);
    return dev;
  }

  /** `count` devices dealt out round robin over the level above. */
  private level(stem: string, first: number, count: number, above: readonly MockDevice[]): MockDevice[] {
    return Array.from({ length: count }, (_, i) => this.add(stem, first + i, above[i % above.length] as MockDevice));
  }

  private memdevs(stem: string, first: number, above: readonly MockDevice[]): void {
    for (const [i, parent] of above.entries()) this.add(stem, first + i, parent, i % 2);
  }

  /** Everything goes: memory devices, root, then the ports from below. */
  remove(): void {
    const { drivers } = this.kernel;
    for (const dev of [...this.mems].reverse()) drivers.device_del(dev);
    if (this.acpi) drivers.device_del(this.acpi);
    for (const dev of [...this.added].reverse()) drivers.device_del(dev);
  }
}
