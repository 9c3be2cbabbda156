import { memo, type PointerEvent } from 'react';
import { hex, hex0x } from '../../base/addr.ts';
import type { AddressQuery } from '../../mirror/index.ts';
import { sizeText } from '../../state/decode.ts';
import type { Xlat } from '../../state/xlat.ts';
import { ownAddress } from '../../views/dpa-lane.view.ts';
import type { Lane, Segment } from '../../views/lanes.view.ts';
import { grouped } from '../../views/stage.view.ts';
import { cut, widthOf } from '../parts/measure.ts';
import { setColour, setFill } from '../parts/SetPatterns.tsx';
import styles from './LanesDrawing.module.css';
import { endX, type LaneScale, type LanesLayout } from './lane-geometry.ts';

interface Props {
  readonly layout: LanesLayout;
  readonly width: number;
  readonly scale: number;
  readonly chain: Xlat | null;
  /** Why the chain does not end where it should. */
  readonly lost: string | null;
  readonly onHover: (query: AddressQuery | null) => void;
  readonly onPick: (query: AddressQuery) => void;
}

/** Four address spaces side by side, ribbons for what maps what, one address lit through all of them. */
export function LanesDrawing({ layout, width, scale, chain, lost, onHover, onPick }: Props) {
  const at = (event: PointerEvent<SVGSVGElement>): AddressQuery | null => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = (event.clientX - box.left) / scale;
    const y = (event.clientY - box.top) / scale;
    const lane = layout.scales.find((one) => x >= one.x && x <= one.x + one.w);
    const query = lane?.query(y) ?? null;
    return lane && query !== null ? { space: lane.lane.id, ...query } : null;
  };
  return (
    <svg
      className={styles.lanes}
      width={width * scale}
      height={layout.height * scale}
      viewBox={`0 0 ${width} ${layout.height}`}
      role="img"
      aria-label="Address spaces L2 GPA, L1 HVA, L1 HPA and DPA with their mappings"
      onPointerMove={(event) => onHover(at(event))}
      onPointerLeave={() => onHover(null)}
      onPointerUp={(event) => {
        const query = at(event);
        if (query) onPick(query);
      }}
    >
      <Ground layout={layout} dim={chain !== null} />
      {chain ? <Chain layout={layout} chain={chain} lost={lost} /> : null}
    </svg>
  );
}

const Ground = memo(function Ground({ layout, dim }: { readonly layout: LanesLayout; readonly dim: boolean }) {
  return (
    <g data-dim={dim}>
      {layout.ribbons.map(({ ribbon, path }) => (
        <path
          key={ribbon.id}
          d={path}
          className={styles.ribbon}
          data-kind={ribbon.kind}
          data-promised={ribbon.promised}
          {...(ribbon.set === undefined
            ? {}
            : { style: { fill: setColour(ribbon.set), stroke: setColour(ribbon.set) } })}
        >
          <title>{ribbon.text}</title>
        </path>
      ))}
      {layout.stops.map(({ stop, path, x, y }) => (
        <g key={stop.broken.key} className={styles.stop}>
          <path d={path} className={styles.stub} />
          <Cross x={x} y={y} />
          <title>{stop.broken.full}</title>
        </g>
      ))}
      {layout.scales.map((scale) => (
        <LaneColumn key={scale.lane.id} scale={scale} />
      ))}
    </g>
  );
});

/** The start and the size of a segment: on one line, on two where the lane is narrow and tall, or the start alone. */
function placeLines(lane: Lane, segment: Segment, width: number, height: number): readonly string[] {
  const address = ownAddress(lane, segment.start);
  const fits = (text: string): boolean => widthOf(text, 'fine') <= width;
  const start = [grouped(address), hex0x(address)].find(fits) ?? hex(address);
  const size = `+${sizeText(segment.end - segment.start)}`;
  if (fits(`${start} ${size}`)) return [`${start} ${size}`];
  return height > 43 ? [start, size] : [start];
}

/** The name, or the short one where the lane has no room for it; the title keeps the whole. */
function nameText({ name, short = name, kind }: Segment, width: number): string {
  const face = kind === 'region' || kind === 'device' ? 'strong' : 'small';
  return cut(widthOf(name, face) <= width ? name : short, width, face);
}

