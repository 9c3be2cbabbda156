import { E } from '../../../../base/errno.ts';
import type { Waiter } from '../../../../base/scheduler.ts';
import type { Slept } from '../../../include/device.ts';
import { after, Mutex } from '../../../include/mutex.ts';
import {
  PCI_COMMAND,
  PCI_COMMAND_INTX_DISABLE,
  PCI_COMMAND_MASTER,
  PCI_EXP_LNKSTA,
  PCI_EXP_SLTCTL,
  PCI_EXP_SLTSTA,
  type PciDev,
} from '../../../include/pci_types.ts';
import { ProcessExit } from '../../../uapi/sys.ts';
import {
  pci_read_config_word,
  pci_write_config_word,
  pcie_capability_read_word,
  pcie_capability_write_word,
} from '../access.ts';
import { pci_lock_rescan_remove, pci_scan_rescan, pci_stop_and_remove_bus_device } from '../probe.ts';

/**
 * The controller of one hotplug slot (drivers/pci/hotplug/pciehp_ctrl.c, pciehp_hpc.c, pciehp_pci.c, v6.11): interrupt, its
 * thread, the attention button with its five seconds, powering the slot off and on. Left out: polling, waiting for command
 * completion (commands complete at once), power faults, runtime power management.
 */
const ABP = 0x0001;
const PDC = 0x0008;
const CC = 0x0010;
const DLLSC = 0x0100;
const PDS = 0x0040;
const EVENTS = ABP | PDC | CC | DLLSC;
/** Asked for by software, beside the events of the register. */
const DISABLE_SLOT = 0x10000;
const PIC = 0x0300;
const AIC = 0x00c0;
const PWR_IND_ON = 0x0100;
const PWR_IND_BLINK = 0x0200;
const PWR_IND_OFF = 0x0300;
const ATTN_IND_OFF = 0x00c0;
const PCC = 0x0400;
const SECOND = 1e9;

type State = 'OFF' | 'BLINKINGON' | 'BLINKINGOFF' | 'POWERON' | 'POWEROFF' | 'ON';

export class Controller {
  private state: State;
  private pending = 0;
  private thread = false;
  private button_work: Waiter | null = null;
  private readonly reset_lock: Mutex;

  constructor(
    readonly dev: PciDev,
    private readonly slot: number,
    private readonly has: { readonly power: boolean; readonly pwrInd: boolean; readonly attnInd: boolean },
  ) {
    this.state = (dev.subordinate?.devices.length ?? 0) > 0 ? 'ON' : 'OFF';
    this.reset_lock = new Mutex(dev.kernel);
  }

  private info(text: string): void {
    this.dev.info(`pciehp: Slot(${this.slot}): ${text}`);
  }
  private status(): number {
    return pcie_capability_read_word(this.dev, PCI_EXP_SLTSTA);
  }
  /** pcie_write_cmd */
  private command(value: number, mask: number): void {
    const old = pcie_capability_read_word(this.dev, PCI_EXP_SLTCTL);
    pcie_capability_write_word(this.dev, PCI_EXP_SLTCTL, (old & ~mask) | (value & mask));
  }
  /** pciehp_set_indicators: 0 leaves an indicator alone. */
  private indicators(power: number, attention: number): void {
    const mask = (power && this.has.pwrInd ? PIC : 0) | (attention && this.has.attnInd ? AIC : 0);
    if (mask) this.command(power | attention, mask);
  }

  /** pciehp_isr: acknowledges what the slot has to say and wakes the thread. */
  isr(): void {
    const events = this.status() & EVENTS;
    if (events === 0 || events === EVENTS) return;
    pcie_capability_write_word(this.dev, PCI_EXP_SLTSTA, events);
    this.request(events & ~CC);
  }

  /** pciehp_request, irq_wake_thread */
  private request(events: number): void {
    this.pending |= events;
    if (this.pending === 0 || this.thread) return;
    this.thread = true;
    this.dev.kernel.scheduler.spawn(async () => {
      try {
        while (this.pending !== 0) await this.ist();
      } catch (error) {
        // The machine lost power while the thread slept.
        if (!(error instanceof ProcessExit)) throw error;
      } finally {
        this.thread = false;
        this.requester?.wake();
      }
    });
  }

  /** pciehp_ist */
  private async ist(): Promise<void> {
    const events = this.pending;
    this.pending = 0;
    if (events & ABP) this.button_press();
    await this.reset_lock.lock('pciehp_ist');
    if (events & DISABLE_SLOT) await this.handle_disable_request();
    else if (events & (PDC | DLLSC)) await this.presence_or_link_change(events);
    this.reset_lock.unlock();
  }

  /** pciehp_handle_button_press: five seconds to think better of it. */
  private button_press(): void {
    const { state } = this;
    if (state === 'ON' || state === 'OFF') {
      this.state = state === 'ON' ? 'BLINKINGOFF' : 'BLINKINGON';
      this.info(`Button press: will power ${state === 'ON' ? 'off' : 'on'} in 5 sec`);
      this.indicators(PWR_IND_BLINK, ATTN_IND_OFF);
      this.schedule_button_work();
    } else if (state === 'BLINKINGOFF' || state === 'BLINKINGON') {
      this.cancel_button_work();
      this.state = state === 'BLINKINGOFF' ? 'ON' : 'OFF';
      this.indicators(state === 'BLINKINGOFF' ? PWR_IND_ON : PWR_IND_OFF, ATTN_IND_OFF);
      this.info(`Button press: canceling request to power ${state === 'BLINKINGOFF' ? 'off' : 'on'}`);
    } else
      this.dev.err(`pciehp: Slot(${this.slot}): Button press: ignoring invalid state 0x${state === 'POWERON' ? 3 : 4}`);
  }

