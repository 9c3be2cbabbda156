import { expect, test } from 'vitest';
import { text, utf8 } from '../../base/bytes.ts';
import { runShell } from '../testing/fake-machine.ts';
import { O_CREAT, O_RDONLY, O_RDWR, O_WRONLY } from '../uapi/constants.ts';
import type { Sys } from '../uapi/sys.ts';

async function cat(sys: Sys, path: string): Promise<string> {
  const fd = sys.open(path, O_RDONLY);
  const buffer = new Uint8Array(8192);
  const n = fd < 0 ? fd : await sys.read(fd, buffer);
  sys.close(fd);
  return n < 0 ? String(n) : text(buffer.subarray(0, n));
}

test('descriptors in /proc lead to what is open: files by name, pipes and anonymous inodes by what they are', async () => {
  const { result } = await runShell(async (sys) => {
    const ends = sys.pipe();
    if (typeof ends === 'number') return ends;
    const file = sys.open('/tmp/f', O_RDWR | O_CREAT);
    await sys.write(file, utf8('kept'));
    const named = sys.readlink(`/proc/self/fd/${file}`);
    sys.unlink('/tmp/f');
    const gone = sys.readlink(`/proc/self/fd/${file}`);
    const content = await cat(sys, `/proc/self/fd/${file}`);
    const info = await cat(sys, `/proc/self/fdinfo/${file}`);
    // A writer opened through the link is one more writer: the pipe ends when both are gone.
    const second = sys.open(`/proc/self/fd/${ends[1]}`, O_WRONLY);
    sys.close(ends[1]);
    await sys.write(second, utf8('x'));
    sys.close(second);
    const buffer = new Uint8Array(4);
    const reads = [await sys.read(ends[0], buffer), await sys.read(ends[0], buffer)];
    const pipe = sys.readlink(`/proc/self/fd/${ends[0]}`);
    const stat = sys.stat(`/proc/self/fd/${ends[0]}`);
    return { named, gone, content, info, reads, pipe, ino: typeof stat === 'number' ? stat : stat.ino };
  });
  expect(result).toMatchObject({ named: '/tmp/f', gone: '/tmp/f (deleted)', content: 'kept', reads: [1, 0] });
  if (typeof result === 'number') throw new Error(String(result));
  expect(result.info).toMatch(/^pos:\t4\nflags:\t02\nmnt_id:\t1\nino:\t\d+\n$/);
  expect(result.pipe).toBe(`pipe:[${result.ino}]`);
});

test('status, stat, maps and mountinfo tell a process as proc(5) says', async () => {
  const { result } = await runShell(async (sys) => {
    const at = sys.mmap(0, 8192, 3, 0x22, -1, 0);
    sys.prctlSetVmaName(at, 'heap');
    sys.onSignal(10, () => {});
    sys.thread(async () => {
      await sys.nanosleep(1e15);
    });
    const files = ['status', 'stat', 'maps', 'mountinfo'].map((name) => cat(sys, `/proc/self/${name}`));
    sys.chdir('/tmp');
    const links = ['exe', 'cwd', 'root'].map((name) => sys.readlink(`/proc/self/${name}`));
    return {
      at,
      links,
      pid: sys.pid,
      texts: await Promise.all(files),
      tasks: sys.stat(`/proc/self/task/${sys.pid + 1}`),
    };
  });
  const [status = '', stat = '', maps = '', mountinfo = ''] = result.texts;
  expect(status).toContain(`Pid:\t${result.pid}\n`);
  expect(status).toContain('VmSize:\t       8 kB\n');
  expect(status).toContain('Threads:\t2\n');
  expect(status).toContain('SigCgt:\t0000000000000200\n');
  expect(stat.trim().split(' ')).toHaveLength(52);
  expect(stat.split(' ')[22]).toBe('8192');
  const start = result.at.toString(16);
  expect(maps).toBe(`${`${start}-${(result.at + 8192).toString(16)} rw-p 00000000 00:00 0 `.padEnd(73)}[anon:heap]\n`);
  expect(mountinfo).toMatch(/^1 1 0:1 \/ \/ rw,relatime - rootfs rootfs rw\n2 1 0:2 \/ \/dev /);
  expect(result.links).toEqual(['/bin/bash', '/tmp', '/']);
  expect(result.tasks).toMatchObject({ size: 0 });
});

test('statfs counts the pages of a tmpfs and gives none for a file system without storage', async () => {
  const { result } = await runShell(async (sys) => {
    sys.mkdir('/m');
    sys.mount('none', '/m', 'tmpfs');
    const before = sys.statfs('/m');
    const fd = sys.open('/m/f', O_WRONLY | O_CREAT);
    await sys.write(fd, new Uint8Array(4097));
    return { before, after: sys.statfs('/m/f'), proc: sys.statfs('/proc') };
  });
  const { before, after, proc } = result;
  if (typeof before === 'number' || typeof after === 'number') throw new Error('statfs failed');
  expect(before.bfree).toBe(before.blocks);
  expect(after.bfree).toBe(before.blocks - 2);
  expect(after.ffree).toBe(before.files - 2);
  expect(proc).toMatchObject({ type: 0x9fa0, blocks: 0 });
});
