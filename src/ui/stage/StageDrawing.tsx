import { type KeyboardEvent, memo } from 'react';
import type { MachineId } from '../../log/index.ts';
import type { Selection } from '../../mirror/index.ts';
import type { DecoderSlot } from '../../views/stage.view.ts';
import { cut, widthOf } from '../parts/measure.ts';
import styles from './StageDrawing.module.css';
import {
  type BandMark,
  isOneLine,
  type MachineMark,
  type NodeMark,
  type StageLayout,
  type ThreadMark,
  type VmmMark,
} from './stage-layout.ts';

interface Props {
  readonly layout: StageLayout;
  readonly scale: number;
  readonly selection: Selection | null;
  readonly onSelect: (selection: Selection) => void;
}

const machineClass: Readonly<Record<MachineId, string | undefined>> = {
  host: styles.host,
  l1: styles.l1,
  l2: styles.l2,
};

/** The nested machines and the one device that appears in all of them. */
export const StageDrawing = memo(function StageDrawing({ layout, scale, selection, onSelect }: Props) {
  return (
    <svg
      className={styles.stage}
      width={layout.width * scale}
      height={layout.height * scale}
      viewBox={`0 0 ${layout.width} ${layout.height}`}
      role="toolbar"
      aria-label="Nested machines and their PCI and CXL devices"
      onKeyDown={walk}
    >
      {layout.machines.map((mark) => (
        <MachineBox key={mark.machine.id} mark={mark} />
      ))}
      {layout.vmms.map((mark) => (
        <VmmStrip key={mark.vmm.pid} mark={mark} onSelect={onSelect} />
      ))}
      {layout.edges.map((path) => (
        <path key={path} d={path} className={styles.edge} />
      ))}
      {layout.threads.map((mark) => (
        <Thread key={mark.key} mark={mark} />
      ))}
      {layout.bands.map((mark) =>
        mark.kind === 'empty' ? null : <Band key={mark.key} mark={mark} selection={selection} onSelect={onSelect} />,
      )}
      {layout.nodes.map((mark) => (
        <Node
          key={mark.key}
          mark={mark}
          selected={selection?.kind === 'function' && `${selection.machine}/${selection.id}` === mark.key}
          onSelect={onSelect}
        />
      ))}
    </svg>
  );
});

/** Arrow keys go to the next or previous thing on the stage. */
function walk(event: KeyboardEvent<SVGSVGElement>): void {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (step === undefined) return;
  const all = [...event.currentTarget.querySelectorAll<SVGGElement>('[tabindex="0"]')];
  const at = all.findIndex((one) => one.matches(':focus'));
  all[(at + step + all.length) % all.length]?.focus();
  event.preventDefault();
}

function press(run: () => void, pressed?: boolean) {
  return {
    role: 'button',
    tabIndex: 0,
    'aria-pressed': pressed,
    onClick: run,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      run();
    },
  } as const;
}

function MachineBox({ mark }: { readonly mark: MachineMark }) {
  const { machine } = mark;
  return (
    <g className={machineClass[machine.id]}>
      <rect x={mark.x} y={mark.y} width={mark.w} height={mark.h} rx={5} className={styles.machine} />
      <text x={mark.x + 10} y={mark.y + 17} className={styles.machineTitle}>
        {machine.title}
      </text>
      <text
        x={mark.x + 18 + widthOf(machine.title, 'title') * 1.12}
        y={mark.y + 17}
        className={styles.machineState}
        data-state={machine.state}
      >
        {machine.state}
      </text>
      <text x={mark.x + mark.w - 10} y={mark.y + 17} textAnchor="end" className={styles.facts}>
        {fitting(machine.facts, mark.w - 40 - widthOf(machine.title, 'title') * 1.12 - widthOf(machine.state, 'small'))}
      </text>
    </g>
  );
}

function VmmStrip({ mark, onSelect }: { readonly mark: VmmMark; readonly onSelect: Props['onSelect'] }) {
  const { vmm, machine } = mark;
  const text = `${vmm.comm} · pid ${vmm.pid}`;
  const right = vmm.backends.join(', ');
  return (
    <g
      className={styles.vmm}
      {...press(() => onSelect({ kind: 'object', path: `proc/${machine.id}/${vmm.pid}` }))}
      aria-label={`Process ${text} on ${machine.title} runs ${vmm.guest}`}
    >
      <path d={`M${mark.x} ${mark.y + mark.h} v${-mark.h + 5} q0 -5 5 -5 h${mark.w - 10} q5 0 5 5 v${mark.h - 5}`} />
      <text x={mark.x + 10} y={mark.y + 14}>
        {cut(text, mark.w - widthOf(right, 'small') - 30, 'mono')}
      </text>
      {right && mark.w > 200 ? (
        <text x={mark.x + mark.w - 10} y={mark.y + 14} textAnchor="end" className={styles.facts}>
          {right}
        </text>
      ) : null}
    </g>
  );
}

function Band(props: {
  readonly mark: BandMark;
  readonly selection: Selection | null;
  readonly onSelect: Props['onSelect'];
}) {
  const { mark, selection, onSelect } = props;
  const { path } = mark;
  const face = path === null ? 'small' : 'mono';
  const room = mark.w - 14;
  const text = cut(widthOf(mark.text, face) <= room ? mark.text : mark.short, room, face);
  if (path === null)
    return (
      <text x={mark.x + 2} y={mark.y + 14} className={styles.others}>
        {text}
        <title>{mark.text}</title>
      </text>
    );
  const selected = selection?.kind === 'object' && selection.path === path;
  return (
    <g
      className={styles.band}
      data-kind={mark.kind}
      data-selected={selected}
      {...press(() => onSelect({ kind: 'object', path }), selected)}
      aria-label={mark.text}
    >
      <rect x={mark.x} y={mark.y} width={mark.w} height={mark.h} rx={3} />
      <text x={mark.x + 8} y={mark.y + 13}>
        {text}
      </text>
      <title>{mark.text}</title>
    </g>
  );
}

