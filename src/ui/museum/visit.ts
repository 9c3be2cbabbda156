import { MUSEUM } from '../../content/museum.ts';
import { type ExhibitSetting, SETTINGS } from '../../protocol/museum.ts';

/** What a link to the museum says after `museum=`: an exhibit, the run in front, and where the cursors stand. */
export interface Visit {
  readonly id: string;
  readonly front: ExhibitSetting;
  /** Rows of the log; null: at the end. Of one run alone: the other stands at the same line. */
  readonly at: Readonly<Record<ExhibitSetting, number | null>>;
  readonly together: boolean;
}

/** `id`, `id@intended`, `id@posted:5231`, or with cursors of their own `id@posted:5231,intended:4100`. */
export function visitToText({ id, front, at, together }: Visit): string {
  const other = SETTINGS.find((one) => one !== front) ?? front;
  const word = (setting: ExhibitSetting) => (at[setting] === null ? setting : `${setting}:${at[setting]}`);
  const words = together ? [word(front)] : [word(front), word(other)];
  return words.join() === SETTINGS[0] ? id : `${id}@${words.join(',')}`;
}

/** A visit, or a sentence about what is wrong with its text. */
export function visitFromText(text: string): Visit | string {
  const [id = '', moment] = text.split('@');
  if (!MUSEUM.some((one) => one.id === id))
    return `This link asks for an exhibit “${id}”, which the museum does not have.`;
  const read = (moment ?? SETTINGS[0]).split(',').map((word) => /^(posted|intended)(?::(\d+))?$/.exec(word));
  const at: Record<ExhibitSetting, number | null> = { posted: null, intended: null };
  for (const match of read) {
    const setting = SETTINGS.find((one) => one === match?.[1]);
    if (!setting)
      return `This link names a moment “${moment}”: it would be like posted:5231 or posted:5231,intended:4100.`;
    at[setting] = match?.[2] === undefined ? null : Number(match[2]);
  }
  const front = SETTINGS.find((one) => one === read[0]?.[1]) ?? 'posted';
  return { id, front, at, together: read.length < 2 };
}
