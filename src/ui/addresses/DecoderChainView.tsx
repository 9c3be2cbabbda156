import { useState } from 'react';
import { hex0x } from '../../base/addr.ts';
import type { MachineId } from '../../log/index.ts';
import { decoderChain } from '../../views/decoder-chain.view.ts';
import { useFolded, useMirror, usePageState } from '../context.tsx';
import controls from '../parts/controls.module.css';
import styles from './DecoderChainView.module.css';

const KINDS = { window: 'fixed window', 'host-bridge': 'host bridge', port: 'port', endpoint: 'endpoint' } as const;

/** Window → host bridge → port → endpoint for one address, each step with the numbers that decided it. */
export default function DecoderChainView() {
  const mirror = useMirror();
  const query = usePageState((state) => state.address);
  const asked: MachineId = query?.space === 'l2-gpa' ? 'l2' : 'l1';
  const [chosen, setMachine] = useState<MachineId | null>(null);
  const machine = chosen ?? asked;
  const address =
    query &&
    (query.space === 'l2-gpa') === (machine === 'l2') &&
    query.space !== 'l1-hva' &&
    query.space !== 'dpa' &&
    query.space !== 'backend'
      ? query.address
      : null;
  const chain = useFolded((log) => decoderChain(log, machine, address), machine, address);
  return (
    <div className={styles.view}>
      <div className={styles.bar}>
        <div className={controls.group} role="toolbar" aria-label="Machine whose decoders are evaluated">
          {(['l1', 'l2'] as const).map((one) => (
            <button
              key={one}
              type="button"
              className={controls.button}
              aria-pressed={machine === one}
              onClick={() => setMachine(one)}
            >
              {one.toUpperCase()}
            </button>
          ))}
        </div>
        {chain ? <code>{hex0x(chain.address)}</code> : null}
        {machine === 'l2' ? (
          <span className={styles.note}>as L2’s registers say; the data path is the KVM slot</span>
        ) : null}
      </div>
      {chain ? (
        <ol className={styles.steps}>
          {chain.steps.map((step) => (
            <li key={step.component} data-ok={step.ok}>
              <span className={styles.kind}>{KINDS[step.kind]}</span>
              <strong>{step.component}</strong>
              <div>
                {step.text}
                {step.arithmetic ? <code>{step.arithmetic}</code> : null}
              </div>
              {step.register ? (
                <button
                  type="button"
                  className={controls.quiet}
                  onClick={() => {
                    const { register } = step;
                    if (register)
                      mirror.select({
                        kind: 'function',
                        machine,
                        id: register.id,
                        register: { space: register.space, offset: register.offset },
                      });
                  }}
                >
                  show register
                </button>
              ) : null}
            </li>
          ))}
          <li data-ok={chain.target !== undefined}>
            <span className={styles.kind}>{chain.target ? 'reaches' : 'ends'}</span>
            <strong>{chain.target ? `DPA ${hex0x(chain.target.dpa)}` : ''}</strong>
            <div>{chain.target ? `of ${chain.target.fn.id}` : chain.end}</div>
          </li>
        </ol>
      ) : (
        <p className={controls.empty}>
          <strong>{machine.toUpperCase()} has no CXL fixed memory window.</strong>
          Windows come from <code>-M cxl-fmw.0.targets.0=…</code> on the command line of the VMM below.
        </p>
      )}
    </div>
  );
}
