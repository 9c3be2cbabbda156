/** A broken invariant: stops loudly; the worker reports it and the page recovers from the log. */
export class InvariantError extends Error {
  override name = 'InvariantError';
}

/** Throws `InvariantError` with `message` unless `condition` holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Gives `value` back, or throws `InvariantError` naming `what` if it is null or undefined. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new InvariantError(`missing: ${what}`);
  return value;
}

/** Marks a switch as exhaustive: the compiler refuses a call with anything left over. */
export function assertNever(value: never, what: string): never {
  throw new InvariantError(`unexpected ${what}: ${String(value)}`);
}

/** A mistake of the lab's own user (bad scenario, bad link, unknown option): one clear sentence, no stack. */
export class UserError extends Error {
  override name = 'UserError';
}
