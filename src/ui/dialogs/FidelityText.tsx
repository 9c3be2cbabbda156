import { type ReactNode, useEffect, useState } from 'react';
import controls from '../parts/controls.module.css';
import styles from './Dialogs.module.css';

const files = import.meta.glob<string>('../../content/fidelity.md', { query: '?raw', import: 'default' });

/** The ledger of known differences, as it stands in the source. */
export function FidelityText() {
  const [text, setText] = useState<string | null>(null);
  useEffect(() => {
    const [load] = Object.values(files);
    if (load) void load().then(setText);
    else setText('');
  }, []);
  if (text === null) return null;
  if (text === '') return <p className={controls.empty}>The ledger has no entry yet.</p>;
  return <div className={styles.prose}>{blocks(text)}</div>;
}

/** Headings, list items and paragraphs are all the ledger uses. */
function blocks(text: string): readonly ReactNode[] {
  return text
    .split(/\n{2,}|\n(?=[-#*] |#{2,} )/)
    .map((block) => block.trim())
    .filter((block) => block)
    .map((block, n) => {
      const key = `${n}-${block.slice(0, 20)}`;
      const heading = /^#+\s+(.*)/.exec(block);
      if (heading) return <h3 key={key}>{inline(heading[1] ?? '')}</h3>;
      if (/^[-*] /.test(block)) return <li key={key}>{inline(block.slice(2))}</li>;
      return <p key={key}>{inline(block)}</p>;
    });
}

function inline(text: string): readonly ReactNode[] {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part, n) => {
    const key = `${n}${part.slice(0, 8)}`;
    if (part.startsWith('`')) return <code key={key}>{part.slice(1, -1)}</code>;
    if (part.startsWith('**')) return <strong key={key}>{part.slice(2, -2)}</strong>;
    return part;
  });
}
