/** cp, mv, ln. */
import { E } from '../../base/errno.ts';
import { O_CREAT, O_TRUNC, O_WRONLY } from '../../linux/uapi/constants.ts';
import type { Stat } from '../../linux/uapi/sys.ts';
import { join, openPath, readSome, strerror, writeAll } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';
import { baseName, isDir, isLink, listDir } from './paths.ts';

/** Copies the bytes of one file; 0 or a complaint. */
async function copyFile(t: Tool, from: string, to: string, stat: Stat): Promise<boolean> {
  const { sys } = t;
  const input = openPath(sys, from);
  if (input < 0) {
    await t.fail(`cannot open '${from}' for reading: ${strerror(input)}`);
    return false;
  }
  const output = sys.open(to, O_WRONLY | O_CREAT | O_TRUNC, stat.mode & 0o777);
  if (output < 0) {
    sys.close(input);
    await t.fail(`cannot create regular file '${to}': ${strerror(output)}`);
    return false;
  }
  let ok = true;
  for (;;) {
    const data = await readSome(sys, input);
    if (typeof data === 'number') {
      await t.fail(`error reading '${from}': ${strerror(data)}`);
      ok = false;
      break;
    }
    if (data.length === 0) break;
    const r = await writeAll(sys, output, data);
    if (r < 0) {
      await t.fail(`error writing '${to}': ${strerror(r)}`);
      ok = false;
      break;
    }
    await sys.tick();
  }
  sys.close(input);
  sys.close(output);
  return ok;
}

async function copyTree(t: Tool, from: string, to: string): Promise<void> {
  const { sys } = t;
  const keepLinks = t.has('a') || t.has('d') || t.has('P') || t.has('r') || t.has('R') || t.name === 'mv';
  const stat = keepLinks ? sys.lstat(from) : sys.stat(from);
  if (typeof stat === 'number') return t.fail(`cannot stat '${from}': ${strerror(stat)}`);
  if (isLink(stat)) {
    const target = sys.readlink(from);
    if (t.has('f') || t.name === 'mv') sys.unlink(to);
    const r = typeof target === 'string' ? sys.symlink(target, to) : target;
    if (r < 0) await t.fail(`cannot create symbolic link '${to}': ${strerror(r)}`);
    return;
  }
  if (isDir(stat)) {
    if (!t.has('r') && !t.has('R') && !t.has('a') && t.name === 'cp')
      return t.fail(`-r not specified; omitting directory '${from}'`);
    if (!isDir(sys.stat(to))) {
      const r = sys.mkdir(to, stat.mode & 0o777);
      if (r < 0) return t.fail(`cannot create directory '${to}': ${strerror(r)}`);
    }
    const names = listDir(sys, from);
    if (typeof names === 'number') return t.fail(`cannot access '${from}': ${strerror(names)}`);
    for (const n of names) await copyTree(t, join(from, n), join(to, n));
    return;
  }
  const there = sys.stat(to);
  if (t.has('n') && typeof there !== 'number') return;
  if (typeof there !== 'number' && there.ino === stat.ino && there.dev === stat.dev)
    return t.fail(`'${from}' and '${to}' are the same file`);
  if (await copyFile(t, from, to, stat)) {
    if (t.has('p') || t.has('a')) sys.utimes(to, stat.mtimeNs, stat.mtimeNs);
    if (t.has('v')) t.out.line(`'${from}' -> '${to}'`);
  }
}

/** The last operand as target, the others as sources; each with the path it goes to. */
async function pairs(t: Tool): Promise<[string, string][] | null> {
  const args = [...t.args];
  const given = t.get('t');
  if (args.length === 0) {
    await t.fail(`missing file operand\nTry '${t.name} --help' for more information.`);
    return null;
  }
  if (args.length === 1 && given === undefined) {
    await t.fail(`missing destination file operand after '${args[0]}'\nTry '${t.name} --help' for more information.`);
    return null;
  }
  const target = given ?? args.pop() ?? '';
  const into = !t.has('T') && isDir(t.sys.stat(target));
  if (args.length > 1 && !into) {
    await t.fail(`target '${target}' is not a directory`);
    return null;
  }
  return args.map((a) => [a, into ? join(target, baseName(a)) : target]);
}

