/** kernel/reboot.c and arch/x86/kernel/reboot.c: the writes that end a machine. */
import type { Linux } from './linux.ts';

/** Reset control register of the chipset: bit 1 full reset, bit 2 does it (reset_control in native_machine_emergency_restart). */
const RST_CNT = 0xcf9;
/** PM1a control block of ICH9 with the PM base 0x600 that firmware sets; SLP_EN with SLP_TYP 0 is S5 there (as in the DSDT). */
const PM1A_CNT = 0x604;
const SLP_EN = 0x2000;

export function machine_restart(kernel: Linux): void {
  kernel.printk(0, 'reboot: Restarting system');
  kernel.printk(6, 'reboot: machine restart');
  emergency_restart(kernel);
}

/** machine_emergency_restart: at once, without a word. */
export function emergency_restart(kernel: Linux): void {
  kernel.cpu.bus.outp(RST_CNT, 1, 0x02);
  kernel.cpu.bus.outp(RST_CNT, 1, 0x06);
}

export function machine_power_off(kernel: Linux): void {
  kernel.printk(6, 'ACPI: PM: Preparing to enter system sleep state S5');
  kernel.printk(0, 'reboot: Power down');
  kernel.cpu.bus.outp(PM1A_CNT, 2, SLP_EN);
}
