import type { Watch } from '../worker/side.ts';
import type { BytesSpace, LabClient, LogBatch, SessionRecord } from './lab-client.ts';
import type { Settings } from './settings.ts';
import { createMirror, type Mirror } from './store.ts';

export type AskBytes = (
  key: number,
  space: BytesSpace,
  offset: number,
  length: number,
  cursor: number,
) => Promise<Uint8Array | null>;

export type AskRecord = (key: number, cursor: number) => Promise<SessionRecord | null>;

const EMPTY: LogBatch = {
  firstRow: 0,
  kind: new Uint8Array(0),
  a: new Uint32Array(0),
  b: new Float64Array(0),
  c: new Float64Array(0),
  cause: new Uint32Array(0),
  newStrings: [],
  newValues: [],
  newSites: [],
  consoles: [],
  start: 0,
};

let keys = 0;

/**
 * A lab of the second worker as the panes need it: a mirror of its log, to be looked at and moved through in time. Nothing can be
 * typed in it. One such object can show one lab after another: each run begins with `watch`.
 */
export class SideLab {
  readonly mirror: Mirror;
  private port: MessagePort | null = null;
  private key = 0;
  private ask: AskBytes | null = null;
  private askRecord: AskRecord | null = null;
  private forget: (key: number) => void = () => {};
  private listener: (batch: LogBatch) => void = () => {};

  /** @param nextFrame coalesces what arrives, as for the session's mirror */
  constructor(settings: Settings, nextFrame?: (run: () => void) => void) {
    this.mirror = createMirror(this.client(), settings, nextFrame);
  }

  /** A fresh lab is about to run: what was shown goes. Gives what its worker must know. */
  watch(ask: AskBytes, forget: (key: number) => void, record?: AskRecord): Watch {
    this.release();
    const { port1, port2 } = new MessageChannel();
    this.key = ++keys;
    this.ask = ask;
    this.askRecord = record ?? null;
    this.forget = forget;
    this.port = port1;
    port1.onmessage = (event: MessageEvent<LogBatch>) => this.listener(event.data);
    this.listener(EMPTY);
    this.mirror.update({ selection: null, address: null, hoverAddress: null, playing: false });
    this.mirror.goLive();
    return { key: this.key, port: port2 };
  }

  /** Its worker need keep nothing for it any more. What is shown stays. */
  release(): void {
    this.port?.close();
    this.port = null;
    if (this.key > 0) this.forget(this.key);
    this.key = 0;
  }

  private client(): LabClient {
    const refuse = () => Promise.reject(new Error('This lab is only shown; nothing can be typed in it.'));
    return {
      readOnly: true,
      subscribe: (onBatch) => {
        this.listener = onBatch;
        return () => {
          this.listener = () => {};
        };
      },
      bytes: (space, offset, length, cursor) =>
        this.ask && this.key > 0 ? this.ask(this.key, space, offset, length, cursor) : Promise.resolve(null),
      record: async (cursor) => {
        const record = this.key > 0 ? await this.askRecord?.(this.key, cursor) : null;
        if (!record) throw new Error('This lab is not kept any more: its inputs are gone.');
        return record;
      },
      resize: () => Promise.resolve(),
      control: () => Promise.resolve(),
      input: refuse,
      run: refuse,
      bootToL2: refuse,
      playScenario: refuse,
      playTranscript: refuse,
      openConsole: refuse,
      branch: refuse,
      reset: refuse,
      exportSession: refuse,
    };
  }
}
