import { expect, test } from 'vitest';
import { text, utf8 } from '../../../base/bytes.ts';
import { fakeLinux } from '../../testing/fake-machine.ts';
import { TCGETS, TCSETS, TIOCGWINSZ, TIOCLABCMD } from '../../uapi/constants.ts';
import type { Program, Sys } from '../../uapi/sys.ts';

async function line(sys: Sys): Promise<string> {
  const buffer = new Uint8Array(100);
  const n = await sys.read(0, buffer);
  return n < 0 ? `error ${n}` : text(buffer.subarray(0, n));
}

test('canonical input is edited by line; raw input comes byte by byte without echo', async () => {
  const got: string[] = [];
  const bash: Program = async (sys) => {
    got.push(await line(sys), await line(sys), await line(sys));
    const termios = new Uint8Array(36);
    await sys.ioctl(0, TCGETS, termios);
    new DataView(termios.buffer).setUint32(12, 0, true);
    await sys.ioctl(0, TCSETS, termios);
    await sys.write(1, utf8('raw'));
    got.push(await line(sys), await line(sys));
    return 0;
  };
  const fake = fakeLinux({ programs: { bash } });
  fake.linux.start();
  await fake.settle();
  fake.type('one two\x17three\rignored\x15second\r');
  await fake.settle();
  fake.type('eof\x04');
  await fake.settle();
  fake.bus.sent.length = 0;
  fake.type('q');
  await fake.settle();
  fake.type('\x03\r');
  await fake.settle();
  expect(got).toEqual(['one three\n', 'second\n', 'eof', 'q', '\x03\n']);
  expect(fake.bus.output).toBe('');
});

test('a pseudo terminal has its own login, window size, hangup and command marks', async () => {
  const log: unknown[] = [];
  const bash: Program = async (sys) => {
    const fd = sys.open('/dev/tty', 2);
    const size = new Uint8Array(8);
    await sys.ioctl(0, TIOCGWINSZ, size);
    log.push(fd, [...size.subarray(0, 4)]);
    await sys.ioctl(0, TIOCLABCMD, utf8('{"type":"prompt","status":0,"prompt":"# "}'));
    await sys.write(2, utf8('to stderr\n'));
    log.push(await line(sys));
    return sys.nanosleep(1e15);
  };
  const fake = fakeLinux({ programs: { bash }, cmdline: 'console=ttyS0' });
  fake.linux.start();
  await fake.settle();
  log.length = 0;
  const terminal = fake.linux.openTerminal('another');
  const seen: (readonly [string, number])[] = [];
  terminal.onOutput((bytes, channel) => seen.push([text(bytes), channel]));
  terminal.resize(50, 132);
  await fake.settle();
  terminal.input(utf8('hi\r'));
  await fake.settle();
  expect(terminal.name).toBe('pts/0');
  expect(log).toEqual([3, [50, 0, 132, 0], 'hi\n']);
  expect(seen).toContainEqual(['to stderr\r\n', 1]);
  expect(fake.commands).toContainEqual({ type: 'prompt', machine: 'l1', tty: 'pts/0', status: 0, prompt: '# ' });
});
