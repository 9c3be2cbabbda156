import { get, set } from 'idb-keyval';
import * as v from 'valibot';
import type { SessionRecord } from '../protocol/client.ts';

/** Key of the stored session; the number is the version of the engine's inputs. */
const KEY = 'cxlab-session-1';

const sessionSchema = v.object({
  version: v.literal(1),
  seed: v.pipe(v.number(), v.integer(), v.minValue(0)),
  inputs: v.array(
    v.object({
      console: v.string(),
      text: v.string(),
      idle: v.boolean(),
      position: v.number(),
      timersFired: v.number(),
    }),
  ),
});

export const NEW_SESSION: SessionRecord = { version: 1, seed: 1, inputs: [] };

/** What was stored: a session, nothing, or why it could not be used (one sentence). */
export type Stored = { readonly session: SessionRecord } | { readonly problem: string } | null;

/** Parses a session that came from outside (storage, a file). */
export function parseSession(value: unknown): Stored {
  const parsed = v.safeParse(sessionSchema, value);
  if (parsed.success) return { session: parsed.output };
  const issue = parsed.issues[0];
  return { problem: `The stored session cannot be read: ${v.getDotPath(issue) ?? 'it'} ${issue.message}.` };
}

/** The session of the last visit. Storage that refuses is told, never thrown. */
export async function loadSession(): Promise<Stored> {
  try {
    const value: unknown = await get(KEY);
    return value === undefined ? null : parseSession(value);
  } catch (error) {
    return {
      problem: `This browser refuses storage (${error instanceof Error ? error.message : String(error)}): the session lasts as long as the page.`,
    };
  }
}

/** Stores the session; gives the problem as a sentence, or null. */
export async function saveSession(session: SessionRecord): Promise<string | null> {
  try {
    await set(KEY, session);
    return null;
  } catch (error) {
    return `The session could not be stored (${error instanceof Error ? error.message : String(error)}).`;
  }
}
