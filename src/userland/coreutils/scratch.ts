/** mktemp and truncate. */
import { E } from '../../base/errno.ts';
import { O_CREAT, O_EXCL, O_RDWR, O_WRONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { openPath, readFileText } from '../misc/io.ts';
import { defineTool, missingOperand } from '../misc/tool.ts';
import { parseSize } from './inputs.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Random letters out of the kernel's own source of them; the clock and the process where a machine has none. */
async function letters(sys: Sys, count: number, attempt: number): Promise<string> {
  const uuid = await readFileText(sys, '/proc/sys/kernel/random/uuid');
  const seed =
    typeof uuid === 'string' ? uuid.replaceAll('-', '') : `${sys.pid}${sys.clockGettime('monotonic')}${attempt}`;
  let state = 0;
  for (const c of seed) state = (Math.imul(state, 31) + c.charCodeAt(0)) >>> 0;
  let out = '';
  for (let n = 0; n < count; n++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out += LETTERS[(state >>> 8) % LETTERS.length];
  }
  return out;
}

export const mktemp = defineTool(
  {
    name: 'mktemp',
    usage: '[OPTION]... [TEMPLATE]',
    about: 'Makes a file or directory with a name nobody has and prints it. The template ends in X.',
    operands: 1,
    options: [
      ['-d, --directory', 'a directory'],
      ['-u, --dry-run', 'only print a name'],
      ['-q, --quiet', 'no word about failures'],
      ['--suffix=SUFF', 'after the X of the template'],
      ['-p DIR', 'the template is below DIR'],
      ['--tmpdir[=DIR]', 'the template is below DIR, or TMPDIR, or /tmp'],
      ['-t', 'the template is a file name below TMPDIR or -p or /tmp'],
    ],
  },
  async (t) => {
    const given = t.args[0];
    const below = t.has('p') || t.has('tmpdir') || t.has('t') || given === undefined;
    const template = `${given ?? 'tmp.XXXXXXXXXX'}${t.get('suffix') ?? ''}`;
    const m = /^(.*?)(X+)([^X/]*)$/s.exec(template);
    if (!m || (m[2] ?? '').length < 3) {
      if (!t.has('q')) await t.fail(`too few X's in template '${template}'`);
      return 1;
    }
    const dir = t.get('p') || t.get('tmpdir') || t.env.TMPDIR || '/tmp';
    const head = below ? `${dir.replace(/\/$/, '')}/${m[1]}` : (m[1] ?? '');
    for (let attempt = 0; attempt < 100; attempt++) {
      const path = head + (await letters(t.sys, (m[2] ?? '').length, attempt)) + (m[3] ?? '');
      let r = 0;
      if (t.has('u')) r = typeof t.sys.lstat(path) === 'number' ? 0 : -E.EEXIST;
      else if (t.has('d')) r = t.sys.mkdir(path, 0o700);
      else {
        r = t.sys.open(path, O_RDWR | O_CREAT | O_EXCL, 0o600);
        if (r >= 0) t.sys.close(r);
      }
      if (r >= 0) {
        t.out.line(path);
        return 0;
      }
      if (r === -E.EEXIST) continue;
      if (!t.has('q'))
        await t.failErrno(
          `failed to create ${t.has('d') ? 'directory' : 'file'} via template '${head}${m[2]}${m[3]}'`,
          r,
        );
      return 1;
    }
    return 1;
  },
);

export const truncate = defineTool(
  {
    name: 'truncate',
    usage: 'OPTION... FILE...',
    about: 'Makes files this long: cut, or filled with zeros.',
    options: [
      ['-c, --no-create', 'make no files'],
      ['-r, --reference=RFILE', 'as long as RFILE'],
      ['-s, --size=SIZE', 'SIZE bytes; + or - that much more or less'],
    ],
  },
  async (t) => {
    const text = t.get('s');
    const reference = t.get('r');
    if (text === undefined && reference === undefined)
      return missing(
        t.fail("you must specify either '--size' or '--reference'\nTry 'truncate --help' for more information."),
      );
    if (t.args.length === 0) return missingOperand(t, undefined).then(() => 1);
    let base = 0;
    if (reference !== undefined) {
      const stat = t.sys.stat(reference);
      if (typeof stat === 'number') {
        await t.failErrno(`cannot stat '${reference}'`, stat);
        return 1;
      }
      base = stat.size;
    }
    const m = /^([-+]?)(.*)$/.exec(text ?? '+0');
    const amount = parseSize(m?.[2] ?? '');
    if (Number.isNaN(amount)) {
      await t.fail(`Invalid number: '${text}'`);
      return 1;
    }
    for (const name of t.args) {
      const fd = openPath(t.sys, name, O_WRONLY | (t.has('c') ? 0 : O_CREAT), 0o666);
      if (fd < 0) {
        if (!(t.has('c') && fd === -E.ENOENT)) await t.failErrno(`cannot open '${name}' for writing`, fd);
        continue;
      }
      const stat = t.sys.fstat(fd);
      const now = reference !== undefined ? base : typeof stat === 'number' ? 0 : stat.size;
      const size = m?.[1] === '+' ? now + amount : m?.[1] === '-' ? Math.max(0, now - amount) : amount;
      const r = t.sys.ftruncate(fd, size);
      t.sys.close(fd);
      if (r < 0) await t.failErrno(`failed to truncate '${name}' at ${size} bytes`, r);
    }
    return 0;
  },
);

async function missing(complaint: Promise<void>): Promise<number> {
  await complaint;
  return 1;
}
