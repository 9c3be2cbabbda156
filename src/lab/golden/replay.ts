import { assert, UserError } from '../../base/assert.ts';
import { text as decode } from '../../base/bytes.ts';
import type { CpuBus } from '../../hw/bus/cpu-bus.ts';
import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { Lab, type LabHost } from '../lab.ts';
import { runStep } from '../run-step.ts';
import {
  commonLines,
  type GoldenCapture,
  type GoldenCommand,
  hostCommand,
  normalised,
  noScore,
  type Score,
  skipped,
} from './capture.ts';
import { orc } from './orc.ts';

/** Replays a capture: boots its command line in the lab, gives its commands to the guest, compares what comes back. */

export interface Difference {
  readonly id: string;
  readonly command: string;
  readonly stream: 'stdout' | 'stderr' | 'status' | 'dmesg';
  readonly want: readonly string[];
  readonly have: readonly string[];
}

export interface Replay {
  readonly name: string;
  /** By tool; kernel lines of all commands under `dmesg`. */
  readonly scores: ReadonlyMap<string, Score>;
  readonly differences: readonly Difference[];
  readonly skipped: ReadonlyMap<string, number>;
}

interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

const SEEDS = 64;

/** The order of asynchronous probes is the seed's: takes the first seed that names the memdevs as in the capture. */
async function bootLike(capture: GoldenCapture, host: LabHost): Promise<Lab> {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const lab = await Lab.start({ seed, host });
    const line = `cd /boot && mkdir -p vm && ${hostCommand(capture)}`;
    const result = await runStep(lab, { console: 'host', line, expected: [], at: 1 }, capture.name);
    if (!lab.machines.has('l1')) throw new UserError(`${capture.name} did not boot: ${result.output.trim()}`);
    const names = await ask(lab, (sys) => Promise.resolve(memdevs(sys)));
    const wanted = Object.entries(capture.memdevs);
    if (wanted.every(([serial, name]) => names.get(serial) === name) || wanted.length < 2) return lab;
    lab.stop();
  }
  throw new UserError(`${capture.name}: no seed up to ${SEEDS} names the memdevs as the capture does`);
}

function contents(sys: Sys, path: string): string {
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

/** Serial number (hexadecimal text) of each memdev. */
function memdevs(sys: Sys): Map<string, string> {
  const names = new Map<string, string>();
  for (let n = 0; n < 64; n++) {
    const serial = contents(sys, `/sys/bus/cxl/devices/mem${n}/serial`).trim();
    if (serial !== '') names.set(serial, `mem${n}`);
  }
  return names;
}

/** Runs `body` as a process of the guest until everything has come to rest. */
async function ask<T>(lab: Lab, body: (sys: Sys) => Promise<T>): Promise<T> {
  lab.allow(3600e9);
  const answer = lab.withProcess('l1', body);
  await lab.settled();
  return answer;
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

async function execute(lab: Lab, command: string): Promise<Result> {
  const kernel = lab.machines.get('l1');
  assert(kernel, 'the guest runs');
  const parts = command.split(/\s*;\s*/);
  if (!parts.every((part) => part.startsWith('orc '))) return ask(lab, (sys) => shell(sys, command));
  return ask(lab, async (sys) => {
    let stdout = '';
    let status = 0;
    for (const part of parts) {
      const answer = await orc(sys, kernel.cpu.bus, part.split(/\s+/).slice(1));
      stdout += answer?.stdout ?? '';
      status = answer?.status ?? 127;
    }
    return { stdout, stderr: '', status };
  });
}

/** What the helper's benchmark leaves behind: its last pass writes ascending bytes. Address 0 is its own buffer. */
function pattern(bus: CpuBus, at: number, length: number): void {
  if (at === 0) return;
  for (let n = 0; n < length; n++) bus.store(at + n, 1, n & 0xff);
}

const tool = (command: string) => /^\S+/.exec(command)?.[0] ?? '';

export async function replay(capture: GoldenCapture, host: LabHost): Promise<Replay> {
  const lab = await bootLike(capture, host);
  const scores = new Map<string, Score>();
  const differences: Difference[] = [];
  const left = new Map<string, number>();
  const score = (name: string): Score => {
    const found = scores.get(name) ?? noScore();
    scores.set(name, found);
    return found;
  };
  const compare = (to: Score, one: GoldenCommand, stream: Difference['stream'], wanted: string, had: string): void => {
    const want = normalised(wanted);
    const have = normalised(had);
    const common = commonLines(want, have);
    to.equal += common;
    to.compared += Math.max(want.length, have.length);
    if (common < Math.max(want.length, have.length))
      differences.push({ id: one.id, command: one.command, stream, want, have });
  };
  for (const one of capture.commands) {
    const reason = skipped(one.command);
    const kernel = lab.machines.get('l1');
    assert(kernel, 'the guest runs');
    if (reason !== null) {
      left.set(reason, (left.get(reason) ?? 0) + 1);
      continue;
    }
    const bench = /^orc bench (\S+) (\S+) (\S+)$/.exec(one.command);
    if (bench) {
      pattern(kernel.cpu.bus, Number(bench[1]), Math.min(Number(bench[2]), Number(bench[3])));
      left.set('measures time', (left.get('measures time') ?? 0) + 1);
      continue;
    }
    const before = kernel.log_buf.records.length;
    const result = await execute(lab, one.command);
    const lines = kernel.log_buf.records.slice(before).map((record) => `${record.text}\n`);
    const to = score(tool(one.command));
    to.commands++;
    if (result.status === one.status) to.statusEqual++;
    else
      differences.push({
        ...{ id: one.id, command: one.command, stream: 'status' },
        ...{ want: [String(one.status)], have: [String(result.status)] },
      });
    compare(to, one, 'stdout', one.stdout, result.stdout);
    compare(to, one, 'stderr', one.stderr, result.stderr);
    if (one.dmesg !== null) compare(score('dmesg'), one, 'dmesg', one.dmesg, lines.join(''));
  }
  lab.stop();
  return { name: capture.name, scores, differences, skipped: left };
}
