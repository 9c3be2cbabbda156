import { expect, test } from 'vitest';
import { kernelWithPrograms, runBash } from '../testing/scripts.ts';

/** Four processes as /proc writes them; the columns are where procps-ng 4.0.2 puts them for such numbers (pid_max 4194304). */
const STATS: readonly (readonly [pid: number, comm: string, rest: string, argv: string])[] = [
  [1, 'init', 'S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0', '/init'],
  [10, 'bash', 'S 1 10 10 1088 40 0 0 0 0 0 0 0 0 0 20 0 1 0 100 0 0', '-bash'],
  [
    40,
    'qemu-system-x86',
    'S 10 40 10 1088 40 0 0 0 0 0 150 50 0 0 20 0 3 0 200 56524406784 58858',
    'qemu-system-x86_64 -M q35',
  ],
  [41, 'worker', 'Z 40 40 10 1088 40 0 0 0 0 0 0 0 0 0 20 0 1 0 300 0 0', ''],
];
const HEAD = '    PID TTY          TIME CMD\n';
const CASES: readonly (readonly [script: string, status: number, stdout: string, stderr: string])[] = [
  [
    'ps -e',
    0,
    `${HEAD}      1 ?        00:00:00 init\n     10 ttyS0    00:00:00 bash\n     40 ttyS0    00:00:02 qemu-system-x86\n     41 ttyS0    00:00:00 worker <defunct>\n`,
    '',
  ],
  ['ps -p 41,10 -o pid=,stat=', 0, '     10 Ss\n     41 Z+\n', ''],
  ['ps -p 999', 1, HEAD, ''],
  // a number wider than its column takes the room from those after it
  [
    'ps u -p 40,10',
    0,
    'USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n' +
      'root          10  0.0  0.0      0     0 ttyS0    Ss   06:40   0:00 -bash\n' +
      'root          40  2.0  0.9 55199616 235432 ttyS0 Sl+  06:40   0:02 qemu-system-x86_64 -M q35\n',
    '',
  ],
  [
    'ps ax --forest -o pid,args',
    0,
    '    PID COMMAND\n      1 /init\n     10  \\_ -bash\n     40      \\_ qemu-system-x86_64 -M q35\n     41          \\_ [worker] <defunct>\n',
    '',
  ],
  ['ps -e --sort=-pid -o pid=', 0, '     41\n     40\n     10\n      1\n', ''],
  ['pgrep -f q35; pgrep -x bas', 1, '40\n', ''],
  ['pstree -p', 0, 'init(1)---bash(10)---qemu-system-x86(40)---worker(41)\n', ''],
  [
    'free',
    0,
    `${' '.repeat(8)}       total        used        free      shared  buff/cache   available\nMem:        24684084     1014888    22983064           0           0    23669196\nSwap:              0           0           0\n`,
    '',
  ],
];

test.each(CASES)('%s', async (script, status, stdout, stderr) => {
  const k = kernelWithPrograms();
  for (const [pid, comm, rest, argv] of STATS) {
    k.mkdir(`/proc/${pid}`);
    k.file(`/proc/${pid}/stat`, `${pid} (${comm}) ${rest}\n`);
    k.file(`/proc/${pid}/cmdline`, argv === '' ? '' : `${argv.replaceAll(' ', '\0')}\0`);
  }
  k.mkdir('/proc/sys/kernel');
  k.file('/proc/sys/kernel/pid_max', '4194304\n');
  k.file('/proc/meminfo', 'MemTotal:       24684084 kB\nMemFree:        22983064 kB\nMemAvailable:   23669196 kB\n');
  k.now = 102e9;
  expect(await runBash(k, '-c', script)).toEqual({ status, stdout, stderr });
});
