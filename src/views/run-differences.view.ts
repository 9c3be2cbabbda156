import type { StateReader } from '../state/reader.ts';
import { lanesView } from './lanes.view.ts';
import { unmatched } from './line-diff.ts';
import { type StageMachine, type StageNode, stageView } from './stage.view.ts';

/** A typed line of a run, as far as it is compared. */
export interface PrintedLine {
  readonly console: string;
  readonly line: string;
  readonly output: string;
  readonly own: boolean;
}

/** Something two runs of the same lines do not share, in words. */
export interface RunDifference {
  readonly text: string;
  /** Only one of them has it: which. */
  readonly only?: 'first' | 'second';
  readonly first?: string;
  readonly second?: string;
}

/** Output without time stamps and build ids, which differ by nature. */
export function comparable(output: string): readonly string[] {
  return output
    .split('\n')
    .map((line) => plain(line.replace(/^\[ *\d+\.\d{6}\] /, '')).trimEnd())
    .filter((line) => line !== '');
}

function plain(text: string): string {
  return text.replace(/-g[0-9a-f]{12}/g, '');
}

/** Lines of the exhibit that printed different things: what the first difference is on either side. */
export function printedDifferences(
  first: readonly PrintedLine[],
  second: readonly PrintedLine[],
): readonly RunDifference[] {
  return first.flatMap((one, n) => {
    const other = second[n];
    if (!other) return [];
    const [mine, theirs] = [comparable(one.output), comparable(other.output)];
    const a = said(mine, unmatched(mine, theirs));
    const b = said(theirs, unmatched(theirs, mine));
    if (a === null && b === null) return [];
    const nothing = (lines: readonly string[]) => (lines.length === 0 ? 'nothing' : 'nothing more');
    return [
      {
        text: `${one.console}# ${one.line === other.line ? one.line : shortened(one.line)}`,
        first: a ?? nothing(mine),
        second: b ?? nothing(theirs),
      },
    ];
  });
}

/** The first line that only this side has, and how many more. */
function said(lines: readonly string[], alone: readonly boolean[]): string | null {
  const own = lines.filter((_, n) => alone[n]);
  const [line] = own;
  if (line === undefined) return null;
  return own.length === 1 ? line : `${line} (and ${own.length - 1} more)`;
}

/** The name of a long command: its options differ where the settings are named. */
function shortened(line: string): string {
  return line.split(' ').slice(0, 2).join(' ');
}

/** One thing a state has: what it is (to find it in the other), inside what, and how it is there. */
interface Thing {
  readonly key: string;
  readonly inside: string | null;
  readonly text: string;
}

/** What machines, devices, decoders and mappings of the two states do not share. Of what is missing whole, only the whole is said. */
export function stateDifferences(first: StateReader, second: StateReader): readonly RunDifference[] {
  const [a, b] = [things(first), things(second)];
  const side = (mine: ReadonlyMap<string, Thing>, theirs: ReadonlyMap<string, Thing>, only: 'first' | 'second') =>
    [...mine.values()]
      .filter(({ key, inside }) => !theirs.has(key) && (inside === null || theirs.has(inside)))
      .map(({ text }): RunDifference => ({ text, only }));
  const changed = [...a.values()].flatMap((one): readonly RunDifference[] => {
    const other = b.get(one.key);
    return other === undefined || other.text === one.text ? [] : [{ text: '', first: one.text, second: other.text }];
  });
  return [...side(a, b, 'first'), ...side(b, a, 'second'), ...changed];
}

function things(reader: StateReader): ReadonlyMap<string, Thing> {
  const found = new Map<string, Thing>();
  const add = (key: string, inside: string | null, text: string) => found.set(key, { key, inside, text: plain(text) });
  const machine = (one: StageMachine, inside: string | null): void => {
    const { id, title } = one;
    const trouble = one.trouble === undefined ? '' : ` (${one.trouble})`;
    add(id, inside, `${title}: ${one.state}${trouble}${one.facts === '' ? '' : `, ${one.facts}`}`);
    for (const window of one.windows) add(`${id}/${window.path}`, id, `${title}, ${window.text}`);
    for (const region of one.regions) add(`${id}/${region.name}`, id, `${title}, ${region.name}: ${region.text}`);
    for (const root of [...one.roots, ...one.others]) node(title, root, id);
    if (one.vmm) add(`${id}/vmm`, id, `${title}: ${one.vmm.comm} runs ${one.vmm.guest}`);
    if (one.guest) machine(one.guest, id);
  };
  const node = (title: string, one: StageNode, inside: string): void => {
    const key = `${one.machine}/${one.id}`;
    const core = one.cxl.length > 0 ? `, ${one.cxl.join(', ')}` : '';
    add(key, inside, `${title}, ${one.label} ${one.bdf}: ${one.driver ?? 'no driver'}${core}`);
    for (const slot of one.slots)
      if (slot.state !== 'idle') add(`${key}/decoder${slot.index}`, key, `${title}, ${one.bdf}: ${slot.text}`);
    for (const child of one.children) node(title, child, key);
  };
  machine(stageView(reader).host, null);
  // Mappings stand or fall with the guest they are made for.
  const { ribbons } = lanesView(reader);
  for (const { text } of ribbons) add(`mapping/${text}`, found.has('l2') ? 'l2' : null, text);
  return found;
}
