import type { DecoderSlot, StageNode } from '../../views/stage.view.ts';
import { cut, widthOf } from '../parts/measure.ts';
import { setFill } from '../parts/SetPatterns.tsx';
import { press } from './press.ts';
import styles from './StageDrawing.module.css';
import type { GroupMark, NodeMark } from './stage-layout.ts';
import { isOneLine } from './tree-layout.ts';

interface NodeProps {
  readonly mark: NodeMark;
  readonly selected: boolean;
  /** Its place on the path of the access that is shown, if it lies on it. */
  readonly step: number | undefined;
  /** Which access: another one pulses again. */
  readonly access: number;
  /** Milliseconds from one function of the path to the next. */
  readonly pace: number;
  readonly onSelect: (node: StageNode) => void;
}

/** One function of the machine: in full, on one line, as a tag beside what is plugged into it, or as a cell. */
export function Node({ mark, selected, step, access, pace, onSelect }: NodeProps) {
  const { node } = mark;
  const names = node.cxl.join(' ');
  // A planned device has no identity yet, and nobody could drive it.
  const driver = node.driver ?? (isOneLine(node) || node.vendorDevice === '' ? '' : 'no driver');
  const sets = node.sets.map((one) => `position ${one.position} of ${one.ways}`).join(', ');
  return (
    <g
      className={styles.node}
      data-kind={node.kind}
      data-form={mark.form}
      data-node={mark.key}
      data-selected={selected}
      data-on-path={step !== undefined}
      {...press(() => onSelect(node), selected)}
      aria-label={[`${node.label} ${node.bdf}`, node.machine, driver || 'no driver', names, sets]
        .filter((part) => part)
        .join(', ')}
    >
      <rect x={mark.x} y={mark.y} width={mark.w} height={mark.h} rx={3} className={styles.nodeBox} />
      <SetStrip mark={mark} />
      {step === undefined ? null : (
        <rect
          key={access}
          x={mark.x - 1.5}
          y={mark.y - 1.5}
          width={mark.w + 3}
          height={mark.h + 3}
          rx={4}
          className={styles.pulse}
          style={{ animationDelay: `${step * pace}ms`, animationDuration: `${pace * 3}ms` }}
        />
      )}
      <Inside mark={mark} driver={driver} names={names} />
      <title>{[node.id, node.type, node.bdf, node.note, driver, names, sets].filter((part) => part).join(' · ')}</title>
    </g>
  );
}

const STRIP = 7;

/** The interleave sets a device belongs to, as bars of their colour and pattern. */
function SetStrip({ mark }: { readonly mark: NodeMark }) {
  const { node, form } = mark;
  if (node.sets.length === 0) return null;
  if (form === 'cell') {
    const w = mark.w / node.sets.length;
    return node.sets.map((set, n) => (
      <rect key={set.index} x={mark.x + n * w} y={mark.y + mark.h - 6} width={w} height={6} fill={setFill(set.index)} />
    ));
  }
  const h = mark.h / node.sets.length;
  return node.sets.map((set, n) => (
    <rect key={set.index} x={mark.x} y={mark.y + n * h} width={STRIP} height={h} fill={setFill(set.index)} />
  ));
}

function Inside(props: { readonly mark: NodeMark; readonly driver: string; readonly names: string }) {
  const { mark } = props;
  switch (mark.form) {
    case 'full':
      return <Full {...props} />;
    case 'line':
      return isOneLine(mark.node) ? <PortLine {...props} /> : <DeviceLine {...props} />;
    case 'tag':
      return (
        <text x={mark.x + 6} y={mark.y + 16} className={styles.bdf}>
          {mark.node.bdf}
        </text>
      );
    case 'cell':
      return (
        <text
          x={mark.x + mark.w / 2}
          y={mark.y + (mark.node.sets.length > 0 ? 12 : 15)}
          textAnchor="middle"
          className={styles.cellText}
        >
          {cut(cellName(mark.node), mark.w - 6, 'mono')}
        </text>
      );
  }
}

const cellName = (node: StageNode): string => node.cxl.find((name) => name.startsWith('mem')) ?? node.bdf;
const idOf = (node: StageNode): string => (node.kind === 'host-bridge' && node.path === undefined ? node.id : node.bdf);

