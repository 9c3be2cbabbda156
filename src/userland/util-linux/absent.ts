/**
 * Tools about things these machines do not have, which say so as the real ones do after looking: lsmem (util-linux 2.38; no memory blocks
 * in sysfs), numactl 2.0.16 (no NUMA nodes, so get_mempolicy(2) is missing). Their output for machines that have them is left out.
 */
import { E } from '../../base/errno.ts';
import { O_DIRECTORY } from '../../linux/uapi/constants.ts';
import { readFileText } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';

/** Tries to open a directory as the tool does; the errno, made up as ENOSYS for what this build of the tool does not read. */
function lookedFor(t: Tool, path: string): number {
  const fd = t.sys.open(path, O_DIRECTORY);
  if (fd < 0) return fd;
  t.sys.close(fd);
  return -E.ENOSYS;
}

export const lsmem = defineTool(
  {
    name: 'lsmem',
    usage: '[options]',
    about: 'Shows the ranges of memory.',
    options: [
      ['-a, --all', 'each block'],
      ['-b, --bytes', 'bytes'],
      ['-J, --json', 'as JSON'],
      ['-n, --noheadings', 'no heading'],
      ['-o, --output LIST', 'columns'],
      ['-P, --pairs', 'key="value"'],
      ['-r, --raw', 'raw'],
      ['-S, --split LIST', 'split by columns'],
      ['-s, --sysroot DIR', 'another root'],
      ['-V, --version', 'version'],
    ],
  },
  async (t) => {
    if (t.has('V')) {
      t.out.line('lsmem from util-linux 2.38.1');
      return 0;
    }
    if (t.args.length > 0) await t.fail("bad usage\nTry 'lsmem --help' for more information.");
    else await t.failErrno('cannot open /sys/devices/system/memory', lookedFor(t, '/sys/devices/system/memory'));
    return 1;
  },
);

export const numactl = defineTool(
  {
    name: 'numactl',
    usage: '[--hardware | -H] [--show | -s] [policy command ...]',
    about: 'Shows NUMA nodes or sets a memory policy for a command.',
    posix: true,
    options: [
      ['-H, --hardware', 'nodes'],
      ['-s, --show', 'policy of this process'],
      ['-N, --cpunodebind=NODES', 'run there'],
      ['-m, --membind=NODES', 'memory from there'],
      ['-i, --interleave=NODES', 'spread'],
      ['-p, --preferred=NODE', 'rather there'],
      ['-C, --physcpubind=CPUS', 'run there'],
      ['-l, --localalloc', 'memory from near'],
    ],
  },
  async (t) => {
    lookedFor(t, '/sys/devices/system/node');
    if (t.has('H')) t.out.line('No NUMA available on this system');
    else if (t.has('s')) {
      const text = await readFileText(t.sys, '/proc/cpuinfo');
      const cpus = typeof text === 'string' ? [...text.matchAll(/^processor\s*: (\d+)/gm)].map((m) => m[1]) : [];
      t.out.line(`physcpubind: ${cpus.join(' ')} `);
      t.out.line('No NUMA support available on this system.');
    } else if (t.options.size > 0) await t.fail('This system does not support NUMA policy');
    else {
      await t.fail("no operation given\nTry 'numactl --help' for more information.");
    }
    return 1;
  },
);
