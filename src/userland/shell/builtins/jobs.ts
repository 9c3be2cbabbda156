/** Job builtins: jobs, fg, bg, wait, kill, disown, suspend-free. */
import { E, strerror } from '../../../base/errno.ts';
import { SIGCONT } from '../../../linux/uapi/constants.ts';
import { complain } from '../../misc/io.ts';
import { SIGNALS, signalName, signalNumber } from '../control.ts';
import type { Job } from '../jobs.ts';
import { foreground, reap, waitPipeline } from '../processes.ts';
import type { Builtin, Shell } from '../shell.ts';
import { runSignalTraps } from '../traps.ts';
import { options } from './options.ts';

const jobs: Builtin = async (sh, args) => {
  await reap(sh);
  const long = args.includes('-l');
  const text = args.includes('-p')
    ? sh.jobs.list.map((j) => `${j.pgid}\n`).join('')
    : sh.jobs.list.map((j) => `${sh.jobs.line(j, long)}\n`).join('');
  for (const job of [...sh.jobs.list]) if (sh.jobs.done(job)) sh.jobs.remove(job);
  return sh.out('jobs', text);
};

const noControl = async (sh: Shell, name: string): Promise<number> => {
  await sh.error(`${name}: no job control`);
  return 1;
};

const fg: Builtin = async (sh, args) => {
  if (!sh.options.has('monitor')) return noControl(sh, 'fg');
  const job = sh.jobs.find(args[0] ?? '%%');
  if (!job) {
    await sh.error(`fg: ${args[0] ?? 'current'}: no such job`);
    return 1;
  }
  await sh.out('fg', `${job.text}\n`);
  job.stopped = false;
  foreground(sh, job.pgid);
  sh.sys.kill(-job.pgid, SIGCONT);
  try {
    return (await waitPipeline(sh, job.pids, job.pgid, job.text, job)).at(-1) ?? 0;
  } finally {
    if (!job.stopped) sh.jobs.remove(job);
  }
};

const bg: Builtin = async (sh, args) => {
  if (!sh.options.has('monitor')) return noControl(sh, 'bg');
  const job = sh.jobs.find(args[0] ?? '%%');
  if (!job) {
    await sh.error(`bg: ${args[0] ?? 'current'}: no such job`);
    return 1;
  }
  job.stopped = false;
  sh.sys.kill(-job.pgid, SIGCONT);
  return sh.out('bg', `[${job.number}]${sh.jobs.mark(job)} ${job.text} &\n`);
};

/** Sleeps for one background process; a trapped signal ends it with 128 + number. */
async function waitOne(sh: Shell, pid: number): Promise<number> {
  for (;;) {
    const known = sh.jobs.finished.get(pid);
    if (known !== undefined) return known;
    const r = await sh.sys.waitpid(pid);
    if (typeof r !== 'number') {
      sh.jobs.record(r.pid, r.status, r.signal);
      continue;
    }
    if (r !== -E.EINTR) return -1;
    const signal = sh.pendingSignals[0];
    await runSignalTraps(sh);
    if (signal !== undefined) return 128 + signal;
  }
}

/** `wait -n`: the next job to end, of these or of all; null when there is none. */
async function waitNext(sh: Shell, ids: readonly string[]): Promise<number | null> {
  const wanted = (job: Job): boolean =>
    ids.length === 0 ||
    ids.some((id) => (id.startsWith('%') ? sh.jobs.find(id) === job : job.pids.includes(Number(id))));
  for (;;) {
    const jobs = sh.jobs.list.filter(wanted);
    const done = jobs.find((job) => sh.jobs.done(job));
    if (done) {
      sh.jobs.remove(done);
      return sh.jobs.status(done);
    }
    if (jobs.length === 0) return null;
    const r = await sh.sys.waitpid(-1);
    if (typeof r !== 'number') sh.jobs.record(r.pid, r.status, r.signal);
    else if (r === -E.EINTR) {
      const signal = sh.pendingSignals[0];
      await runSignalTraps(sh);
      if (signal !== undefined) return 128 + signal;
    } else return null;
  }
}

