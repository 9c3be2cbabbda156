import { hex0x } from '../base/addr.ts';
import type { MachineId } from '../log/index.ts';
import { functionOf, functionsOf, type HdmDecoderNow, hdmOf, portNumber, publishedAs } from './functions.ts';
import type { StateReader } from './reader.ts';
import type { FixedWindowState, PciFunctionState } from './schema.ts';

/**
 * The CXL decoder chain of one machine for one address: fixed window → host bridge → ports → endpoint, evaluated from
 * published windows and register cells (CXL 3.1 8.2.4.20, 9.13; QEMU `cxl_cfmws_find_device`). Leaves out XOR
 * arithmetic (no window here uses it).
 */
export interface DecodeStep {
  readonly kind: 'window' | 'host-bridge' | 'port' | 'endpoint';
  /** Function id, or `fmw/N`. */
  readonly component: string;
  readonly ok: boolean;
  /** What was asked and answered, in one sentence. */
  readonly text: string;
  readonly arithmetic: string;
  /** The register that decided. */
  readonly register?: { readonly id: string; readonly space: string; readonly offset: number };
}

export interface Decoded {
  readonly steps: readonly DecodeStep[];
  readonly target?: { readonly fn: PciFunctionState; readonly dpa: number; readonly decoder: number };
  readonly end?: string;
}

export interface WindowHit {
  readonly n: number;
  readonly window: FixedWindowState;
}

export function windowsOf(reader: StateReader, machine: MachineId): readonly WindowHit[] {
  const prefix = `hw/${machine}/fmw/`;
  const hits: WindowHit[] = [];
  for (const path of reader.objectPaths(prefix)) {
    const window = publishedAs<FixedWindowState>(reader.object(path));
    if (window) hits.push({ n: Number(path.slice(prefix.length)), window });
  }
  return hits.sort((one, other) => one.window.base - other.window.base);
}

export function windowAt(reader: StateReader, machine: MachineId, hpa: number): WindowHit | undefined {
  return windowsOf(reader, machine).find(({ window }) => hpa >= window.base && hpa < window.base + window.size);
}

/** HPA offset → DPA offset of one target of an interleave set. */
export function dpaOffset(hpaOffset: number, granularity: number, ways: number): number {
  return Math.floor(hpaOffset / (granularity * ways)) * granularity + (hpaOffset % granularity);
}

const inside = (hpa: number, decoder: HdmDecoderNow): boolean =>
  hpa >= decoder.base && hpa < decoder.base + decoder.size;

export function decodeHpa(reader: StateReader, machine: MachineId, hpa: number): Decoded {
  const steps: DecodeStep[] = [];
  const hit = windowAt(reader, machine, hpa);
  if (!hit) return { steps, end: `No CXL fixed memory window of ${machine} contains ${hex0x(hpa)}.` };
  const { window, n } = hit;
  const index = Math.floor(hpa / window.granularity) % Math.max(1, window.targets.length);
  const bridgeId = window.targets[index] ?? '';
  steps.push({
    kind: 'window',
    component: `fmw/${n}`,
    ok: true,
    text: `Window ${n} (${hex0x(window.base)}, ${sizeText(window.size)}) contains it; target ${index} is ${bridgeId}.`,
    arithmetic:
      window.targets.length > 1
        ? `(${hex0x(hpa)} / ${window.granularity}) mod ${window.targets.length} = ${index}`
        : `${hex0x(window.base)} ≤ ${hex0x(hpa)} < ${hex0x(window.base + window.size)}`,
  });
  const bridge = functionOf(reader, machine, bridgeId);
  if (!bridge) return { steps, end: `The window's target ${bridgeId} does not exist.` };
  return descend(reader, machine, bridge, hpa, steps, 'host-bridge');
}

function descend(
  reader: StateReader,
  machine: MachineId,
  at: PciFunctionState,
  hpa: number,
  steps: DecodeStep[],
  kind: 'host-bridge' | 'port',
): Decoded {
  const children = functionsOf(reader, machine).filter((fn) => fn.parent === at.id);
  const next = chooseChild(reader, at, children, hpa, steps, kind);
  if (typeof next === 'string') return { steps, end: next };
  if (next.backend?.unreached) {
    const end = `The VMM's fixed windows do not send accesses to a ${next.type}: reads give 0, writes vanish.`;
    steps.push({ kind: 'endpoint', component: next.id, ok: false, text: end, arithmetic: '' });
    return { steps, end };
  }
  if (isEndpoint(next)) return decodeEndpoint(reader, next, hpa, steps);
  return descend(reader, machine, next, hpa, steps, 'port');
}

const isEndpoint = (fn: PciFunctionState): boolean =>
  !/^(cxl-rp|cxl-upstream|cxl-downstream|pxb-cxl|pcie-root-port)$/.test(fn.type);

