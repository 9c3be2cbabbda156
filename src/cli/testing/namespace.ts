import { spawn } from 'node:child_process';

export interface Ran {
  readonly rc: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a program without stopping this process, which may have to answer its file accesses. */
export function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: { ...process.env, LC_ALL: 'C', ...env } });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => {
      out += String(chunk);
    });
    child.stderr.on('data', (chunk) => {
      err += String(chunk);
    });
    child.on('error', (error) => resolve({ rc: null, out, err: error.message }));
    child.on('close', (rc) => resolve({ rc, out, err }));
  });
}

/**
 * In a mount namespace of its own: /sys is the lab's, and /dev has the character devices that the lab's sysfs names
 * (nobody answers behind them). libcxl and libdaxctl look for both.
 */
const ENTER = `
set -e
mount --make-rprivate /
mount --bind "$LAB_SYS" /sys
mount -t tmpfs lab-dev /dev
mknod -m 666 /dev/null c 1 3
mknod -m 666 /dev/zero c 1 5
mknod -m 666 /dev/urandom c 1 9
for at in /sys/bus/cxl/devices/mem* /sys/bus/dax/devices/dax*; do
  [ -e "$at/dev" ] || continue
  case \${at##*/} in mem*) node=/dev/cxl/\${at##*/} ;; *) node=/dev/\${at##*/} ;; esac
  mkdir -p "\${node%/*}"
  IFS=: read -r major minor < "$at/dev"
  mknod "$node" c "$major" "$minor"
done
exec "$@"
`;

/** Runs a real program that takes the tree at `sys` for /sys. */
export function runOn(sys: string, command: readonly string[]): Promise<Ran> {
  return run('unshare', ['-m', 'sh', '-c', ENTER, 'lab', ...command], { LAB_SYS: sys });
}
