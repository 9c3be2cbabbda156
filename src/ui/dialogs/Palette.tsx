import { Command } from 'cmdk';
import { useEffect, useRef, useState } from 'react';
import { SCENARIOS } from '../../content/scenarios.ts';
import { LAYOUT_IDS, type SessionRecord, typedLines } from '../../mirror/index.ts';
import { functionsOf } from '../../state/functions.ts';
import { commandMarks } from '../../views/time.view.ts';
import { useFolded, useMirror } from '../context.tsx';
import { boot } from '../header/BootButton.tsx';
import { LAYOUTS } from '../layout/layouts.ts';
import { playScenario } from '../links.ts';
import { copyStateLink, openSession } from '../state-link.ts';
import styles from './Dialogs.module.css';

interface Action {
  readonly group: string;
  readonly label: string;
  readonly key?: string;
  readonly run: () => void;
}

interface Kept {
  readonly label: string;
  readonly key: string;
  readonly record: SessionRecord;
}

/** Sessions left behind by branches, resets and scenarios. */
function useKept(): readonly Kept[] {
  const mirror = useMirror();
  const [kept, setKept] = useState<readonly Kept[]>([]);
  useEffect(() => {
    void mirror.client.keptSessions?.().then((sessions) =>
      setKept(
        sessions.map(({ why, record }, n) => {
          const lines = typedLines(record);
          return {
            label: `${n + 1}. ${lines.at(-1) ?? 'nothing typed'}`,
            key: `${lines.length} lines, ${why}`,
            record,
          };
        }),
      ),
    );
  }, [mirror]);
  return kept;
}

/** Everything the page can do, by name. */
export default function Palette({ onDone }: { readonly onDone: () => void }) {
  const mirror = useMirror();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // After the dialog's own focus handling, which ran before this chunk arrived.
    const frame = requestAnimationFrame(() => input.current?.focus());
    return () => cancelAnimationFrame(frame);
  }, []);
  const kept = useKept();
  const actions = useFolded(
    (log): readonly Action[] => [
      { group: 'Session', label: 'Boot to L2', run: () => void boot(mirror) },
      {
        group: 'Session',
        label: 'Copy link to this state',
        key: 'Ctrl+Alt+L',
        run: () => void copyStateLink(mirror),
      },
      { group: 'Session', label: 'Start over', run: () => void mirror.client.reset() },
      ...LAYOUT_IDS.map((id, n) => ({
        group: 'Layout',
        label: LAYOUTS[id].label,
        key: `Alt+${n + 1}`,
        run: () => mirror.setSettings({ layout: id }),
      })),
      ...kept.map(({ label, key, record }) => ({
        group: 'Earlier session',
        label,
        key,
        run: () => {
          void openSession(mirror, record);
        },
      })),
      { group: 'View', label: 'Go to address', key: 'Ctrl+G', run: () => mirror.update({ dialog: 'goto' }) },
      { group: 'View', label: 'Settings', run: () => mirror.update({ dialog: 'settings' }) },
      { group: 'View', label: 'Keys', key: '?', run: () => mirror.update({ dialog: 'keys' }) },
      { group: 'Session', label: 'Scenarios', run: () => mirror.update({ dialog: 'gallery' }) },
      { group: 'Session', label: 'Topology from a command line', run: () => mirror.update({ dialog: 'topology' }) },
      ...SCENARIOS.map((one) => ({
        group: 'Play a scenario',
        label: one.title,
        key: one.facts,
        run: () => void playScenario(mirror, one.id),
      })),
      { group: 'View', label: 'Patch board', run: () => mirror.update({ dialog: 'patches' }) },
      { group: 'View', label: 'Review museum', run: () => mirror.update({ dialog: 'museum' }) },
      { group: 'View', label: 'Who owns each register', run: () => mirror.update({ dialog: 'ownership' }) },
      { group: 'View', label: 'VFIO structures', run: () => mirror.update({ dialog: 'structs' }) },
      { group: 'View', label: 'Exit meter', run: () => mirror.update({ dialog: 'exits' }) },
      { group: 'View', label: 'Fidelity ledger', run: () => mirror.update({ dialog: 'fidelity' }) },
      { group: 'View', label: 'Light theme', run: () => mirror.setSettings({ theme: 'light' }) },
      { group: 'View', label: 'Dark theme', run: () => mirror.setSettings({ theme: 'dark' }) },
      { group: 'Time', label: 'Back to now', run: () => mirror.goLive() },
      { group: 'Time', label: 'To the beginning', run: () => mirror.seek(0) },
      ...log.consoles.map((one) => ({
        group: 'Console',
        label: `Console ${one.title}${one.kind === 'monitor' ? ' monitor' : ''}`,
        run: () => mirror.update({ activeConsole: one.id }),
      })),
      ...(['l1', 'l2'] as const).flatMap((machine) =>
        functionsOf(log, machine).map((fn) => ({
          group: 'Device',
          label: `${machine.toUpperCase()} ${fn.bdf} ${fn.label}`,
          key: fn.id,
          run: () => mirror.select({ kind: 'function', machine, id: fn.id }),
        })),
      ),
      ...commandMarks(log).map((mark) => ({
        group: 'Command',
        label: `Before: ${mark.label}`,
        key: String(mark.row),
        run: () => mirror.seek(mark.row),
      })),
    ],
    kept,
  );
  const groups = [...new Set(actions.map((one) => one.group))];
  return (
    <Command className={styles.palette} label="Commands">
      <Command.Input placeholder="Type a command or a device" ref={input} />
      <Command.List>
        <Command.Empty>Nothing by that name.</Command.Empty>
        {groups.map((group) => (
          <Command.Group key={group} heading={group}>
            {actions
              .filter((one) => one.group === group)
              .map((one) => (
                <Command.Item
                  key={`${one.label}${one.key ?? ''}`}
                  value={`${group} ${one.label} ${one.key ?? ''}`}
                  onSelect={() => {
                    onDone();
                    one.run();
                  }}
                >
                  {one.label}
                  {one.key ? <span>{one.key}</span> : null}
                </Command.Item>
              ))}
          </Command.Group>
        ))}
      </Command.List>
    </Command>
  );
}
