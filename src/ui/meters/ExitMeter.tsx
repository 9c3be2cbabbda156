import { useMemo } from 'react';
import { exitFigures, exitTotal } from '../../state/exits.ts';
import { exitMeter } from '../../views/exits.view.ts';
import { useMirror, usePageState } from '../context.tsx';
import styles from './Meters.module.css';

/** What each command cost in exits and calls, up to the cursor. */
export default function ExitMeter() {
  const mirror = useMirror();
  const version = usePageState((state) => state.version);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the log's content changes with the version
  const commands = useMemo(() => exitMeter(mirror.log), [mirror, version]);
  const most = Math.max(1, ...commands.map(({ guests }) => exitTotal(guests.l1) + exitTotal(guests.l2)));
  return (
    <div className={styles.meter}>
      <p className={styles.bar}>
        Exits of each guest as KVM counts them, and what L1’s VMM asked of L1’s kernel meanwhile. Loads and stores of
        mapped memory cost none. Each exit of L2 enters the host’s KVM twice (reflected to L1, and VMRESUME).
      </p>
      <div className={styles.scroll}>
        <table>
          <thead>
            <tr>
              <th scope="col" rowSpan={2}>
                command
              </th>
              <th scope="colgroup" colSpan={3}>
                L1 exits to the host
              </th>
              <th scope="colgroup" colSpan={3}>
                L2 exits to L1
              </th>
              <th scope="col" rowSpan={2} className={styles.number}>
                host entered for L2
              </th>
              <th scope="colgroup" colSpan={3}>
                L1’s VMM calls
              </th>
              <th scope="col" rowSpan={2}>
                <span className="visually-hidden">share of all exits</span>
              </th>
            </tr>
            <tr>
              {['read', 'write', 'port', 'read', 'write', 'port', 'pread', 'pwrite', 'ioctl'].map((name, n) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a fixed list
                <th key={n} scope="col" className={styles.number}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {commands.map((command) => {
              const { row, console, line, guests } = command;
              return (
                <tr key={row}>
                  <th scope="row" title={line}>
                    {console === '' ? (
                      'before the first command'
                    ) : (
                      <button
                        type="button"
                        className={styles.command}
                        onClick={() => {
                          mirror.seek(row);
                          mirror.update({ dialog: null });
                        }}
                      >
                        <span className={styles.console}>{console}#</span> {line}
                      </button>
                    )}
                  </th>
                  {exitFigures(command).map((count, n) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: columns in order
                    <td key={n} className={styles.number} data-none={count === 0}>
                      {count.toLocaleString('en')}
                    </td>
                  ))}
                  <td className={styles.gauge} aria-hidden="true">
                    <span style={{ width: `${(100 * (exitTotal(guests.l1) + exitTotal(guests.l2))) / most}%` }} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </div>
  );
}
