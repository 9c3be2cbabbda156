import type { CpuBus } from '../../hw/bus/cpu-bus.ts';
import type { LabHost } from '../lab.ts';
import { bytesOfTable } from './acpi.ts';
import type { GoldenCapture, GoldenCommand, GoldenMap, GoldenSnapshot } from './capture.ts';
import { Guest } from './guest.ts';
import { backendFiles, isMoment, type MapScore, replayMap } from './maps.ts';
import { cxlPart, fileSkipped, normalised, skipped, TABLES } from './rules.ts';
import { commonLines, noScore, type Score } from './score.ts';
import { fileOf } from './snapshot.ts';

/**
 * Replays a capture: boots its command line in the lab, gives its commands to the guest, takes its snapshots and maps where it
 * took them, compares what comes back.
 */

export interface Difference {
  readonly id: string;
  readonly command: string;
  readonly stream: 'stdout' | 'stderr' | 'status' | 'dmesg' | 'file';
  readonly want: readonly string[];
  readonly have: readonly string[];
}

export interface Replay {
  readonly name: string;
  /** By tool; kernel lines of all commands under `dmesg`. */
  readonly scores: ReadonlyMap<string, Score>;
  readonly points: readonly MapScore[];
  readonly differences: readonly Difference[];
  readonly skipped: ReadonlyMap<string, number>;
}

/** What the helper's benchmark leaves behind: its last pass writes ascending bytes. Address 0 is its own buffer. */
function pattern(bus: CpuBus, at: number, length: number): void {
  if (at === 0) return;
  for (let n = 0; n < length; n++) bus.store(at + n, 1, n & 0xff);
}

/** The program a line runs; lines that begin otherwise are the shell's own. */
const tool = (command: string) => /^(?!for )[a-z]\S*(?= |$)/.exec(command)?.[0] ?? 'sh';

/** `only: maps` gives the commands without comparing them. */
export async function replay(capture: GoldenCapture, host: LabHost, only: 'all' | 'maps' = 'all'): Promise<Replay> {
  const guest = await Guest.boot(capture, host);
  const run = new Run(capture, guest, only === 'all');
  await run.tables();
  for (let n = 0; n <= capture.commands.length; n++) {
    const one = capture.commands[n - 1];
    if (one) await run.command(one);
    for (const snapshot of capture.snapshots) if (snapshot.after === n) await run.snapshot(snapshot);
    await run.maps(n);
  }
  guest.lab.stop();
  return run;
}

class Run implements Replay {
  readonly scores = new Map<string, Score>();
  readonly differences: Difference[] = [];
  readonly skipped = new Map<string, number>();
  readonly points: MapScore[] = [];
  private readonly pending: GoldenMap[];
  private readonly files;

  constructor(
    private readonly capture: GoldenCapture,
    private readonly guest: Guest,
    private readonly comparing: boolean,
  ) {
    this.pending = [...capture.maps];
    this.files = backendFiles(capture.cmdline);
  }

  get name(): string {
    return this.capture.name;
  }

  private score(name: string): Score {
    const found = this.scores.get(name) ?? noScore();
    this.scores.set(name, found);
    return found;
  }

  private skip(reason: string): void {
    this.skipped.set(reason, (this.skipped.get(reason) ?? 0) + 1);
  }

  private compare(to: Score, id: string, command: string, stream: Difference['stream'], wanted: string, had: string) {
    const want = normalised(wanted);
    const have = normalised(had);
    const common = commonLines(want, have);
    const all = Math.max(want.length, have.length);
    to.equal += common;
    to.compared += all;
    if (common < all) this.differences.push({ id, command, stream, want, have });
  }

  /** ACPI tables, byte for byte: a table counts as a line. */
  async tables(): Promise<void> {
    if (!this.comparing) return;
    for (const [signature, wanted] of Object.entries(this.capture.tables)) {
      if (!TABLES.includes(signature)) {
        this.skip(`ACPI table ${signature}`);
        continue;
      }
      const had = await this.guest.ask((sys) => bytesOfTable(sys, signature));
      this.compare(this.score('acpi'), `acpi/${signature}`, signature, 'file', wanted, had);
    }
  }

  async command(one: GoldenCommand, id = one.id): Promise<void> {
    const { guest } = this;
    const bench = /^orc bench (\S+) (\S+) (\S+)$/.exec(one.command);
    if (bench) {
      pattern(guest.bus, Number(bench[1]), Math.min(Number(bench[2]), Number(bench[3])));
      return this.skip('measures time');
    }
    const reason = skipped(one.command);
    if (reason !== null) return this.skip(reason);
    const { log_buf } = guest.kernel;
    const before = log_buf.records.length;
    const result = await guest.run(one.command);
    if (!this.comparing) return;
    const lines = log_buf.records.slice(before).map((record) => `${record.text}\n`);
    const to = this.score(tool(one.command));
    to.commands++;
    if (result.status === one.status) to.statusEqual++;
    else
      this.differences.push({
        ...{ id, command: one.command, stream: 'status' },
        ...{ want: [String(one.status)], have: [String(result.status)] },
      });
    this.compare(to, id, one.command, 'stdout', one.stdout, result.stdout);
    this.compare(to, id, one.command, 'stderr', one.stderr, result.stderr);
    if (one.dmesg !== null) this.compare(this.score('dmesg'), id, one.command, 'dmesg', one.dmesg, lines.join(''));
  }

  /** In the order the captures' script took it (a mailbox shows its last command in the registers). */
  async snapshot(snapshot: GoldenSnapshot): Promise<void> {
    if (!this.comparing) return;
    await this.part(snapshot, (path) => /^(lspci|regs)\//.test(path));
    await this.part(snapshot, (path) => !/^(lspci|regs|monitor)\//.test(path));
    for (const one of snapshot.commands) await this.command(one, `${snapshot.name}/${one.id}`);
    await this.part(snapshot, (path) => path.startsWith('monitor/'));
  }

  private async part(snapshot: GoldenSnapshot, which: (path: string) => boolean): Promise<void> {
    for (const path of Object.keys(snapshot.files).filter(which)) {
      const reason = fileSkipped(path);
      const shown = reason === null ? await fileOf(this.guest, snapshot, path) : null;
      if (shown === null) this.skip(reason ?? `snapshot file nobody claims: ${path.replace(/^.*\//, '')}`);
      else this.file(shown.tool, `${snapshot.name}/${path}`, path, snapshot.files[path] ?? '', shown.text);
    }
  }

  private file(tool: string, id: string, path: string, wanted: string, had: string): void {
    const part = (text: string) => (tool.startsWith('info ') ? cxlPart(tool, text) : text);
    this.compare(this.score(tool), id, path, 'file', part(wanted), part(had));
  }

  /** The maps taken between this command and the next: in order, each as soon as its moment has come. */
  async maps(after: number): Promise<void> {
    for (let next = this.pending[0]; next && next.from <= after; next = this.pending[0]) {
      if (after < next.to && !(await isMoment(this.guest, next))) return;
      this.pending.shift();
      this.points.push(await replayMap(this.guest, next, this.files));
    }
  }
}
