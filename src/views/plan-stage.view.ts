import { hex0x } from '../base/addr.ts';
import type {
  BridgePlan,
  CommandLineTopology,
  EndpointPlan,
  PortPlan,
  SwitchPlan,
  WindowPlan,
} from '../qemu/lint/index.ts';
import { capacityOf } from '../qemu/lint/index.ts';
import { sizeText } from '../state/decode.ts';
import type { Stage, StageMachine, StageNode } from './stage.view.ts';

/** What a command line would build, as a stage: the same drawing as the running machine, before anything is booted. */
export interface PlannedStage {
  readonly stage: Stage;
  /** Place in the line of everything drawn, by node id. */
  readonly places: ReadonlyMap<string, { readonly start: number; readonly end: number }>;
}

export function plannedStage(plan: CommandLineTopology): PlannedStage {
  const places = new Map<string, { readonly start: number; readonly end: number }>();
  let unnamed = 0;
  const node = (
    one: { readonly id: string; readonly span: { readonly start: number; readonly end: number } },
    facts: Pick<StageNode, 'kind' | 'type' | 'label' | 'short'> & { readonly note?: string; readonly where: string },
    children: readonly StageNode[],
  ): StageNode => {
    const id = one.id || `unnamed ${++unnamed}`;
    places.set(id, one.span);
    const { where, note = '', ...rest } = facts;
    const blank = { vendorDevice: '', driver: null, cxl: [], slots: [], sets: [] } as const;
    return { ...blank, ...rest, machine: 'l1', id, bdf: where, note, children };
  };
  const endpoint = (one: EndpointPlan): StageNode => {
    const accel = one.type === 'cxl-accel';
    const kind = accel ? 'accelerator' : one.type === 'cxl-type3' ? 'memory' : 'other';
    const label = accel ? 'CXL type-2 accelerator' : one.type === 'cxl-type3' ? 'CXL memory expander' : one.type;
    const bytes = capacityOf(one);
    const media = [one.volatile ? 'volatile' : '', one.persistent ? 'persistent' : '']
      .filter((part) => part)
      .join(' + ');
    return node(
      one,
      {
        ...{
          kind,
          type: one.type,
          label,
          short: accel ? 'accelerator' : one.type === 'cxl-type3' ? 'type-3' : one.type,
        },
        where: one.id || one.type,
        note: bytes > 0 ? `${media} · ${sizeText(bytes)}` : 'no memory',
      },
      [],
    );
  };
  const port = (one: PortPlan): StageNode => {
    const root = one.kind === 'root-port';
    const label = root ? 'CXL root port' : 'CXL switch, downstream port';
    const facts = {
      kind: 'port',
      type: root ? 'cxl-rp' : 'cxl-downstream',
      label,
      short: 'port',
      where: one.id,
    } as const;
    return node(one, facts, one.children.map(below));
  };
  const below = (one: EndpointPlan | SwitchPlan): StageNode =>
    one.kind === 'endpoint'
      ? endpoint(one)
      : node(
          one,
          { kind: 'port', type: 'cxl-upstream', label: 'CXL switch, upstream port', short: 'switch', where: one.id },
          [...one.ports.map(port), ...one.strangers.map(endpoint)],
        );
  const bridge = (one: BridgePlan): StageNode =>
    node(
      one,
      {
        kind: 'host-bridge',
        type: 'pxb-cxl',
        label: 'CXL host bridge',
        short: 'bridge',
        where: `bus ${one.busNumber}`,
      },
      one.ports.map(port),
    );
  const loose = plan.loose.map((one) => ('port' in one ? port(one) : below(one)));
  const guest: StageMachine = {
    ...{ id: 'l1', title: 'The guest, as planned', state: 'off', vmm: null, guest: null, regions: [], others: [] },
    facts: `${sizeText(plan.ramSize)} · ${plan.cpus} vCPU · ${plan.machine}${plan.cxl ? ', cxl=on' : ''}`,
    roots: [...plan.bridges.map(bridge), ...loose],
    windows: plan.windows.map((one) => ({
      path: `fmw/${one.index}`,
      text: windowText(one),
      short: `window ${one.index}`,
    })),
  };
  for (const one of plan.windows) places.set(`fmw/${one.index}`, one.span);
  const host: StageMachine = {
    ...{
      id: 'host',
      title: 'Host',
      state: 'off',
      facts: '',
      roots: [],
      others: [],
      windows: [],
      regions: [],
      guest,
      vmm: null,
    },
  };
  return { stage: { host, threads: [] }, places };
}

function windowText(one: WindowPlan): string {
  const ways = one.targets.length;
  const interleave = ways > 1 ? ` · ${ways} ways × ${sizeText(one.granularity)}` : '';
  return `window ${one.index} ${hex0x(one.base)} + ${sizeText(one.size)}${interleave} → ${one.targets.join(' ') || 'nothing'}`;
}

/** The lab's guests boot a kernel given with -kernel; pasted lines often boot a disk. */
export function lacksKernel(line: string): boolean {
  return !/(^|\s)-kernel\s/.test(line);
}

/** The whole option that a place of the line belongs to, with its argument. */
export function optionAt(line: string, start: number, end: number): { readonly start: number; readonly end: number } {
  const options = [...line.matchAll(/(?<=^|\s)--?[a-zA-Z]/g)].map((match) => match.index);
  const from = options.findLast((at) => at <= start) ?? start;
  const to = options.find((at) => at > from && at >= end) ?? line.length;
  return { start: from, end: to };
}

/** The line without the options the lab refuses because it models nothing of the kind. */
export function withoutOptions(
  line: string,
  places: readonly { readonly start: number; readonly end: number }[],
): string {
  let text = line;
  for (const place of places.toSorted((one, other) => other.start - one.start)) {
    const option = optionAt(text, place.start, place.end);
    text = text.slice(0, option.start) + text.slice(option.end);
  }
  return text.replace(/[ \t]+(\\?\n)/g, ' $1').trim();
}

/** One line as it is typed: continuation lines joined, comments and what follows the command left out. */
export function asTyped(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/^\s*(?:[$#]\s+)/, '')
    .trim();
}