function PortLine({
  mark,
  driver,
  names,
}: {
  readonly mark: NodeMark;
  readonly driver: string;
  readonly names: string;
}) {
  const { node } = mark;
  const id = idOf(node);
  const slots = slotsRoom(node);
  const label =
    mark.w < 210 || mark.w - 30 - slots < widthOf(node.label, 'title') + widthOf(id, 'mono') + 20
      ? node.short
      : node.label;
  const used = widthOf(label, 'title') + widthOf(`  ${id}`, 'mono') + 14 + slots;
  const right = [names, driver].filter((part) => part).join(' · ');
  return (
    <>
      <text x={mark.x + 9} y={mark.y + 16} className={styles.nodeTitle}>
        {label}
        <tspan className={styles.bdf}>{`  ${cut(id, mark.w - widthOf(label, 'title') - 30, 'mono')}`}</tspan>
      </text>
      <RightText mark={mark} text={right} short={names} room={mark.w - used - 18} bound={node.driver !== null} y={16} />
      <SlotRow mark={mark} x={mark.x + used - slots + 6} y={mark.y + 5.5} />
    </>
  );
}

function DeviceLine({
  mark,
  driver,
  names,
}: {
  readonly mark: NodeMark;
  readonly driver: string;
  readonly names: string;
}) {
  const { node } = mark;
  const left = mark.x + (node.sets.length > 0 ? STRIP + 6 : 9);
  const name = node.cxl.find((one) => one.startsWith('mem')) ?? node.short;
  const room = mark.w - (left - mark.x) - 8;
  const size = node.note.replace(/^[^·]*· /, '');
  const [set] = node.sets;
  const position = set && set.ways > 1 ? `${set.position}/${set.ways}` : '';
  const full = [name, node.bdf, position, size];
  const texts = [full, full.slice(0, 3), full.slice(0, 2), full.slice(0, 1)].map((parts) =>
    parts.filter((part) => part),
  );
  const slots = slotsRoom(node);
  const fits = texts.find((parts) => widthOf(parts.join('  '), 'mono') + slots + 12 <= room) ?? texts.at(-1) ?? [];
  const [head, ...rest] = fits;
  const used = widthOf(fits.join('  '), 'mono') + 12;
  return (
    <>
      <text x={left} y={mark.y + 16} className={styles.bdf}>
        <tspan className={styles.cellText}>{head}</tspan>
        {rest.length > 0 ? `  ${rest.join('  ')}` : ''}
      </text>
      <SlotRow mark={mark} x={left + used} y={mark.y + 5.5} />
      <RightText mark={mark} text={driver} short="" room={room - used - slots} bound={node.driver !== null} y={16} />
      <title>{names}</title>
    </>
  );
}

function Full({ mark, driver, names }: { readonly mark: NodeMark; readonly driver: string; readonly names: string }) {
  const { node } = mark;
  const left = mark.x + (node.sets.length > 0 ? STRIP + 5 : 9);
  const room = mark.w - (left - mark.x) - 9;
  const note = node.note ? `${node.type} · ${node.note}` : node.type;
  const titleRoom = room - widthOf(node.bdf, 'mono') - 12;
  const noteRoom = room - widthOf(driver, 'title') - 12;
  const [set] = node.sets;
  const slots = node.slots.length * slotWidth(mark);
  return (
    <>
      <text x={left} y={mark.y + 16} className={styles.nodeTitle}>
        {cut(widthOf(node.label, 'title') <= titleRoom ? node.label : node.short, titleRoom, 'title')}
      </text>
      <text x={mark.x + mark.w - 9} y={mark.y + 16} textAnchor="end" className={styles.bdf}>
        {node.bdf}
      </text>
      <text x={left} y={mark.y + 30} className={styles.nodeSub}>
        {[note, node.note, node.type].find((one) => widthOf(one, 'small') <= noteRoom) ?? ''}
      </text>
      <RightText mark={mark} text={driver} short="" room={room} bound={node.driver !== null} y={30} />
      <text x={mark.x + mark.w - 9} y={mark.y + 46} textAnchor="end" className={styles.nodeSub}>
        {fittingNames(
          [...(set && set.ways > 1 ? [`${set.position} of ${set.ways}`] : []), ...names.split(' ')],
          room - slots - 6,
        )}
      </text>
      {node.slots.map((slot) => (
        <Slot
          key={slot.index}
          slot={slot}
          x={left + slot.index * slotWidth(mark)}
          y={mark.y + mark.h - 18}
          w={slotWidth(mark) - 4}
        />
      ))}
    </>
  );
}

