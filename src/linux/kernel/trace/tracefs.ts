/**
 * fs/tracefs with the files of kernel/trace/trace.c: /sys/kernel/tracing. Left out: instances, triggers, kprobes, histograms, per-CPU
 * buffers, other clocks than the local one.
 */
import { utf8 } from '../../../base/bytes.ts';
import { E } from '../../../base/errno.ts';
import { WaitQueue } from '../../../base/scheduler.ts';
import type { SuperBlock } from '../../fs/inode.ts';
import { FopsInode, ProcDir, TextInode } from '../../fs/procfs.ts';
import type { FileOperations } from '../../include/fs.ts';
import type { Tracepoint, Tracing } from '../../include/tracing.ts';
import { O_NONBLOCK } from '../../uapi/constants.ts';
import type { Linux } from '../linux.ts';
import { type TraceEvent, TraceEvents } from './events.ts';
import type { FunctionFilter } from './filter.ts';
import { graphText, traceHead, traceLine } from './format.ts';
import { FunctionTracer, TRACERS } from './tracer.ts';

/** A file whose truncation on open means something of its own. */
class TraceFile extends TextInode {
  constructor(
    sb: SuperBlock,
    show: (() => string) | null,
    store: (text: string) => number,
    private readonly cleared: () => void,
  ) {
    super(sb, show, store, 0o640);
  }
  override truncate(_length: number): number {
    this.cleared();
    return 0;
  }
}

export class Tracefs implements Tracing {
  readonly root: ProcDir;
  private readonly tracer: FunctionTracer;
  private readonly events: TraceEvents;
  private readonly written: WaitQueue;

  constructor(
    private readonly kernel: Linux,
    private readonly sb: SuperBlock,
  ) {
    this.root = new ProcDir(sb);
    this.tracer = new FunctionTracer(kernel);
    this.events = new TraceEvents((text) => this.tracer.note('event', text));
    this.written = new WaitQueue(kernel.scheduler);
    this.tracer.onRecord = () => this.written.wakeAll();
    this.controls();
    this.filters();
    this.eventFiles();
  }

  event(system: string, name: string, fields: readonly string[]): Tracepoint {
    const known = this.events.systems.get(system)?.get(name);
    if (known) return known;
    const event = this.events.define(system, name, fields);
    this.eventDir(event);
    return event;
  }

  private file(path: string, show: (() => string) | null, store?: (text: string) => number): void {
    this.root.put(path, new TextInode(this.sb, show, store ?? null, store ? 0o640 : 0o440));
  }
  /** A file holding one number. */
  private number(path: string, get: () => number, set: (value: number) => number): void {
    this.file(
      path,
      () => `${get()}\n`,
      (text) => (/^\d+$/.test(text.trim()) ? set(Number(text.trim())) : -E.EINVAL),
    );
  }

  private controls(): void {
    const { tracer } = this;
    this.file('available_tracers', () => `${TRACERS.join(' ')}\n`);
    this.file(
      'current_tracer',
      () => `${tracer.current}\n`,
      (text) => {
        const wanted = TRACERS.find((name) => name === text.trim());
        if (!wanted) return -E.EINVAL;
        if (wanted !== tracer.current) tracer.select(wanted);
        return 0;
      },
    );
    this.number(
      'tracing_on',
      () => (tracer.on ? 1 : 0),
      (value) => {
        tracer.on = value !== 0;
        return 0;
      },
    );
    this.number(
      'buffer_size_kb',
      () => tracer.buffer.kib,
      (value) => {
        if (value === 0) return -E.EINVAL;
        tracer.buffer.kib = value;
        return 0;
      },
    );
    this.number(
      'max_graph_depth',
      () => tracer.maxDepth,
      (value) => {
        tracer.maxDepth = value;
        return 0;
      },
    );
    this.file('trace_clock', () => '[local]\n');
    this.file('trace_marker', null, (text) => {
      tracer.note('mark', text.replace(/\n$/, ''));
      return 0;
    });
    this.root.put(
      'trace',
      new TraceFile(
        this.sb,
        () => this.show(),
        () => 0,
        () => tracer.buffer.clear(),
      ),
    );
    this.root.put('trace_pipe', new FopsInode(this.sb, 0o440, this.pipe()));
  }

