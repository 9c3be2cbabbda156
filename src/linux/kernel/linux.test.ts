import { expect, test } from 'vitest';
import { text, utf8 } from '../../base/bytes.ts';
import { E } from '../../base/errno.ts';
import type { ModuleDef } from '../include/module.ts';
import { depmod } from '../module-tree.ts';
import { BUILD, fakeLinux, runShell } from '../testing/fake-machine.ts';
import { O_CREAT, O_RDONLY, O_RDWR, O_WRONLY, SIGINT, SIGPIPE } from '../uapi/constants.ts';
import type { Program, Sys } from '../uapi/sys.ts';

function cat(sys: Sys, path: string): string | number {
  const fd = sys.open(path, O_RDONLY);
  if (fd < 0) return fd;
  let out = '';
  const buffer = new Uint8Array(4096);
  for (;;) {
    const n = sys.read(fd, buffer);
    if (typeof n !== 'number' || n < 0) return typeof n === 'number' ? n : -1;
    if (n === 0) break;
    out += text(buffer.subarray(0, n));
  }
  sys.close(fd);
  return out;
}
function put(sys: Sys, path: string, value: string): number {
  const fd = sys.open(path, O_WRONLY);
  if (fd < 0) return fd;
  const ret = sys.write(fd, utf8(value));
  sys.close(fd);
  return typeof ret === 'number' ? ret : -1;
}

test('boots to a shell on the serial console with the log printed there', async () => {
  const bash: Program = async (sys) => {
    await sys.write(1, utf8('hello\n'));
    await sys.write(2, utf8('oops\n'));
    const buffer = new Uint8Array(100);
    const n = await sys.read(0, buffer);
    await sys.write(1, buffer.subarray(0, n));
    return 0;
  };
  const fake = fakeLinux({ programs: { bash } });
  fake.linux.start();
  await fake.settle();
  expect(fake.bus.output).toContain('[    0.000000] Linux version 6.11.0-test');
  expect(fake.bus.output).toMatch(/Run \/init as init process\r\nhello\r\noops\r\n$/);
  expect(fake.taps.filter(([, channel]) => channel === 1)).toEqual([['oops\r\n', 1]]);
  fake.type('abx\x7f\r');
  await fake.settle(1);
  expect(fake.bus.output).toMatch(/oops\r\nabx\x08 \x08\r\nab\r\nhello\r\n/);
  expect(fake.log.object('machine/l1')).toMatchObject({ state: 'running', release: '6.11.0-test' });
});

test('without a working init the kernel panics', async () => {
  const fake = fakeLinux({ entries: [] });
  fake.linux.start();
  await fake.settle();
  expect(fake.bus.output).toContain('Kernel panic - not syncing: No working init found.');
  expect(fake.log.object('machine/l1')).toMatchObject({ state: 'crashed' });
});

test('Ctrl-C ends the foreground process and the shell goes on', async () => {
  const sleeper: Program = async (sys) => {
    for (;;) await sys.nanosleep(1e15);
  };
  const out: unknown[] = [];
  const bash: Program = async (sys) => {
    sys.onSignal(SIGINT, () => out.push('shell'));
    sys.onSignal(22, 'ignore');
    const pid = sys.spawn('/bin/sleeper', ['sleeper'], { pgid: 0 });
    const group = new Uint8Array(4);
    new DataView(group.buffer).setInt32(0, pid, true);
    out.push(await sys.ioctl(0, 0x5410, group));
    out.push(await sys.waitpid(pid));
    await sys.nanosleep(1e15);
    return 0;
  };
  const fake = fakeLinux({ programs: { bash, sleeper } });
  fake.linux.start();
  await fake.settle();
  fake.type('\x03');
  await fake.settle();
  expect(out).toEqual([0, { pid: 3, status: 130, signal: 2 }]);
  expect(fake.bus.output.endsWith('^C')).toBe(true);
});

test('a pipe holds its writer back and breaks with SIGPIPE', async () => {
  const { result } = await runShell(async (sys) => {
    const ends = sys.pipe();
    if (typeof ends === 'number') return ends;
    const [read, write] = ends;
    let written = -1;
    const child = sys.fork(async (kid) => {
      kid.close(read);
      written = await kid.write(write, new Uint8Array(100_000));
      return 0;
    });
    sys.close(write);
    let total = 0;
    const buffer = new Uint8Array(30_000);
    for (;;) {
      const n = await sys.read(read, buffer);
      if (n <= 0) break;
      total += n;
    }
    const first = await sys.waitpid(child);
    const again = sys.pipe();
    if (typeof again === 'number') return again;
    const killed = sys.fork(async (kid) => {
      kid.close(again[0]);
      await kid.write(again[1], utf8('x'));
      return 0;
    });
    sys.close(again[0]);
    return [total, written, first, await sys.waitpid(killed)];
  });
  expect(result).toEqual([
    100_000,
    100_000,
    expect.objectContaining({ status: 0 }),
    expect.objectContaining({ signal: SIGPIPE, status: 141 }),
  ]);
});