export const cp = defineTool(
  {
    name: 'cp',
    usage: '[OPTION]... SOURCE... DEST',
    about: 'Copies files.',
    options: [
      ['-a, --archive', 'as -dpR'],
      ['-d', 'links as links'],
      ['-f, --force', 'replace what is in the way'],
      ['-i', 'nothing is asked here'],
      ['-n, --no-clobber', 'keep existing files'],
      ['-P, --no-dereference', 'links as links'],
      ['-p, --preserve', 'keep times'],
      ['-r, --recursive', 'directories too'],
      ['-R', 'as -r'],
      ['-t, --target-directory=DIR', 'copy into DIR'],
      ['-T, --no-target-directory', 'DEST is no directory to copy into'],
      ['-u, --update', 'only newer'],
      ['-v, --verbose', 'say what is copied'],
    ],
  },
  async (t) => {
    for (const [from, to] of (await pairs(t)) ?? []) await copyTree(t, from, to);
    return t.args.length < 2 && !t.has('t') ? 1 : t.status;
  },
);

export const mv = defineTool(
  {
    name: 'mv',
    usage: '[OPTION]... SOURCE... DEST',
    about: 'Moves or renames files.',
    options: [
      ['-f, --force', 'replace without asking (always so here)'],
      ['-i', 'nothing is asked here'],
      ['-n, --no-clobber', 'keep existing files'],
      ['-t, --target-directory=DIR', 'move into DIR'],
      ['-T, --no-target-directory', 'DEST is no directory to move into'],
      ['-v, --verbose', 'say what is moved'],
    ],
  },
  async (t) => {
    for (const [from, to] of (await pairs(t)) ?? []) {
      if (t.has('n') && typeof t.sys.lstat(to) !== 'number') continue;
      const r = t.sys.rename(from, to);
      if (r === -E.EXDEV) {
        await copyTree(t, from, to);
        if (!t.status) t.sys.unlink(from);
      } else if (r < 0)
        await t.fail(
          r === -E.ENOENT && typeof t.sys.lstat(from) === 'number'
            ? `cannot stat '${from}': ${strerror(r)}`
            : `cannot move '${from}' to '${to}': ${strerror(r)}`,
        );
      if (r === 0 && t.has('v')) t.out.line(`renamed '${from}' -> '${to}'`);
    }
    return t.args.length < 2 && !t.has('t') ? 1 : t.status;
  },
);

export const ln = defineTool(
  {
    name: 'ln',
    usage: '[OPTION]... TARGET LINK_NAME',
    about: 'Makes links.',
    options: [
      ['-f, --force', 'replace existing'],
      ['-n, --no-dereference', 'LINK_NAME itself even if it leads to a directory'],
      ['-s, --symbolic', 'symbolic links'],
      ['-t, --target-directory=DIR', 'make the links in DIR'],
      ['-T, --no-target-directory', 'LINK_NAME is no directory'],
      ['-v, --verbose', 'say what is made'],
      ['-r, --relative', 'nothing: targets stay as given'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) {
      await t.fail("missing file operand\nTry 'ln --help' for more information.");
      return 1;
    }
    const list =
      t.args.length === 1
        ? [[t.args[0] ?? '', baseName(t.args[0] ?? '')] as const]
        : ((t.has('n') && isLink(t.sys.lstat(t.args[1] ?? ''))
            ? [[t.args[0] ?? '', t.args[1] ?? ''] as const]
            : await pairs(t)) ?? []);
    for (const [target, name] of list) {
      if (t.has('f')) t.sys.unlink(name);
      const r = t.has('s') ? t.sys.symlink(target, name) : t.sys.link(target, name);
      if (r < 0)
        await t.fail(
          `failed to create ${t.has('s') ? 'symbolic' : 'hard'} link '${name}'${t.has('s') ? '' : ` => '${target}'`}: ${strerror(r)}`,
        );
      else if (t.has('v')) t.out.line(`'${name}' ${t.has('s') ? '->' : '=>'} '${target}'`);
    }
    return t.status;
  },
);
