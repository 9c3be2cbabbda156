/** zcat, gunzip -c, gzip -dc and zgrep of gzip 1.12. Left out: packing, and unpacking in place. */
import type { Program } from '../../linux/uapi/sys.ts';
import { complain, readAll, readFileBytes, strerror } from '../misc/io.ts';
import { defineTool, type OptionRow, type Tool } from '../misc/tool.ts';
import { grep } from './grep.ts';
import { gunzip } from './inflate.ts';
import { isDir } from './paths.ts';

const OPTIONS: readonly OptionRow[] = [
  ['-c, --stdout', 'to standard output'],
  ['-d, --decompress', 'unpack'],
  ['-f, --force', 'what is not packed goes through as it is'],
  ['-q, --quiet', 'no warnings'],
  ['-k, --keep', 'keep the file'],
];

async function unpack(t: Tool, name: string): Promise<Uint8Array | null> {
  const say = async (what: string): Promise<null> => {
    await t.out.flush();
    await complain(t.sys, `\ngzip: ${name === '-' ? 'stdin' : name}: ${what}`);
    t.status = 1;
    return null;
  };
  const plain = async (what: string): Promise<null> => {
    await t.out.flush();
    await complain(t.sys, `gzip: ${what}`);
    return null;
  };
  let path = name;
  if (name !== '-' && typeof t.sys.stat(name) === 'number' && !name.endsWith('.gz')) path = `${name}.gz`;
  if (name !== '-' && isDir(t.sys.stat(path))) {
    t.status ||= 2;
    return plain(`${path} is a directory -- ignored`);
  }
  const bytes = name === '-' ? await readAll(t.sys, 0) : await readFileBytes(t.sys, path);
  if (typeof bytes === 'number') {
    t.status = 1;
    return plain(`${path}: ${strerror(bytes)}`);
  }
  const data = gunzip(bytes);
  if (data) return data;
  const packed = bytes.length === 0 || (bytes[0] === 0x1f && bytes[1] === 0x8b);
  if (t.has('f') && !packed) return bytes;
  return say(packed ? 'unexpected end of file' : 'not in gzip format');
}

async function body(t: Tool): Promise<number> {
  for (const name of t.args.length > 0 ? t.args : ['-']) {
    const data = await unpack(t, name);
    if (data) t.out.bytes(data);
    await t.out.step();
  }
  return 0;
}

export const zcat = defineTool(
  { name: 'zcat', usage: '[OPTION]... [FILE]...', about: 'Shows packed files.', options: OPTIONS },
  body,
);

export const gzip = defineTool(
  {
    name: 'gzip',
    usage: '-dc [FILE]...',
    about: 'Unpacks files to standard output; this one packs none.',
    options: OPTIONS,
  },
  async (t) => {
    if (t.has('d') && (t.has('c') || t.args.length === 0)) return body(t);
    await t.fail('this gzip only unpacks to standard output (-dc)');
    return 1;
  },
);
export const gunzip_tool: Program = (sys, argv, env) => gzip(sys, ['gzip', '-d', ...argv.slice(1)], env);

/** zgrep: grep over what zcat -f gives of each file. */
export const zgrep: Program = async (sys, argv, env) => {
  const options = argv.slice(1).filter((word) => word.startsWith('-') && word.length > 1);
  const [pattern, ...files] = argv.slice(1).filter((word) => !options.includes(word));
  if (pattern === undefined) {
    await complain(sys, "/usr/bin/zgrep: missing pattern; try `/usr/bin/zgrep --help' for help");
    return 2;
  }
  let status = 1;
  for (const file of files.length > 0 ? files : ['-']) {
    const ends = sys.pipe();
    if (typeof ends === 'number') return 2;
    for (const fd of ends) sys.setCloexec(fd, true);
    // dup2 onto 1 in the child only: the packed file is read there, its content comes through the pipe
    const writer = sys.fork(async (child) => {
      child.dup2(ends[1], 1);
      child.close(ends[0]);
      child.close(ends[1]);
      return zcat(child, ['zcat', '-f', file], env);
    });
    sys.close(ends[1]);
    const labels = files.length > 1 && !options.includes('-h') ? ['-H', `--label=${file}`] : [`--label=${file}`];
    const reader = sys.fork(async (child) => {
      child.dup2(ends[0], 0);
      child.close(ends[0]);
      return grep(child, ['grep', ...options, ...labels, '-e', pattern, '-'], env);
    });
    sys.close(ends[0]);
    const result = await sys.waitpid(reader);
    const unpacked = await sys.waitpid(writer);
    const matched = typeof result === 'number' ? 2 : result.status;
    if (typeof unpacked !== 'number' && unpacked.status === 1) status = 2;
    else if (matched !== 1 && status !== 2) status = matched;
  }
  return status;
};
