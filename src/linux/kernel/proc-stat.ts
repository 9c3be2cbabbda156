/**
 * fs/proc/stat.c and loadavg.c. Programs take no virtual time of their own, so that processors are idle whenever somebody looks; what
 * loads a machine is processes that wait for ever (state D).
 */
import type { Linux } from './linux.ts';
import type { Task } from './task.ts';

/** What calc_load's decay of the 1, 5 and 15 minute averages has reached after so many seconds. */
const decayed = (seconds: number, minutes: number): number => 1 - Math.exp(-seconds / (60 * minutes));

export function proc_stat_init(kernel: Linux, file: (name: string, show: () => string) => void): void {
  const tasks = (): Task[] => [...kernel.tasks.processes.values()];
  const blocked = (): Task[] => tasks().filter((task) => task.state === 'blocked');
  /** Who reads this runs. */
  const running = (): number => (kernel.tasks.current ? 1 : 0);

  file('loadavg', () => {
    const load = (minutes: number): string =>
      blocked()
        .reduce((sum, task) => sum + decayed((kernel.now() - task.blockedNs) / 1e9, minutes), 0)
        .toFixed(2);
    const threads = tasks().reduce((sum, task) => sum + 1 + task.threads.size, 0);
    return `${load(1)} ${load(5)} ${load(15)} ${running()}/${threads} ${kernel.tasks.forks}\n`;
  });
  file('stat', () => {
    const cpus = kernel.cpu.count;
    const idle = Math.floor(kernel.now() / 1e7);
    const line = (name: string, count: number): string => `${name} 0 0 0 ${idle * count} 0 0 0 0 0 0\n`;
    const each = Array.from({ length: cpus }, (_, n) => line(`cpu${n}`, 1)).join('');
    return (
      `${line('cpu ', cpus)}${each}intr ${kernel.tty.interruptCount}\nctxt 0\nbtime ${Math.floor(kernel.bootTimeNs / 1e9)}\n` +
      `processes ${kernel.tasks.forks}\nprocs_running ${running()}\nprocs_blocked ${blocked().length}\n`
    );
  });
}
