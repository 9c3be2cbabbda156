import { useEffect, useMemo, useState } from 'react';
import { hex } from '../../base/addr.ts';
import { hexToBytes } from '../../base/bytes.ts';
import { errnoName } from '../../base/errno.ts';
import type { DecodedIoctl } from '../../mirror/index.ts';
import type { LoggedIoctl } from '../../views/ioctl.view.ts';
import { useMirror } from '../context.tsx';
import { HexDump } from '../parts/HexDump.tsx';
import styles from './IoctlDetail.module.css';

/** The structure of an ioctl: its bytes as the kernel left them, and the fields they are. */
export function IoctlDetail({ ioctl }: { readonly ioctl: LoggedIoctl }) {
  const { client } = useMirror();
  const { request, argument, result } = ioctl;
  const [decoded, setDecoded] = useState<DecodedIoctl | null>(null);
  const [lit, setLit] = useState<string | null>(null);
  useEffect(() => {
    let over = false;
    setDecoded(null);
    void client.decodeIoctl?.(request, argument).then((known) => {
      if (!over) setDecoded(known);
    });
    return () => {
      over = true;
    };
  }, [client, request, argument]);
  const given = useMemo(() => hexToBytes(argument.given), [argument]);
  const left = useMemo(() => hexToBytes(argument.left), [argument]);
  const fields = decoded?.fields ?? [];
  const fieldAt = (at: number) => fields.find(({ offset, size }) => at >= offset && at < offset + size)?.name ?? null;
  const changed = (at: number) => given[at] !== left[at];
  return (
    <section className={styles.ioctl} aria-label="Structure of the ioctl">
      <h4>
        {decoded?.call ?? `ioctl 0x${hex(request, 8)}`} <span>{returned(result)}</span>
      </h4>
      <p>
        {left.length} bytes, asked of <code>{argument.path}</code>
        {left.some((_, at) => changed(at))
          ? '; underlined: written by the kernel.'
          : '; the kernel wrote none of them.'}
      </p>
      <HexDump
        bytes={[...left]}
        perLine={8}
        label={`The ${left.length} bytes of the structure; the table below has them by field`}
        fieldAt={fieldAt}
        lit={lit}
        onPoint={setLit}
        changed={changed}
      />
      {fields.length > 0 ? (
        <table>
          <thead>
            <tr>
              <th scope="col">at</th>
              <th scope="col">field</th>
              <th scope="col">value</th>
            </tr>
          </thead>
          <tbody>
            {fields.map(({ name, offset, size, value }) => (
              <tr key={`${name}-${offset}`} data-lit={name === lit} onPointerEnter={() => setLit(name)}>
                <td>+{offset}</td>
                <th scope="row">{name.slice(name.indexOf('.') + 1)}</th>
                <td>0x{hex(value, size * 2)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
    </section>
  );
}

function returned(result: number | null): string {
  if (result === null) return 'has not returned';
  return result < 0 ? `returned -${errnoName(-result)}` : `returned ${result}`;
}
