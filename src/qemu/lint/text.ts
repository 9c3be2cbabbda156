/** Remarks as text: the place, what, why, in the manner of a compiler. */
import type { LintFinding } from './report.ts';

/** @param name of the file, or of the command */
export function findingText(name: string, line: string, finding: LintFinding): string {
  const before = line.slice(0, finding.start);
  const row = before.split('\n').length;
  const column = before.length - before.lastIndexOf('\n');
  const place = line.slice(finding.start, finding.end).replace(/\\?\s*\n\s*/g, ' ');
  const shown = place.length > 100 ? `${place.slice(0, 99)}…` : place;
  return [
    `${name}:${row}:${column}: ${finding.severity}: ${finding.message} [${finding.id}]`,
    `    ${shown}`,
    `    ${finding.why}`,
    '',
  ].join('\n');
}
