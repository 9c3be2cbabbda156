/** The ledger of known differences as entries: `## section`, then `- **id** text`. */
export interface LedgerEntry {
  readonly id: string;
  readonly section: string;
  readonly text: string;
}

export function parseLedger(markdown: string): readonly LedgerEntry[] {
  const entries: LedgerEntry[] = [];
  let section = '';
  for (const line of markdown.split('\n')) {
    const heading = /^##+ (.*)$/.exec(line);
    const entry = /^- \*\*([^*]+)\*\*:? (.*)$/.exec(line);
    const last = entries.at(-1);
    if (heading) section = heading[1] ?? '';
    else if (entry) entries.push({ id: entry[1] ?? '', section, text: entry[2] ?? '' });
    else if (/^ {2,}\S/.test(line) && last?.section === section)
      entries[entries.length - 1] = { ...last, text: `${last.text} ${line.trim()}` };
  }
  return entries;
}

/** Entries in which every word of the question occurs. */
export function searchLedger(entries: readonly LedgerEntry[], question: string): readonly LedgerEntry[] {
  const words = question
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word);
  return entries.filter((entry) => {
    const text = `${entry.id} ${entry.section} ${entry.text}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
