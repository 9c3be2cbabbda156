import { type KeyboardEvent, memo, useCallback } from 'react';
import type { MachineId } from '../../log/index.ts';
import type { Selection } from '../../mirror/index.ts';
import type { Reason } from '../../views/passthrough.view.ts';
import type { StageNode } from '../../views/stage.view.ts';
import { cut, widthOf } from '../parts/measure.ts';
import { setFill } from '../parts/SetPatterns.tsx';
import { press } from './press.ts';
import styles from './StageDrawing.module.css';
import { Group, Node } from './StageNodes.tsx';
import type {
  BandMark,
  GhostMark,
  GroupMark,
  MachineMark,
  NodeMark,
  StageLayout,
  ThreadMark,
  VmmMark,
} from './stage-layout.ts';
import type { AccessPath } from './use-access-path.ts';

interface Props {
  readonly layout: StageLayout;
  readonly scale: number;
  readonly selection: Selection | null;
  readonly onSelect: (selection: Selection) => void;
  /** A group was opened: it wants more room. */
  readonly onOpen: (mark: GroupMark) => void;
  /** Somebody wants to know why a link is broken. */
  readonly onReason: (reason: Reason) => void;
  readonly path: AccessPath;
  /** Of the pulse that runs along the path. */
  readonly speed: number;
}

/** A pulse reaches the next function after this long, at 1×. */
const STEP_MS = 140;

const machineClass: Readonly<Record<MachineId, string | undefined>> = {
  host: styles.host,
  l1: styles.l1,
  l2: styles.l2,
};

/** The nested machines and the one device that appears in all of them. */
export const StageDrawing = memo(function StageDrawing(props: Props) {
  const { layout, scale, selection, onSelect, onOpen, onReason, path, speed } = props;
  const pick = useCallback(
    (node: StageNode) =>
      onSelect(
        node.path === undefined
          ? { kind: 'function', machine: node.machine, id: node.id }
          : { kind: 'object', path: node.path },
      ),
    [onSelect],
  );
  return (
    <svg
      className={styles.stage}
      width={layout.width * scale}
      height={layout.height * scale}
      viewBox={`0 0 ${layout.width} ${layout.height}`}
      role="toolbar"
      aria-label="Nested machines and their PCI and CXL devices"
      data-path-stays={path.stays}
      onKeyDown={walk}
    >
      {layout.machines.map((mark) => (
        <MachineBox key={mark.machine.id} mark={mark} />
      ))}
      {layout.vmms.map((mark) => (
        <VmmStrip key={mark.vmm.pid} mark={mark} onSelect={onSelect} />
      ))}
      {layout.edges.map((edge) => (
        <path key={edge} d={edge} className={styles.edge} />
      ))}
      {layout.threads.map((mark) => (
        <Thread key={mark.key} mark={mark} />
      ))}
      {layout.ghosts.map((mark) => (
        <GhostBox key={mark.ghost.guest} mark={mark} selection={selection} onReason={onReason} />
      ))}
      {layout.bands.map((mark) =>
        mark.broken ? (
          <BrokenBand key={mark.key} mark={mark} broken={mark.broken} selection={selection} onReason={onReason} />
        ) : mark.kind === 'empty' ? null : (
          <Band key={mark.key} mark={mark} selection={selection} onSelect={onSelect} />
        ),
      )}
      {layout.nodes.map((mark) => (
        <Node
          key={mark.key}
          mark={mark}
          selected={isSelected(selection, mark)}
          step={path.order.get(mark.key)}
          access={path.row}
          pace={STEP_MS / speed}
          onSelect={pick}
        />
      ))}
      {layout.groups.map((mark) => (
        <Group key={mark.key} mark={mark} onOpen={onOpen} />
      ))}
      {layout.threads.map(({ key, cut }) => (cut ? <Cross key={key} cut={cut} onReason={onReason} /> : null))}
    </svg>
  );
});

function isSelected(selection: Selection | null, mark: NodeMark): boolean {
  if (selection?.kind === 'object') return selection.path === mark.node.path;
  return selection?.kind === 'function' && `${selection.machine}/${selection.id}` === mark.key;
}

/** Arrow keys go to the next or previous thing on the stage. */
function walk(event: KeyboardEvent<SVGSVGElement>): void {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (step === undefined) return;
  const all = [...event.currentTarget.querySelectorAll<SVGGElement>('[tabindex="0"]')];
  const at = all.findIndex((one) => one.matches(':focus'));
  all[(at + step + all.length) % all.length]?.focus();
  event.preventDefault();
}

function MachineBox({ mark }: { readonly mark: MachineMark }) {
  const { machine } = mark;
  const oops = machine.trouble !== undefined && machine.state !== 'crashed';
  const plain = machine.state === 'off' ? '' : machine.state;
  const stateRoom = mark.w - 28 - widthOf(machine.title, 'title') * 1.12;
  const states = oops ? [`${plain} after an oops`, `${plain}, oops`, 'oops'] : [plain];
  const state = states.find((one) => widthOf(one, 'title') <= stateRoom) ?? states.at(-1) ?? '';
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
        data-state={oops ? 'crashed' : machine.state}
      >
        {cut(state, stateRoom, 'title')}
        {machine.trouble === undefined ? null : <title>{machine.trouble}</title>}
      </text>
      <text x={mark.x + mark.w - 10} y={mark.y + 17} textAnchor="end" className={styles.facts}>
        {fitting(machine.facts, mark.w - 40 - widthOf(machine.title, 'title') * 1.12 - widthOf(state, 'small'))}
      </text>
    </g>
  );
}

