import { useEffect, useState } from 'react';
import { hex } from '../../base/addr.ts';
import type { OwnershipRow } from '../../mirror/side-client.ts';
import { usePageState } from '../context.tsx';
import { useSide } from '../patches/use-side.ts';
import styles from './Meters.module.css';

const OWNERS: Readonly<Record<OwnershipRow['owner'], string>> = {
  device: 'device',
  vconfig: 'vfio’s copy of configuration space',
  'hdm-shadow': 'vfio-cxl’s shadow of the HDM block',
  'dvsec-shadow': 'the CXL core’s shadow of the DVSEC (v3 series)',
  'l1-qemu': 'L1’s QEMU',
  'read-only': 'nobody: writes of L2 are dropped',
};

/** Found out in the second worker by writing every register from every layer; rows come as they are found. */
export default function OwnershipTable() {
  const side = useSide();
  const about = usePageState((state) => state.dialogAbout);
  const [rows, setRows] = useState<readonly OwnershipRow[]>([]);
  const [wanted, setWanted] = useState(about);
  const [done, setDone] = useState(false);
  useEffect(() => {
    const found: OwnershipRow[] = [];
    let shown = 0;
    const show = () => {
      if (found.length !== shown) setRows([...found]);
      shown = found.length;
    };
    const timer = setInterval(show, 200);
    void side
      .ownership((row) => {
        found.push(row);
      })
      .then((all) => {
        clearInterval(timer);
        if (!all) return;
        setRows(all);
        setDone(true);
      });
    return () => clearInterval(timer);
  }, [side]);
  const filter = wanted.trim().toUpperCase();
  const matching = rows.filter(
    ({ name, block, owner }) =>
      filter === '' ||
      name.includes(filter) ||
      block.toUpperCase().includes(filter) ||
      owner.toUpperCase().includes(filter),
  );
  return (
    <div className={styles.meter}>
      <div className={styles.bar}>
        <label>
          Filter{' '}
          <input value={wanted} onChange={(event) => setWanted(event.target.value)} placeholder="CTRL, hdm, vconfig" />
        </label>
        <span role="status">
          {done ? `${rows.length} registers` : `${rows.length} registers so far: every one is written from every layer`}
        </span>
      </div>
      <div className={styles.scroll}>
        <table>
          <thead>
            <tr>
              <th scope="col">register</th>
              <th scope="col">where</th>
              <th scope="col">answers L2</th>
              <th scope="col" className={styles.number}>
                L2 reads
              </th>
              <th scope="col" className={styles.number}>
                L1’s kernel reads
              </th>
              <th scope="col">bits L2 can change, and whose</th>
              <th scope="col">bits L1’s kernel can change</th>
            </tr>
          </thead>
          <tbody>
            {matching.map((row) => (
              <tr key={`${row.space}-${row.offset}`} data-differs={row.before.l2 !== row.before['l1.kernel']}>
                <th scope="row">{row.name}</th>
                <td className={styles.mono}>
                  {row.space}+{hex(row.offset, 4)}
                </td>
                <td data-owner={row.owner}>{OWNERS[row.owner]}</td>
                <td className={styles.number}>{hex(row.before.l2, row.width * 2)}</td>
                <td className={styles.number}>{hex(row.before['l1.kernel'], row.width * 2)}</td>
                <td className={styles.mono}>{changedText(row.writes.l2.changed, row.width)}</td>
                <td className={styles.mono}>{changedText(row.writes['l1.kernel'].changed, row.width)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function changedText(changed: OwnershipRow['writes']['l2']['changed'], width: number): string {
  const parts = Object.entries(changed).map(([holder, bits]) => `${hex(bits, width * 2)} ${holder}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}
