import { useEffect, useState } from 'react';
import controls from './controls.module.css';
import { copyText } from './copy-text.ts';

const TOLD_MS = 2500;

/** Puts a text into the clipboard, and says on its own face what came of it. */
export function CopyButton(props: {
  readonly label: string;
  /** Of which of several alike, for readers who do not see where it stands. */
  readonly about?: string;
  readonly text: () => string;
}) {
  const { label, about, text } = props;
  const [told, setTold] = useState('');
  useEffect(() => {
    if (told === '') return;
    const timer = setTimeout(() => setTold(''), TOLD_MS);
    return () => clearTimeout(timer);
  }, [told]);
  return (
    <button
      type="button"
      className={controls.quiet}
      aria-label={told === '' ? about : undefined}
      onClick={() => void copyText(text()).then((done) => setTold(done ? 'Copied' : 'No clipboard here'))}
    >
      {told === '' ? label : told}
    </button>
  );
}
