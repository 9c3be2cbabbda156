import styles from './Dialogs.module.css';

const KEYS: readonly { readonly title: string; readonly keys: readonly (readonly [string, string])[] }[] = [
  {
    title: 'Everywhere',
    keys: [
      ['Ctrl+Shift+P', 'command palette'],
      ['Alt+1 … Alt+5', 'layouts'],
      ['F6 / Shift+F6', 'next / previous pane'],
      ['Ctrl+Shift+.', 'leave the terminal'],
      ['Ctrl+G', 'go to address'],
      ['Ctrl+Alt+L', 'copy a link to this state'],
      ['?', 'this sheet (outside terminals)'],
      ['Esc / Backspace', 'clear / previous selection'],
    ],
  },
  {
    title: 'Time',
    keys: [
      ['Ctrl+Alt+← / →', 'previous / next event'],
      ['Ctrl+Alt+Z / Y', 'previous / next command'],
      ['Ctrl+Alt+Space', 'play or pause'],
      ['Ctrl+Alt+B', 'branch here'],
      [', and .', 'step (in the time strip)'],
      ['W S A D', 'zoom and pan (in the time strip)'],
      ['F', 'whole session (in the time strip)'],
    ],
  },
  {
    title: 'Machines and granules',
    keys: [
      ['+ and −', 'zoom: more room tells more'],
      ['0', 'fit everything'],
      ['← ↑ → ↓', 'walk the machines; move the granules'],
      ['Ctrl+wheel', 'zoom the machines about the pointer'],
    ],
  },
  {
    title: 'Consoles',
    keys: [
      ['Ctrl+a c', 'console ↔ QEMU monitor'],
      ['Ctrl+a x', 'end QEMU'],
      ['Ctrl+Shift+F', 'find'],
      ['Ctrl+C / R / L', 'interrupt, search history, clear'],
    ],
  },
];

export function KeysSheet() {
  return (
    <div className={styles.keys}>
      {KEYS.map((group) => (
        <div key={group.title}>
          <h3>{group.title}</h3>
          <dl>
            {group.keys.map(([key, meaning]) => (
              <div key={key} style={{ display: 'flex' }}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{meaning}</dd>
              </div>
            ))}
          </dl>
        </div>
      ))}
    </div>
  );
}