function VmmStrip({ mark, onSelect }: { readonly mark: VmmMark; readonly onSelect: Props['onSelect'] }) {
  const { vmm, machine } = mark;
  const text = `${vmm.comm} · pid ${vmm.pid}`;
  const right = vmm.backends;
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
  const inset = mark.set === null ? 8 : 24;
  const room = mark.w - inset - 6;
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
      {mark.set === null ? null : (
        <rect
          x={mark.x}
          y={mark.y}
          width={16}
          height={mark.h}
          rx={3}
          className={styles.swatch}
          style={{ fill: setFill(mark.set) }}
        />
      )}
      <text x={mark.x + inset} y={mark.y + 13}>
        {text}
      </text>
      <title>{mark.text}</title>
    </g>
  );
}

/** As many of the parts from the left as fit: half a part says nothing. */
function fitting(facts: string, room: number): string {
  const parts = facts.split(' · ');
  while (parts.length > 0 && widthOf(parts.join(' · '), 'small') > room) parts.pop();
  return parts.join(' · ');
}

function Thread({ mark }: { readonly mark: ThreadMark }) {
  const { badge } = mark;
  return (
    <g className={styles.thread} data-solid={mark.solid}>
      <path d={mark.path} />
      {mark.cut ? <path d={mark.cut.rest} className={styles.rest} /> : null}
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

const isReason = (selection: Selection | null, { row }: Reason): boolean =>
  row !== null && selection?.kind === 'event' && selection.row === row;

/** The place on the way where it ends. The band or the missing guest beside it says why, and is what one presses by keyboard. */
function Cross({
  cut,
  onReason,
}: {
  readonly cut: NonNullable<ThreadMark['cut']>;
  readonly onReason: Props['onReason'];
}) {
  const { x, y, broken } = cut;
  return (
    <g
      className={styles.cross}
      data-cut={broken.link}
      {...press(() => onReason(broken))}
      aria-label={`The device's way to L2 ends here: ${broken.short}`}
    >
      <circle cx={x} cy={y} r={9} />
      <path d={`M${x - 5} ${y - 5} L${x + 5} ${y + 5} M${x - 5} ${y + 5} L${x + 5} ${y - 5}`} />
      <title>{broken.full}</title>
    </g>
  );
}

/** In the machine whose device does not get through. */
function BrokenBand(props: {
  readonly mark: BandMark;
  readonly broken: Reason;
  readonly selection: Selection | null;
  readonly onReason: Props['onReason'];
}) {
  const { mark, broken, selection, onReason } = props;
  const selected = isReason(selection, broken);
  return (
    <g
      className={styles.break}
      data-selected={selected}
      {...press(() => onReason(broken), selected)}
      aria-label={`Broken: ${broken.full}`}
    >
      <rect x={mark.x} y={mark.y} width={mark.w} height={mark.h} rx={3} />
      <text x={mark.x + 7} y={mark.y + 14}>
        {cut(mark.short, mark.w - 14, 'title')}
      </text>
      <text x={mark.x + 7} y={mark.y + 28} className={styles.message}>
        {cut(broken.who, mark.w - 14, 'small')}
      </text>
      <title>{broken.full}</title>
    </g>
  );
}

/** A guest that should be there: its frame, empty, and what its VMM or the kernel below said. */
function GhostBox(props: {
  readonly mark: GhostMark;
  readonly selection: Selection | null;
  readonly onReason: Props['onReason'];
}) {
  const { mark, selection, onReason } = props;
  return (
    <g className={styles.ghost} data-ghost={mark.ghost.guest}>
      <rect x={mark.x} y={mark.y} width={mark.w} height={mark.h} rx={5} className={styles.ghostFrame} />
      <text x={mark.x + 10} y={mark.y + 17} className={styles.ghostTitle}>
        {mark.ghost.title}
        <tspan className={styles.facts}>{'  is not there'}</tspan>
      </text>
      {mark.reasons.map(({ reason, lines, ...box }) => (
        <g
          key={reason.key}
          className={styles.break}
          data-selected={isReason(selection, reason)}
          {...press(() => onReason(reason), isReason(selection, reason))}
          aria-label={`${mark.ghost.title} is not there. ${reason.full}`}
        >
          <rect x={box.x} y={box.y} width={box.w} height={box.h} rx={3} />
          {lines.map((line, n) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: two lines of a message may be the same
            <text key={n} x={box.x + 8} y={box.y + 15 + 14 * n} className={n < box.heads ? undefined : styles.message}>
              {line}
            </text>
          ))}
          <title>{reason.full}</title>
        </g>
      ))}
    </g>
  );
}
