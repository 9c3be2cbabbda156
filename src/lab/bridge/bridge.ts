import { E, errnoName } from '../../base/errno.ts';
import { SIGKILL } from '../../linux/uapi/constants.ts';
import { ProcessExit, type Sys } from '../../linux/uapi/sys.ts';
import type { MachineId } from '../../log/index.ts';
import type { Lab } from '../lab.ts';
import { parseRequest, type Request, type RequestId } from './requests.ts';
import { RunningCommand } from './run-command.ts';
import { listNames, readContent, statFile, treeOf, writeContent } from './sysfs-files.ts';

/** `err` is the errno's name; `message` says in words what was wrong with a request that could not be read. */
export type Answer =
  | { readonly id: RequestId; readonly ok: unknown }
  | { readonly id: RequestId; readonly err: string; readonly message?: string };

/** Virtual time that what a write set going may take (asynchronous probes, work on a timer) before the answer is given. */
const AFTER_WRITE_NS = 1e9;
/** A command may take an hour, as a line of a transcript may. */
const COMMAND_NS = 3600e9;
const SYS = '/sys';

/**
 * A running machine for programs outside: answers requests about its /sys, one at a time, through processes of its own that
 * use system calls as `cat` and `echo` do. A write's answer comes when all it set going has come to rest; looking does
 * not let time pass.
 */
export class Bridge {
  constructor(
    private readonly lab: Lab,
    private readonly machine: MachineId,
  ) {}

  /** Answers one line. What cannot be understood is answered too. */
  async answer(line: string): Promise<Answer> {
    const { id, request } = parseRequest(line);
    if (typeof request === 'string') return { id, err: 'EINVAL', message: request };
    const kernel = this.lab.machines.get(this.machine);
    if (!kernel || kernel.off) return { id, err: 'ENODEV', message: `${this.machine} is not running` };
    const ok = request.op === 'exec' ? await this.exec(request.cmd) : await this.file(request);
    return typeof ok === 'number' && ok < 0 ? { id, err: errnoName(ok) } : { id, ok };
  }

  private file(request: Exclude<Request, { op: 'exec' }>): Promise<unknown> {
    const { op, path } = request;
    const at = `${SYS}/${path}`;
    return this.ask(op === 'write' ? AFTER_WRITE_NS : 0, async (sys) => {
      switch (op) {
        case 'stat':
          return statFile(sys, at);
        case 'list':
          return listNames(sys, at);
        case 'read':
          return await readContent(sys, at, request.offset);
        case 'write':
          return await writeContent(sys, at, request.offset, request.data);
        case 'tree':
          return await treeOf(sys, SYS, `/${path.replace(/^\/+/, '')}`);
      }
    });
  }

  private async exec(command: string): Promise<unknown> {
    const running = new RunningCommand();
    const started = await this.ask(COMMAND_NS, (sys) => running.run(sys, command), running.started);
    if (started < 0 && running.started.length === 0) return started;
    return { rc: running.status ?? 128 + SIGKILL, out: running.out, err: running.err };
  }

  /** Runs `body` as a process until everything rests. Who still sleeps then would sleep for ever: it is killed (EINTR). */
  private async ask<T>(
    ns: number,
    body: (sys: Sys) => Promise<T>,
    others: readonly number[] = [],
  ): Promise<T | number> {
    let pid = 0;
    let answer: T | number = -E.EINTR;
    let ended = false;
    const process = this.lab
      .withProcess(this.machine, (sys) => {
        pid = sys.pid;
        return body(sys);
      })
      .then(
        (value) => {
          answer = value;
        },
        (error: unknown) => {
          if (!(error instanceof ProcessExit)) throw error;
        },
      )
      .finally(() => {
        ended = true;
      });
    this.lab.allow(ns);
    await this.lab.settled();
    if (!ended) {
      await Promise.race([
        this.lab.withProcess(this.machine, async (sys) => {
          for (const id of [...others, pid]) sys.kill(id, SIGKILL);
        }),
        process,
      ]);
      await this.lab.settled();
    }
    return answer;
  }
}
