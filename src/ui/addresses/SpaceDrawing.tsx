import { hex0x } from '../../base/addr.ts';
import { sizeText } from '../../state/decode.ts';
import { type Granule, granulesIn, type Stretch } from '../../views/granules.view.ts';
import type { InterleaveSet } from '../../views/interleave.view.ts';
import type { Segment } from '../../views/lanes.view.ts';
import { grouped } from '../../views/stage.view.ts';
import { cut, widthOf } from '../parts/measure.ts';
import { setColour, setFill } from '../parts/SetPatterns.tsx';
import styles from './SpaceDrawing.module.css';

interface Props {
  readonly width: number;
  readonly height: number;
  readonly scale: number;
  readonly segments: readonly Segment[];
  readonly sets: readonly InterleaveSet[];
  readonly view: Stretch;
  readonly limits: Stretch;
  readonly address: number | null;
  readonly onPick: (address: number) => void;
  readonly onView: (view: Stretch) => void;
}

const MAP_H = 16;
const RULER_H = 18;
const BAND_H = 30;
const GUTTER = 104;
const LEAST_GRANULE = 3;

/** The map of everything, the stretch looked at, and below it one row for each device with the granules that are its own. */
export function SpaceDrawing(props: Props) {
  const { width, height, scale, segments, view, sets } = props;
  const room = width - GUTTER - 2;
  const x = (address: number): number => GUTTER + ((address - view.from) / Math.max(1, view.to - view.from)) * room;
  const set = sets.find((one) => one.base < view.to && one.base + one.size > view.from);
  const bandTop = MAP_H + 18 + RULER_H;
  const rowsTop = bandTop + BAND_H + 6;
  const granules = set ? granulesIn(set, view.from, view.to, room / LEAST_GRANULE) : null;
  const rows = set?.members.length ?? 0;
  const rowH = Math.max(13, Math.min(26, (height - rowsTop - 4) / Math.max(1, rows)));
  const total = Math.max(height, rowsTop + rows * rowH + 4);
  return (
    <svg
      className={styles.space}
      width={width * scale}
      height={total * scale}
      viewBox={`0 -3 ${width} ${total}`}
      role="img"
      aria-label={`L1 physical addresses ${hex0x(view.from)} to ${hex0x(view.to)}`}
    >
      <WholeMap {...props} room={room} />
      <text x={GUTTER} y={MAP_H + 30} className={styles.ends}>
        {grouped(view.from)}
      </text>
      <text x={GUTTER + room / 2} y={MAP_H + 30} textAnchor="middle" className={styles.ends}>
        {`${sizeText(view.to - view.from)} shown`}
      </text>
      <text x={GUTTER + room} y={MAP_H + 30} textAnchor="end" className={styles.ends}>
        {grouped(view.to - 1)}
      </text>
      <text x={0} y={bandTop + 18} className={styles.name}>
        L1 HPA
      </text>
      {segments.map((segment) => (
        <Stretched key={segment.start} segment={segment} x={x} room={room} top={bandTop} />
      ))}
      {set && granules ? (
        <Granules
          {...props}
          set={set}
          granules={granules}
          x={x}
          room={room}
          top={bandTop}
          rowsTop={rowsTop}
          rowH={rowH}
        />
      ) : null}
      {set && !granules ? <TooFine set={set} view={view} room={room} y={rowsTop + 16} /> : null}
      {props.address !== null && props.address >= view.from && props.address < view.to ? (
        <line
          className={styles.here}
          x1={x(props.address)}
          x2={x(props.address)}
          y1={bandTop - 4}
          y2={granules ? rowsTop + rows * rowH : bandTop + BAND_H}
        />
      ) : null}
    </svg>
  );
}

/** Everything, with sizes as roots of roots so that each segment is seen; a click looks at a segment. */
function WholeMap({ segments, view, room, onView, sets }: Props & { readonly room: number }) {
  const weights = segments.map((one) => (one.kind === 'hole' ? 3 : Math.log2(one.end - one.start) - 8));
  const sum = weights.reduce((total, one) => total + one, 0);
  let at = GUTTER;
  const marks = segments.map((segment, n) => {
    const w = ((weights[n] as number) / sum) * room;
    const mark = { segment, x: at, w };
    at += w;
    return mark;
  });
  const place = (address: number): number => {
    const mark = marks.find((one) => address >= one.segment.start && address <= one.segment.end);
    if (!mark) return GUTTER;
    const { start, end } = mark.segment;
    return mark.x + ((address - start) / (end - start)) * mark.w;
  };
  const left = place(view.from);
  return (
    <g>
      <text x={0} y={12} className={styles.name}>
        everything
      </text>
      {marks.map(({ segment, x, w }) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: a shortcut inside a picture
        <g
          key={segment.start}
          className={styles.segment}
          data-kind={segment.kind}
          onClick={() => onView({ from: segment.start, to: segment.end })}
        >
          <rect x={x} y={0} width={Math.max(1, w - 1)} height={MAP_H} />
          {segment.set === undefined ? null : (
            <rect x={x} y={MAP_H - 5} width={Math.max(1, w - 1)} height={5} style={{ fill: setFill(segment.set) }} />
          )}
          <text x={x + 4} y={11}>
            {w > 30 ? cut(segment.name, w - 8, 'small') : ''}
          </text>
          <title>{`${segment.name}: ${hex0x(segment.start)} + ${sizeText(segment.end - segment.start)}`}</title>
        </g>
      ))}
      <rect
        className={styles.window}
        x={left - 1.5}
        y={-1}
        width={Math.max(3, place(view.to) - left + 3)}
        height={MAP_H + 2}
        data-sets={sets.length}
      />
      <path
        className={styles.fan}
        d={`M${left} ${MAP_H + 1} L${GUTTER} ${MAP_H + 18} H${GUTTER + room} L${Math.max(left + 1, place(view.to))} ${MAP_H + 1} Z`}
      />
    </g>
  );
}

