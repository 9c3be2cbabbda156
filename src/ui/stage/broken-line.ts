/** A connector that ends on the way: what leads to the break, what would go on after it, and where it is. */
export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Cut extends Point {
  readonly path: string;
  readonly rest: string;
}

const between = (a: Point, b: Point, t: number): Point => ({ x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t });
const text = ({ x, y }: Point): string => `${round(x)} ${round(y)}`;
const round = (value: number): number => Math.round(value * 10) / 10;

/** De Casteljau: both parts of a cubic curve at `where`, 0 to 1. */
export function cutCurve([a, b, c, d]: readonly [Point, Point, Point, Point], where: number): Cut {
  const ab = between(a, b, where);
  const bc = between(b, c, where);
  const cd = between(c, d, where);
  const abc = between(ab, bc, where);
  const bcd = between(bc, cd, where);
  const at = between(abc, bcd, where);
  return {
    ...at,
    path: `M${text(a)} C${text(ab)} ${text(abc)} ${text(at)}`,
    rest: `M${text(at)} C${text(bcd)} ${text(cd)} ${text(d)}`,
  };
}

/** Both parts of a line through points, cut at a share of its length. */
export function cutLine(points: readonly Point[], where: number): Cut {
  const lengths = points.slice(1).map((point, n) => {
    const from = points[n] as Point;
    return Math.abs(point.x - from.x) + Math.abs(point.y - from.y);
  });
  let left = lengths.reduce((sum, one) => sum + one, 0) * where;
  for (const [n, length] of lengths.entries()) {
    if (left <= length) {
      const at = between(points[n] as Point, points[n + 1] as Point, length === 0 ? 0 : left / length);
      const line = (all: readonly Point[]): string =>
        all.map((one, k) => `${k === 0 ? 'M' : 'L'}${text(one)}`).join(' ');
      return { ...at, path: line([...points.slice(0, n + 1), at]), rest: line([at, ...points.slice(n + 1)]) };
    }
    left -= length;
  }
  const end = points.at(-1) as Point;
  return { ...end, path: '', rest: '' };
}
