/** The headless runner as its user meets it: every mistake is one sentence on stderr and status 2. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { main } from './main.ts';

const dir = mkdtempSync(join(tmpdir(), 'cxlab-cli-'));
const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
const one = file('one', 'host# echo a\na\n');
const absent = join(dir, 'absent');
const FULL = ((): string => {
  const all = readFileSync(new URL('../content/walkthrough.transcript', import.meta.url), 'utf8');
  return file('full', all.slice(0, all.indexOf('l2# rmmod')));
})();

async function lab(...args: string[]): Promise<{ rc: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
  const rc = await main(args);
  vi.restoreAllMocks();
  return { rc, stdout, stderr };
}
afterEach(() => void vi.restoreAllMocks());
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const after = ['export', '--after', one];
const WRONG: readonly (readonly [what: string, args: readonly string[], says: RegExp])[] = [
  ['an unknown command', ['nope'], /unknown command "nope"/],
  ['no file', ['run'], /exactly one transcript FILE/],
  ['two files', ['run', one, one], /exactly one transcript FILE/],
  ['a missing file', ['run', absent], /no such file or directory/],
  ['a directory as file', ['run', dir], /it is a directory/],
  ['an unknown option', ['run', '--frob', one], /unknown option "--frob"/],
  ['an option without its value', ['hash', one, '--seed'], /--seed needs a value/],
  ['a bad seed', ['hash', '--seed', 'x', one], /--seed wants a number/],
  ['an unknown console', ['run', file('mars', 'mars# ls\n')], /mars:1: there is no console "mars"/],
  [
    'a machine that is off',
    ['run', file('off', 'l2# ls\n')],
    /off:1: there is no console "l2" at this point: l2 has not/,
  ],
  ['a monitor of no QEMU', ['run', file('mon', 'host-monitor# info mtree\n')], /no QEMU runs there/],
  ['a bad regular expression', ['check', file('re', 'host# echo a\na[ (re)\n')], /re:2: "a\[" is not a regular expr/],
  ['check of nothing', ['check'], /at least one transcript FILE/],
  ['hash of a missing file', ['hash', absent], /no such file or directory/],
  ['xlat without a transcript', ['xlat', 'dpa:0'], /wants --after FILE/],
  ['xlat without an address', ['xlat', '--after', one], /at least one SPACE:ADDR/],
  ['xlat of an unknown space', ['xlat', '--after', one, 'moon:0'], /"moon:0" is not SPACE:ADDR/],
  ['xlat of a malformed address', ['xlat', '--after', one, 'dpa:12q'], /"12q" is not an address/],
  ['xlat of an address too large', ['xlat', '--after', one, 'dpa:0xfffffffffffffff'], /below 2\^52/],
  ['export of nothing', after, /wants something to export/],
  ['export of something else', [...after, 'soul'], /does not know "soul"/],
  ['export without a machine', [...after, 'configs', 'x'], /wants --machine/],
  ['export of an unknown machine', [...after, '--machine', 'l9', 'configs', 'x'], /no machine "l9"/],
  ['export of a machine that is off', [...after, '--machine', 'l1', 'configs', 'x'], /l1 is not running/],
  ['export with a missing argument', [...after, '--machine', 'host', 'config'], /export config wants BDF/],
  ['export of a malformed BDF', [...after, '--machine', 'host', 'config', 'zz'], /"zz" is not a PCI address/],
  ['export of an unknown BDF', [...after, '--machine', 'host', 'config', '99:00.0'], /no PCI function 0000:99:00.0/],
  ['export of an unknown table', [...after, '--machine', 'host', 'acpi', 'ZZZZ', 'x'], /no ACPI table "ZZZZ"/],
  ['export of an unknown backend', [...after, '--machine', 'host', 'backend', 'vmem9', 'x'], /no QEMU runs on host/],
  ['serve without a transcript', ['serve', '--machine', 'l1'], /wants --after FILE/],
  ['serve of a machine that is off', ['serve', '--after', one, '--machine', 'l1'], /l1 is not running/],
  ['serve with something more', ['serve', '--after', one, '--machine', 'host', 'x'], /do with "x"/],
  ['mount without a place', ['mount', '--after', one, '--machine', 'host'], /exactly one DIR/],
  ['export into nowhere', [...after, '--machine', 'host', 'configs', join(dir, 'no/x')], /no such file or directory/],
  ['export of a tree onto a file', [...after, '--machine', 'host', 'sysfs', one], /cannot write the tree/],
];

test.each(WRONG)('%s', async (_what, args, says) => {
  const { rc, stdout, stderr } = await lab(...args);
  expect({ rc, stdout }).toEqual({ rc: 2, stdout: '' });
  expect(stderr).toMatch(says);
  expect(stderr).toMatch(/^lab: [^\n]+\n$/);
});

test('help is no mistake; no command is', async () => {
  expect(await lab('--help')).toMatchObject({ rc: 0, stderr: '' });
  expect((await lab()).rc).toBe(2);
});

test('run takes CRLF files, empty files and here-documents over several lines', async () => {
  expect((await lab('run', file('crlf', 'host# echo a\r\nwas\r\nhost# true\r\n'))).stdout).toBe(
    'host# echo a\na\nhost# true\n',
  );
  expect(await lab('run', file('empty', ''))).toEqual({ rc: 0, stdout: '', stderr: '' });
  const { stdout } = await lab('run', file('heredoc', 'host# cat <<E\nhost# $((6 * 7))\nhost# E\n'));
  expect(stdout).toBe('host# cat <<E\nhost# $((6 * 7))\nhost# E\n42\n');
});

test('run --json: one object a command, the streams apart', async () => {
  const { stdout } = await lab('run', '--json', file('j', 'host# echo out; echo err >&2; (exit 3)\n'));
  expect(JSON.parse(stdout)).toEqual({
    console: 'host',
    cmd: 'echo out; echo err >&2; (exit 3)',
    rc: 3,
    stdout: 'out\n',
    stderr: 'err\n',
  });
});

test('check compares, knows (re) and (glob), prints a unified diff', async () => {
  const good = file('good', 'host# echo a1; echo "b*"; echo c.c\na[0-9] (re)\nb\\* (glob)\n?.c (glob)\n');
  expect(await lab('check', good)).toEqual({ rc: 0, stdout: '', stderr: '' });
  const bad = await lab('check', file('bad', 'host# seq 3\n1\n4 (re)\n3\n'));
  expect(bad.rc).toBe(1);
  expect(bad.stdout.split('\n').slice(2)).toEqual(['@@ -2,3 +2,3 @@ host# seq 3', ' 1', '-4 (re)', '+2', ' 3', '']);
});

test('check --record writes a file that checks, also with output that looks typed', async () => {
  const odd = file('odd', `host# echo 'l9# a*'; echo 'host# b'; echo '## c'\n`);
  expect((await lab('check', '--record', odd)).rc).toBe(0);
  expect(await lab('check', odd)).toEqual({ rc: 0, stdout: '', stderr: '' });
});

test('hash is the same twice, and another after something has happened', async () => {
  const first = (await lab('hash', one)).stdout;
  expect(first).toMatch(/^[0-9a-f]+\n$/);
  expect((await lab('hash', one)).stdout).toBe(first);
  expect((await lab('hash', file('two', 'host# sleep 1; (sleep 1000 &)\n'))).stdout).not.toBe(first);
});

describe('xlat after the walkthrough', () => {
  let chains: { hops: { space: string; address: string; mechanism: string; arithmetic: string }[]; at: number }[];
  beforeAll(async () => {
    const { stdout } = await lab(
      'xlat',
      '--json',
      '--after',
      FULL,
      'l2-gpa:0x110000040',
      'l1-hpa:0x490000040',
      'dpa:64',
      'backend:0x40',
    );
    chains = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  });

  test('every space gives the same chain, marked where it was asked', () => {
    const [first, ...others] = chains;
    expect(first?.hops.map(({ space }) => space)).toEqual(['l2-gpa', 'l1-hva', 'l1-hpa', 'dpa', 'backend']);
    for (const chain of others)
      expect(chain.hops.map(({ address }) => address)).toEqual(first?.hops.map(({ address }) => address));
    expect(chains.map(({ at }) => at)).toEqual([0, 2, 3, 4]);
  });

  test('from the HVA too, and text says where a chain ends', async () => {
    const hva = chains[0]?.hops[1]?.address ?? '';
    const { stdout } = await lab('xlat', '--after', FULL, `l1-hva:${hva}`, 'l2-gpa:0xfff00000000');
    const [, gpa, marked] = stdout.split('\n');
    expect(gpa).toContain('0x110000040');
    expect(marked).toMatch(/^\* L1 QEMU HVA/);
    expect(stdout).toMatch(/\n {2}ends: \S/);
  });
});

test('as a process: a reader that goes away is no crash', () => {
  const entry = new URL('./entry.ts', import.meta.url).pathname;
  const r = spawnSync('bash', ['-c', `npx tsx '${entry}' run '${FULL}' | head -n 1`], { encoding: 'utf8' });
  expect(r.stdout).toMatch(/^host# qemu/);
  expect(r.stderr).not.toMatch(/EPIPE|at .*\.ts/);
});
