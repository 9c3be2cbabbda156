import { EventLog } from '../../log/index.ts';
import type { ConsoleInfo, LabClient, LogBatch } from '../lab-client.ts';
import { BatchCutter } from './batches.ts';
import { playStep, STORY, startHost } from './fake-story.ts';

const CONSOLES: readonly ConsoleInfo[] = [
  { id: 'host', machine: 'host', title: 'host', kind: 'terminal' },
  { id: 'l1', machine: 'l1', title: 'L1', kind: 'serial' },
  { id: 'l2', machine: 'l2', title: 'L2', kind: 'serial' },
  { id: 'host-monitor', machine: 'host', title: 'host QEMU', kind: 'monitor' },
  { id: 'l1-monitor', machine: 'l1', title: 'L1 QEMU', kind: 'monitor' },
];

/** A client with no engine: the walkthrough's states written by hand. For tests and for drawing the page. */
export class FakeLab implements LabClient {
  log = new EventLog();
  private cutter = new BatchCutter(this.log);
  private listeners: ((batch: LogBatch) => void)[] = [];
  private played = 0;
  readonly typed: { console: string; text: string }[] = [];

  constructor(
    private readonly stepMs = 350,
    steps = 0,
  ) {
    this.start(steps);
  }

  private start(steps: number): void {
    startHost(this.log);
    this.log.out('host:tty', 0, 'Debian GNU/Linux 13 host\r\n\r\nroot@host:~# ');
    for (let n = 0; n < steps; n++) this.step();
  }

  /** Plays the next command of the story; false when it is over. */
  step(): boolean {
    const step = STORY[this.played];
    if (!step) return false;
    playStep(this.log, step, (this.played + 1) * 1e9);
    this.played++;
    return true;
  }

  private publish(): void {
    const batch = this.cutter.cut(this.consoles());
    for (const listener of this.listeners) listener(batch);
  }

  private consoles(): readonly ConsoleInfo[] {
    const on = this.played === 0 ? 1 : this.played < 4 ? 2 : 3;
    return CONSOLES.filter(
      (one, n) => n < on || (one.kind === 'monitor' && (one.machine === 'host' ? on > 1 : on > 2)),
    );
  }

  subscribe(onBatch: (batch: LogBatch) => void): () => void {
    this.listeners.push(onBatch);
    this.cutter = new BatchCutter(this.log);
    onBatch(this.cutter.cut(this.consoles()));
    return () => {
      this.listeners = this.listeners.filter((one) => one !== onBatch);
    };
  }

  async input(console: string, text: string): Promise<void> {
    this.typed.push({ console, text });
    this.log.out(
      `${console}:tty`,
      this.log.length,
      text === '\r' ? '\r\nfake lab: no engine behind this page\r\n# ' : text,
    );
    this.publish();
  }
  async resize(): Promise<void> {}
  async openConsole(): Promise<null> {
    return null;
  }
  async bootToL2(): Promise<'booted'> {
    while (this.step()) {
      this.publish();
      if (this.stepMs > 0) await new Promise((done) => setTimeout(done, this.stepMs));
    }
    return 'booted';
  }
  async playScenario(): Promise<void> {
    await this.bootToL2();
  }
  async playTranscript(): Promise<void> {}
  async run(console: string, line: string): Promise<void> {
    await this.input(console, line);
    await this.input(console, '\r');
  }
  async bytes(_space: unknown, offset: number, length: number): Promise<Uint8Array | null> {
    return Uint8Array.from({ length }, (_, n) => (offset === 0x1000 && n < 4 ? ([0xee, 0xff, 0xc0, 0][n] ?? 0) : 0));
  }
  async branch(): Promise<void> {}
  async reset(): Promise<void> {
    this.log = new EventLog();
    this.cutter = new BatchCutter(this.log);
    this.played = 0;
    this.start(0);
    this.publish();
  }
  async control(): Promise<void> {}
  async exportSession(): Promise<string> {
    return JSON.stringify({ fake: true, typed: this.typed });
  }
}
