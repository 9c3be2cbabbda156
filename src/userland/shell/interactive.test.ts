import { expect, test } from 'vitest';
import { E } from '../../base/errno.ts';
import { TCGETS, TCSETS, TIOCGWINSZ, TIOCLABCMD, TIOCLABTAG, TIOCSPGRP } from '../../linux/uapi/constants.ts';
import { PROGRAMS } from '../programs.ts';
import { kernelWithPrograms } from '../testing/scripts.ts';

/** Types at an interactive bash; each step waits for a prompt. `^C` alone is sent while the command runs. */
async function session(
  lines: readonly string[],
): Promise<{ screen: string; events: { type: string; status?: number; line?: string }[] }> {
  const kernel = kernelWithPrograms();
  kernel.attribute(
    '/sys/commit',
    () => '0\n',
    () => -E.EBUSY,
  );
  kernel.file('/root/some-file', 'x');
  const events: { type: string; status?: number; line?: string }[] = [];
  let screen = '';
  const input: number[] = [];
  let shell = 0;
  let fg = 0;
  let next = 0;
  const send = (): void => {
    const line = lines[next++];
    input.push(...new TextEncoder().encode(line === undefined ? '\x04' : `${line}\r`));
    kernel.wake();
  };
  const tty = kernel.device('/dev/tty', {
    async read(into) {
      while (input.length === 0) await new Promise<void>((resolve) => setImmediate(resolve));
      into[0] = input.shift() ?? 0;
      return 1;
    },
    write: (b) => {
      screen += new TextDecoder().decode(b);
      return b.length;
    },
    ready: () => input.length > 0,
    ioctl(request, arg) {
      if (request === TIOCLABCMD && arg instanceof Uint8Array) {
        const event = JSON.parse(new TextDecoder().decode(arg)) as { type: string; line?: string };
        events.push(event);
        if (event.type === 'prompt') send();
        if (event.line?.includes('#INT')) setTimeout(() => kernel.signal(-(fg || shell), 2), 20);
        return 0;
      }
      if (request === TIOCSPGRP && arg instanceof Uint8Array) fg = new DataView(arg.buffer).getInt32(0, true);
      if (request === TIOCGWINSZ && arg instanceof Uint8Array) arg.set([24, 0, 80, 0]);
      return [TCGETS, TCSETS, TIOCGWINSZ, TIOCLABTAG, TIOCSPGRP].includes(request) ? 0 : -E.ENOTTY;
    },
  });
  const fds = new Map([0, 1, 2].map((n) => [n, { file: kernel.openFile(tty), cloexec: false }]));
  const program = PROGRAMS.get('bash');
  if (!program) throw new Error('no bash');
  const proc = kernel.start(program, ['-bash'], { PATH: '/bin', HOME: '/root', PS1: 'P> ' }, fds);
  shell = proc.pid;
  while (!proc.status) await new Promise<void>((resolve) => setImmediate(resolve));
  return { screen, events };
}

const statuses = (events: readonly { type: string; status?: number }[]) =>
  events.filter((e) => e.type === 'prompt').map((e) => e.status);

test('an interactive session keeps state from line to line and says errno texts', async () => {
  const { screen, events } = await session([
    'x=5',
    'echo $((x+1))',
    'echo 1 > /sys/commit',
    'cd /nowhere',
    'for i in a b; do',
    'echo $i',
    'done',
  ]);
  expect(screen).toContain('6\n');
  expect(screen).toContain('bash: echo: write error: Device or resource busy\n');
  expect(screen).toContain('bash: cd: /nowhere: No such file or directory\n');
  expect(screen).toContain('a\nb\n');
  expect(statuses(events)).toEqual([0, 0, 0, 1, 1, 1, 1, 0]);
  expect(events.filter((e) => e.type === 'start').map((e) => e.line)).toContain('for i in a b; do\necho $i\ndone');
});

test('Ctrl-C stops an endless loop of builtins, a sleeping child and an endless pipeline', async () => {
  const { events } = await session([
    'while true; do :; done #INT',
    'tail -f /dev/null #INT',
    'yes | cat >/dev/null #INT',
    'true',
  ]);
  expect(statuses(events)).toEqual([0, 130, 130, 130, 0]);
});

test('Tab completes commands and paths', async () => {
  const { screen } = await session(['echo /root/so\t', 'unam\t-s']);
  expect(screen).toContain('/root/some-file\n');
  expect(screen).toContain('Linux\n');
});
