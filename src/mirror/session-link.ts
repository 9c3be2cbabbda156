import * as v from 'valibot';
import { concat, text, utf8 } from '../base/bytes.ts';
import { MACHINES } from '../log/index.ts';
import type { SharedSession } from '../protocol/client.ts';
import { XLAT_SPACES } from '../state/xlat.ts';
import { LAYOUT_IDS, type LayoutId } from './settings.ts';
import type { AddressQuery, Selection } from './store.ts';

/**
 * A session and the view of it as the text of a link: inputs (numbers as differences), the moment they led to, the state's hash
 * there, cursor, layout, selection, address; zlib with its checksum, base64url, behind the number of this form: `1.eJx…`.
 */
export interface LinkedView {
  /** Row of the cursor; null: the present. */
  readonly cursor: number | null;
  readonly layout: LayoutId;
  readonly console: string;
  readonly selection: Selection | null;
  readonly address: AddressQuery | null;
}
export interface LinkedSession {
  readonly session: SharedSession;
  readonly view: LinkedView;
}

const FORM = '1';
/** What a link may hold when unpacked: hours of typing, and an end to what a hostile one can cost. */
const LONGEST = 8_000_000;

const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const Machine = v.picklist(MACHINES);

/** What can be an input: keys on a console, the size of one, another login. */
function isInput([console, text]: [string, string, 0 | 1, number, number]): boolean {
  if (console.startsWith('resize:')) return /^\d{1,4}x\d{1,4}$/.test(text);
  if (console.startsWith('open:')) return /^(host|l1|l2)\/[a-z0-9/]+$/.test(text);
  return /^[a-z0-9/-]+$/.test(console);
}
const Shape = v.object({
  seed: v.number(),
  /** Console, text, idle, and position and timers as differences to the input before. */
  inputs: v.array(
    v.pipe(v.tuple([v.string(), v.string(), v.picklist([0, 1]), v.number(), v.number()]), v.check(isInput)),
  ),
  moment: v.nullable(v.tuple([whole, whole])),
  hash: v.nullable(v.string()),
  cursor: v.nullable(whole),
  layout: v.picklist(LAYOUT_IDS),
  console: v.string(),
  selection: v.nullable(
    v.variant('kind', [
      v.object({
        kind: v.literal('function'),
        machine: Machine,
        id: v.string(),
        register: v.exactOptional(v.object({ space: v.string(), offset: whole })),
      }),
      v.object({ kind: v.literal('object'), path: v.string() }),
      v.object({ kind: v.literal('event'), row: whole }),
    ]),
  ),
  address: v.nullable(
    v.object({
      space: v.picklist(XLAT_SPACES),
      address: whole,
      device: v.exactOptional(v.string()),
    }),
  ),
});

export async function sessionToText({ session, view }: LinkedSession): Promise<string> {
  const { record, moment, hash } = session;
  let position = 0;
  let timers = 0;
  const inputs = record.inputs.map((one): [string, string, 0 | 1, number, number] => {
    const differences: [number, number] = [one.position - position, one.timersFired - timers];
    position = one.position;
    timers = one.timersFired;
    return [one.console, one.text, one.idle ? 1 : 0, ...differences];
  });
  const shape: v.InferOutput<typeof Shape> = {
    seed: record.seed,
    inputs,
    moment: moment ? [moment.position, moment.timersFired] : null,
    hash,
    ...view,
  };
  return `${FORM}.${base64url(await through(utf8(JSON.stringify(shape)), new CompressionStream('deflate')))}`;
}

/** The session a link's text holds, or one sentence about what is wrong with it. */
export async function sessionFromText(text: string): Promise<LinkedSession | string> {
  const [, form, packed] = /^(\d+)\.(.*)$/s.exec(text) ?? [];
  if (form === undefined || packed === undefined)
    return 'This link to a session carries none; it may have been cut off.';
  if (form !== FORM)
    return `This link to a session has form ${form}, from another version of the lab; this one reads form ${FORM}.`;
  if (!/^[A-Za-z0-9_-]+$/.test(packed))
    return 'This link to a session holds characters that none has; it was changed or cut off on its way.';
  const json = await unpacked(packed);
  if (json === null)
    return 'This link to a session is damaged or cut off: it cannot be unpacked. Ask for it once more.';
  const parsed = v.safeParse(Shape, json);
  if (!parsed.success)
    return `This link holds no session of this lab: ${v.getDotPath(parsed.issues[0]) ?? 'its form'} is not what it should be.`;
  const { seed, inputs, moment, hash, ...view } = parsed.output;
  let position = 0;
  let timersFired = 0;
  const record = {
    version: 1 as const,
    seed,
    inputs: inputs.map(([console, typed, idle, positions, timers]) => {
      position += positions;
      timersFired += timers;
      return { console, text: typed, idle: idle === 1, position, timersFired };
    }),
  };
  const at = moment ? { position: moment[0], timersFired: moment[1] } : null;
  return { session: { record, moment: at, hash }, view };
}

/** What the text unpacks to; null when it is damaged. */
async function unpacked(packed: string): Promise<unknown> {
  const bytes = bytesOf(packed);
  // Whatever the stream fails with is its opinion of the bytes; browsers and Node differ in the kind of error.
  const plain = bytes && (await through(bytes, new DecompressionStream('deflate')).catch(() => null));
  if (!plain) return null;
  try {
    return JSON.parse(text(plain));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}

function bytesOf(packed: string): Uint8Array<ArrayBuffer> | null {
  // A last group of one letter is no byte.
  if (packed.length % 4 === 1) return null;
  return Uint8Array.from(atob(packed.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0));
}

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  stream: GenericTransformStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader: ReadableStreamDefaultReader<Uint8Array> = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
    if (length > LONGEST) {
      await reader.cancel();
      throw new RangeError('longer than any session');
    }
  }
  return concat(parts);
}

function base64url(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
