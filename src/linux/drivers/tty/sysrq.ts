/** /proc/sysrq-trigger (drivers/tty/sysrq.c): the keys b, c, o and s. Left out: the other keys, the keyboard, the mask of /proc/sys/kernel/sysrq. */
import { TextInode } from '../../fs/procfs.ts';
import type { Linux } from '../../kernel/linux.ts';
import { emergency_restart } from '../../kernel/reboot.ts';

const HELP = 'HELP : reboot(b) crash(c) poweroff(o) sync(s) ';

export function sysrq_init(kernel: Linux): void {
  const { proc } = kernel.vfs;
  proc.put('sysrq-trigger', new TextInode(proc.sb, null, (text) => handle_sysrq(kernel, text[0] ?? ''), 0o200));
}

function handle_sysrq(kernel: Linux, key: string): number {
  const say = (text: string): void => kernel.printk(6, `sysrq: ${text}`);
  if (key === 'b') {
    say('Resetting');
    emergency_restart(kernel);
  } else if (key === 'c') {
    say('Trigger a crash');
    kernel.panic('sysrq triggered crash');
  } else if (key === 'o') {
    say('Power Off');
    kernel.reboot('poweroff');
  } else if (key === 's') say('Emergency Sync');
  else say(HELP);
  return 0;
}