function RightText(props: {
  readonly mark: NodeMark;
  readonly text: string;
  readonly short: string;
  readonly room: number;
  readonly bound: boolean;
  readonly y: number;
}) {
  const { mark, text, short, room } = props;
  const shown = [text, short].find((one) => one !== '' && widthOf(one, 'title') <= room);
  if (shown === undefined) return null;
  return (
    <text
      x={mark.x + mark.w - 9}
      y={mark.y + props.y}
      textAnchor="end"
      className={styles.driver}
      data-bound={props.bound}
    >
      {shown}
    </text>
  );
}

/** As many names as fit: half a name says nothing. */
function fittingNames(names: readonly string[], room: number): string {
  let text = '';
  for (const name of names) {
    const longer = text ? `${text} ${name}` : name;
    if (widthOf(longer, 'small') < room) text = longer;
  }
  return text;
}

const slotWidth = (mark: NodeMark): number => Math.min(32, (mark.w - 18) / Math.max(4, mark.node.slots.length));
const SLOT_SIGN = { idle: '', programmed: '…', committed: '●', refused: '✕' } as const;

function Slot(props: { readonly slot: DecoderSlot; readonly x: number; readonly y: number; readonly w: number }) {
  const { slot, x, y, w } = props;
  return (
    <g className={styles.slot} data-state={slot.state} data-by={slot.answeredBy}>
      <rect x={x} y={y} width={w} height={13} rx={2} />
      {w > 16 ? <text x={x + 4} y={y + 10}>{`${slot.index} ${SLOT_SIGN[slot.state]}`}</text> : null}
      <title>{slot.text}</title>
    </g>
  );
}

const PIP = 8;
const slotsRoom = (node: StageNode): number => (node.slots.length > 0 ? Math.min(node.slots.length, 10) * PIP + 8 : 0);

/** Decoders on one line: a pip each. */
function SlotRow({ mark, x, y }: { readonly mark: NodeMark; readonly x: number; readonly y: number }) {
  const { slots } = mark.node;
  if (slots.length === 0 || x + slotsRoom(mark.node) > mark.x + mark.w) return null;
  return slots.slice(0, 10).map((slot) => (
    <g key={slot.index} className={styles.slot} data-state={slot.state} data-by={slot.answeredBy}>
      <rect x={x + slot.index * PIP} y={y} width={PIP - 2} height={13} rx={1.5} />
      <title>{slot.text}</title>
    </g>
  ));
}

const SQUARE = 9;

/** Alike siblings as one: their number and kind, and a square each in the colour of its set. */
export function Group({ mark, onOpen }: { readonly mark: GroupMark; readonly onOpen: (mark: GroupMark) => void }) {
  const squares = Math.min(mark.nodes.length * SQUARE, mark.w * 0.55);
  const each = squares / mark.nodes.length;
  const room = mark.w - squares - 18;
  const text = [mark.text, mark.short, `${mark.nodes.length} ×`].find((one) => widthOf(one, 'small') <= room) ?? '';
  return (
    <g
      className={styles.node}
      data-form="group"
      data-node={mark.key}
      {...press(() => onOpen(mark))}
      aria-label={`${mark.text}: show them one by one`}
    >
      <rect x={mark.x} y={mark.y} width={mark.w} height={mark.h} rx={3} className={styles.nodeBox} />
      <text x={mark.x + 8} y={mark.y + 14} className={styles.nodeSub}>
        {text}
      </text>
      {mark.nodes.map((node, n) => (
        <rect
          key={node.id}
          x={mark.x + mark.w - squares - 5 + n * each}
          y={mark.y + 5}
          width={each - 1.5}
          height={mark.h - 10}
          rx={1}
          className={styles.square}
          {...(node.sets[0] ? { style: { fill: setFill(node.sets[0].index) } } : {})}
        />
      ))}
      <title>{`${mark.text}: ${mark.nodes.map(cellName).join(' ')}`}</title>
    </g>
  );
}
