import { UserError } from '../base/assert.ts';
import { bench } from './commands/bench.ts';
import { check } from './commands/check.ts';
import { exits } from './commands/exits.ts';
import { exportFiles } from './commands/export.ts';
import { fuzz } from './commands/fuzz.ts';
import { golden } from './commands/golden.ts';
import { hash } from './commands/hash.ts';
import { lint } from './commands/lint.ts';
import { matrixCommand } from './commands/matrix.ts';
import { mount } from './commands/mount.ts';
import { ownership } from './commands/ownership.ts';
import { run } from './commands/run.ts';
import { serve } from './commands/serve.ts';
import { sh } from './commands/sh.ts';
import { xlatCommand } from './commands/xlat.ts';

const USAGE = `usage: npm run --silent lab -- COMMAND …

  run [--json] FILE                 type a transcript, print it with the outputs
  check [--record] FILE…            compare outputs with the file; unified diff, status 1 on difference
                                    (--record writes the outputs into the file)
  xlat --after FILE [--json] SPACE:ADDR…
                                    the chain of an address; SPACE is l2-gpa, l1-hva, l1-hpa, dpa or backend
  export --after FILE --machine host|l1|l2 WHAT
                                    WHAT: sysfs DIR | config BDF | configs FILE | acpi SIGNATURE FILE |
                                          backend ID FILE | events FILE
  exits --after FILE [--json]       exits of each guest and calls into L1's kernel, command by command
  fuzz [--steps N]                  random accesses and VFIO calls from every layer; fails when a law breaks (--seed varies)
  ownership [--json] [--after FILE] who owns each CXL register, found out by writing it from every layer
  sh [--machine M] [--after FILE] SCRIPT [ARG…]
                                    run a bash script in a machine's shell (sh --help)
  matrix [--json] [SWITCH…]         boot every build with one patch or part left out; the rung where it stops
  serve --after FILE --machine host|l1|l2
                                    answers requests about the machine's /sys, JSON lines on stdin and stdout
                                    (src/lab/bridge/README.md)
  mount --after FILE --machine host|l1|l2 DIR
                                    the same as a file system (FUSE) for real tools, until it is unmounted
  hash FILE                         state hash after a transcript
  lint [--json] FILE|-              remarks on a QEMU command line; status 1 when it would be refused
  golden [--all] [--maps] [--write FILE] DIR…
                                    replay captures of the real thing (a folder, a folder of folders): scores per
                                    tool, map points, first differences; --maps compares only map points;
                                    --pack FILE DIR: the capture as one file

FILE is a transcript: lines "host# …", "l1# …", "l2# …" are typed on that console in order (also "host-monitor# …",
"l1-monitor# …"). All commands take --seed N (default 1).`;

const COMMANDS: Readonly<Record<string, (args: string[]) => Promise<number>>> = {
  run,
  check,
  xlat: xlatCommand,
  exits,
  ownership,
  fuzz,
  export: exportFiles,
  sh,
  serve,
  mount,
  hash,
  lint,
  golden,
  matrix: matrixCommand,
  bench,
};

/** The headless runner. Mistakes of its user: one sentence on stderr and status 2. */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(`${USAGE}\n`);
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  try {
    if (!command)
      throw new UserError(`unknown command "${name}"; the commands are ${Object.keys(COMMANDS).join(', ')}`);
    return await command(rest);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`lab: ${error.message}\n`);
    return 2;
  }
}
