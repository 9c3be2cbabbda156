/**
 * numactl 2.0.16, which says that there is no NUMA as the real one does where get_mempolicy(2) is missing. Its output for machines
 * that have it is left out.
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
