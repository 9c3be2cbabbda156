/** Columns of log rows on the page: grow-only typed arrays. */
export class Columns {
  kind = new Uint8Array(1 << 12);
  a = new Uint32Array(1 << 12);
  b = new Float64Array(1 << 12);
  c = new Float64Array(1 << 12);
  cause = new Uint32Array(1 << 12);
  length = 0;

  append(rows: {
    readonly kind: Uint8Array;
    readonly a: Uint32Array;
    readonly b: Float64Array;
    readonly c: Float64Array;
    readonly cause: Uint32Array;
  }): void {
    const need = this.length + rows.kind.length;
    if (need > this.kind.length) this.grow(Math.max(need, this.kind.length * 2));
    this.kind.set(rows.kind, this.length);
    this.a.set(rows.a, this.length);
    this.b.set(rows.b, this.length);
    this.c.set(rows.c, this.length);
    this.cause.set(rows.cause, this.length);
    this.length = need;
  }

  private grow(capacity: number): void {
    const { kind, a, b, c, cause } = this;
    this.kind = new Uint8Array(capacity);
    this.a = new Uint32Array(capacity);
    this.b = new Float64Array(capacity);
    this.c = new Float64Array(capacity);
    this.cause = new Uint32Array(capacity);
    this.kind.set(kind);
    this.a.set(a);
    this.b.set(b);
    this.c.set(c);
    this.cause.set(cause);
  }
}
