import { createStore, del, get, set } from 'idb-keyval';
import * as v from 'valibot';
import type { SessionRecord } from './lab-client.ts';

/** The session as typed, kept in the browser: closing the tab, a crash or a bad branch loses nothing. */
export interface SessionStore {
  load(): Promise<SessionRecord | null>;
  save(record: SessionRecord): Promise<void>;
  /** Keeps what a branch or a reset leaves behind. */
  keep(record: SessionRecord, why: string): Promise<void>;
  /** What was left behind, the latest first. */
  kept(): Promise<readonly KeptSession[]>;
  clear(): Promise<void>;
}

export interface KeptSession {
  readonly why: string;
  readonly record: SessionRecord;
}

const Input = v.object({
  console: v.string(),
  text: v.string(),
  idle: v.boolean(),
  position: v.number(),
  timersFired: v.number(),
});
const Session = v.object({ version: v.literal(1), seed: v.number(), inputs: v.array(Input) });
const Kept = v.object({ why: v.string(), record: Session });
const SESSION = 'session.1';
const BRANCHES = 'branches.1';
const KEPT = 20;

/** In IndexedDB; where that is refused (private window, embedding), the session lives as long as the page. */
export function indexedSessionStore(onRefused: (message: string) => void): SessionStore {
  const db = createStore('cxlab', 'sessions');
  let refused = false;
  const attempt = async <T>(run: () => Promise<T>, otherwise: T): Promise<T> => {
    if (refused) return otherwise;
    try {
      return await run();
    } catch (error) {
      refused = true;
      onRefused(
        `This browser refuses to store the session (${error instanceof Error ? error.message : String(error)}). It lasts as long as this page.`,
      );
      return otherwise;
    }
  };
  return {
    load: () =>
      attempt(async () => {
        const stored: unknown = await get(SESSION, db);
        const parsed = v.safeParse(Session, stored);
        if (parsed.success) return parsed.output;
        if (stored !== undefined)
          onRefused(
            `The stored session cannot be read (${v.getDotPath(parsed.issues[0]) ?? 'its form'} is not what it should be); a new one begins.`,
          );
        return null;
      }, null),
    save: (record) => attempt(() => set(SESSION, record, db), undefined),
    keep: (record, why) =>
      attempt(async () => {
        const before: unknown = await get(BRANCHES, db);
        const list: readonly unknown[] = Array.isArray(before) ? before : [];
        await set(BRANCHES, [...list, { why, record }].slice(-KEPT), db);
      }, undefined),
    kept: () =>
      attempt(async () => {
        const stored: unknown = await get(BRANCHES, db);
        const list: readonly unknown[] = Array.isArray(stored) ? stored : [];
        return list.flatMap((one) => (v.is(Kept, one) ? [one] : [])).toReversed();
      }, []),
    clear: () => attempt(() => del(SESSION, db), undefined),
  };
}

/** A session saved as a file, or one sentence about what is wrong with it. */
export function sessionFromFile(text: string): SessionRecord | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return 'This file is no JSON; a session is saved as one from the settings.';
  }
  const parsed = v.safeParse(Session, json);
  if (parsed.success) return parsed.output;
  return `This file holds no session of this lab: ${v.getDotPath(parsed.issues[0]) ?? 'its form'} is not what it should be.`;
}
