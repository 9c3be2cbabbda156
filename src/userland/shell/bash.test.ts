import { describe, expect, test } from 'vitest';
import { E } from '../../base/errno.ts';
import type { FakeKernel } from '../testing/fake-kernel.ts';
import { kernelWithPrograms, runBash } from '../testing/scripts.ts';
import cases from './fixtures/bash.json' with { type: 'json' };
import scripts from './fixtures/scripts.json' with { type: 'json' };

function kernel(): FakeKernel {
  const k = kernelWithPrograms();
  k.file('/etc/passwd', 'root:x:0:0:root:/root:/bin/bash\n');
  return k;
}
const run = (script: string, k = kernel()) => runBash(k, '-c', script);

describe('command strings give what bash 5.2 gave for them', () => {
  test.each(cases)('$script', async ({ script, status, stdout, stderr }) => {
    expect(await run(script)).toEqual({ status, stdout, stderr });
  });
});

describe('script files give what bash 5.2 gave for them', () => {
  test.each(scripts)('$script', async ({ script, status, stdout, stderr }) => {
    const k = kernel();
    k.file('/root/case.sh', script);
    expect(await runBash(k, 'case.sh')).toEqual({ status, stdout, stderr });
  });
});
describe('what only this system has', () => {
  test('a refused sysfs write is the command’s own error', async () => {
    const k = kernel();
    k.attribute(
      '/sys/commit',
      () => '0\n',
      (text) => (text === '1\n' ? -E.EBUSY : 0),
    );
    const r = await run('echo 1 > /sys/commit || echo "status $?"; echo 0 > /sys/commit && cat /sys/commit', k);
    expect(r.stdout).toBe('status 1\n0\n');
    expect(r.stderr).toBe('bash: line 1: echo: write error: Device or resource busy\n');
  });
  test('pipelines run at the same time and end by SIGPIPE', async () => {
    const r = await run(`yes | head -n 2; seq 1 100000000 | head -n 1; echo "\${PIPESTATUS[@]}"`);
    expect(r.stdout).toBe('y\ny\n1\n141 0\n');
  });
  test('traps of signals run between commands', async () => {
    const r = await run("trap 'echo caught; exit 3' TERM; (kill -TERM $$) ; sleep 1; echo no");
    expect(r.stdout).toBe('caught\n');
    expect(r.status).toBe(3);
  });
  test('text tools come out of the box with standard input and files', async () => {
    const k = kernel();
    k.file('/root/f', 'b 2\na 1\n');
    const r = await run(
      `sort f; sort -k2 -n f | awk '{print $2 ":" $1}'; sed -n 's/a/X/p' f; echo '{"a":[1,2]}' | jq -c .a; cut -d' ' -f1 f | tr a-z A-Z; sort <<< $'2\\n1'`,
      k,
    );
    expect(r.stderr).toBe('');
    expect(r.stdout).toBe('a 1\nb 2\n1:a\n2:b\nX 1\n[1,2]\nB\nA\n1\n2\n');
  });
});
