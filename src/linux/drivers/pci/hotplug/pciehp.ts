import { hex } from '../../../../base/addr.ts';
import { E } from '../../../../base/errno.ts';
import {
  PCI_EXP_LNKCAP,
  PCI_EXP_LNKSTA,
  PCI_EXP_SLTCAP,
  PCI_EXP_SLTCTL,
  PCI_EXP_SLTSTA,
  type PciDev,
} from '../../../include/pci_types.ts';
import { pcie_capability_read_dword, pcie_capability_read_word, pcie_capability_write_word } from '../access.ts';
import { pci_free_irq, pci_request_irq } from '../msi.ts';
import { Controller } from './pciehp_ctrl.ts';

/**
 * PCI Express hotplug (drivers/pci/hotplug/pciehp_core.c, pci_hotplug_core.c, v6.11): the slot, its line in the log, its
 * notifications and its directory in /sys/bus/pci/slots. What happens at the slot is pciehp_ctrl.ts. The attention
 * indicator is read-only here.
 */

const SLOT_FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [0, 'AttnBtn'],
  [1, 'PwrCtrl'],
  [2, 'MRL'],
  [3, 'AttnInd'],
  [4, 'PwrInd'],
  [6, 'HotPlug'],
  [5, 'Surprise'],
  [17, 'Interlock'],
  [18, 'NoCompl'],
];

const SLTCAP_ABP = 0x01;
const SLTCAP_PCP = 0x02;
const SLTCAP_AIP = 0x08;
const SLTCAP_PIP = 0x10;
const SLTCTL_ABPE = 0x0001;
const SLTCTL_PDCE = 0x0008;
const SLTCTL_CCIE_HPIE = 0x0030;
const SLTCTL_DLLSCE = 0x1000;
/** ABPE, PFDE, MRLSCE, PDCE, CCIE, HPIE, DLLSCE. */
const NOTIFICATIONS = 0x103f;

const controllers = new WeakMap<PciDev, Controller>();

/** pcie_init: the line about the slot, from Slot Capabilities. */
function pcie_init(dev: PciDev, cap: number): void {
  const flags = SLOT_FLAGS.map(([bit, name]) => `${name}${cap & (1 << bit) ? '+' : '-'}`).join(' ');
  const active = pcie_capability_read_dword(dev, PCI_EXP_LNKCAP) & 0x10_0000 ? '+' : '-';
  // quirk_cmd_compl: all Intel bridges
  const erratum = dev.vendor === 0x8086 ? ' (with Cmd Compl erratum)' : '';
  dev.info(`pciehp: Slot #${cap >>> 19} ${flags} IbPresDis- LLActRep${active}${erratum}`);
}

const slot_path = (cap: number) => `bus/pci/slots/${cap >>> 19}`;

const SPEEDS = [
  'Unknown',
  '2.5 GT/s PCIe',
  '5.0 GT/s PCIe',
  '8.0 GT/s PCIe',
  '16.0 GT/s PCIe',
  '32.0 GT/s PCIe',
  '64.0 GT/s PCIe',
];
const speed = (bits: number) => SPEEDS[bits & 0xf] ?? 'Unknown';

/** pci_create_slot and pci_hp_add: address without function, presence, power, indicators. */
function make_slot(dev: PciDev, cap: number, controller: Controller): void {
  const { drivers } = dev.kernel;
  const ctl = () => pcie_capability_read_word(dev, PCI_EXP_SLTCTL);
  const sta = () => pcie_capability_read_word(dev, PCI_EXP_SLTSTA);
  const file = (name: string, show: () => string): void =>
    drivers.kobject_attr(slot_path(cap), { name, mode: 0o444, show: () => `${show()}\n` });
  const control = (name: string, show: () => number): void =>
    drivers.kobject_attr(slot_path(cap), { name, mode: 0o644, show: () => `${show()}\n`, store: () => -E.EPERM });
  file('address', () => `${hex(dev.pci_bus.segment, 4)}:${hex(dev.subordinate?.number ?? 0, 2)}:00`);
  file('cur_bus_speed', () => speed(pcie_capability_read_word(dev, PCI_EXP_LNKSTA)));
  file('max_bus_speed', () => speed(pcie_capability_read_dword(dev, PCI_EXP_LNKCAP)));
  drivers.kobject_attr(slot_path(cap), {
    name: 'power',
    mode: 0o644,
    show: () => `${cap & SLTCAP_PCP && ctl() & 0x400 ? 0 : 1}\n`,
    store: (text) => (/^[01]$/.test(text.trim()) ? controller.sysfs_power(text.trim() === '1') : -E.EINVAL),
  });
  if (cap & SLTCAP_AIP) control('attention', () => [255, 1, 2, 0][(ctl() >> 6) & 3] as number);
  file('adapter', () => String((sta() >> 6) & 1));
}

/** pciehp_probe → pcie_enable_notification. */
export function pciehp_probe(dev: PciDev): void {
  const cap = pcie_capability_read_dword(dev, PCI_EXP_SLTCAP);
  pcie_init(dev, cap);
  const controller = new Controller(dev, cap >>> 19, {
    power: (cap & SLTCAP_PCP) !== 0,
    attnInd: (cap & SLTCAP_AIP) !== 0,
    pwrInd: (cap & SLTCAP_PIP) !== 0,
  });
  controllers.set(dev, controller);
  pci_request_irq(dev, () => controller.isr());
  make_slot(dev, cap, controller);
  const wanted = SLTCTL_DLLSCE | SLTCTL_CCIE_HPIE | (cap & SLTCAP_ABP ? SLTCTL_ABPE : SLTCTL_PDCE);
  const old = pcie_capability_read_word(dev, PCI_EXP_SLTCTL);
  pcie_capability_write_word(dev, PCI_EXP_SLTCTL, (old & ~NOTIFICATIONS) | wanted);
}

export function pciehp_remove(dev: PciDev): void {
  const cap = pcie_capability_read_dword(dev, PCI_EXP_SLTCAP);
  const old = pcie_capability_read_word(dev, PCI_EXP_SLTCTL);
  pcie_capability_write_word(dev, PCI_EXP_SLTCTL, old & ~NOTIFICATIONS);
  pci_free_irq(dev);
  controllers.get(dev)?.remove();
  dev.kernel.drivers.kobject_remove(slot_path(cap));
}
