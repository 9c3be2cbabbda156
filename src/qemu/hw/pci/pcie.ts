/**
 * The hot-plug half of a PCI Express slot (hw/pci/pcie.c, msi.c as far as a port needs it; system/qdev-monitor.c qdev_unplug): the attention button,
 * command completion, the message they raise, and the card that goes when the guest has powered it off. Left out: plugging in,
 * ACPI hot-plug of pcie.0, power of the slot's memory (pci-slot-power), partially plugged multi-function cards.
 */
import { fromHalves } from '../../../base/addr.ts';
import type { CxlSlot } from '../../../hw/cxl/index.ts';
import type { PciBridge, PciFunction } from '../../../hw/pci/index.ts';
import type { Bus } from '../../qdev/bus.ts';
import type { Device } from '../../qdev/device-type.ts';
import { error_setg } from '../../system/error.ts';

const PCI_EXP_HP_EV_ABP = 0x0001;
const PCI_EXP_HP_EV_PDC = 0x0008;
const PCI_EXP_HP_EV_CCI = 0x0010;
/** Slot Control bits that let the event of the same place through. */
const PCI_EXP_HP_EV_SUPPORTED = PCI_EXP_HP_EV_ABP | PCI_EXP_HP_EV_PDC | PCI_EXP_HP_EV_CCI;
const PCI_EXP_SLTCTL_HPIE = 0x0020;
const PIC_MASK = 0x0300;
const PIC_BLINK = 0x0200;
const PIC_OFF = 0x0300;
const PCC_OFF = 0x0400;
const MSI_DATA_MULTI = 0x70;
/** How long an unplug counts as asked for. */
const PENDING_NS = 5e9;

interface Slot {
  readonly dev: Device;
  readonly fn: PciBridge;
  /** The slot as the fixed window walks it. */
  readonly port: CxlSlot;
  /** exp.hpev_notified */
  notified: boolean;
}
const slots = new WeakMap<Bus, Slot>();
/** pending_deleted_expires_ms, by device. */
const pending = new WeakMap<Device, number>();

const powered_off = (sltctl: number): boolean => (sltctl & (PIC_MASK | PCC_OFF)) === (PIC_OFF | PCC_OFF);

/** pcie_cap_slot_init: `bus` is the one below the port; cards on it can be asked to go. */
export function pcie_cap_slot_init(dev: Device, fn: PciBridge, port: CxlSlot, bus: Bus): void {
  const slot: Slot = { dev, fn, port, notified: false };
  slots.set(bus, slot);
  fn.config.onWrite('SLTSTA', () => hotplug_event_update(slot));
  fn.config.onWrite('SLTCTL', (before, after) => {
    if (fn.config.get('SLTSTA', 'PDS') === 1 && powered_off(after) && !powered_off(before)) do_unplug(slot, bus);
    hotplug_event_notify(slot);
    pcie_cap_slot_event(slot, PCI_EXP_HP_EV_CCI);
  });
}

/** msi_notify: the vector the port's capability register names. */
function msi_notify(fn: PciFunction, vector: number): void {
  const { config, env } = fn;
  if (!config.has('MSI_CONTROL') || config.get('MSI_CONTROL', 'ENABLE') === 0) return;
  if (config.has('MSI_MASK') && (config.get('MSI_MASK') >>> vector) & 1) return;
  const granted = 1 << ((config.get('MSI_CONTROL') & MSI_DATA_MULTI) >> 4);
  const data = config.get('MSI_DATA');
  const high = config.has('MSI_ADDRESS_HI') ? config.get('MSI_ADDRESS_HI') : 0;
  env.message?.(fromHalves(high, config.get('MSI_ADDRESS')), granted > 1 ? (data & ~(granted - 1)) | vector : data);
}

/** hotplug_event_update_event_status; true when the interrupt condition began. */
function hotplug_event_update(slot: Slot): boolean {
  const { config } = slot.fn;
  const control = config.get('SLTCTL');
  const before = slot.notified;
  slot.notified =
    (control & PCI_EXP_SLTCTL_HPIE) !== 0 && (control & config.get('SLTSTA') & PCI_EXP_HP_EV_SUPPORTED) !== 0;
  return slot.notified && !before;
}

function hotplug_event_notify(slot: Slot): void {
  if (hotplug_event_update(slot)) msi_notify(slot.fn, 0);
}

function pcie_cap_slot_event(slot: Slot, event: number): void {
  const { config } = slot.fn;
  const status = config.get('SLTSTA');
  if ((status & event) === event) return;
  config.set('SLTSTA', status | event);
  hotplug_event_notify(slot);
}

/** pcie_cap_slot_do_unplug: every card of the slot is pulled. */
function do_unplug(slot: Slot, bus: Bus): void {
  for (const dev of [...bus.children]) object_unparent(dev);
  const { config } = slot.fn;
  config.set('SLTSTA', config.get('SLTSTA') | PCI_EXP_HP_EV_PDC);
}

/** What is below a device goes first, then the device: its BARs, its user, its place on the bus. */
function object_unparent(dev: Device): void {
  for (const bus of dev.childBuses) for (const child of [...bus.children]) object_unparent(child);
  const { pci, parentBus, vm } = dev;
  const port = parentBus ? slots.get(parentBus)?.port : undefined;
  if (port && pci?.devfn === 0) port.device = null;
  if (pci) parentBus?.pci?.remove(pci);
  dev.unrealize?.();
  dev.bus_master_as?.destroy();
  vm.abandon(dev);
}

/** qdev_unplug: asks the guest, or says why this device cannot go. */
export function qdev_unplug(dev: Device): void {
  const bus = dev.parentBus ?? error_setg(`Device '${dev.type.name}' does not support hotplugging`);
  const slot = slots.get(bus) ?? error_setg(`Bus '${bus.name}' does not support hotplugging`);
  const { log, layer } = dev.vm;
  const outer = log.begin(log.site({ layer, name: 'qdev_unplug', cite: 'QEMU system/qdev-monitor.c' }));
  try {
    pcie_cap_slot_unplug_request_cb(slot, bus, dev);
  } finally {
    log.end(outer);
  }
}

/** qmp_device_del */
export function device_del(dev: Device): void {
  const now = dev.vm.sys.clockGettime('monotonic');
  if ((pending.get(dev) ?? 0) > now) error_setg(`Device ${dev.id} is already in the process of unplug`);
  qdev_unplug(dev);
}

function pcie_cap_slot_unplug_request_cb(slot: Slot, bus: Bus, dev: Device): void {
  const control = slot.fn.config.get('SLTCTL');
  if (slot.fn.config.get('SLTCAP', 'HPC') === 0)
    error_setg(`Hot-unplug failed: unsupported by the port device '${slot.dev.id}'`);
  if ((control & PIC_MASK) === PIC_BLINK) error_setg('Hot-unplug failed: guest is busy (power indicator blinking)');
  pending.set(dev, dev.vm.sys.clockGettime('monotonic') + PENDING_NS);
  if (powered_off(control)) {
    // Nobody uses a card without power: no need to ask.
    do_unplug(slot, bus);
    hotplug_event_notify(slot);
    return;
  }
  pcie_cap_slot_event(slot, PCI_EXP_HP_EV_ABP);
}
