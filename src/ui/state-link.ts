import { type LinkedView, type Mirror, type SessionRecord, sessionFromText, sessionToText } from '../mirror/index.ts';
import type { SessionMoment } from '../protocol/client.ts';
import { quiet, until } from './header/play.ts';
import { copyText } from './parts/copy-text.ts';

/** Longer links break in mail programs and chats. */
const LONGEST_LINK = 30_000;

/** Puts a link to the session as it is, and as it is looked at, into the clipboard; says what came of it. */
export async function copyStateLink(mirror: Mirror): Promise<void> {
  const session = await mirror.client.sharedSession?.();
  if (!session) {
    mirror.update({ busyMessage: 'This lab has no session that a link could carry.' });
    return;
  }
  const { cursor, live, settings, activeConsole, selection, address } = mirror.store.getState();
  const view: LinkedView = {
    cursor: live ? null : cursor,
    layout: settings.layout,
    console: activeConsole,
    selection,
    address,
  };
  const link = `${location.origin}${location.pathname}#state=${await sessionToText({ session, view })}`;
  if (link.length > LONGEST_LINK) {
    const size = Math.ceil(link.length / 1000);
    mirror.update({
      busyMessage: `This session is too long for a link (${size} kB, at most ${LONGEST_LINK / 1000}): save it as a file in the settings, it opens there too.`,
    });
    return;
  }
  const copied = await copyText(link);
  const where = live ? 'the session as it is now' : `the session, seen at event ${cursor}`;
  if (copied) mirror.update({ announcement: `Copied: a link to ${where}.` });
  else {
    history.replaceState(null, '', link);
    mirror.update({ announcement: `This browser gives no clipboard: the link to ${where} stands in the address bar.` });
  }
}

/** Goes on with the session a link holds, seen as its maker saw it. What was here before is kept. */
export async function openStateLink(mirror: Mirror, text: string): Promise<void> {
  const linked = await sessionFromText(text);
  if (typeof linked === 'string') {
    mirror.update({ busyMessage: linked });
    return;
  }
  const { session, view } = linked;
  const restored = await openSession(mirror, session.record, session.moment);
  if (session.hash !== null && restored !== session.hash)
    mirror.update({
      busyMessage:
        'The session of this link was typed again, but this lab comes to another state than where the link was made: another version of it.',
    });
  mirror.setSettings({ layout: view.layout });
  if (view.cursor !== null) {
    const { cursor } = view;
    await until(mirror, () => mirror.log.head >= cursor);
    mirror.seek(cursor);
  }
  const known = mirror.log.consoles.some((one) => one.id === view.console);
  mirror.update({ ...(known ? { activeConsole: view.console } : {}), address: view.address });
  mirror.select(view.selection);
}

/** Another session in place of the present one, which is kept; gives the state's hash at `moment`. */
export async function openSession(
  mirror: Mirror,
  record: SessionRecord,
  moment: SessionMoment | null = null,
): Promise<string | null> {
  mirror.goLive();
  mirror.update({ dialog: null, dialogAbout: '', selection: null, address: null, hoverAddress: null, died: null });
  const before = mirror.store.getState().epoch;
  const fresh = mirror.log.head === 0;
  const kept = await mirror.client.openSession?.(record, moment);
  const restored = (await mirror.client.restored?.()) ?? null;
  await until(mirror, () => (fresh ? mirror.log.head > 0 : mirror.store.getState().epoch !== before));
  await quiet(mirror);
  if (kept) mirror.update({ announcement: 'What was here before is kept: Commands, Earlier session.' });
  return restored;
}
