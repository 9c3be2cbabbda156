import type { GoldenSnapshot } from './capture.ts';
import { contents, type Guest } from './guest.ts';
import { walk } from './orc.ts';
import { blockDump, decoderTables } from './registers.ts';

/**
 * What the lab says where a snapshot of a capture has a file: the same tool run in the guest, or the same file read. Null for
 * files nobody claims to model.
 */
export interface Shown {
  readonly tool: string;
  readonly text: string;
}

const LSPCI: Readonly<Record<string, string>> = {
  'lspci-vvv.txt': 'lspci -vvv',
  'lspci-nn.txt': 'lspci -nn',
  'lspci-tv.txt': 'lspci -tv',
  'lspci-vvv-nn-xxxx.txt': 'lspci -vvv -nn -xxxx',
  'lspci-xxxx.dump': 'lspci -xxxx',
};

/** The captured walks by root, with how deep each went: the roots follow one another, each under a line of its own. */
function sections(captured: string): readonly { readonly root: string; readonly depth: number }[] {
  return captured
    .split(/^#### /m)
    .slice(1)
    .map((section) => {
      const [root = '', ...lines] = section.split('\n');
      const depth = (line: string) => (/^(\/\S+?)(?: ->| \[)/.exec(line)?.[1] ?? '').split('/').length;
      return { root, depth: Math.max(1, ...lines.map((line) => depth(line) - root.split('/').length)) };
    });
}

export async function fileOf(guest: Guest, snapshot: GoldenSnapshot, path: string): Promise<Shown | null> {
  const captured = snapshot.files[path] ?? '';
  const { bus } = guest;
  if (path === 'iomem.txt') return { tool: 'iomem', text: await guest.ask((sys) => contents(sys, '/proc/iomem')) };
  if (path === 'lsmod.txt') return { tool: 'lsmod', text: (await guest.run('lsmod')).stdout };
  if (path === 'debugfs-cxl.txt') return { tool: 'debugfs', text: await debugfs(guest, captured) };
  if (/^sysfs-.*\.txt$/.test(path)) {
    const walks = sections(captured);
    const text = await guest.ask((sys) => walks.map(({ root, depth }) => walk(sys, depth, [root]).stdout).join(''));
    return { tool: 'sysfs', text };
  }
  if (/^regs\/.*\.(component|memdev)\.txt$/.test(path)) return { tool: 'regs', text: blockDump(bus, captured) };
  if (path === 'regs/hdm-decoders.txt') return { tool: 'regs', text: decoderTables(bus, captured) };
  const lspci = /^lspci\/(.*)$/.exec(path)?.[1];
  if (lspci !== undefined) {
    const one = /^([0-9a-f:.]+)\.vvv-xxxx\.txt$/.exec(lspci)?.[1];
    const command = one === undefined ? LSPCI[lspci] : `lspci -s ${one} -vvv -xxxx`;
    return command === undefined ? null : { tool: 'lspci', text: (await guest.run(command)).stdout };
  }
  const monitor = /^monitor\/info-(.*)\.txt$/.exec(path)?.[1];
  if (monitor !== undefined) {
    const line = monitor.replace('mtree-f', 'mtree -f');
    const text = await guest.monitor(`info ${line}`);
    return text === null ? null : { tool: `info ${line.split(' ')[0]}`, text };
  }
  return null;
}

/** Each file the captured listing names, in its order, with what reading it gives. */
async function debugfs(guest: Guest, captured: string): Promise<string> {
  const paths = [...captured.matchAll(/^(\/sys\/kernel\/debug\/\S+): /gm)].map(([, path]) => path ?? '');
  const out: string[] = [];
  for (const path of paths) {
    const { stdout, stderr } = await guest.run(`cat ${path}`);
    const said = stderr.replace(/^cat: \S+: /, 'cat: read error: ');
    out.push(`${path}: ${stdout}${said}`);
  }
  return out.join('');
}
