import type { MatrixRow } from '../../mirror/side-client.ts';
import { type Climb, RUNG_LABELS } from '../../protocol/ladder.ts';

/** The matrix for a mail or a review: Markdown with one row a build. */
export function matrixMarkdown(rows: readonly MatrixRow[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [
    line(['changed', 'what', 'stops at', 'layer', 'errno', 'first to say so', 'built with']),
    '|---|---|---|---|---|---|---|',
    ...rows.flatMap((row) => [
      line([row.id, row.title, ...outcome(row), row.builds.join('; ')]),
      ...(row.linked
        ? [line([`${row.id}, made to link`, '', ...outcome(row.linked), row.linked.builds.join('; ')])]
        : []),
    ]),
    '',
  ].join('\n');
}

function outcome({ failure }: Climb): readonly string[] {
  if (!failure) return ['reaches the memory', '', '', ''];
  return [RUNG_LABELS[failure.rung], failure.layer, failure.errno ?? '', failure.message];
}

function cell(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll('\n', ' ');
}
