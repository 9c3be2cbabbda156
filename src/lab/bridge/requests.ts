import { fromBase64 } from '../../base/base64.ts';

/**
 * What may be asked of a running machine, a JSON object a line:
 * `{"id":N,"op":"stat|list|read|write|tree","path":"/bus/cxl/…","data":BASE64,"offset":N}` or `{"id":N,"op":"exec","cmd":"…"}`.
 */
export type Request =
  | { readonly op: 'stat' | 'list' | 'tree'; readonly path: string }
  | { readonly op: 'read'; readonly path: string; readonly offset: number }
  | { readonly op: 'write'; readonly path: string; readonly offset: number; readonly data: Uint8Array }
  | { readonly op: 'exec'; readonly cmd: string };

export type RequestId = number | string | null;
const OPS = ['stat', 'list', 'read', 'write', 'tree', 'exec'] as const;

/** Whose request it was (as far as that can be told), and the request or what is wrong with it. */
export interface Parsed {
  readonly id: RequestId;
  readonly request: Request | string;
}

export function parseRequest(line: string): Parsed {
  const value = json(line);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { id: null, request: 'a request is one JSON object on a line' };
  const asked: Readonly<Record<string, unknown>> = { ...value };
  const id = typeof asked.id === 'number' || typeof asked.id === 'string' ? asked.id : null;
  return { id, request: id === null ? '"id" must be a number' : requestOf(asked) };
}

function json(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}

function requestOf({ op: name, path, cmd, data, offset = 0 }: Readonly<Record<string, unknown>>): Request | string {
  const op = OPS.find((known) => known === name);
  if (op === undefined) return `"op" must be one of ${OPS.join(', ')}`;
  if (op === 'exec') {
    if (typeof cmd !== 'string' || cmd.includes('\0')) return '"cmd" must be the text of a command';
    return { op, cmd };
  }
  if (typeof path !== 'string' || path.includes('\0') || escapes(path)) return '"path" must be a path below /sys';
  if (op !== 'read' && op !== 'write') return { op, path };
  if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0) return '"offset" must not be negative';
  if (op === 'read') return { op, path, offset };
  const bytes = typeof data === 'string' ? fromBase64(data) : null;
  return bytes === null ? '"data" must be base64' : { op, path, offset, data: bytes };
}

/** Does the path climb above where it begins? */
function escapes(path: string): boolean {
  let depth = 0;
  for (const name of path.split('/')) {
    if (name === '..') depth--;
    else if (name !== '' && name !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}