test('names: links, loops, directories and the errors of the real calls', async () => {
  const { result } = await runShell(async (sys) => {
    sys.mkdir('/a');
    sys.symlink('b', '/a/c');
    sys.symlink('c', '/a/b');
    sys.symlink('/tmp', '/a/tmp');
    const fd = sys.open('/a/tmp/file', O_CREAT | O_RDWR, 0o644);
    sys.write(fd, utf8('text'));
    sys.chdir('/a/tmp');
    return [
      sys.open('/a/b', O_RDONLY),
      sys.getcwd(),
      cat(sys, 'file'),
      sys.open('/nowhere/x', O_CREAT | O_WRONLY),
      sys.rmdir('/a'),
      sys.unlink('/a'),
      sys.open('/a', O_WRONLY),
      sys.open('file/x', O_RDONLY),
      sys.rename('/a', '/a/tmp2'),
      sys.readlink('/a/tmp'),
    ];
  });
  expect(result).toEqual([
    -E.ELOOP,
    '/tmp',
    'text',
    -E.ENOENT,
    -E.ENOTEMPTY,
    -E.EISDIR,
    -E.EISDIR,
    -E.ENOTDIR,
    -E.EINVAL,
    '/tmp',
  ]);
});

test('/proc/iomem nests what was reserved when', async () => {
  const { result } = await runShell(async (sys) => cat(sys, '/proc/iomem'));
  expect(result).toBe(
    [
      '00000000-00000fff : Reserved',
      '00001000-0009fbff : System RAM',
      '0009fc00-0009ffff : Reserved',
      '000f0000-000fffff : Reserved',
      '  000f0000-000fffff : System ROM',
      '00100000-7fffffff : System RAM',
      'b0000000-bfffffff : Reserved',
      '',
    ].join('\n'),
  );
});

const modules: ModuleDef[] = [
  { name: 'base-lib', config: 'BASE', dir: 'lib', size: 8192, initcall: 6, init: () => 0, exit: () => {} },
  {
    name: 'leaf-drv',
    config: 'LEAF',
    dir: 'drivers/leaf',
    depends: ['base-lib'],
    alias: ['pci:v00008086d*'],
    params: { level: { type: 'int', description: 'How much', default: '1', mode: 0o644 } },
    size: 16384,
    initcall: 6,
    init: (_kernel, params) => (params.level === '7' ? -E.ENODEV : 0),
    exit: () => {},
  },
];

test('modules: dependencies, references, parameters and refusals', async () => {
  const tree = depmod(BUILD, modules);
  const base = '/lib/modules/6.11.0-test';
  const bash = { path: '/bin/bash', type: 'program', mode: 0o755, program: 'bash' } as const;
  const init = { path: '/init', type: 'program', mode: 0o755, program: 'init' } as const;
  const { fake, result } = await runShell(
    async (sys) => {
      const load = (path: string, params = ''): number => {
        const fd = sys.open(`${base}/kernel/${path}.ko`, O_RDONLY);
        const ret = sys.finitModule(fd, params);
        sys.close(fd);
        return ret;
      };
      return [
        load('drivers/leaf/leaf-drv'),
        load('lib/base-lib'),
        load('drivers/leaf/leaf-drv', 'level=x'),
        load('drivers/leaf/leaf-drv', 'level=7'),
        load('drivers/leaf/leaf-drv', 'level=3 nonsense=1'),
        load('lib/base-lib'),
        sys.deleteModule('base_lib', 0),
        cat(sys, '/sys/module/leaf_drv/parameters/level'),
        put(sys, '/sys/module/leaf_drv/parameters/level', '9'),
        cat(sys, '/sys/module/base_lib/refcnt'),
        (cat(sys, '/proc/modules') as string).replaceAll(/0xf\S+/g, 'A'),
        sys.deleteModule('leaf_drv', 0),
        sys.deleteModule('base_lib', 0),
        sys.deleteModule('base_lib', 0),
        cat(sys, `${base}/modules.dep`),
      ];
    },
    { modules, entries: [init, bash, ...tree] },
  );
  expect(result).toEqual([
    -E.ENOENT,
    0,
    -E.EINVAL,
    -E.ENODEV,
    0,
    -E.EEXIST,
    -E.EAGAIN,
    '3\n',
    1,
    '1\n',
    'leaf_drv 16384 0 - Live A\nbase_lib 8192 1 leaf_drv, Live A\n',
    0,
    0,
    -E.ENOENT,
    'kernel/lib/base-lib.ko:\nkernel/drivers/leaf/leaf-drv.ko: kernel/lib/base-lib.ko\n',
  ]);
  expect(fake.bus.output).toContain('leaf_drv: Unknown symbol');
  expect(fake.bus.output).toContain("leaf_drv: unknown parameter 'nonsense' ignored");
});

test('/dev/fd leads to the pipe a process reads from', async () => {
  const { result } = await runShell(async (sys) => {
    const ends = sys.pipe();
    if (typeof ends === 'number') return ends;
    await sys.write(ends[1], utf8('through'));
    sys.close(ends[1]);
    sys.dup2(ends[0], 9);
    sys.close(ends[0]);
    return cat(sys, '/dev/fd/9');
  });
  expect(result).toBe('through');
});
