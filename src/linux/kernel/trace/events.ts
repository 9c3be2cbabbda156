/** kernel/trace/trace_events.c: trace points by system, each on or off. */
import type { Tracepoint } from '../../include/tracing.ts';

export class TraceEvent implements Tracepoint {
  enabled = false;
  constructor(
    readonly system: string,
    readonly name: string,
    readonly id: number,
    /** The `print fmt` line and fields of its `format` file. */
    readonly fields: readonly string[],
    private readonly out: (text: string) => void,
  ) {}
  emit(text: string): void {
    if (this.enabled) this.out(`${this.name}: ${text}`);
  }
}

export class TraceEvents {
  readonly systems = new Map<string, Map<string, TraceEvent>>();
  private count = 0;
  constructor(private readonly out: (text: string) => void) {}

  /** DEFINE_TRACE: the trace point, made on first use. */
  define(system: string, name: string, fields: readonly string[]): TraceEvent {
    let events = this.systems.get(system);
    if (!events) {
      events = new Map();
      this.systems.set(system, events);
    }
    let event = events.get(name);
    if (!event) {
      event = new TraceEvent(system, name, 300 + this.count++, fields, this.out);
      events.set(name, event);
    }
    return event;
  }
  select(system: string | null, name: string | null): TraceEvent[] {
    return [...this.systems]
      .filter(([own]) => system === null || own === system)
      .flatMap(([, events]) => [...events.values()])
      .filter((event) => name === null || event.name === name);
  }
  /** What an `enable` file says: 0, 1, or X for some of each. */
  state(events: readonly TraceEvent[]): string {
    const on = events.filter((event) => event.enabled).length;
    return on === 0 ? '0' : on === events.length ? '1' : 'X';
  }
  /** set_event: `system:event`, `system:*`, `event`, `!…`; false when nothing fits. */
  set(words: string): boolean {
    for (const word of words.split(/\s+/)) {
      if (word === '') continue;
      const off = word.startsWith('!');
      const [first = '', second] = word.replace(/^!/, '').split(':');
      const any = (part: string | undefined): string | null => (part === undefined || part === '*' ? null : part);
      const named = second === undefined ? this.select(null, any(first)) : this.select(any(first), any(second));
      const hits = named.length > 0 || second !== undefined ? named : this.select(first, null);
      if (hits.length === 0) return false;
      for (const event of hits) event.enabled = !off;
    }
    return true;
  }
}
