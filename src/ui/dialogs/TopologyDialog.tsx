import { useCallback, useDeferredValue, useMemo, useRef, useState } from 'react';
import { TYPE3_BUILD } from '../../content/machines/builds.ts';
import { SCENARIOS } from '../../content/scenarios.ts';
import type { Selection } from '../../mirror/index.ts';
import { type LintFinding, lintCommandLine, parseCommandLineTopology } from '../../qemu/lint/index.ts';
import { asTyped, lacksKernel, plannedStage, withoutOptions } from '../../views/plan-stage.view.ts';
import { useMirror, usePageState } from '../context.tsx';
import { playFresh } from '../header/play.ts';
import { linkTo } from '../links.ts';
import { CopyButton } from '../parts/CopyButton.tsx';
import controls from '../parts/controls.module.css';
import { useSize } from '../parts/use-size.ts';
import { StageDrawing } from '../stage/StageDrawing.tsx';
import { layoutStage } from '../stage/stage-layout.ts';
import type { AccessPath } from '../stage/use-access-path.ts';
import styles from './TopologyDialog.module.css';

const EXAMPLE = `qemu-system-x86_64 -M q35,cxl=on -m 4G,maxmem=8G,slots=8 -cpu max,hypervisor=off -smp 2 \\
  -object memory-backend-ram,id=mem0,share=on,size=256M \\
  -object memory-backend-ram,id=mem1,share=on,size=256M \\
  -device pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1 \\
  -device pxb-cxl,bus_nr=222,bus=pcie.0,id=cxl.2 \\
  -device cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2 \\
  -device cxl-rp,port=0,bus=cxl.2,id=rp1,chassis=0,slot=3 \\
  -device cxl-type3,bus=rp0,volatile-memdev=mem0,id=cxl-mem0,sn=1 \\
  -device cxl-type3,bus=rp1,volatile-memdev=mem1,id=cxl-mem1,sn=2 \\
  -M cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.targets.1=cxl.2,cxl-fmw.0.size=4G`;
const KERNEL = ` -kernel /boot/vmlinuz-${TYPE3_BUILD.release} -initrd /boot/initrd-${TYPE3_BUILD.release} -append "console=ttyS0 iomem=relaxed" -nographic`;
const MODULES = 'modprobe -a cxl_acpi cxl_pci cxl_mem dax_cxl';
const NO_PATH: AccessPath = { order: new Map(), row: -1, stays: false };

/** Paste a command line, see the machine it describes and what is wrong with it, boot it by typing it on the host. */
export default function TopologyDialog() {
  const mirror = useMirror();
  const asked = usePageState((state) => state.dialogAbout);
  const [text, setText] = useState(asked);
  const [modules, setModules] = useState(true);
  const field = useRef<HTMLTextAreaElement>(null);
  const late = useDeferredValue(text);
  const blank = late.trim() === '';
  const findings = useMemo(() => (blank ? [] : lintCommandLine(late)), [late, blank]);
  const refused = findings.filter((one) => one.severity === 'error');
  const missing = !blank && lacksKernel(text);
  const unmodelled = findings.filter(
    (one) => /^(not-modelled|unknown-device)$/.test(one.id) && one.end - one.start < late.length,
  );
  const show = useCallback((start: number, end: number) => {
    field.current?.focus();
    field.current?.setSelectionRange(start, end);
  }, []);
  const boot = () => {
    const lines = [`host# ${asTyped(text)}`, ...(modules ? [`l1# ${MODULES}`] : [])];
    void playFresh(mirror, () => mirror.client.playTranscript(`${lines.join('\n')}\n`));
  };
  return (
    <div className={styles.dialog}>
      <div className={styles.left}>
        <Field text={text} findings={findings} onText={setText} field={field} />
        <div className={styles.actions}>
          {blank ? (
            <button type="button" className={controls.button} onClick={() => setText(EXAMPLE)}>
              An example: two bridges
            </button>
          ) : null}
          {missing ? (
            <button type="button" className={controls.button} onClick={() => setText(`${text.trimEnd()}${KERNEL}`)}>
              Add the lab’s kernel
            </button>
          ) : null}
          {unmodelled.length > 0 ? (
            <button type="button" className={controls.button} onClick={() => setText(withoutOptions(text, unmodelled))}>
              Leave out what is not modelled ({unmodelled.length})
            </button>
          ) : null}
        </div>
        <Findings findings={findings} blank={blank} onShow={show} />
      </div>
      <Preview line={late} onShow={show} />
      <div className={styles.foot}>
        <label>
          <input type="checkbox" checked={modules} onChange={(event) => setModules(event.target.checked)} /> then load
          the guest’s CXL modules
        </label>
        <CopyButton label="Copy link" text={() => linkTo({ topology: text })} />
        <span className={styles.why}>
          {blank
            ? ''
            : refused.length > 0
              ? 'QEMU will refuse this line; booting it shows how.'
              : 'Types it on the host of a fresh session.'}
        </span>
        <button type="button" className={controls.primary} disabled={text.trim() === ''} onClick={boot}>
          Boot it
        </button>
      </div>
    </div>
  );
}

