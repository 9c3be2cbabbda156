/** Pipelines: `!`, `time`, processes joined by pipes, `lastpipe`. */
import { strerror } from '../../base/errno.ts';
import { writeText } from '../misc/io.ts';
import type * as Ast from './parse.ts';
import { fork, waitPipeline } from './processes.ts';
import type { Shell } from './shell.ts';
import { checkFailure } from './traps.ts';

export async function runPipeline(sh: Shell, node: Ast.Pipeline): Promise<number> {
  const negate = node.prefixes.filter((p) => p.type === 'Negation').length % 2 === 1;
  const timed = node.prefixes.find((p) => p.type === 'Time');
  const start = sh.sys.clockGettime('monotonic');
  if (negate) sh.tested++;
  try {
    const only = node.commands[0];
    if (node.commands.length === 1 && only) await sh.command(only, {}, negate);
    else if (node.commands.length > 1) await pipe(sh, node);
  } finally {
    if (negate) sh.tested--;
  }
  if (timed?.type === 'Time') {
    const seconds = (sh.sys.clockGettime('monotonic') - start) / 1e9;
    await writeText(sh.sys, 2, timeReport(seconds, timed.posix !== undefined));
  }
  if (negate) sh.status = sh.status === 0 ? 1 : 0;
  return sh.status;
}

function timeReport(seconds: number, posix: boolean): string {
  if (posix) return `real ${seconds.toFixed(2)}\nuser 0.00\nsys 0.00\n`;
  const show = (v: number): string => `${Math.floor(v / 60)}m${(v % 60).toFixed(3)}s`;
  return `\nreal\t${show(seconds)}\nuser\t${show(0)}\nsys\t${show(0)}\n`;
}

async function pipe(sh: Shell, node: Ast.Pipeline): Promise<void> {
  const { sys } = sh;
  const pids: number[] = [];
  const monitor = sh.options.has('monitor');
  const inShell = sh.shopts.has('lastpipe') && !monitor;
  let pgid = 0;
  let input = -1;
  let own: number | null = null;
  for (let i = 0; i < node.commands.length; i++) {
    const command = node.commands[i];
    if (!command) continue;
    const last = i === node.commands.length - 1;
    if (last && inShell) {
      own = await here(sh, command, input);
      break;
    }
    const ends = last ? null : sys.pipe();
    if (typeof ends === 'number') {
      await sh.error(`pipe error: ${strerror(ends)}`);
      break;
    }
    const from = input;
    const both = node.operators[i] === '|&';
    const pid = fork(
      sh,
      async (child) => {
        const s = child.sys;
        if (from >= 0) {
          s.dup2(from, 0);
          s.close(from);
        }
        if (ends) {
          s.close(ends[0]);
          s.dup2(ends[1], 1);
          if (both) s.dup2(1, 2);
          s.close(ends[1]);
        }
        child.interactive = false;
        child.loops = 0;
        child.options.delete('monitor');
        return child.command(command, { last: true });
      },
      monitor ? { pgid, keepTested: true } : { keepTested: true },
    );
    if (monitor) {
      sys.setpgid(pid, pgid || pid);
      pgid ||= pid;
    }
    pids.push(pid);
    if (from >= 0) sys.close(from);
    if (ends) sys.close(ends[1]);
    input = ends ? ends[0] : -1;
  }
  const statuses = await waitPipeline(sh, pids, pgid, sh.source.text.slice(node.pos, node.end));
  if (own !== null) statuses.push(own);
  sh.pipestatus = statuses;
  sh.status = statuses.at(-1) ?? 0;
  if (sh.options.has('pipefail')) sh.status = statuses.findLast((s) => s !== 0) ?? 0;
  await checkFailure(sh);
}

/** The last command of a pipeline in this shell, reading the pipe. */
async function here(sh: Shell, command: Ast.CommandNode, input: number): Promise<number> {
  const { sys } = sh;
  const saved = sys.dup(0, 10);
  if (saved >= 0) sys.setCloexec(saved, true);
  sys.dup2(input, 0);
  sys.close(input);
  sh.tested++;
  try {
    return await sh.command(command, {});
  } finally {
    sh.tested--;
    if (saved >= 0) {
      sys.dup2(saved, 0);
      sys.close(saved);
    } else sys.close(0);
  }
}
