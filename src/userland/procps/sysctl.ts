/** sysctl of procps-ng 4.0.2 over whatever /proc/sys holds. Left out: --system's directories other than /etc/sysctl.conf. */
import { E } from '../../base/errno.ts';
import { O_WRONLY } from '../../linux/uapi/constants.ts';
import { isDir, listDir } from '../coreutils/paths.ts';
import { encode, readFileText, strerror, writeAll } from '../misc/io.ts';
import { defineTool, type Tool } from '../misc/tool.ts';
import { posixRegExp } from '../shell/pattern.ts';

const ROOT = '/proc/sys';
/** Names have dots for slashes; whichever separator comes first is the one meant. */
const pathOf = (key: string): string => {
  const first = /[./]/.exec(key)?.[0];
  return `${ROOT}/${first === '/' ? key : key.replace(/[./]/g, (c) => (c === '.' ? '/' : '.'))}`;
};
const keyOf = (path: string): string => path.slice(ROOT.length + 1).replace(/[./]/g, (c) => (c === '/' ? '.' : '/'));

function leaves(t: Tool, path: string): string[] {
  if (!isDir(t.sys.stat(path))) return [path];
  const names = listDir(t.sys, path);
  return typeof names === 'number' ? [] : names.flatMap((name) => leaves(t, `${path}/${name}`));
}

async function show(t: Tool, path: string, every: boolean): Promise<void> {
  const key = keyOf(path);
  if (t.has('N')) {
    t.out.line(key);
    return;
  }
  const text = await readFileText(t.sys, path);
  if (typeof text === 'number') {
    if (every) return;
    await t.fail(
      text === -13 || text === -1 ? `permission denied on key '${key}'` : `reading key "${key}": ${strerror(text)}`,
    );
    return;
  }
  const lines = text.replace(/\n$/, '').split('\n');
  for (const line of lines) {
    if (t.has('b')) t.out.put(line);
    else t.out.line(t.has('n') ? line : `${key} = ${line}`);
  }
}

async function read(t: Tool, key: string): Promise<void> {
  const path = pathOf(key).replace(/\/+$/, '');
  const stat = t.sys.stat(path);
  if (typeof stat === 'number') {
    if (!t.has('e')) await t.fail(`cannot stat ${path}: ${strerror(stat)}`);
    return;
  }
  const all = leaves(t, path);
  for (const leaf of all) await show(t, leaf, all.length > 1);
}

async function write(t: Tool, setting: string): Promise<void> {
  const cut = setting.indexOf('=');
  const key = setting.slice(0, cut).trim();
  const value = setting.slice(cut + 1).trim();
  const path = pathOf(key);
  const stat = t.sys.stat(path);
  if (key === '') return t.fail(`Path is not under /proc/sys/: ${path}`);
  if (typeof stat === 'number') {
    if (!t.has('e')) await t.fail(`cannot stat ${path}: ${strerror(stat)}`);
    return;
  }
  const failed = (errno: number): Promise<void> =>
    t.fail(`setting key "${key.replaceAll('/', '.')}": ${strerror(errno)}`);
  // as the real one: an errno left over, and no bad status
  if ((stat.mode & 0o200) === 0) {
    await t.fail(`setting key "${key.replaceAll('/', '.')}": ${strerror(-E.EINVAL)}`, 0);
    return;
  }
  const fd = t.sys.open(path, O_WRONLY);
  if (fd < 0) return failed(fd);
  const ret = await writeAll(t.sys, fd, encode(`${value}\n`));
  t.sys.close(fd);
  if (ret < 0) return failed(ret);
  if (!t.has('q')) t.out.line(t.has('n') ? value : t.has('N') ? keyOf(path) : `${keyOf(path)} = ${value}`);
}

/** -p: settings of a file. */
async function load(t: Tool, file: string): Promise<void> {
  const text = await readFileText(t.sys, file);
  if (typeof text === 'number') return t.fail(`cannot open "${file}": ${strerror(text)}`);
  for (const [n, line] of text.split('\n').entries()) {
    const setting = line.trim();
    if (setting === '' || /^[#;]/.test(setting)) continue;
    if (setting.includes('=')) await write(t, setting);
    else await t.fail(`${file}(${n + 1}): invalid syntax, continuing...`, 0);
  }
}

export const sysctl = defineTool(
  {
    name: 'sysctl',
    usage: '[options] [variable[=value] ...]',
    about: 'Shows or sets parameters of the kernel.',
    options: [
      ['-a, --all, -A, -X', 'all of them'],
      ['-b, --binary', 'the value without newline'],
      ['-e, --ignore', 'unknown names are no errors'],
      ['-N, --names', 'names only'],
      ['-n, --values', 'values only'],
      ['-p, --load, -f', 'settings from files (/etc/sysctl.conf)'],
      ['-q, --quiet', 'say nothing of what is set'],
      ['-r, --pattern=PATTERN', 'only names that match'],
      ['-w, --write', 'arguments are settings'],
      ['-V, --version', 'version'],
    ],
  },
  async (t) => {
    if (t.has('V')) {
      t.out.line('sysctl from procps-ng 4.0.2');
      return 0;
    }
    if (t.has('a')) {
      const pattern = t.get('r');
      const re = pattern === undefined ? null : posixRegExp(pattern);
      for (const leaf of leaves(t, ROOT)) if (!re || re.test(keyOf(leaf))) await show(t, leaf, true);
      return 0;
    }
    if (t.has('p')) {
      for (const file of t.args.length > 0 ? t.args : ['/etc/sysctl.conf']) await load(t, file);
      return 0;
    }
    if (t.args.length === 0) {
      await t.fail("no variables specified\nTry `sysctl --help' for more information.");
      return 1;
    }
    for (const [n, word] of t.args.entries()) {
      if (word.includes('=')) await write(t, word);
      else if (t.has('w')) await t.fail(`command line(${n}): invalid syntax, continuing...`);
      else await read(t, word);
    }
    return 0;
  },
);
