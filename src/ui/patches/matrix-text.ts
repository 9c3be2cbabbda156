import type { Moved } from '../../content/series/v3.ts';
import type { MatrixRow } from '../../mirror/side-client.ts';
import { type Climb, RUNG_LABELS } from '../../protocol/ladder.ts';

/** The matrix for a mail or a review: Markdown with one row a build. */
export function matrixMarkdown(rows: readonly MatrixRow[]): string {
  return table(
    ['changed', 'what', 'stops at', 'layer', 'errno', 'first to say so', 'built with'],
    rows.flatMap((row) => [
      [words(row.id), words(row.title), ...outcome(row), code(row.builds.join('; '))],
      ...(row.linked
        ? [[words(`${row.id}, made to link`), '', ...outcome(row.linked), code(row.linked.builds.join('; '))]]
        : []),
    ]),
  );
}

/** What moved between the two series, the same way. */
export function movedMarkdown(concerns: readonly Moved[]): string {
  return table(
    ['concern', 'RFC, September 2024', 'v3, June 2026'],
    concerns.map(({ concern, rfc, v3 }) => [
      words(concern),
      ...[rfc, v3].map(({ layer, how }) => `**${words(layer)}** ${words(how)}`),
    ]),
  );
}

function outcome({ failure }: Climb): readonly string[] {
  if (!failure) return ['reaches the memory', '', '', ''];
  return [RUNG_LABELS[failure.rung], failure.layer, failure.errno ?? '', code(failure.message)];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line), ''].join('\n');
}

/** What Markdown would take for a mark of its own is escaped. */
function words(text: string): string {
  return text.replace(/[\\`*_<>|[\]]/g, '\\$&').replaceAll('\n', ' ');
}

/** As printed, in a code span: there only a pipe would end the cell. */
function code(text: string): string {
  if (text === '') return '';
  const fence = text.includes('`') ? '``' : '`';
  return `${fence}${text.replaceAll('|', '\\|').replaceAll('\n', ' ')}${fence}`;
}