/** The text with what is remarked on underlined: a twin of the field lies behind it, letter on letter. */
function Field(props: {
  readonly text: string;
  readonly findings: readonly LintFinding[];
  readonly onText: (text: string) => void;
  readonly field: React.RefObject<HTMLTextAreaElement | null>;
}) {
  const { text, findings, onText, field } = props;
  const twin = useRef<HTMLPreElement>(null);
  return (
    <div className={styles.field}>
      <pre ref={twin} aria-hidden="true" className={styles.twin}>
        {marked(text, findings).map((part) => (
          <span key={part.start} data-severity={part.severity}>
            {part.text}
          </span>
        ))}
        {'\n'}
      </pre>
      <textarea
        ref={field}
        value={text}
        spellCheck={false}
        aria-label="QEMU command line"
        placeholder="Paste a qemu-system-x86_64 command line: one line, or several joined by backslashes."
        onChange={(event) => onText(event.target.value)}
        onScroll={(event) => {
          if (twin.current) twin.current.scrollTop = event.currentTarget.scrollTop;
        }}
      />
    </div>
  );
}

interface Part {
  readonly start: number;
  readonly text: string;
  readonly severity: string | undefined;
}

/** The text cut where remarks begin and end; the gravest wins. Remarks on nearly everything mark nothing. */
function marked(text: string, findings: readonly LintFinding[]): readonly Part[] {
  const local = findings.filter((one) => one.end - one.start < text.length * 0.8);
  const cuts = [...new Set([0, text.length, ...local.flatMap((one) => [one.start, one.end])])]
    .filter((at) => at >= 0 && at <= text.length)
    .sort((one, other) => one - other);
  return cuts.slice(0, -1).map((start, n) => {
    const end = cuts[n + 1] as number;
    const severity = local.find((one) => one.start <= start && one.end >= end)?.severity;
    return { start, text: text.slice(start, end), severity };
  });
}

const WORDS = { error: 'refused', warning: 'will disappoint', info: 'good to know' } as const;

function Findings(props: {
  readonly findings: readonly LintFinding[];
  readonly blank: boolean;
  readonly onShow: (start: number, end: number) => void;
}) {
  const { findings, blank, onShow } = props;
  if (blank)
    return (
      <p className={styles.hint}>
        Nothing is sent anywhere. What the line would build is drawn beside it, with everything QEMU would refuse and
        everything that would boot and disappoint. {SCENARIOS.length} finished topologies are under Scenarios.
      </p>
    );
  if (findings.length === 0) return <p className={styles.hint}>No remarks: this line is sound.</p>;
  return (
    <ul className={styles.findings} aria-label="Remarks">
      {findings.map((one) => (
        <li key={`${one.id}${one.start}${one.message}`} data-severity={one.severity}>
          <button type="button" onClick={() => onShow(one.start, one.end)}>
            <b>{WORDS[one.severity]}</b> {one.message}
          </button>
          <p>{one.why}</p>
        </li>
      ))}
    </ul>
  );
}

function Preview({ line, onShow }: { readonly line: string; readonly onShow: (start: number, end: number) => void }) {
  const [ref, size] = useSize<HTMLElement>();
  const plan = useMemo(() => plannedStage(parseCommandLineTopology(line)), [line]);
  const width = Math.max(300, size.width);
  const layout = useMemo(() => layoutStage(plan.stage, width, Math.max(200, size.height)), [plan, width, size.height]);
  const pick = useCallback(
    (selection: Selection) => {
      const id = selection.kind === 'function' ? selection.id : selection.kind === 'object' ? selection.path : '';
      const place = plan.places.get(id);
      if (place) onShow(place.start, place.end);
    },
    [plan, onShow],
  );
  const drawn = plan.stage.host.guest;
  const something = drawn !== null && (drawn.roots.length > 0 || drawn.windows.length > 0);
  return (
    <section ref={ref} className={styles.preview} aria-label="Preview of the machine">
      {something && size.width > 0 ? (
        <StageDrawing
          layout={layout}
          scale={1}
          selection={null}
          onSelect={pick}
          onOpen={() => {}}
          onReason={() => {}}
          path={NO_PATH}
          speed={1}
        />
      ) : (
        <p className={styles.hint}>The machine appears here: bridges, ports, switches, devices, windows.</p>
      )}
    </section>
  );
}
