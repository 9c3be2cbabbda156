/**
 * kernel/trace/ftrace.c, trace_functions.c, trace_functions_graph.c: functions of this kernel as they begin and end. What can be traced
 * are the functions the event log has spans for (available_filter_functions); times are the lab's virtual time.
 */
import { LAYERS, type LayerId, Row, type SiteId } from '../../../log/index.ts';
import type { Linux } from '../linux.ts';
import { FunctionFilter } from './filter.ts';
import { RingBuffer, type TraceRecord } from './ring-buffer.ts';

export const TRACERS = ['function_graph', 'function', 'nop'] as const;
export type TracerName = (typeof TRACERS)[number];

interface OpenCall {
  readonly begun: number;
  readonly name: string;
  readonly ns: number;
}

export class FunctionTracer {
  readonly buffer = new RingBuffer();
  current: TracerName = 'nop';
  on = true;
  maxDepth = 0;
  readonly filter = new FunctionFilter(() => this.functions());
  readonly notrace = new FunctionFilter(() => this.functions());
  readonly graph = new FunctionFilter(() => this.functions());
  /** Woken when a record was written. */
  onRecord: () => void = () => {};

  private readonly layer: number;
  private readonly names = new Map<SiteId, string | null>();
  private stack: OpenCall[] = [];
  private stop: (() => void) | null = null;

  constructor(private readonly kernel: Linux) {
    const id: LayerId = `${kernel.machine}.kernel`;
    this.layer = LAYERS.findIndex((layer) => layer.id === id);
  }

  /** Names in available_filter_functions, sorted. */
  functions(): readonly string[] {
    const found = new Set<string>();
    this.kernel.log.sites.forEach((_, site) => {
      const name = this.nameOf(site);
      if (name !== null) found.add(name);
    });
    return [...found].sort();
  }
  /** The function a site stands for, or null: another layer, or words of our own. */
  private nameOf(site: SiteId): string | null {
    const known = this.names.get(site);
    if (known !== undefined) return known;
    const { layer, name, cite } = this.kernel.log.sites[site] ?? { layer: -1, name: '', cite: undefined };
    let result: string | null = null;
    // One function may have a site for each direction: `vfio_pci_rw (read)`.
    const fn = layer === this.layer ? /^([a-zA-Z_]\w*)(?: \((?:read|write)\))?$/.exec(name)?.[1] : undefined;
    if (fn !== undefined) result = cite?.endsWith('(2)') === true ? `__x64_sys_${fn}` : fn;
    this.names.set(site, result);
    return result;
  }

  select(tracer: TracerName): void {
    this.current = tracer;
    this.buffer.clear();
    this.stack = [];
    this.stop?.();
    this.stop = tracer === 'nop' ? null : this.kernel.log.listen((row) => this.row(row));
  }

  /** An event or a mark, in whatever tracer. */
  note(kind: 'event' | 'mark', text: string): void {
    if (this.on) this.write(kind, text, '', this.stack.length, 0);
  }

  private row(row: number): void {
    const { log } = this.kernel;
    const kind = log.kind(row);
    if (kind === Row.BEGIN) this.begin(row, log.a(row));
    else if (kind === Row.END && this.stack.length > 0) this.end(log.a(row) - 1);
  }
  private begin(row: number, site: SiteId): void {
    const name = this.nameOf(site);
    if (name === null || !this.on) return;
    if (this.current === 'function') {
      if (!this.wanted(name)) return;
      this.write('function', name, this.parentOf(row), 0, 0);
      return;
    }
    // The graph of the functions of set_graph_function, or of those set_ftrace_filter lets through.
    if (this.stack.length === 0 && !this.graph.empty && !this.graph.has(name)) return;
    if (!this.wanted(name)) return;
    if (this.maxDepth > 0 && this.stack.length >= this.maxDepth) return;
    this.write('enter', name, '', this.stack.length, 0);
    this.stack.push({ begun: row, name, ns: this.kernel.now() });
  }
  private end(begun: number): void {
    const at = this.stack.findLastIndex((call) => call.begun === begun);
    const call = this.stack[at];
    if (!call) return;
    this.stack.length = at;
    if (this.on) this.write('leave', call.name, '', at, this.kernel.now() - call.ns);
  }
  private wanted(name: string): boolean {
    return (this.filter.empty || this.filter.has(name)) && !this.notrace.has(name);
  }
  /** The nearest enclosing span of this kernel. */
  private parentOf(row: number): string {
    const { log } = this.kernel;
    for (let cause = log.causeOf(row); cause > log.start; cause = log.causeOf(cause - 1)) {
      const name = this.nameOf(log.a(cause - 1));
      if (name !== null) return name;
    }
    return '';
  }
  private write(kind: TraceRecord['kind'], text: string, parent: string, depth: number, spent: number): void {
    const task = this.kernel.tasks.current;
    this.buffer.push({
      kind,
      ns: this.kernel.now(),
      pid: task?.pid ?? 0,
      comm: task?.comm ?? '<idle>',
      text,
      parent,
      depth,
      spent,
    });
    this.onRecord();
  }
}
