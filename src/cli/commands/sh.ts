import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../../base/assert.ts';
import { type GuestFile, runScript } from '../../lab/run-script.ts';
import { MACHINES, type MachineId } from '../../log/index.ts';
import { options, readText, reason, seedOf } from '../args.ts';
import { playTranscript } from '../play.ts';

/** What `--machine l1` boots when no transcript says otherwise. */
const SMALL_L1 = `host# cd /boot && qemu-system-x86_64 -M q35,cxl=on -m 2G,maxmem=4G,slots=4 -cpu max,hypervisor=off -smp 2 \\
host# -object memory-backend-ram,id=mem0,share=on,size=256M -device pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1 \\
host# -device cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2 -device cxl-type3,bus=rp0,volatile-memdev=mem0,id=cxl-mem0,sn=1 \\
host# -M cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G -kernel vmlinuz-6.12 -initrd initrd-6.12 \\
host# -append "console=ttyS0 iomem=relaxed" -nographic
`;

/** The walkthrough up to here leaves L2 running with its region. */
const LAST_L2_LINE = 'l2# rmmod';

const HELP = `usage: npm run --silent lab -- sh [--machine host|l1|l2] [--after FILE] [--env NAME=VALUE]… SCRIPT [ARG…]

Runs a bash script of this computer, as it is, in the shell of one machine of the lab; prints what it prints and
exits with its status.

  --machine M       where it runs (default l1)
  --after FILE      the transcript that builds the state. Without it the host has just booted; l1 is one virtual
                    machine: q35 with CXL, 2 GiB, a host bridge, a root port, a 256 MiB volatile memory expander,
                    a 4 GiB window, Linux 6.12; l2 is the walkthrough's, with its region
  --env NAME=VALUE  more environment (given again for each). PATH, HOME and, as the ndctl project's test runner has
                    them, CXL, NDCTL, DAXCTL and TEST_PATH are there
  --seed N          order of asynchronous probes

SCRIPT has the same path inside the machine as here, and so have the files beside it and the current directory, so
that $0, BASH_SOURCE and ". $(dirname $0)/common" mean the same. Standard input is empty.
`;

/** `sh [--machine M] [--after FILE] [--env NAME=VALUE]… SCRIPT [ARG…]` */
export async function sh(args: string[]): Promise<number> {
  const { own, script, rest } = split(args);
  if (own.includes('--help')) {
    process.stdout.write(HELP);
    return 0;
  }
  const env: Record<string, string> = {};
  const plain: string[] = [];
  for (let n = 0; n < own.length; n++) {
    const m = /^--env(?:=([\s\S]*))?$/.exec(own[n] as string);
    if (!m) {
      plain.push(own[n] as string);
      continue;
    }
    const pair = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(m[1] ?? own[++n] ?? '');
    if (!pair) throw new UserError('--env wants NAME=VALUE');
    env[pair[1] as string] = pair[2] as string;
  }
  const opts = options(plain, [], ['after', 'machine', 'env']);
  if (script === undefined) throw new UserError('sh wants a SCRIPT: sh [--machine host|l1|l2] [--after FILE] SCRIPT');
  const wanted = opts.values.machine ?? 'l1';
  const machine = MACHINES.find((id) => id === wanted);
  if (!machine) throw new UserError(`there is no machine "${wanted}"; there are ${MACHINES.join(', ')}`);
  const files = collect(script);
  // What the shell is told stands in for a path that a machine's own file systems hold (`<( )`).
  const told = FOREIGN.test(resolve(script)) ? (files[0]?.path ?? script) : script;
  const [text, file] = before(opts.values.after, machine);
  const lab = await playTranscript(text, file, seedOf(opts), () => {});
  const status = await runScript(lab, machine, {
    ...{ script: told, args: rest, files, cwd: process.cwd(), env },
    write: (fd, bytes) => void (fd === 1 ? process.stdout : process.stderr).write(bytes),
  });
  lab.stop();
  if (status === null) throw new UserError(`${script} waits for something that nothing in the lab will do`);
  return status;
}

/** Options up to the first operand are the lab's; that operand is the script, the rest are the script's. */
function split(args: readonly string[]): { own: string[]; script: string | undefined; rest: readonly string[] } {
  const own: string[] = [];
  for (let n = 0; n < args.length; n++) {
    const word = args[n] as string;
    if (word === '--') return { own, script: args[n + 1], rest: args.slice(n + 2) };
    if (!word.startsWith('-')) return { own, script: word, rest: args.slice(n + 1) };
    own.push(word);
    const value = args[n + 1];
    if (/^--(machine|after|env|seed)$/.test(word) && value !== undefined) own.push(args[++n] as string);
  }
  return { own, script: undefined, rest: [] };
}

/** The transcript that builds the machine, and its name for messages. */
function before(after: string | undefined, machine: MachineId): readonly [string, string] {
  if (after !== undefined) return [readText(after, 'transcript'), after];
  if (machine === 'host') return ['', 'nothing'];
  if (machine === 'l1') return [SMALL_L1, 'the small machine'];
  const all = readFileSync(new URL('../../content/walkthrough.transcript', import.meta.url), 'utf8');
  // Towards its end it takes everything apart again.
  return [all.slice(0, all.indexOf(LAST_L2_LINE)), 'the walkthrough'];
}

const FOREIGN = /^\/(dev|proc|sys)\//;
const MOST = 1024 * 1024;
const ALL = 16 * 1024 * 1024;

/** The script, and the files beside it as far as they are small: what a script of a test suite sources. */
function collect(script: string): readonly GuestFile[] {
  const path = resolve(script);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UserError(`cannot read script "${script}": ${reason(error)}`);
  }
  if (FOREIGN.test(path)) return [{ path: `/tmp/script-${basename(path)}`, bytes, mode: 0o755 }];
  const files: GuestFile[] = [{ path, bytes, mode: statSync(path).mode & 0o777 }];
  let total = bytes.length;
  for (const name of readdirSync(dirname(path)).sort()) {
    const beside = join(dirname(path), name);
    if (name === basename(path) || !existsSync(beside)) continue;
    const stat = statSync(beside);
    if (!stat.isFile() || stat.size > MOST || total + stat.size > ALL) continue;
    total += stat.size;
    files.push({ path: beside, bytes: readFileSync(beside), mode: stat.mode & 0o777 });
  }
  return files;
}
