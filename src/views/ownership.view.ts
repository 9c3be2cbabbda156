/** Who owns a register, in words: all of it read from rows that were measured (lab/ownership), nothing known beforehand. */
import { hex, shiftRight } from '../base/addr.ts';
import type { MachineId } from '../log/index.ts';
import type { MirrorLog } from '../mirror/mirror-log.ts';
import type { OwnershipRow } from '../mirror/side-client.ts';
import { functionOf } from '../state/functions.ts';
import { paths } from '../state/schema.ts';
import { threadsOf } from './stage.view.ts';

type ByHolder = OwnershipRow['answers']['l2'];
type Holder = keyof ByHolder;
type Writer = keyof OwnershipRow['writes'];
type Effect = NonNullable<OwnershipRow['writes']['l2']>;
export type Reader = keyof OwnershipRow['before'];

export const READER_LABELS: Readonly<Record<Reader, string>> = {
  l2: 'L2',
  'l1.user': 'L1 user space',
  'l1.kernel': 'L1 kernel',
  device: 'device',
};
export const READERS: readonly Reader[] = ['l2', 'l1.user', 'l1.kernel', 'device'];
export const WRITERS: readonly Writer[] = ['l2', 'l1.user', 'l1.kernel'];

const HOLDERS: Readonly<Record<Holder, { readonly word: string; readonly text: string }>> = {
  device: { word: 'device', text: 'the device' },
  vconfig: { word: 'vconfig', text: 'vfio’s copy of configuration space' },
  'hdm-shadow': { word: 'shadow', text: 'the shadow of the HDM block' },
  'dvsec-shadow': { word: 'shadow', text: 'the shadow of the DVSEC' },
  'l1-qemu': { word: 'QEMU', text: 'L1’s QEMU' },
  other: { word: 'other', text: 'another block' },
};

/** The device below a function of L1 or L2, and what its measured ownership depends on. */
export interface OwnershipSubject {
  readonly id: string;
  /** L2 has it, or a process of L1 has it open. */
  readonly passed: boolean;
  /** Changes with L1, its device, VFIO’s state of it and L2: rows measured under the same key are of the same stack. */
  readonly key: string;
}

export function ownershipSubject(
  log: MirrorLog,
  epoch: number,
  machine: MachineId,
  id: string,
): OwnershipSubject | null {
  const thread = threadsOf(log).find(
    ({ device, guest }) =>
      (device.machine === machine && device.id === id) || (guest?.machine === machine && guest.id === id),
  );
  const below = thread?.device ?? (machine === 'l1' ? { machine, id } : null);
  const fn = below ? functionOf(log, below.machine, below.id) : null;
  if (!below || !fn) return null;
  const names = [
    paths.machine('l1'),
    paths.machine('l2'),
    paths.pciFunction('l1', below.id),
    paths.vfioDevice('l1', `0000:${fn.bdf}`),
    ...(thread?.guest ? [paths.pciFunction('l2', thread.guest.id)] : []),
  ];
  const blocks = names.map((name) => log.find(name)).filter((one) => one !== undefined);
  return {
    id: below.id,
    passed: thread?.guest != null || thread?.vfio?.opened === true,
    key: `${epoch}/${below.id}/${log.lastChangeAmong(blocks)}`,
  };
}

/** For a list: whose copies answer L2 (or the topmost layer that reaches the device), and whether its writes are kept anywhere. */
export interface OwnerWord {
  readonly word: string;
  /** A letter for each. */
  readonly sign: string;
  readonly kept: boolean;
  readonly title: string;
}

