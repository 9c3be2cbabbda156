import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function output(command: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  return `${stdout ?? ''}${stderr ?? ''}`;
}

/**
 * What a real tool says of its version, as `version` finds it. A missing tool is installed from the distribution's package if
 * we may; null, with a line saying what is not judged now, when it cannot be had.
 */
export function realTool(command: string, args: readonly string[], version: RegExp, pkg: string): string | null {
  const found = () => version.exec(output(command, args))?.[0] ?? null;
  const present = found();
  if (present !== null) return present;
  if (process.getuid?.() === 0) {
    // One at a time: test files run side by side.
    const install = `apt-get update && apt-get install -y --no-install-recommends ${pkg}`;
    spawnSync('flock', ['-w', '300', join(tmpdir(), 'cxlab-apt.lock'), 'sh', '-c', install], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: 240_000,
    });
  }
  const now = found();
  if (now === null)
    console.warn(
      `SKIPPED: ${command} (package ${pkg}) is not installed and could not be: nothing judges what it reads`,
    );
  return now;
}
