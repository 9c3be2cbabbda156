/** `lint`, a command of this lab: remarks on a QEMU command line given as its arguments. No QEMU has such a program. */
import { utf8 } from '../../base/bytes.ts';
import type { Program } from '../../linux/uapi/sys.ts';
import { STDOUT, writeText } from '../system/stdio.ts';
import { lintCommandLine } from './index.ts';
import { findingText } from './text.ts';

const USAGE = `usage: lint qemu-system-x86_64 OPTION…
       lint 'LINE'
A command of this lab: what QEMU would refuse in the line, and what would boot and disappoint.
Status 1 when it would be refused, otherwise 0.
`;

export const lint: Program = async (sys, argv) => {
  const words = argv.slice(1);
  if (words.length === 0 || (words.length === 1 && (words[0] === '--help' || words[0] === '-h'))) {
    writeText(sys, STDOUT, USAGE);
    return words.length === 0 ? 2 : 0;
  }
  const line = words.length === 1 ? (words[0] as string) : words.map(quoted).join(' ');
  const findings = lintCommandLine(line);
  for (const finding of findings) await sys.write(STDOUT, utf8(findingText('lint', line, finding)));
  if (findings.length === 0) writeText(sys, STDOUT, 'lint: nothing to say\n');
  return findings.some((finding) => finding.severity === 'error') ? 1 : 0;
};

const quoted = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