  private show(): string {
    const { current, buffer } = this.tracer;
    const records = buffer.all();
    const head = traceHead(current, records.length, buffer.written, this.kernel.cpu.count);
    return head + (current === 'function_graph' ? graphText(records) : records.map(traceLine).join(''));
  }

  /** trace_pipe: takes records out of the buffer and sleeps when there are none. */
  private pipe(): FileOperations {
    const { kernel, tracer, written } = this;
    let rest: Uint8Array = new Uint8Array(0);
    const fill = (): void => {
      const taken: string[] = [];
      for (let record = tracer.buffer.shift(); record; record = tracer.buffer.shift())
        taken.push(tracer.current === 'function_graph' ? graphText([record]) : traceLine(record));
      rest = utf8(taken.join(''));
    };
    const take = (into: Uint8Array): number => {
      const part = rest.subarray(0, into.length);
      into.set(part);
      rest = rest.slice(part.length);
      return part.length;
    };
    return {
      seekable: false,
      async read(file, into) {
        const { process } = file;
        for (;;) {
          if (rest.length === 0) fill();
          if (rest.length > 0) return take(into);
          if (file.flags & O_NONBLOCK) return -E.EAGAIN;
          const ret = await kernel.tasks.wait(process, written.wait());
          if (ret < 0) return ret;
        }
      },
      poll: () => rest.length > 0 || tracer.buffer.length > 0,
      wait: async () => {
        await written.wait().promise;
      },
    };
  }

  private filters(): void {
    const { tracer } = this;
    this.file('available_filter_functions', () =>
      tracer
        .functions()
        .map((name) => `${name}\n`)
        .join(''),
    );
    const file = (name: string, filter: FunctionFilter, none: string): void => {
      const show = (): string =>
        filter.empty
          ? none
          : filter
              .list()
              .map((fn) => `${fn}\n`)
              .join('');
      const store = (text: string): number => (filter.apply(text) ? 0 : -E.EINVAL);
      this.root.put(name, new TraceFile(this.sb, show, store, () => filter.clear()));
    };
    file('set_ftrace_filter', tracer.filter, '#### all functions enabled ####\n');
    file('set_ftrace_notrace', tracer.notrace, '#### no functions disabled ####\n');
    file('set_graph_function', tracer.graph, '#### all functions enabled ####\n');
  }

  private eventFiles(): void {
    const { events } = this;
    const all = (): TraceEvent[] => events.select(null, null);
    this.file('available_events', () =>
      all()
        .map((event) => `${event.system}:${event.name}\n`)
        .join(''),
    );
    const show = (): string =>
      all()
        .filter((event) => event.enabled)
        .map((event) => `${event.system}:${event.name}\n`)
        .join('');
    const off = (): void => {
      for (const event of all()) event.enabled = false;
    };
    this.root.put('set_event', new TraceFile(this.sb, show, (text) => (events.set(text) ? 0 : -E.EINVAL), off));
    this.enableFile('events/enable', all);
  }
  private eventDir(event: TraceEvent): void {
    const { system, name } = event;
    this.enableFile(`events/${system}/enable`, () => this.events.select(system, null));
    this.enableFile(`events/${system}/${name}/enable`, () => [event]);
    this.file(`events/${system}/${name}/id`, () => `${event.id}\n`);
    this.file(
      `events/${system}/${name}/format`,
      () => `name: ${name}\nID: ${event.id}\nformat:\n${event.fields.map((field) => `\tfield:${field};\n`).join('')}`,
    );
  }
  private enableFile(path: string, events: () => TraceEvent[]): void {
    this.file(
      path,
      () => `${this.events.state(events())}\n`,
      (text) => {
        const value = text.trim();
        if (value !== '0' && value !== '1') return -E.EINVAL;
        for (const event of events()) event.enabled = value === '1';
        return 0;
      },
    );
  }
}
