import { UserError } from '../base/assert.ts';
import { text } from '../base/bytes.ts';
import { strerror } from '../base/errno.ts';
import { O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } from '../linux/uapi/constants.ts';
import { ProcessExit, type Sys } from '../linux/uapi/sys.ts';
import type { MachineId } from '../log/index.ts';
import type { Lab } from './lab.ts';

/** Runs a script of the user's computer in a machine's shell: its files are put there first, its output is passed on as it comes. */

export interface GuestFile {
  /** Absolute, the same inside the machine. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
}

export interface Script {
  /** As the shell is told it: `$0`. */
  readonly script: string;
  readonly args: readonly string[];
  /** The script is the first; one that the machine has already is left alone, except the script. */
  readonly files: readonly GuestFile[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  write(fd: 1 | 2, bytes: Uint8Array): void;
}

/** Virtual time a script may take. */
const PATIENCE_NS = 30 * 86400e9;

/** As ndctl's own test runner sets them, but found by PATH. */
const ENV = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  CXL: 'cxl',
  NDCTL: 'ndctl',
  DAXCTL: 'daxctl',
};

/** Exit status of the script; null if it waits for something that never comes. */
export async function runScript(lab: Lab, machine: MachineId, script: Script): Promise<number | null> {
  lab.allow(PATIENCE_NS);
  let status: number | null = null;
  const running = lab
    .withProcess(machine, async (sys) => {
      await place(sys, script);
      return spawn(sys, script);
    })
    .then((result) => {
      status = result;
    })
    .catch((error: unknown) => {
      if (error instanceof ProcessExit) throw new UserError(`${machine} went down while the script ran`);
      throw error;
    });
  await Promise.race([running, lab.settled()]);
  return status;
}

async function place(sys: Sys, { files, cwd }: Script): Promise<void> {
  const [script, ...others] = files;
  if (!script) return;
  const dir = script.path.slice(0, script.path.lastIndexOf('/')) || '/';
  const own = makeDirs(sys, dir);
  makeDirs(sys, cwd);
  await put(sys, script, true);
  // The machine's own directories are not filled with what happens to lie beside the script.
  if (own) for (const file of others) await put(sys, file, false);
}

/** Makes a directory and those above it; is it one that the lab's user made or may fill (/tmp, /root)? */
function makeDirs(sys: Sys, path: string): boolean {
  let at = '';
  let fresh = false;
  for (const part of path.split('/').filter(Boolean)) {
    at += `/${part}`;
    if (typeof sys.stat(at) !== 'number') continue;
    const made = sys.mkdir(at, 0o755);
    if (made < 0) throw new UserError(`cannot make ${at} inside the machine: ${strerror(made)}`);
    fresh = true;
  }
  return fresh || /^\/(tmp|root|mnt|run)(\/|$)/.test(path);
}

async function put(sys: Sys, file: GuestFile, must: boolean): Promise<void> {
  if (must) sys.unlink(file.path);
  const fd = sys.open(file.path, O_WRONLY | O_CREAT | O_EXCL, file.mode | 0o600);
  if (fd < 0) {
    if (!must) return;
    throw new UserError(`cannot put the script at ${file.path} inside the machine: ${strerror(fd)}`);
  }
  for (let at = 0; at < file.bytes.length; ) {
    const n = await sys.write(fd, file.bytes.subarray(at));
    if (n <= 0) throw new UserError(`cannot write ${file.path} inside the machine: ${strerror(n)}`);
    at += n;
  }
  sys.close(fd);
}

/** What the script's own first line gives bash (`#!/bin/bash -Ex`): it runs as if it had been executed. */
function interpreterOptions(file: GuestFile | undefined): readonly string[] {
  const [first = ''] = file ? text(file.bytes.subarray(0, 256)).split('\n', 1) : [];
  const options = /^#!\s*\S*\/bash\s+(-\S.*?)\s*$/.exec(first)?.[1];
  return options === undefined ? [] : [options];
}

async function spawn(sys: Sys, { script, args, files, cwd, env, write }: Script): Promise<number> {
  const dir = files[0]?.path.replace(/\/[^/]*$/, '') || '/';
  const [out, err, ended] = [sys.pipe(), sys.pipe(), sys.pipe()];
  if (typeof out === 'number' || typeof err === 'number' || typeof ended === 'number')
    throw new UserError('the machine has no pipe left');
  for (const fd of [out[0], err[0], ...ended]) sys.setCloexec(fd, true);
  const input = sys.open('/dev/null', O_RDONLY);
  const pid = sys.spawn('/bin/bash', ['bash', ...interpreterOptions(files[0]), script, ...args], {
    ...{ fds: [input, out[1], err[1]], env: { ...ENV, TEST_PATH: dir, ...env }, cwd },
  });
  if (pid < 0) throw new UserError(`the machine has no shell: ${strerror(pid)}`);
  for (const fd of [input, out[1], err[1]]) sys.close(fd);
  let status = 255;
  sys.thread(async () => {
    const gone = await sys.waitpid(pid);
    if (typeof gone !== 'number') status = gone.status;
    sys.close(ended[1]);
  });
  // What was written before the end is still read; a process left behind that keeps the pipes is not waited for.
  const buffer = new Uint8Array(65536);
  const open = new Set([out[0], err[0], ended[0]]);
  let over = false;
  while (open.size > 0) {
    const ready = await sys.pollIn([...open], over ? 0 : null);
    if (ready.length === 0) break;
    for (const fd of ready) {
      const n = await sys.read(fd, buffer);
      if (n > 0) write(fd === out[0] ? 1 : 2, buffer.slice(0, n));
      else open.delete(fd);
    }
    if (!open.has(ended[0])) over = true;
  }
  return status;
}
