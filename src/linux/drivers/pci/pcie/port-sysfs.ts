import { E } from '../../../../base/errno.ts';
import { type Attribute, type AttributeGroup, Device, type DeviceDriver } from '../../../include/device.ts';
import type { Kernel } from '../../../include/kernel.ts';
import {
  PCI_EXP_LNKCAP,
  PCI_EXP_TYPE_DOWNSTREAM,
  PCI_EXP_TYPE_ENDPOINT,
  PCI_EXP_TYPE_ROOT_PORT,
  PCI_EXP_TYPE_UPSTREAM,
  type PciDev,
} from '../../../include/pci_types.ts';
import { pcie_capability_read_dword } from '../access.ts';
import { pciehp_has_slot } from '../hotplug/slot.ts';
import { pci_find_ext_capability } from '../pci.ts';
import { pci, ro } from '../pci-attr.ts';
import { pci_bridge_secondary_bus_reset } from '../reset.ts';

/**
 * What PCI Express adds to sysfs (drivers/pci/pcie/{portdrv,aer,aspm}.c, v6.12): the devices of a port's services on the
 * pci_express bus, error counters, power management of links. The services' work is in portdrv.ts.
 */

/** From this release on (6.12's stable series has it). */
const recent = (kernel: Kernel) => {
  const [major = 0, minor = 0] = kernel.build.release.split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 12);
};

function reset(bridge: PciDev): number {
  pci_bridge_secondary_bus_reset(bridge);
  return 0;
}

/** Errors that are counted (aer_stats); none is ever raised here. */
const COR = ['RxErr', 'BadTLP', 'BadDLLP', 'Rollover', 'Timeout', 'NonFatalErr', 'CorrIntErr', 'HeaderOF'];
const UNCOR =
  'Undefined DLP SDES TLP FCP CmpltTO CmpltAbrt UnxCmplt RxOF MalfTLP ECRC UnsupReq ACSViol UncorrIntErr BlockedTLP AtomicOpBlocked TLPBlockedErr PoisonTLPBlocked DMWrReqBlocked IDECheck MisIDETLP PCRC_CHECK TLPXlatBlocked'.split(
    ' ',
  );
const counts = (names: readonly string[], total: string) => [...names, total].map((name) => `${name} 0`).join('\n');

/** aer_stats_attrs */
const aer: readonly Attribute[] = [
  ro('aer_dev_correctable', () => counts(COR, 'TOTAL_ERR_COR')),
  ro('aer_dev_fatal', () => counts(UNCOR, 'TOTAL_ERR_FATAL')),
  ro('aer_dev_nonfatal', () => counts(UNCOR, 'TOTAL_ERR_NONFATAL')),
  ro('aer_rootport_total_err_cor', () => '0'),
  ro('aer_rootport_total_err_fatal', () => '0'),
  ro('aer_rootport_total_err_nonfatal', () => '0'),
];

/** Active-state power management is known and stays off. */
const l0s = (dev: PciDev | null) => dev !== null && (pcie_capability_read_dword(dev, PCI_EXP_LNKCAP) & 0x400) !== 0;
const aspm: AttributeGroup = {
  name: 'link',
  attrs: [
    {
      name: 'l0s_aspm',
      mode: 0o644,
      show: () => '0\n',
      store: (_dev, text) => (/^[01yn]/i.test(text) ? 0 : -E.EINVAL),
    },
  ],
  is_visible(dev, attr) {
    const device = pci(dev);
    const up = device.pci_bus.self;
    const below = device.pcie_type === PCI_EXP_TYPE_ENDPOINT || device.pcie_type === PCI_EXP_TYPE_UPSTREAM;
    return below && up?.pcie_cap && l0s(device) && l0s(up) ? attr.mode : 0;
  },
};

/** reset_subordinate: all below a bridge, by its secondary bus (in 6.12 by way of the stable series). */
const subordinate: Attribute = {
  name: 'reset_subordinate',
  mode: 0o200,
  store: (dev, text) => (/^\s*(0x)?0*1\s*$/.test(text) ? reset(pci(dev)) : -E.EINVAL),
};

const AER_CAP = 1;

export const pcie_groups: readonly AttributeGroup[] = [
  {
    attrs: aer,
    is_visible(dev, attr) {
      const device = pci(dev);
      if (!device.pcie_cap || !pci_find_ext_capability(device, AER_CAP)) return 0;
      return attr.name.startsWith('aer_root') && device.pcie_type !== PCI_EXP_TYPE_ROOT_PORT ? 0 : attr.mode;
    },
  },
  aspm,
  {
    attrs: [subordinate],
    is_visible: (dev, attr) => (pci(dev).is_bridge && recent(dev.kernel) ? attr.mode : 0),
  },
];

/** PCIE_PORT_SERVICE_*: the bits of a service device's name, and the driver that takes it. */
const SERVICES: readonly { readonly bit: number; readonly driver: string | null }[] = [
  { bit: 0x01, driver: 'pcie_pme' },
  { bit: 0x02, driver: 'aer' },
  { bit: 0x04, driver: 'pciehp' },
  { bit: 0x10, driver: null },
];

class PcieDevice extends Device {
  constructor(
    port: PciDev,
    name: string,
    readonly service: number,
  ) {
    super(port.kernel, name, port, 'pci_express', []);
  }
}

/** pcie_portdrv_init's bus and the drivers of its services. */
export function pcie_port_bus_init(kernel: Kernel): void {
  kernel.drivers.bus_register({
    name: 'pci_express',
    match: (dev, drv) => 'service' in drv && dev instanceof PcieDevice && drv.service === dev.service,
  });
  for (const { bit, driver } of SERVICES) {
    if (driver === null) continue;
    const service: DeviceDriver & { readonly service: number } = {
      ...{ name: driver, bus: 'pci_express', owner: null, service: bit, probe: () => 0 },
    };
    kernel.drivers.driver_register(service);
  }
}

/** get_port_device_capability: which services the port has. */
function services_of(port: PciDev): number {
  const root = port.pcie_type === PCI_EXP_TYPE_ROOT_PORT;
  if (!root && port.pcie_type !== PCI_EXP_TYPE_DOWNSTREAM) return 0;
  const aer = root && pci_find_ext_capability(port, AER_CAP) !== 0;
  const notify = (pcie_capability_read_dword(port, PCI_EXP_LNKCAP) & 0x20_0000) !== 0;
  return (root ? 0x01 : 0) | (aer ? 0x02 : 0) | (pciehp_has_slot(port) ? 0x04 : 0) | (notify ? 0x10 : 0);
}

/** pcie_device_init for every service; the devices leave with the port's driver. */
export function pcie_port_device_register(port: PciDev): void {
  const { kernel } = port;
  const services = services_of(port);
  for (const { bit } of SERVICES) {
    if (!(services & bit)) continue;
    const id = ((port.pcie_type - PCI_EXP_TYPE_ROOT_PORT) << 8) | bit;
    const dev = new PcieDevice(port, `${port.name}:pcie${id.toString(16).padStart(3, '0')}`, bit);
    if (kernel.drivers.device_add(dev) === 0) port.devm(() => kernel.drivers.device_del(dev));
  }
}
