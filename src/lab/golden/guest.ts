import { assert, UserError } from '../../base/assert.ts';
import { text as decode } from '../../base/bytes.ts';
import type { CpuBus } from '../../hw/bus/cpu-bus.ts';
import type { Linux } from '../../linux/kernel/linux.ts';
import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import type { MachineId } from '../../log/index.ts';
import { Lab, type LabHost } from '../lab.ts';
import { runStep } from '../run-step.ts';
import type { GoldenCapture } from './capture.ts';
import { orc } from './orc.ts';
import { hostCommand } from './rules.ts';

/** The guest of a replay: booted with the capture's command line, asked through processes of its own. */

export interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

export class Guest {
  private constructor(readonly lab: Lab) {}

  static async boot(capture: GoldenCapture, host: LabHost): Promise<Guest> {
    const lab = await Lab.start({ seed: 1, host, probeOrder: capture.probeOrder });
    const line = `cd /boot && mkdir -p vm && ${hostCommand(capture)}`;
    const result = await runStep(lab, { console: 'host', line, expected: [], at: 1 }, capture.name);
    if (!lab.machines.has('l1')) throw new UserError(`${capture.name} did not boot: ${result.output.trim()}`);
    return new Guest(lab);
  }

  get kernel(): Linux {
    const kernel = this.lab.machines.get('l1');
    assert(kernel, 'the guest runs');
    return kernel;
  }
  get bus(): CpuBus {
    return this.kernel.cpu.bus;
  }

  /** Runs `body` as a process until everything has come to rest. */
  async ask<T>(body: (sys: Sys) => Promise<T> | T, machine: MachineId = 'l1'): Promise<T> {
    this.lab.allow(3600e9);
    const answer = this.lab.withProcess(machine, async (sys) => body(sys));
    await this.lab.settled();
    return answer;
  }

  /** What the VMM's monitor answers; null when it has none. */
  async monitor(line: string): Promise<string | null> {
    if (this.lab.consoles.find('host-monitor') === undefined) return null;
    const { output } = await runStep(this.lab, { console: 'host-monitor', line, expected: [], at: 1 }, 'monitor');
    return output;
  }

  /** A command line as the captures' driver gave it: through a shell, or to the helper. */
  run(command: string): Promise<Result> {
    const parts = command.split(/\s*;\s*/);
    if (!parts.every((part) => part.startsWith('orc '))) return this.ask((sys) => shell(sys, command));
    const { bus } = this;
    return this.ask(async (sys) => {
      let stdout = '';
      let status = 0;
      for (const part of parts) {
        const answer = await orc(sys, bus, part.split(/\s+/).slice(1));
        stdout += answer?.stdout ?? '';
        status = answer?.status ?? 127;
      }
      return { stdout, stderr: '', status };
    });
  }
}

export function contents(sys: Sys, path: string): string {
  const fd = sys.open(path, O_RDONLY);
  if (fd < 0) return '';
  const parts: string[] = [];
  const buffer = new Uint8Array(65536);
  for (let at = 0; ; ) {
    const count = sys.pread(fd, buffer, at);
    if (count <= 0) break;
    parts.push(decode(buffer.subarray(0, count)));
    at += count;
  }
  sys.close(fd);
  return parts.join('');
}

async function shell(sys: Sys, command: string): Promise<Result> {
  const out = sys.open('/tmp/golden.out', O_WRONLY | O_CREAT | O_TRUNC, 0o600);
  const err = sys.open('/tmp/golden.err', O_WRONLY | O_CREAT | O_TRUNC, 0o600);
  const input = sys.open('/dev/null', O_RDONLY);
  const pid = sys.spawn('/bin/bash', ['bash', '-c', command], {
    fds: [input, out, err],
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' },
  });
  const gone = pid < 0 ? pid : await sys.waitpid(pid);
  for (const fd of [input, out, err]) sys.close(fd);
  return {
    stdout: contents(sys, '/tmp/golden.out'),
    stderr: contents(sys, '/tmp/golden.err'),
    status: typeof gone === 'number' ? 255 : gone.status,
  };
}
