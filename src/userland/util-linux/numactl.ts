/**
 * numactl 2.0.16: nodes out of /sys/devices/system/node. Without that directory it says what the real one says where get_mempolicy(2) is
 * missing. Left out: policies, which the kernels do not have, so that commands are not run under one.
 */
import { listDir } from '../coreutils/paths.ts';
import { readFileText } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';

const NODES = '/sys/devices/system/node';

async function text(t: Tool, path: string): Promise<string> {
  const found = await readFileText(t.sys, path);
  return typeof found === 'string' ? found.trim() : '';
}

/** `0-3,7` as numbers. */
function numbers(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [from, to = from] = part.split('-').map(Number);
    return part === '' || from === undefined || to === undefined
      ? []
      : Array.from({ length: to - from + 1 }, (_, n) => from + n);
  });
}

async function hardware(t: Tool, nodes: readonly number[]): Promise<void> {
  t.out.line(`available: ${nodes.length} nodes (${await text(t, `${NODES}/online`)})`);
  for (const node of nodes) {
    const cpus = numbers(await text(t, `${NODES}/node${node}/cpulist`));
    t.out.line(`node ${node} cpus:${cpus.map((cpu) => ` ${cpu}`).join('')}`);
    const meminfo = await text(t, `${NODES}/node${node}/meminfo`);
    const size = (name: string): number =>
      Math.floor(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(meminfo)?.[1] ?? 0) / 1024);
    t.out.line(`node ${node} size: ${size('MemTotal')} MB`);
    t.out.line(`node ${node} free: ${size('MemFree')} MB`);
  }
  t.out.line('node distances:');
  t.out.line(`node ${nodes.map((node) => String(node).padStart(3)).join(' ')} `);
  for (const node of nodes) {
    const row = (await text(t, `${NODES}/node${node}/distance`)).split(/\s+/);
    t.out.line(`${String(node).padStart(3)}: ${row.map((value) => value.padStart(3)).join(' ')} `);
  }
}

export const numactl = defineTool(
  {
    name: 'numactl',
    usage: '[--hardware | -H] [--show | -s] [policy command ...]',
    about: 'Shows NUMA nodes.',
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
    const dir = listDir(t.sys, NODES);
    const nodes =
      typeof dir === 'number' ? [] : dir.flatMap((name) => (/^node\d+$/.test(name) ? [Number(name.slice(4))] : []));
    nodes.sort((a, b) => a - b);
    if (t.has('H') && nodes.length > 0) {
      await hardware(t, nodes);
      return 0;
    }
    if (t.has('H')) t.out.line('No NUMA available on this system');
    else if (t.has('s')) {
      const cpuinfo = await text(t, '/proc/cpuinfo');
      const cpus = [...cpuinfo.matchAll(/^processor\s*: (\d+)/gm)].map((m) => m[1]);
      t.out.line(`physcpubind: ${cpus.join(' ')} `);
      t.out.line('No NUMA support available on this system.');
    } else if (t.options.size > 0) await t.fail('This system does not support NUMA policy');
    else await t.fail("no operation given\nTry 'numactl --help' for more information.");
    return 1;
  },
);
