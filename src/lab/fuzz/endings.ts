/**
 * How a passthrough ends while somebody is using it: typed at a console, with random accesses going on meanwhile. Each leaves
 * a lab in which somebody can still type.
 */
import type { Prng } from '../../base/prng.ts';
import type { ConsoleId } from '../../protocol/client.ts';
import type { Lab } from '../lab.ts';

const DEVICE = '/sys/bus/pci/devices/0000:0d:00.0';
const ENDINGS: readonly (readonly [console: 'l1' | 'l2' | 'host-monitor' | 'l1-monitor', line: string])[] = [
  ['l1', `echo 0000:0d:00.0 > ${DEVICE}/driver/unbind`],
  ['l1', `(echo 0000:0d:00.0 > ${DEVICE}/driver/unbind) & sleep 1; kill -9 $!`],
  ['l1', `echo 1 > ${DEVICE}/remove; echo 1 > /sys/bus/pci/rescan`],
  ['l1', 'echo 0 > /sys/bus/pci/slots/2/power'],
  ['l1', `echo 1 > ${DEVICE}/reset; echo cxl_bus > ${DEVICE}/reset_method; echo 1 > ${DEVICE}/reset`],
  ['l1', 'kill -9 $(pgrep qemu)'],
  ['l1', 'kill $(pgrep qemu)'],
  ['l1', 'reboot'],
  ['l1', 'poweroff'],
  ['l2', 'reboot'],
  ['l2', 'poweroff'],
  ['l2', `echo 1 > ${DEVICE}/remove`],
  ['l2', 'rmmod cxl-accel; modprobe cxl-accel'],
  ['host-monitor', 'device_del cxl-accel0'],
  ['host-monitor', 'system_reset'],
  ['l1-monitor', 'device_del accel0'],
  ['l1-monitor', 'quit'],
];

/** Types one of them; nothing of it has run yet when this returns. Gives what was typed. */
export async function beginEnding(lab: Lab, random: Prng): Promise<string> {
  const [where, line] = ENDINGS[random.below(ENDINGS.length)] as (typeof ENDINGS)[number];
  let console: ConsoleId = where;
  // L1's first console is its VMM's.
  if (where === 'l1') {
    console = lab.openTerminal('l1') ?? where;
    await lab.settled();
  }
  lab.allow(60e9, { console, count: 300_000 });
  lab.input(console, `${line}\r`);
  return `${where}# ${line}`;
}
