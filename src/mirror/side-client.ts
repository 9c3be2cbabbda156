import { proxy, type Remote, wrap } from 'comlink';
import type { BuildChoice } from '../protocol/build-choice.ts';
import type {
  Climb,
  ExhibitStep,
  LadderStep,
  MatrixProgress,
  MatrixRow,
  OwnershipRow,
  SideApi,
  VfioAnswer,
} from '../worker/side.ts';

export type { Climb, ExhibitStep, LadderStep, MatrixProgress, MatrixRow, OwnershipRow, VfioAnswer };

/** The second worker, started when first asked for and ended with the dialog that wanted it. */
export class SideClient {
  private worker: Worker | null = null;
  private api: Remote<SideApi> | null = null;

  /** @param onDeath the worker could not be started or died of an error */
  constructor(private readonly onDeath: (message: string) => void) {}

  private running(): Remote<SideApi> {
    if (this.api) return this.api;
    const worker = new Worker(new URL('../worker/side.ts', import.meta.url), { type: 'module' });
    worker.onerror = (event) => {
      this.stop();
      this.onDeath(event.message || 'The second worker could not be started.');
    };
    this.worker = worker;
    this.api = wrap<SideApi>(worker);
    return this.api;
  }

  stop(): void {
    this.worker?.terminate();
    this.worker = null;
    this.api = null;
  }
  async cancel(): Promise<void> {
    await this.api?.cancel();
  }
  transcript(choice: BuildChoice): Promise<string> {
    return this.running().transcript(choice);
  }
  climb(choice: BuildChoice, onStep: (step: LadderStep) => void): Promise<Climb | null> {
    return whileItRuns(onStep, (news) => this.running().climb(choice, proxy(news)));
  }
  matrix(onProgress: (progress: MatrixProgress) => void): Promise<readonly MatrixRow[] | null> {
    return whileItRuns(onProgress, (news) => this.running().matrix(proxy(news)));
  }
  exhibit(id: string, onStep: (step: ExhibitStep) => void): Promise<readonly ExhibitStep[] | null> {
    return whileItRuns(onStep, (news) => this.running().exhibit(id, proxy(news)));
  }
  exhibitTranscript(id: string, setting: 'posted' | 'intended'): Promise<string> {
    return this.running().exhibitTranscript(id, setting);
  }
  vfioAnswers(): Promise<readonly VfioAnswer[]> {
    return this.running().vfioAnswers();
  }
  ownership(onRow: (row: OwnershipRow) => void): Promise<readonly OwnershipRow[] | null> {
    return whileItRuns(onRow, (news) => this.running().ownership(proxy(news)));
  }
}

/** News travels by a port of its own and may come after the answer: the answer has everything. */
async function whileItRuns<T, R>(
  listener: (news: T) => void,
  run: (listener: (news: T) => void) => Promise<R>,
): Promise<R> {
  let over = false;
  try {
    return await run((news) => {
      if (!over) listener(news);
    });
  } finally {
    over = true;
  }
}
