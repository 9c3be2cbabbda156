import { expose, transfer } from 'comlink';
import walkthrough from '../content/walkthrough.transcript?raw';
import { Lab, type LabHost } from '../lab/lab.ts';
import { decodeIoctl } from '../lab/vfio-structs.ts';
import type { MachineId } from '../log/index.ts';
import type {
  Boot,
  BytesSpace,
  ConsoleId,
  LogBatch,
  SessionMoment,
  SessionRecord,
  SharedSession,
} from '../protocol/client.ts';
import { LogStream } from './log-stream.ts';

const scenarios = import.meta.glob<string>('../content/scenarios/*.transcript', { query: '?raw', import: 'default' });

/** The line of the walkthrough with which L2's driver is loaded and the mapping appears. */
const LAST_BOOT_LINE = 'modprobe cxl-accel';

const FRAME_MS = 16;

/** A MessageChannel ping: lets `message` events in, costs microseconds (setTimeout would cost milliseconds). */
const breath = new MessageChannel();
const waiting: (() => void)[] = [];
breath.port1.onmessage = () => waiting.shift()?.();

let speed = 1;
const host: LabHost = {
  yieldToHost: () =>
    new Promise((resolve) => {
      // Timers wait behind the pings of a busy engine: what is due goes out here.
      if (frameAsked && performance.now() - flushedAt >= FRAME_MS) flush();
      waiting.push(resolve);
      breath.port2.postMessage(0);
    }),
  pace: (ns) => new Promise((resolve) => setTimeout(resolve, speed === 0 ? 0 : ns / 1e6 / speed)),
};

let lab: Lab | null = null;
let stream: LogStream | null = null;
let frameAsked = false;
let flushedAt = 0;

function flush(): void {
  frameAsked = false;
  flushedAt = performance.now();
  if (stream?.flush()) schedule();
}

function schedule(): void {
  if (frameAsked) return;
  frameAsked = true;
  setTimeout(flush, FRAME_MS);
}

/** A typed line is seen before what it starts keeps the engine busy. */
async function shown(): Promise<void> {
  flush();
  await new Promise((resolve) => setTimeout(resolve, FRAME_MS));
}

function running(): Lab {
  if (!lab) throw new Error('the lab has not been started');
  return lab;
}

const api = {
  /** Boots the lab and gives it the recorded inputs; rows stream to `port` from row 0. */
  async start(session: SessionRecord, port: MessagePort, moment: SessionMoment | null = null): Promise<void> {
    lab?.stop();
    stream = null;
    const fresh = await Lab.start({ seed: session.seed, host, inputs: session.inputs, moment, paced: true });
    lab = fresh;
    stream = new LogStream(fresh, port);
    fresh.onCrash = (message) => port.postMessage({ crash: message });
    fresh.log.listen(schedule);
    schedule();
  },
  async input(console: ConsoleId, text: string): Promise<void> {
    running().input(console, text);
  },
  async resize(console: ConsoleId, columns: number, rows: number): Promise<void> {
    running().resize(console, columns, rows);
  },
  async run(console: ConsoleId, line: string): Promise<void> {
    running().input(console, `${line}\r`);
  },
  async bootToL2(): Promise<Boot> {
    if (!(await running().clearPrompt())) return 'elsewhere';
    await running().type(walkthrough, LAST_BOOT_LINE, shown);
    return running().machines.get('l2')?.off === false ? 'booted' : 'stopped';
  },
  async playScenario(id: string): Promise<void> {
    const load = id === 'passthrough' ? null : scenarios[`../content/scenarios/${id}.transcript`];
    if (load === undefined) throw new Error(`There is no scenario "${id}".`);
    await running().type(load === null ? walkthrough : await load(), undefined, shown);
  },
  async playTranscript(text: string): Promise<void> {
    await running().type(text, undefined, shown);
  },
  async openConsole(machine: MachineId): Promise<ConsoleId | null> {
    return running().openTerminal(machine);
  },
  async bytes(space: BytesSpace, offset: number, length: number, cursor: number): Promise<Uint8Array | null> {
    const bytes = running().bytes(space, offset, length, cursor);
    return bytes ? transfer(bytes, [bytes.buffer]) : null;
  },
  decodeIoctl,
  /** The session up to row `cursor` (the whole session without it). */
  async record(cursor?: number): Promise<SessionRecord> {
    return running().record(cursor);
  },
  async shared(): Promise<SharedSession> {
    return running().shared();
  },
  async restored(): Promise<string | null> {
    return running().restored;
  },
  async hash(): Promise<string> {
    await running().settled();
    return running().hash();
  },
  async control(change: { readonly speed?: number }): Promise<void> {
    if (change.speed !== undefined) speed = change.speed;
  },
};

export type WorkerApi = typeof api;
export type WorkerMessage = LogBatch | { readonly crash: string };

expose(api);
