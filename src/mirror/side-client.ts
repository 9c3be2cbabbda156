import { proxy, type Remote, transfer, wrap } from 'comlink';
import type { BuildChoice } from '../protocol/build-choice.ts';
import type { MatrixSwitch } from '../protocol/ladder.ts';
import type {
  Climb,
  ExhibitRuns,
  ExhibitSetting,
  ExhibitStep,
  LadderStep,
  MatrixProgress,
  MatrixRow,
  OwnershipRow,
  SessionMoment,
  SideApi,
  VfioAnswer,
  Wanted,
  Watch,
} from '../worker/side.ts';
import type { SideLab } from './side-lab.ts';

export type {
  Climb,
  ExhibitRuns,
  ExhibitSetting,
  ExhibitStep,
  LadderStep,
  MatrixProgress,
  MatrixRow,
  OwnershipRow,
  VfioAnswer,
  Wanted,
};

/** The second worker, started when first asked for and ended with the dialog that wanted it. */
export class SideClient {
  private worker: Worker | null = null;
  private api: Remote<SideApi> | null = null;
  /** Ends what is being waited for when the worker dies, which answers nothing any more. */
  private die: (why: Error) => void = () => {};
  private death: Promise<never> = new Promise(() => {});

  /** @param onDeath the worker could not be started or died of an error */
  constructor(private readonly onDeath: (message: string) => void) {}

  private running(): Remote<SideApi> {
    if (this.api) return this.api;
    const worker = new Worker(new URL('../worker/side.ts', import.meta.url), { type: 'module' });
    this.death = new Promise((_, reject) => {
      this.die = reject;
    });
    this.death.catch(() => {});
    worker.onerror = (event) => {
      const why = event.message || 'The second worker could not be started.';
      this.stop();
      this.die(new Error(why));
      this.onDeath(why);
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
  /** @param lab shows the machines while they run and afterwards */
  climb(choice: BuildChoice, onStep: (step: LadderStep) => void, lab?: SideLab): Promise<Climb | null> {
    const api = this.running();
    const watch = lab ? this.watch(lab) : null;
    return this.whileItRuns(onStep, (news) => api.climb(choice, proxy(news), watch && transfer(watch, [watch.port])));
  }
  switches(): Promise<readonly MatrixSwitch[]> {
    return this.running().switches();
  }
  matrix(
    only: readonly string[],
    onProgress: (progress: MatrixProgress) => void,
  ): Promise<readonly MatrixRow[] | null> {
    return this.whileItRuns(onProgress, (news) => this.running().matrix(only, proxy(news)));
  }
  /** @param labs show the machines of both runs */
  exhibit(
    id: string,
    onStep: (step: ExhibitStep) => void,
    labs?: Readonly<Record<ExhibitSetting, SideLab>>,
  ): Promise<ExhibitRuns | null> {
    const api = this.running();
    const watch = labs ? { posted: this.watch(labs.posted), intended: this.watch(labs.intended) } : null;
    return this.whileItRuns(onStep, (news) =>
      api.exhibit(id, proxy(news), watch && transfer(watch, [watch.posted.port, watch.intended.port])),
    );
  }
  private watch(lab: SideLab): Watch {
    const api = this.running();
    return lab.watch(
      (key, space, offset, length, cursor) => api.bytes(key, space, offset, length, cursor),
      (key) => void api.release(key),
      (key, cursor) => api.record(key, cursor),
    );
  }
  exhibitTranscript(id: string, setting: 'posted' | 'intended'): Promise<string> {
    return this.running().exhibitTranscript(id, setting);
  }
  vfioAnswers(): Promise<readonly VfioAnswer[]> {
    return this.running().vfioAnswers();
  }
  /** @param moment of which session; null: of the walkthrough */
  ownership(
    moment: SessionMoment | null,
    wanted: Omit<Wanted, 'counted'>,
    onRow: (row: OwnershipRow, of: number) => void,
  ): Promise<readonly OwnershipRow[] | null> {
    return this.whileItRuns(onRow, (news) => this.running().ownership(moment, wanted, proxy(news)));
  }

  /** News travels by a port of its own and may come after the answer: the answer has everything. */
  private async whileItRuns<T extends readonly unknown[], R>(
    listener: (...news: T) => void,
    run: (listener: (...news: T) => void) => Promise<R>,
  ): Promise<R> {
    let over = false;
    try {
      const answer = run((...news) => {
        if (!over) listener(...news);
      });
      return await Promise.race([answer, this.death]);
    } finally {
      over = true;
    }
  }
}