const wait: Builtin = async (sh, args) => {
  const o = await options(sh, 'wait', args, 'fnp:', 'wait [-fn] [-p var] [id ...]');
  if (!o) return 2;
  if (o.has('n')) return (await waitNext(sh, o.rest)) ?? 127;
  if (o.rest.length === 0) {
    let status = 0;
    for (const job of [...sh.jobs.list]) {
      for (const pid of job.pids) {
        status = await waitOne(sh, pid);
        if (status > 128 && !sh.jobs.finished.has(pid)) return status;
      }
      sh.jobs.remove(job);
    }
    return 0;
  }
  let status = 0;
  for (const id of o.rest) {
    if (id.startsWith('%')) {
      const job = sh.jobs.find(id);
      if (!job) {
        await sh.error(`wait: ${id}: no such job`);
        status = 127;
        continue;
      }
      for (const pid of job.pids) status = await waitOne(sh, pid);
      sh.jobs.remove(job);
      continue;
    }
    if (!/^\d+$/.test(id)) {
      await sh.error(`wait: \`${id}': not a pid or valid job spec`);
      status = 1;
      continue;
    }
    status = await waitOne(sh, Number(id));
    if (status < 0) {
      await sh.error(`wait: pid ${id} is not a child of this shell`);
      status = 127;
    }
    for (const job of [...sh.jobs.list]) if (job.pids.includes(Number(id)) && sh.jobs.done(job)) sh.jobs.remove(job);
  }
  return status;
};

const kill: Builtin = async (sh, args) => {
  let signal = 15;
  let rest = [...args];
  const first = rest[0] ?? '';
  if (first === '-l' || first === '-L') {
    const given = rest[1];
    if (given === undefined)
      return sh.out('kill', `${SIGNALS.map(([n, s]) => `${String(n).padStart(2)}) SIG${s}`).join('\n')}\n`);
    if (/^\d+$/.test(given)) return sh.out('kill', `${signalName(Number(given) & 127)}\n`);
    return sh.out('kill', `${signalNumber(given) ?? ''}\n`);
  }
  if (first === '-s' || first === '-n') {
    const n = signalNumber(rest[1] ?? '');
    if (n === null) {
      await sh.error(`kill: ${rest[1]}: invalid signal specification`);
      return 1;
    }
    signal = n;
    rest = rest.slice(2);
  } else if (/^-[A-Za-z0-9]+$/.test(first)) {
    const n = signalNumber(first.slice(1));
    if (n === null) {
      await sh.error(`kill: ${first.slice(1)}: invalid signal specification`);
      return 1;
    }
    signal = n;
    rest = rest.slice(1);
  }
  if (rest[0] === '--') rest = rest.slice(1);
  if (rest.length === 0) {
    await complain(
      sh.sys,
      'kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]',
    );
    return 2;
  }
  let status = 0;
  for (const id of rest) {
    let pid: number;
    if (id.startsWith('%')) {
      const job = sh.jobs.find(id);
      if (!job) {
        await sh.error(`kill: ${id}: no such job`);
        status = 1;
        continue;
      }
      pid = sh.options.has('monitor') ? -job.pgid : job.pgid;
    } else if (/^-?\d+$/.test(id)) pid = Number(id);
    else {
      await sh.error(`kill: ${id}: arguments must be process or job IDs`);
      status = 1;
      continue;
    }
    const r = sh.sys.kill(pid, signal);
    if (r < 0) {
      await sh.error(`kill: (${id}) - ${strerror(r)}`);
      status = 1;
    }
  }
  await runSignalTraps(sh);
  return status;
};

const disown: Builtin = async (sh, args) => {
  const job = sh.jobs.find(args[0] ?? '%%');
  if (job) sh.jobs.remove(job);
  else await sh.error(`disown: ${args[0] ?? 'current'}: no such job`);
  return job ? 0 : 1;
};

export const JOB_BUILTINS: Record<string, Builtin> = { jobs, fg, bg, wait, kill, disown };