  /** pciehp_queue_pushbutton_work, delayed */
  private schedule_button_work(): void {
    const { kernel } = this.dev;
    kernel.scheduler.spawn(async () => {
      const work = kernel.scheduler.sleep(5 * SECOND);
      this.button_work = work;
      await work.promise;
      if (this.button_work !== work || kernel.tasks.dead) return;
      this.button_work = null;
      if (this.state === 'BLINKINGOFF') this.request(DISABLE_SLOT);
      else if (this.state === 'BLINKINGON') this.request(PDC);
    });
  }
  private cancel_button_work(): void {
    const work = this.button_work;
    this.button_work = null;
    work?.wake();
  }

  /** pciehp_handle_disable_request */
  private handle_disable_request(): Slept {
    if (this.state === 'BLINKINGOFF' || this.state === 'BLINKINGON') this.cancel_button_work();
    this.state = 'POWEROFF';
    return this.disable_slot(true);
  }

  /** pciehp_handle_presence_or_link_change */
  private async presence_or_link_change(events: number): Promise<void> {
    if (this.state === 'BLINKINGOFF') this.cancel_button_work();
    if (this.state === 'BLINKINGOFF' || this.state === 'ON') {
      this.state = 'POWEROFF';
      if (events & DLLSC) this.info('Link Down');
      if (events & PDC) this.info('Card not present');
      await this.disable_slot(false);
    }
    const present = (this.status() & PDS) !== 0;
    const link = (pcie_capability_read_word(this.dev, PCI_EXP_LNKSTA) & 0x2000) !== 0;
    if (!present && !link) {
      if (this.state !== 'BLINKINGON') return;
      this.cancel_button_work();
      this.state = 'OFF';
      this.indicators(PWR_IND_OFF, ATTN_IND_OFF);
      this.info('Card not present');
      return;
    }
    if (this.state === 'BLINKINGON') this.cancel_button_work();
    if (this.state !== 'BLINKINGON' && this.state !== 'OFF') return;
    this.state = 'POWERON';
    if (present) this.info('Card present');
    if (link) this.info('Link Up');
    await this.enable_slot();
  }

  /** pciehp_disable_slot, remove_board: drivers let go, power goes, a second later the light. */
  private async disable_slot(safe: boolean): Promise<void> {
    const { kernel } = this.dev;
    await this.unconfigure_device(safe);
    if (this.has.power) {
      this.command(PCC, PCC);
      await kernel.tasks.sleep(null, kernel.scheduler.sleep(SECOND), false);
      // What powering off itself stirs up is no news.
      this.pending &= ~(DLLSC | PDC);
    }
    this.indicators(PWR_IND_OFF, 0);
    this.state = 'OFF';
  }

  /** pciehp_unconfigure_device */
  private unconfigure_device(present: boolean): Slept {
    const { dev } = this;
    const { kernel } = dev;
    return pci_lock_rescan_remove(kernel, () =>
      [...(dev.subordinate?.devices ?? [])].reverse().reduce<Slept>(
        (slept, child) =>
          after(kernel, slept, () =>
            after(kernel, pci_stop_and_remove_bus_device(child), () => {
              if (!present) return;
              const command = pci_read_config_word(child, PCI_COMMAND);
              pci_write_config_word(
                child,
                PCI_COMMAND,
                (command & ~(PCI_COMMAND_MASTER | 0x100)) | PCI_COMMAND_INTX_DISABLE,
              );
            }),
          ),
        undefined,
      ),
    );
  }

  /** pciehp_enable_slot, board_added, pciehp_configure_device */
  private async enable_slot(): Promise<void> {
    const { dev } = this;
    if (this.has.power) this.command(0, PCC);
    this.indicators(PWR_IND_BLINK, 0);
    await pci_lock_rescan_remove(dev.kernel, () => pci_scan_rescan(dev.pci_bus.root));
    const found = (dev.subordinate?.devices.length ?? 0) > 0;
    if (found) this.indicators(PWR_IND_ON, ATTN_IND_OFF);
    else {
      dev.err(`pciehp: Slot(${this.slot}): No new device found`);
      if (this.has.power) this.command(PCC, PCC);
      this.indicators(PWR_IND_OFF, 0x0040);
    }
    this.state = found ? 'ON' : 'OFF';
  }

  /** pciehp_sysfs_enable_slot and pciehp_sysfs_disable_slot, which wait until the thread is done. */
  async sysfs_power(on: boolean): Promise<number> {
    const wanted: State = on ? 'ON' : 'OFF';
    if (this.state === wanted) {
      this.info(`Already ${on ? 'enabled' : 'disabled'}`);
      return -E.EINVAL;
    }
    if (this.state === 'POWERON' || this.state === 'POWEROFF') {
      this.info(`Already in powering ${this.state === 'POWERON' ? 'on' : 'off'} state`);
      return -E.EINVAL;
    }
    const { kernel } = this.dev;
    const { current } = kernel.tasks;
    this.request(on ? PDC : DISABLE_SLOT);
    while (this.thread) {
      this.requester = kernel.scheduler.sleep(SECOND);
      await kernel.tasks.sleep(current, this.requester, false);
    }
    return this.state === wanted ? 0 : -E.ENODEV;
  }
  private requester: Waiter | null = null;

  /** cleanup: the port's driver goes. */
  remove(): void {
    this.cancel_button_work();
  }
}
