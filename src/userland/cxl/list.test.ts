import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Dirent, Sys } from '../../linux/uapi/sys.ts';
import { cxl } from './cxl.ts';

const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');

/** Order of sysfs directories: kernfs name hash (see the origin notes of the golden set). */
function kernfsHash(name: string): number {
  let hash = 0n;
  for (const byte of new TextEncoder().encode(name)) {
    const c = BigInt(byte);
    hash = BigInt.asUintN(64, (hash + (c << 4n) + (c >> 4n)) * 11n);
  }
  return Number((BigInt.asUintN(64, hash * 0x61c8864680b583ebn) >> 32n) & 0x7fffffffn);
}

/** A read-only process over a captured sysfs walk. */
function captured(walk: string): { sys: Sys; out: () => string } {
  const files = new Map<string, string>();
  const links = new Map<string, string>();
  const dirs = new Map<string, Set<string>>();
  const addName = (path: string) => {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const dir = path.slice(0, at);
      const names = dirs.get(dir) ?? new Set();
      dirs.set(dir, names);
      names.add(path.slice(at + 1).split('/')[0] as string);
    }
  };
  for (const line of walk.split('\n')) {
    const link = /^(\S+) -> (\S+)$/.exec(line);
    const file = /^(.+?) \[(\d+)\]: ?(.*)$/.exec(line);
    if (link) links.set(link[1] as string, link[2] as string);
    else if (file) files.set(file[1] as string, file[3] as string);
    addName((link ?? file)?.[1] ?? '/');
  }
  // The walks do not contain the host bridge's own directory; every live system has this link in it.
  links.set('/sys/devices/pci0000:0c/firmware_node', '../LNXSYSTM:00/LNXSYBUS:00/ACPI0016:00');
  let output = '';
  const open: string[] = [];
  const partial: Partial<Sys> = {
    open: (path) => (files.has(path) || dirs.has(path) ? open.push(path) + 9 : -2),
    close: () => 0,
    readlink: (path) => links.get(path) ?? -2,
    pread: (fd, into) => {
      const value = files.get(open[fd - 10] as string);
      if (value === undefined) return -21;
      const bytes = new TextEncoder().encode(`${value.replace(/\\n/g, '\n')}\n`);
      into.set(bytes.subarray(0, into.length));
      return Math.min(bytes.length, into.length);
    },
    getdents: (fd): readonly Dirent[] => {
      const dir = open[fd - 10] as string;
      return [...(dirs.get(dir) ?? [])]
        .sort((a, b) => kernfsHash(a) - kernfsHash(b))
        .map((name) => ({
          name,
          ino: 1,
          type: links.has(`${dir}/${name}`) ? 0o120000 : dirs.has(`${dir}/${name}`) ? 0o040000 : 0o100000,
        }));
    },
    write: (fd, from) => {
      if (fd === 1) output += new TextDecoder().decode(from);
      return from.length;
    },
  };
  return { sys: partial as Sys, out: () => output };
}

const cases = fixture('expected.txt')
  .split('=== ')
  .slice(1)
  .map((block) => {
    const [head, ...body] = block.split('\n');
    const [topology, ...command] = (head as string).split(' ');
    return { topology: topology as string, command: command.join(' '), expected: body.join('\n') };
  });

for (const { topology, command, expected } of cases)
  test(`${command} on topology ${topology.toUpperCase()}`, async () => {
    const { sys, out } = captured(fixture(`${topology}-sysfs.txt`));
    await cxl(sys, command.split(' '), {});
    expect(out()).toBe(expected);
  });