function Stretched(props: {
  readonly segment: Segment;
  readonly x: (address: number) => number;
  readonly room: number;
  readonly top: number;
}) {
  const { segment, room, top } = props;
  const left = Math.max(GUTTER, props.x(segment.start));
  const right = Math.min(GUTTER + room, props.x(segment.end));
  if (right <= left) return null;
  const w = right - left;
  return (
    <g className={styles.segment} data-kind={segment.kind}>
      <rect x={left} y={top} width={w} height={BAND_H} />
      {segment.set === undefined ? null : (
        <rect x={left} y={top + BAND_H - 7} width={w} height={7} style={{ fill: setFill(segment.set) }} />
      )}
      <text x={left + 5} y={top + 15}>
        {w > 24 ? cut(segment.name, w - 10, 'small') : ''}
      </text>
      <title>{`${segment.name}: ${hex0x(segment.start)} + ${sizeText(segment.end - segment.start)}`}</title>
    </g>
  );
}

function Granules(
  props: Props & {
    readonly set: InterleaveSet;
    readonly granules: readonly Granule[];
    readonly x: (address: number) => number;
    readonly room: number;
    readonly top: number;
    readonly rowsTop: number;
    readonly rowH: number;
  },
) {
  const { set, granules, room, top, rowsTop, rowH, onPick, address } = props;
  const bound = (at: number): number => Math.max(GUTTER, Math.min(GUTTER + room, props.x(at)));
  return (
    <g>
      {set.members.map((member, n) => (
        <g key={member.position}>
          <rect x={GUTTER} y={rowsTop + n * rowH} width={room} height={rowH - 2} className={styles.row} />
          <text x={0} y={rowsTop + n * rowH + rowH / 2 + 3} className={styles.name}>
            {cut(`${member.position} ${member.id}`, GUTTER - 8, 'small')}
          </text>
        </g>
      ))}
      {granules.map((granule) => {
        const row = set.members.findIndex((one) => one.position === granule.position);
        const left = bound(granule.start);
        const w = Math.max(1, bound(granule.end) - left);
        const y = rowsTop + row * rowH;
        const text = hex0x(granule.dpa);
        const lit = address !== null && address >= granule.start && address < granule.end;
        return (
          // biome-ignore lint/a11y/noStaticElementInteractions: a shortcut inside a picture
          <g key={granule.start} className={styles.granule} data-lit={lit} onClick={() => onPick(granule.start)}>
            <line x1={left} x2={left} y1={top} y2={top + BAND_H} className={styles.cut} />
            <rect x={left} y={top + BAND_H - 7} width={w} height={7} className={styles.hit} />
            {row < 0 ? null : (
              <>
                <path d={`M${left + w / 2} ${top + BAND_H} V${y}`} className={styles.drop} />
                <rect
                  x={left}
                  y={y}
                  width={Math.max(1, w - 0.75)}
                  height={rowH - 2}
                  rx={1.5}
                  className={styles.block}
                  style={{ fill: setColour(set.index) }}
                />
                {w > widthOf(text, 'mono') + 8 && rowH > 12 ? (
                  <text x={left + w / 2} y={y + rowH / 2 + 3} textAnchor="middle" className={styles.dpa}>
                    {text}
                  </text>
                ) : null}
              </>
            )}
            <title>
              {`${hex0x(granule.start)} … ${hex0x(granule.end - 1)} → ${granule.member?.id ?? 'nobody'} DPA ${text}`}
            </title>
          </g>
        );
      })}
    </g>
  );
}

/** Granules narrower than a line: say how far there is to go. */
function TooFine(props: {
  readonly set: InterleaveSet;
  readonly view: Stretch;
  readonly room: number;
  readonly y: number;
}) {
  const { set, view, room, y } = props;
  const share = (set.granularity / (view.to - view.from)) * room;
  const times = Math.ceil(1 / Math.max(share, 1e-12));
  const text =
    set.ways === 1
      ? `${set.name}: one device, no interleaving.`
      : `${set.name} goes round ${set.ways} devices every ${sizeText(set.granularity)}${share < 1 ? `: ${times.toLocaleString('en')} granules to a pixel here` : ''}. Zoom in, or press “granules”.`;
  return (
    <text x={GUTTER} y={y} className={styles.fine}>
      {cut(text, room, 'small')}
    </text>
  );
}
