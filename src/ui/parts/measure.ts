let context: CanvasRenderingContext2D | null | undefined;

/** Width of text in a CSS font; an average where there is no canvas (tests). */
export function textWidth(text: string, font: string): number {
  if (context === undefined)
    context = typeof document === 'undefined' ? null : document.createElement('canvas').getContext('2d');
  if (!context) return text.length * 6.6;
  context.font = font;
  return context.measureText(text).width;
}

/** Height of a line of text, ascent and descent, in a font family at a size. */
export function textHeight(fontFamily: string, size: number): number {
  textWidth('M', `${size}px ${fontFamily}`);
  if (!context) return size * 1.2;
  const box = context.measureText('Mg');
  return box.fontBoundingBoxAscent + box.fontBoundingBoxDescent;
}

let families: { readonly sans: string; readonly mono: string } | undefined;
function family(kind: 'sans' | 'mono'): string {
  if (!families && typeof document !== 'undefined') {
    const style = getComputedStyle(document.documentElement);
    families = { sans: style.getPropertyValue('--font-sans'), mono: style.getPropertyValue('--font-mono') };
  }
  return families?.[kind] ?? 'sans-serif';
}

/** The fonts drawings write in. */
export type Face = 'title' | 'small' | 'strong' | 'mono' | 'fine' | 'chain' | 'sum';
const FACES: Readonly<Record<Face, readonly [string, 'sans' | 'mono']>> = {
  title: ['600 12px', 'sans'],
  small: ['11px', 'sans'],
  strong: ['650 11px', 'sans'],
  mono: ['11px', 'mono'],
  fine: ['10px', 'mono'],
  chain: ['12px', 'sans'],
  sum: ['12px', 'mono'],
};

export function widthOf(text: string, face: Face): number {
  const [size, kind] = FACES[face];
  return textWidth(text, `${size} ${family(kind)}`);
}

/** Cuts text to a width with an ellipsis. */
export function cut(text: string, width: number, face: Face): string {
  if (widthOf(text, face) <= width) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (widthOf(`${text.slice(0, middle)}…`, face) <= width) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? '' : `${text.slice(0, low)}…`;
}

/** Text in lines of at most a width, broken between words; what does not fit `most` lines is cut. */
export function wrap(text: string, width: number, face: Face, most: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || widthOf(longer, face) <= width) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  if (line !== '') lines.push(line);
  if (lines.length <= most) return lines.map((one) => cut(one, width, face));
  return [...lines.slice(0, most - 1), lines.slice(most - 1).join(' ')].map((one) => cut(one, width, face));
}
