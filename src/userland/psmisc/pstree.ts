/** pstree of psmisc 23.6: the processes as a tree, equal branches once. Left out: users, namespaces, highlighting. */
import { defineTool } from '../misc/tool.ts';
import { commandLine, type ProcEntry, procEntries, threadEntries } from '../procps/processes.ts';

interface Node {
  readonly label: string;
  readonly children: Node[];
}

const ASCII = { single: '---', first: '-+-', between: '|-', last: '`-', bar: '| ' };
const UTF8 = { single: '───', first: '─┬─', between: '├─', last: '└─', bar: '│ ' };

/** Branches that look the same become one, with their number before it. */
function compact(nodes: readonly Node[]): readonly (readonly [node: Node, count: number])[] {
  const groups = new Map<string, [Node, number]>();
  for (const node of nodes) {
    const key = JSON.stringify(node);
    const known = groups.get(key);
    if (known) known[1]++;
    else groups.set(key, [node, 1]);
  }
  return [...groups.values()];
}

export const pstree = defineTool(
  {
    name: 'pstree',
    usage: '[OPTION]... [PID]',
    about: 'Shows processes as a tree.',
    options: [
      ['-a, --arguments', 'command lines'],
      ['-A, --ascii', 'plain lines'],
      ['-c, --compact-not', 'equal branches one by one'],
      ['-n, --numeric-sort', 'by number'],
      ['-p, --show-pids', 'numbers'],
      ['-T, --hide-threads', 'no threads'],
      ['-U, --unicode', 'drawn lines'],
    ],
  },
  async (t) => {
    const all = await procEntries(t.sys);
    const root = Number(t.args[0] ?? 1);
    const top = all.find((entry) => entry.pid === root);
    if (!top) {
      if (t.args[0] !== undefined && !/^\d+$/.test(t.args[0])) await t.fail(`No such user name: ${t.args[0]}`);
      return 1;
    }
    const label = (entry: ProcEntry): string =>
      `${t.has('a') ? commandLine(entry) : entry.comm}${t.has('p') ? `(${entry.lwp})` : ''}`;
    const build = async (entry: ProcEntry): Promise<Node> => {
      const below = all.filter((one) => one.ppid === entry.pid && one.pid !== entry.pid);
      const order = (a: ProcEntry, b: ProcEntry): number =>
        (t.has('n') || t.has('p') ? 0 : a.comm < b.comm ? -1 : a.comm > b.comm ? 1 : 0) || a.pid - b.pid;
      const children: Node[] = [];
      for (const child of below.sort(order)) children.push(await build(child));
      if (!t.has('T') && entry.threads > 1)
        for (const thread of await threadEntries(t.sys, entry))
          if (thread.lwp !== entry.pid)
            children.push({ label: `{${thread.comm}}${t.has('p') ? `(${thread.lwp})` : ''}`, children: [] });
      return { label: label(entry), children };
    };
    const marks = t.has('U') ? UTF8 : ASCII;
    const draw = ({ label: text, children }: Node, count: number, lead: string): void => {
      const shown = count > 1 ? `${count}*[${text}` : text;
      const groups: readonly (readonly [Node, number])[] =
        t.has('c') || t.has('p') || t.has('a') ? children.map((node) => [node, 1] as const) : compact(children);
      t.out.put(shown);
      if (groups.length === 0) {
        t.out.put(`${count > 1 ? ']' : ''}\n`);
        return;
      }
      const indent = t.has('a') ? '  ' : ' '.repeat(shown.length + 1);
      for (const [n, [node, number]] of groups.entries()) {
        const last = n === groups.length - 1;
        if (t.has('a')) t.out.put(`${n === 0 ? '\n' : ''}${lead}${indent}${last ? marks.last : marks.between}`);
        else if (n === 0) t.out.put(last ? marks.single : marks.first);
        else t.out.put(`${lead}${indent}${last ? marks.last : marks.between}`);
        draw(node, number, lead + indent + (last ? '  ' : marks.bar));
      }
    };
    draw(await build(top), 1, '');
    return 0;
  },
);