export function ownerWord(row: OwnershipRow): OwnerWord {
  const top = WRITERS.find((writer) => row.writes[writer] !== null) ?? 'l1.kernel';
  const answers = holdersOf(row.answers[top]);
  const effect = row.writes[top];
  const words = answers.map((holder) => HOLDERS[holder].word);
  return {
    word: words.join(' + ') || 'constant',
    sign: words.map((word) => word.charAt(0).toUpperCase()).join('') || '–',
    kept: effect !== null && Object.keys(effect.changed).length > 0,
    title: `${READER_LABELS[top]} reads ${answersText(row.answers[top], row.width)}; ${effect ? `its write ${effectText(top, effect, row.width)}` : 'it cannot write'}`,
  };
}

/** `vfio’s copy of configuration space [19:0], L1’s QEMU [31:20]` */
export function answersText(answers: ByHolder, width: number): string {
  const holders = holdersOf(answers);
  if (holders.length === 0) return 'nobody: a constant';
  return holders.map((holder) => `${HOLDERS[holder].text}${bitsText(answers[holder] ?? 0, width)}`).join(', ');
}

/** The same for a table: `vconfig [19:0], QEMU [31:20]`. */
export function holdersText(bits: ByHolder, width: number, none: string): string {
  const parts = holdersOf(bits).map((holder) => `${HOLDERS[holder].word}${bitsText(bits[holder] ?? 0, width)}`);
  return parts.join(', ') || none;
}
export function effectWord(effect: Effect | null, width: number): string {
  if (effect === null) return '–';
  return effect.refused?.errno ?? holdersText(effect.changed, width, effect.besides.length > 0 ? 'others' : 'dropped');
}

/** What became of a write, as the end of a sentence. */
export function effectText(writer: Writer, effect: Effect, width: number): string {
  const { changed, besides, refused } = effect;
  const holders = holdersOf(changed);
  const also = besides.length > 0 ? `; it also changes ${besides.join(', ')}` : '';
  if (refused !== null) {
    const whose = refused.layer === 'l1.user' || writer === 'l1.user' ? '' : ' at L1’s VMM, which keeps it to itself';
    return `is refused with ${refused.errno}${whose}${also}`;
  }
  if (holders.length === 0)
    return besides.length > 0 ? `does not change this register${also}` : 'is dropped: nothing changes';
  const parts = holders.map((holder) => {
    const verb = holder === 'device' ? 'reaches' : 'is kept in';
    return `${verb} ${HOLDERS[holder].text}${bitsText(changed[holder] ?? 0, width)}`;
  });
  return `${parts.join(' and ')}${also}`;
}

/** Whose copy L2’s write of a field ends in; empty when it is not kept, or nobody measured it. */
export function fieldOwner(row: OwnershipRow | undefined, hi: number, lo: number): string {
  const changed = row?.writes.l2?.changed;
  if (!row || !changed) return '';
  const inside = (bits: number): boolean => shiftRight(bits, lo) % 2 ** (hi - lo + 1) !== 0;
  const holders = holdersOf(changed).filter((holder) => inside(changed[holder] ?? 0));
  if (holders.length === 0) return 'L2 cannot write it';
  return `L2 writes: ${holders.map((holder) => HOLDERS[holder].word).join(' + ')}`;
}

function holdersOf(bits: ByHolder): readonly Holder[] {
  return (Object.keys(HOLDERS) as Holder[]).filter((holder) => (bits[holder] ?? 0) !== 0);
}

/** Nothing when all bits are meant; else ` [31:20, 3]`. */
function bitsText(bits: number, width: number): string {
  if (bits === 2 ** (8 * width) - 1) return '';
  const ranges: string[] = [];
  for (let hi = 8 * width - 1; hi >= 0; hi--) {
    if (shiftRight(bits, hi) % 2 === 0) continue;
    let lo = hi;
    while (lo > 0 && shiftRight(bits, lo - 1) % 2 === 1) lo--;
    ranges.push(hi === lo ? String(hi) : `${hi}:${lo}`);
    hi = lo;
  }
  return ` [${ranges.join(', ')}]`;
}

export const readText = (value: number | null, width: number): string => (value === null ? '–' : hex(value, width * 2));
