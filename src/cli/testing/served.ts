import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { E, type ErrnoName } from '../../base/errno.ts';
import type { Tree } from '../../lab/bridge/sysfs-files.ts';

interface Reply {
  readonly id: number;
  readonly ok?: unknown;
  readonly err?: ErrnoName;
}

/** `lab serve` as a process of its own, asked over its pipes. */
export class Served {
  private readonly waiting: ((reply: Reply) => void)[] = [];
  private nextId = 1;

  private constructor(
    private readonly child: ChildProcess,
    private readonly said: () => string,
  ) {}

  static start(transcript: string, machine: string): Served {
    const root = new URL('../../..', import.meta.url).pathname;
    const args = ['--import', 'tsx', 'src/cli/entry.ts', 'serve', '--after', transcript, '--machine', machine];
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += String(chunk);
    });
    const served = new Served(child, () => said);
    createInterface({ input: child.stdout }).on('line', (line) => served.waiting.shift()?.(JSON.parse(line)));
    return served;
  }

  /** What the answer holds under `ok`, or a negated errno. */
  async ask(request: Readonly<Record<string, unknown>>): Promise<unknown> {
    const id = this.nextId++;
    const answer = new Promise<Reply>((resolve, reject) => {
      this.waiting.push(resolve);
      this.child.once('exit', () => reject(new Error(`the server ended: ${this.said()}`)));
    });
    this.child.stdin?.write(`${JSON.stringify({ id, ...request })}\n`);
    const { ok, err, id: of } = await answer;
    this.child.removeAllListeners('exit');
    if (of !== id) throw new Error(`answer ${of} to request ${id}`);
    return err === undefined ? ok : -E[err];
  }

  async exec(cmd: string): Promise<{ rc: number; out: string; err: string }> {
    return (await this.ask({ op: 'exec', cmd })) as { rc: number; out: string; err: string };
  }
  async tree(path: string): Promise<Tree> {
    return (await this.ask({ op: 'tree', path })) as Tree;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.child.removeAllListeners('exit');
      if (this.child.exitCode !== null) resolve();
      this.child.once('exit', () => resolve());
      this.child.stdin?.end();
    });
  }
}
