/** A trace point (linux/tracepoint.h). Ask `enabled` first: the text is only worth making then. */
export interface Tracepoint {
  readonly enabled: boolean;
  /** @param text the fields as the event's print format writes them */
  emit(text: string): void;
}

export interface Tracing {
  /** The trace point `system:name`, made on first use. @param fields lines of its `format` file: `u64 gpa` … */
  event(system: string, name: string, fields: readonly string[]): Tracepoint;
}
