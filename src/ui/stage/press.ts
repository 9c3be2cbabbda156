import type { KeyboardEvent } from 'react';

/** Makes a drawn thing a button: click, Enter and Space do the same. */
export function press(run: () => void, pressed?: boolean) {
  return {
    role: 'button',
    tabIndex: 0,
    'aria-pressed': pressed,
    onClick: run,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      run();
    },
  } as const;
}