function LaneColumn({ scale }: { readonly scale: LaneScale }) {
  const { lane, x, w } = scale;
  return (
    <g>
      <text x={x} y={15} className={styles.laneTitle}>
        {lane.title}
      </text>
      <text x={x} y={30} className={styles.laneSub}>
        {cut(
          widthOf(lane.subtitle, 'small') <= w + 8 ? lane.subtitle : (lane.shortSubtitle ?? lane.subtitle),
          w + 8,
          'small',
        )}
        <title>{lane.subtitle}</title>
      </text>
      {scale.marks.map(({ segment, y, h }) => (
        <g key={segment.start} className={styles.segment} data-kind={segment.kind}>
          <rect x={x} y={y + 0.5} width={w} height={Math.max(1, h - 1)} />
          {segment.set === undefined ? null : (
            <rect
              x={x + w - 7}
              y={y + 0.5}
              width={7}
              height={Math.max(1, h - 1)}
              style={{ fill: setFill(segment.set), stroke: 'none' }}
            />
          )}
          <text x={x + 6} y={y + (h < 14 ? 10 : 12.5)}>
            {nameText(segment, w - (segment.set === undefined ? 9 : 16))}
          </text>
          {h > 30 && segment.kind !== 'hole'
            ? placeLines(lane, segment, w - 8, h).map((line, n) => (
                <text key={line} x={x + 6} y={y + 26 + 13 * n} className={styles.start}>
                  {cut(line, w - 8, 'fine')}
                </text>
              ))
            : null}
          <title>{`${segment.name}: 0x${hex(ownAddress(lane, segment.start))} … 0x${hex(ownAddress(lane, segment.end - 1))}`}</title>
        </g>
      ))}
      {scale.marks.length === 0 ? (
        <foreignObject x={x} y={46} width={w} height={120}>
          <p className={styles.empty}>{lane.empty}</p>
        </foreignObject>
      ) : null}
    </g>
  );
}

function Cross({ x, y }: { readonly x: number; readonly y: number }) {
  return (
    <>
      <circle cx={x} cy={y} r={6.5} />
      <path d={`M${x - 3.5} ${y - 3.5} l7 7 M${x - 3.5} ${y + 3.5} l7 -7`} className={styles.cross} />
    </>
  );
}

function Chain(props: { readonly layout: LanesLayout; readonly chain: Xlat; readonly lost: string | null }) {
  const { layout, chain, lost } = props;
  const points = chain.hops.flatMap((hop, n) => {
    const scale = layout.scales.find((one) => one.lane.id === hop.space);
    const y = scale?.place(hop.address, hop.device) ?? null;
    return scale && y !== null ? [{ scale, y, hop, asked: n === chain.at }] : [];
  });
  const links = points.slice(1).map((point, n) => {
    const from = points[n];
    if (!from) return '';
    const x0 = from.scale.x + from.scale.w;
    const mid = (x0 + point.scale.x) / 2;
    return `M${x0} ${from.y} C${mid} ${from.y} ${mid} ${point.y} ${point.scale.x} ${point.y}`;
  });
  const last = lost === null ? undefined : points.at(-1);
  return (
    <g className={styles.chain} pointerEvents="none" data-dead={chain.end !== undefined}>
      {links.map((path) => (
        <path key={path} d={path} />
      ))}
      {points.map(({ scale, y, hop, asked }) => (
        <g key={hop.space}>
          <line x1={scale.x} x2={scale.x + scale.w} y1={y} y2={y} data-asked={asked} />
          <rect
            x={scale.x}
            y={labelY(y) - 11}
            width={Math.min(scale.w, 7.1 * grouped(hop.address).length + 10)}
            height={15}
          />
          <text x={scale.x + 5} y={labelY(y)}>
            {grouped(hop.address)}
          </text>
        </g>
      ))}
      {last ? (
        <g className={styles.stop}>
          <path
            d={`M${last.scale.x + last.scale.w} ${last.y} H${endX(last.scale, layout.width)}`}
            className={styles.stub}
          />
          <Cross x={endX(last.scale, layout.width)} y={last.y} />
        </g>
      ) : null}
    </g>
  );
}

const labelY = (y: number): number => (y < 56 ? y + 14 : y - 5);
