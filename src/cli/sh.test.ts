/** `lab sh`: scripts of this computer in a machine's shell. The scripts beside it do what test suites of CXL tools do. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { main } from './main.ts';

const dir = mkdtempSync(join(tmpdir(), 'cxlab-sh-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
afterEach(() => void vi.restoreAllMocks());

const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
const own = (name: string): string => new URL(`./scripts/${name}`, import.meta.url).pathname;

async function sh(...args: string[]): Promise<{ rc: number; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' };
  const write = (to: 'stdout' | 'stderr') => (bytes: string | Uint8Array) => {
    said[to] += typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(write('stdout'));
  vi.spyOn(process.stderr, 'write').mockImplementation(write('stderr'));
  const rc = await main(['sh', ...args]);
  vi.restoreAllMocks();
  return { rc, ...said };
}

test('options of the first line count, as when the script is executed', async () => {
  const script = file('traced.sh', '#!/bin/bash -ex\necho one\nfalse\necho two\n');
  expect(await sh('--machine', 'host', script)).toEqual({ rc: 1, stdout: 'one\n', stderr: '+ echo one\n+ false\n' });
});

test('the script keeps its name, finds the files beside it, gives its output and its status', async () => {
  file('part', `echo "part \${BASH_SOURCE[0]##*/} called from \${BASH_SOURCE[1]##*/}:\${BASH_LINENO[0]}"\n`);
  const script = file('a b.sh', '. "$(dirname "$0")/part"\necho "$0" "$#" "$2"\necho bad >&2\nexit 5\n');
  expect(await sh('--machine', 'host', script, 'x', '--machine y')).toEqual({
    rc: 5,
    stdout: `part part called from a b.sh:1\n${script} 2 --machine y\n`,
    stderr: 'bad\n',
  });
});

test('state comes from a transcript, environment from the command line', async () => {
  const after = file('after', 'host# echo made > /root/made\n');
  const script = file('env.sh', 'cat /root/made\necho "$WHO $CXL"\n');
  const { stdout } = await sh('--after', after, '--machine=host', '--env', 'WHO=me', script);
  expect(stdout).toBe('made\nme cxl\n');
});

test('a region over mock devices by sysfs, with arrays, references, traps and the journal', async () => {
  const { rc, stdout, stderr } = await sh(own('mock-region.sh'));
  expect({ rc, stderr }).toEqual({ rc: 0, stderr: '' });
  expect(stdout).toBe(
    'window 3\n4 devices\necho: write error: Device or resource busy\nbase aligned, granule 4096\nfinished\n',
  );
});

test('a refused write ends a script under set -e with the line it stands on', async () => {
  const { rc, stdout, stderr } = await sh(own('failing.sh'));
  expect({ rc, stdout }).toEqual({ rc: 9, stdout: 'as it should: 1\nfailing.sh: line 13: a command failed\n' });
  expect(stderr).toContain("\n++ jq -r '.[0].memdev'\n");
  expect(stderr).toContain('failing.sh: line 12: /sys/bus/cxl/devices/mem0/nothing: Permission denied\n');
  expect(stderr).toContain('failing.sh: line 13: /sys/bus/cxl/devices/mem0/serial: Permission denied\n');
});

const WRONG: readonly (readonly [what: string, args: readonly string[], says: RegExp])[] = [
  ['no script', [], /sh wants a SCRIPT/],
  ['a missing script', [join(dir, 'absent')], /cannot read script .*no such file or directory/],
  ['an unknown machine', ['--machine', 'l9', file('s', 'true\n')], /there is no machine "l9"; there are host, l1, l2/],
  ['an unknown option', ['--frob', join(dir, 's')], /unknown option "--frob"/],
  ['a malformed --env', ['--env', '1=2', join(dir, 's')], /--env wants NAME=VALUE/],
  ['a machine that is off', ['--after', file('e', ''), '--machine', 'l1', join(dir, 's')], /l1 is not running/],
  ['a machine that goes off', ['--machine', 'host', file('off', 'poweroff\n')], /host went down/],
  ['a script that waits for ever', ['--machine', 'host', file('stuck', 'sleep infinity\n')], /waits for something/],
];

test.each(WRONG)('%s is one sentence and status 2', async (_what, args, says) => {
  const { rc, stdout, stderr } = await sh(...args);
  expect({ rc, stdout }).toEqual({ rc: 2, stdout: '' });
  expect(stderr).toMatch(says);
  expect(stderr).toMatch(/^lab: [^\n]+\n$/);
});