function Node(props: { readonly mark: NodeMark; readonly selected: boolean; readonly onSelect: Props['onSelect'] }) {
  const { mark, selected, onSelect } = props;
  const { node } = mark;
  const oneLine = isOneLine(node);
  const driver = node.driver ?? (oneLine ? '' : 'no driver');
  const names = node.cxl.join(' ');
  const note = node.note ? `${node.type} · ${node.note}` : node.type;
  const id = node.kind === 'host-bridge' ? node.id : node.bdf;
  const right = oneLine ? [names, driver].filter((part) => part).join(' · ') : driver;
  const titleRoom = mark.w - 24 - (oneLine ? widthOf(right, 'title') + widthOf(id, 'mono') + 14 : widthOf(id, 'mono'));
  const noteRoom = mark.w - 26 - widthOf(right, 'title');
  return (
    <g
      className={styles.node}
      data-kind={node.kind}
      data-selected={selected}
      {...press(() => onSelect({ kind: 'function', machine: node.machine, id: node.id }), selected)}
      aria-label={`${node.label} ${node.bdf}, ${node.machine}, ${driver || 'no driver'}${names ? `, ${names}` : ''}`}
    >
      <rect x={mark.x} y={mark.y} width={mark.w} height={mark.h} rx={3} className={styles.nodeBox} />
      <text x={mark.x + 9} y={mark.y + 16} className={styles.nodeTitle}>
        {cut(widthOf(node.label, 'title') <= titleRoom ? node.label : node.short, titleRoom, 'title')}
        {oneLine ? <tspan className={styles.bdf}>{`  ${id}`}</tspan> : null}
      </text>
      {oneLine ? null : (
        <>
          <text x={mark.x + mark.w - 9} y={mark.y + 16} textAnchor="end" className={styles.bdf}>
            {id}
          </text>
          <text x={mark.x + 9} y={mark.y + 30} className={styles.nodeSub}>
            {[note, node.type].find((one) => widthOf(one, 'small') <= noteRoom) ?? ''}
          </text>
        </>
      )}
      <text
        x={mark.x + mark.w - 9}
        y={mark.y + (oneLine ? 16 : 30)}
        textAnchor="end"
        className={styles.driver}
        data-bound={node.driver !== null}
      >
        {cut(right, mark.w - 30, 'title')}
      </text>
      {oneLine ? null : (
        <text x={mark.x + mark.w - 9} y={mark.y + 46} textAnchor="end" className={styles.nodeSub}>
          {joinFitting(node.cxl, mark.w - 26 - node.slots.length * slotWidth(mark))}
        </text>
      )}
      {node.slots.map((slot) => (
        <Slot
          key={slot.index}
          slot={slot}
          x={mark.x + 9 + slot.index * slotWidth(mark)}
          y={mark.y + mark.h - 18}
          w={slotWidth(mark) - 4}
        />
      ))}
      <title>{`${node.id} · ${note}`}</title>
    </g>
  );
}

/** As many of the parts from the left as fit: half a part says nothing. */
function fitting(facts: string, room: number): string {
  const parts = facts.split(' · ');
  while (parts.length > 0 && widthOf(parts.join(' · '), 'small') > room) parts.pop();
  return parts.join(' · ');
}

/** As many names as fit: half a name says nothing. */
function joinFitting(names: readonly string[], room: number): string {
  let text = '';
  for (const name of names) {
    const longer = text ? `${text} ${name}` : name;
    if (widthOf(longer, 'small') < room) text = longer;
  }
  return text;
}

const slotWidth = (mark: NodeMark): number => Math.min(32, (mark.w - 18) / Math.max(4, mark.node.slots.length));
const SLOT_SIGN = { idle: '', programmed: '…', committed: '●', refused: '✕' } as const;

function Slot({
  slot,
  x,
  y,
  w,
}: {
  readonly slot: DecoderSlot;
  readonly x: number;
  readonly y: number;
  readonly w: number;
}) {
  return (
    <g className={styles.slot} data-state={slot.state} data-by={slot.answeredBy}>
      <rect x={x} y={y} width={w} height={13} rx={2} />
      <text x={x + 4} y={y + 10}>{`${slot.index} ${SLOT_SIGN[slot.state]}`}</text>
      <title>{slot.text}</title>
    </g>
  );
}

function Thread({ mark }: { readonly mark: ThreadMark }) {
  const { badge } = mark;
  return (
    <g className={styles.thread} data-solid={mark.solid}>
      <path d={mark.path} />
      {badge ? (
        <>
          <rect x={badge.x} y={badge.y} width={badge.w} height={badge.h} rx={3} />
          <text x={badge.x + badge.w / 2} y={badge.y + 12} textAnchor="middle" className={styles.badgeText}>
            {badge.text}
          </text>
          <text x={badge.x + badge.w / 2} y={badge.y + 23} textAnchor="middle" className={styles.facts}>
            {badge.sub}
          </text>
        </>
      ) : null}
    </g>
  );
}