/** The child an address goes to, or the sentence saying why none. */
function chooseChild(
  reader: StateReader,
  at: PciFunctionState,
  children: readonly PciFunctionState[],
  hpa: number,
  steps: DecodeStep[],
  kind: 'host-bridge' | 'port',
): PciFunctionState | string {
  const only = children[0];
  if (!only) return `Nothing is attached below ${at.id}.`;
  const hdm = at.type === 'cxl-rp' || at.type === 'cxl-downstream' ? null : hdmOf(reader, at);
  if (!hdm) {
    if (children.length > 1 && kind === 'host-bridge')
      return `${at.id} has ${children.length} root ports but no HDM decoders to choose one.`;
    steps.push({
      kind,
      component: at.id,
      ok: true,
      text:
        kind === 'host-bridge'
          ? `${at.id} has one root port and no HDM decoder capability: it passes everything to ${only.id}.`
          : `${at.id} forwards to its link: ${only.id}.`,
      arithmetic: 'pass-through',
    });
    return only;
  }
  const decoder = hdm.decoders.find((one) => inside(hpa, one) && one.committed);
  const register = { id: at.id, space: hdm.space, offset: (decoder ?? hdm.decoders[0])?.offset ?? hdm.offset };
  if (!decoder) {
    const reason = whyNone(at.id, hdm.decoders, hpa);
    steps.push({ kind, component: at.id, ok: false, text: reason, arithmetic: '', register });
    return reason;
  }
  const index = Math.floor(hpa / decoder.granularity) % decoder.ways;
  const port = decoder.targets[index] ?? 0;
  const child = children.find((fn) => portNumber(reader, fn) === port);
  steps.push({
    kind,
    component: at.id,
    ok: child !== undefined,
    text: `Decoder ${decoder.index} of ${at.id} is committed and contains it; target ${index} is port ${port}.`,
    arithmetic: `(${hex0x(hpa)} / ${decoder.granularity}) mod ${decoder.ways} = ${index} → port ${port}`,
    register,
  });
  return child ?? `No port of ${at.id} has number ${port}.`;
}

function decodeEndpoint(reader: StateReader, fn: PciFunctionState, hpa: number, steps: DecodeStep[]): Decoded {
  const hdm = hdmOf(reader, fn);
  if (!hdm) {
    const end = `${fn.id} has no HDM decoder capability that can be read.`;
    steps.push({ kind: 'endpoint', component: fn.id, ok: false, text: end, arithmetic: '' });
    return { steps, end };
  }
  let dpaBase = 0;
  for (const decoder of hdm.decoders) {
    if (!decoder.committed) continue;
    dpaBase += decoder.skip;
    if (!inside(hpa, decoder)) {
      dpaBase += Math.floor(decoder.size / decoder.ways);
      continue;
    }
    const offset = dpaOffset(hpa - decoder.base, decoder.granularity, decoder.ways);
    const dpa = dpaBase + offset;
    steps.push({
      kind: 'endpoint',
      component: fn.id,
      ok: true,
      text: `Decoder ${decoder.index} of ${fn.id} is committed and contains it.`,
      arithmetic:
        decoder.ways === 1
          ? `${hex0x(hpa)} − ${hex0x(decoder.base)}${dpaBase ? ` + ${hex0x(dpaBase)}` : ''} = DPA ${hex0x(dpa)}`
          : `⌊${hex0x(hpa - decoder.base)} / (${decoder.granularity} × ${decoder.ways})⌋ × ${decoder.granularity} + low bits + ${hex0x(dpaBase)} = DPA ${hex0x(dpa)}`,
      register: { id: fn.id, space: hdm.space, offset: decoder.offset },
    });
    return { steps, target: { fn, dpa, decoder: decoder.index } };
  }
  const end = whyNone(fn.id, hdm.decoders, hpa);
  const offset = hdm.decoders.find((one) => inside(hpa, one))?.offset ?? hdm.decoders[0]?.offset ?? hdm.offset;
  steps.push({
    kind: 'endpoint',
    component: fn.id,
    ok: false,
    text: end,
    arithmetic: '',
    register: { id: fn.id, space: hdm.space, offset: offset + 0x10 },
  });
  return { steps, end };
}

function whyNone(id: string, decoders: readonly HdmDecoderNow[], hpa: number): string {
  const covering = decoders.find((one) => inside(hpa, one));
  if (covering) {
    const bit = covering.error ? 'ERR_NOT_COMMITTED (bit 11) is 1' : 'COMMITTED (bit 10) is 0';
    return `Decoder ${covering.index} of ${id} covers ${hex0x(hpa)} but is not active: HDM_DECODER${covering.index}_CTRL.${bit}.`;
  }
  if (!decoders.some((one) => one.committed))
    return `No HDM decoder of ${id} is committed: COMMITTED (bit 10) is 0 in all ${decoders.length}.`;
  return `No committed HDM decoder of ${id} covers ${hex0x(hpa)}.`;
}

/** HPAs that reach a DPA of a function, through its committed decoders. */
export function dpaToHpa(
  reader: StateReader,
  machine: MachineId,
  fn: PciFunctionState,
  dpa: number,
): { readonly hpa: number; readonly decoder: HdmDecoderNow } | undefined {
  const hdm = hdmOf(reader, fn);
  let dpaBase = 0;
  for (const decoder of hdm?.decoders ?? []) {
    if (!decoder.committed) continue;
    dpaBase += decoder.skip;
    const share = Math.floor(decoder.size / decoder.ways);
    if (dpa >= dpaBase && dpa < dpaBase + share) {
      const up = Math.floor((dpa - dpaBase) / decoder.granularity);
      const low = (dpa - dpaBase) % decoder.granularity;
      // Only the position routes upstream tell which way of the set this device is: try them in order.
      for (let position = 0; position < decoder.ways; position++) {
        const hpa = decoder.base + (up * decoder.ways + position) * decoder.granularity + low;
        if (decodeHpa(reader, machine, hpa).target?.fn.id === fn.id) return { hpa, decoder };
      }
    }
    dpaBase += share;
  }
  return undefined;
}

export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let n = 0;
  let value = bytes;
  while (value >= 1024 && n < units.length - 1) {
    value /= 1024;
    n++;
  }
  return `${value.toFixed(1).replace('.0', '')} ${units[n]}`;
}
