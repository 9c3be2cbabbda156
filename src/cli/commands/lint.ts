import { readFileSync } from 'node:fs';
import { UserError } from '../../base/assert.ts';
import { lintCommandLine } from '../../qemu/lint/index.ts';
import { findingText } from '../../qemu/lint/text.ts';
import { options, readText } from '../args.ts';

/** `lint [--json] FILE|-`: remarks on the QEMU command line in a file; status 1 when QEMU would refuse it. */
export async function lint(args: string[]): Promise<number> {
  const opts = options(args, ['json'], []);
  const [file, ...more] = opts.rest;
  if (file === undefined || more.length > 0)
    throw new UserError('lint wants exactly one FILE with a QEMU command line, or - for standard input');
  const line = file === '-' ? readFileSync(0, 'utf8') : readText(file, 'command line');
  const findings = lintCommandLine(line);
  if (opts.flags.json) process.stdout.write(`${JSON.stringify(findings)}\n`);
  else for (const finding of findings) process.stdout.write(findingText(file === '-' ? 'stdin' : file, line, finding));
  return findings.some((finding) => finding.severity === 'error') ? 1 : 0;
}
