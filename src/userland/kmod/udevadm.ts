/**
 * udevadm. Device events are handled at once here, so there is never anything to settle, and no daemon keeps a database:
 * `info` shows what sysfs itself says.
 */

import { O_WRONLY } from '../../linux/uapi/constants.ts';
import type { Program, Sys } from '../../linux/uapi/sys.ts';
import { canonical, listDir } from '../coreutils/paths.ts';
import { complain, readFileText, utf8, writeText } from '../misc/io.ts';

const last = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Directory in sysfs of a device given by path, node or name; null if there is none. */
function devicePath(sys: Sys, name: string, node: boolean): string | null {
  if (node || name.startsWith('/dev/')) {
    const stat = sys.stat(name.startsWith('/') ? name : `/dev/${name}`);
    if (typeof stat === 'number' || stat.rdev === 0) return null;
    const kind = (stat.mode & 0o170000) === 0o060000 ? 'block' : 'char';
    const path = canonical(sys, `/sys/dev/${kind}/${Math.floor(stat.rdev / 256)}:${stat.rdev % 256}`, 'e');
    return typeof path === 'string' ? path : null;
  }
  const path = canonical(sys, name.startsWith('/sys/') ? name : `/sys${name}`, 'e');
  return typeof path === 'string' && typeof sys.stat(`${path}/uevent`) !== 'number' ? path : null;
}

async function properties(sys: Sys, path: string): Promise<string[]> {
  const own = await readFileText(sys, `${path}/uevent`);
  const out = [`DEVPATH=${path.slice(4)}`];
  if (typeof own === 'string')
    for (const row of own.split('\n').filter(Boolean)) out.push(row.replace(/^DEVNAME=(?!\/)/, 'DEVNAME=/dev/'));
  const subsystem = sys.readlink(`${path}/subsystem`);
  if (typeof subsystem === 'string') out.push(`SUBSYSTEM=${last(subsystem)}`);
  return out;
}

/** `-a`: the device and all above it, with their attributes. */
async function walk(sys: Sys, start: string): Promise<string> {
  let out = '';
  for (let path = start; path.length > '/sys/devices'.length; path = path.slice(0, path.lastIndexOf('/'))) {
    if (typeof sys.stat(`${path}/uevent`) === 'number') continue;
    const [name, of] = path === start ? ['', 'device'] : ['S', 'parent device'];
    const link = (what: string): string => {
      const target = sys.readlink(`${path}/${what}`);
      return typeof target === 'string' ? last(target) : '';
    };
    out += `\n  looking at ${of} '${path.slice(4)}':\n`;
    out += `    KERNEL${name}=="${last(path)}"\n    SUBSYSTEM${name}=="${link('subsystem')}"\n    DRIVER${name}=="${link('driver')}"\n`;
    const entries = listDir(sys, path);
    for (const entry of typeof entries === 'number' ? [] : [...entries].sort()) {
      const stat = sys.lstat(`${path}/${entry}`);
      if (typeof stat === 'number' || (stat.mode & 0o170000) !== 0o100000 || entry === 'uevent') continue;
      const text = (stat.mode & 0o400) === 0 ? '(not readable)' : await readFileText(sys, `${path}/${entry}`);
      if (typeof text === 'string' && !/[^\x20-\x7e\n\t]/.test(text))
        out += `    ATTR${name}{${entry}}=="${text.replace(/\n$/, '')}"\n`;
    }
  }
  return out;
}

async function info(sys: Sys, args: readonly string[]): Promise<number> {
  let query = 'all';
  let name: string | undefined;
  let node = false;
  let attributes = false;
  for (let n = 0; n < args.length; n++) {
    const m = /^(--[a-z-]+|-[a-z])(?:=(.*))?$/.exec(args[n] ?? '');
    const value = (): string => m?.[2] ?? args[++n] ?? '';
    if (!m) name = args[n];
    else if (m[1] === '-q' || m[1] === '--query') query = value();
    else if (m[1] === '-p' || m[1] === '--path') name = value();
    else if (m[1] === '-n' || m[1] === '--name') [name, node] = [value(), true];
    else if (m[1] === '-a' || m[1] === '--attribute-walk') attributes = true;
    else {
      await complain(sys, `udevadm info: unrecognized option '${m[1]}'`);
      return 1;
    }
  }
  if (name === undefined) {
    await complain(sys, 'A device name or path is required');
    return 1;
  }
  const path = devicePath(sys, name, node);
  if (path === null) {
    await complain(sys, `Unknown device "${name}": No such device`);
    return 1;
  }
  if (attributes) return (await writeText(sys, 1, await walk(sys, path))) < 0 ? 1 : 0;
  const rows = await properties(sys, path);
  const devname = rows.find((row) => row.startsWith('DEVNAME='))?.slice('DEVNAME=/dev/'.length);
  const all = [
    `P: ${path.slice(4)}`,
    `M: ${last(path)}`,
    ...(devname === undefined ? [] : [`N: ${devname}`]),
    ...rows.map((row) => `E: ${row}`),
    '',
  ];
  const shown: Readonly<Record<string, readonly string[]>> = {
    ...{ all, path: [path.slice(4)], property: rows, name: devname === undefined ? [] : [devname], symlink: [''] },
  };
  const wanted = Object.hasOwn(shown, query) ? shown[query] : undefined;
  if (!wanted) {
    await complain(sys, `unknown query type '${query}'`);
    return 1;
  }
  return (await writeText(sys, 1, wanted.map((row) => `${row}\n`).join(''))) < 0 ? 1 : 0;
}

/** Writes the event into every device of the subsystems asked for, as the kernel wants it. */
async function trigger(sys: Sys, args: readonly string[]): Promise<number> {
  const option = (long: string, short: string): string | undefined => {
    const at = args.findIndex((word) => word === long || word === short || word.startsWith(`${long}=`));
    if (at < 0) return undefined;
    return args[at]?.includes('=') ? args[at]?.split('=')[1] : args[at + 1];
  };
  const action = option('--action', '-c') ?? 'change';
  const only = option('--subsystem-match', '-s');
  const buses = listDir(sys, '/sys/bus');
  for (const bus of typeof buses === 'number' ? [] : buses) {
    if (only !== undefined && bus !== only) continue;
    const devices = listDir(sys, `/sys/bus/${bus}/devices`);
    for (const device of typeof devices === 'number' ? [] : devices) {
      const fd = sys.open(`/sys/bus/${bus}/devices/${device}/uevent`, O_WRONLY);
      if (fd < 0) continue;
      await sys.write(fd, utf8(`${action}\n`));
      sys.close(fd);
    }
  }
  return 0;
}

export const udevadm: Program = async (sys, argv) => {
  const [, command, ...args] = argv;
  if (command === 'settle' || command === 'control') return 0;
  if (command === 'trigger') return trigger(sys, args);
  if (command === 'info') return info(sys, args);
  if (command === '--version') return (await writeText(sys, 1, '257\n')) < 0 ? 1 : 0;
  await complain(
    sys,
    command === undefined
      ? 'udevadm: Command missing. Try udevadm --help for help.'
      : `udevadm: ${command}: only info, settle, trigger and control are available`,
  );
  return 1;
};
