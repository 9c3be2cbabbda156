import { type Addr, hex0x } from '../../base/addr.ts';
import type { CxlComponent, HdmDecoder } from './cxl-component.ts';
import { decoder_holding, endpoint_dpa, NOWHERE, skipOf, targetAt } from './decode-path.ts';
import type { FixedWindow } from './fixed-window.ts';
import {
  type CxlDownstreamPort,
  type CxlHostBridge,
  type CxlMemoryDevice,
  type CxlRootPort,
  type CxlSwitch,
  port_by_number,
} from './topology.ts';

/** One step of a decode, for people: what was asked, what answered, which register cells decided. */
export interface Hop {
  readonly stage: 'window' | 'host-bridge' | 'root-port' | 'switch' | 'downstream-port' | 'endpoint' | 'memory';
  /** Device id of the component (`cxl.1`, `root_port13`, `cxl-accel0`), `cxl-fmw.0` for a window. */
  readonly id: string;
  readonly ok: boolean;
  readonly input: Addr;
  /** Next address for the last hops (the DPA), or the index chosen. */
  readonly output: number | null;
  /** The arithmetic with its numbers. */
  readonly formula: string;
  /** Why it ends here. */
  readonly why?: string;
  /** Decoder that matched. */
  readonly decoder?: number;
  /** Register block and byte offset of the decoder (its base register) or of the bit that ended the walk. */
  readonly register?: { readonly block: string; readonly offset: number; readonly name: string };
}

export function explain(window: FixedWindow, hpa: Addr): readonly Hop[] {
  const id = `cxl-fmw.${window.index}`;
  if (hpa < window.base || hpa >= window.base + window.size) {
    return [
      {
        stage: 'window',
        id,
        ok: false,
        input: hpa,
        output: null,
        formula: '',
        why: 'the address is outside the window',
      },
    ];
  }
  const bridge = window.target(hpa);
  const ways = window.targets.length;
  const index = window.targets.indexOf(bridge);
  const hops: Hop[] = [
    {
      stage: 'window',
      id,
      ok: true,
      input: hpa,
      output: index,
      formula:
        ways === 1
          ? `one target: ${bridge.id}`
          : `(${hex0x(hpa)} / ${window.granularity}) mod ${ways} = ${index}: ${bridge.id}`,
    },
  ];
  if (bridge.passthrough) {
    hops.push({
      stage: 'host-bridge',
      id: bridge.id,
      ok: true,
      input: hpa,
      output: 0,
      formula: 'one root port: everything passes through',
    });
  } else {
    hops.push(explainTargets('host-bridge', 'root port', bridge, hpa));
  }
  const root = window.root_port(bridge, hpa);
  if (!root || !hops.at(-1)?.ok) return hops;
  const { upstream } = root;
  if (upstream) {
    hops.push(
      {
        stage: 'root-port',
        id: root.id,
        ok: true,
        input: hpa,
        output: root.port,
        formula: `port ${root.port}, switch ${upstream.id} below`,
      },
      explainTargets('switch', 'downstream port', upstream, hpa),
    );
  }
  const slot = upstream ? window.downstream_port(upstream, hpa) : root;
  if (!slot || !hops.at(-1)?.ok) return hops;
  const { device } = slot;
  hops.push({
    stage: upstream ? 'downstream-port' : 'root-port',
    id: slot.id,
    ok: device?.dispatched === true,
    input: hpa,
    output: slot.port,
    formula: `port ${slot.port}, device 0 function 0`,
    ...(device === null ? { why: 'no CXL memory device sits in the slot' } : {}),
    ...(device && !device.dispatched ? { why: 'this VMM does not send window accesses to this type of device' } : {}),
  });
  if (!device?.dispatched) return hops;
  hops.push(explainEndpoint(device, hpa));
  const last = hops.at(-1);
  if (!last?.ok || last.output === null) return hops;
  const inside = last.output < device.capacity;
  hops.push({
    stage: 'memory',
    id: device.id,
    ok: inside,
    input: last.output,
    output: inside ? last.output : null,
    formula: `${hex0x(last.output)} < ${hex0x(device.capacity)}`,
    ...(inside ? {} : { why: 'the device address is beyond the device’s memory' }),
  });
  return hops;
}

function at(component: CxlComponent, n: number, name: string): NonNullable<Hop['register']> {
  return { block: component.path, offset: component.registers.offsetOf(`${name}${n}`), name: `${name}${n}` };
}

function explainTargets(
  stage: 'host-bridge' | 'switch',
  what: string,
  chooser: CxlHostBridge | CxlSwitch,
  hpa: Addr,
): Hop {
  const { component } = chooser;
  const common = { stage, id: chooser.id, input: hpa };
  const n = decoder_holding(component, hpa);
  const decoder = component.decoders[n];
  if (n === NOWHERE || !decoder) {
    return { ...common, ok: false, output: null, formula: '', why: 'no decoder’s range holds the address' };
  }
  if (!decoder.committed) {
    return {
      ...common,
      ok: false,
      output: null,
      formula: range(decoder),
      decoder: n,
      why: `decoder ${n} holds the address but is not committed`,
      register: at(component, n, 'CTRL'),
    };
  }
  const unit = 2 ** (decoder.ig + 8);
  const ways = 2 ** decoder.iw;
  const index = Math.floor(hpa / unit) % ways;
  const target = targetAt(decoder, index);
  const known = port_by_number<CxlRootPort | CxlDownstreamPort>(chooser.ports, target) !== null;
  return {
    ...common,
    ok: known,
    output: target,
    decoder: n,
    formula: `(${hex0x(hpa)} / ${unit}) mod ${ways} = ${index}, target list[${index}] = port ${target}`,
    ...(known ? {} : { why: `no ${what} has port number ${target}` }),
    register: at(component, n, known ? 'BASE_LO' : 'TARGET_LO'),
  };
}

function explainEndpoint(device: CxlMemoryDevice, hpa: Addr): Hop {
  const { component } = device;
  const common = { stage: 'endpoint', id: device.id, input: hpa } as const;
  const dpa = endpoint_dpa(component, hpa);
  let base = 0;
  for (const [n, decoder] of component.decoders.entries()) {
    if (component.silicon && !decoder.committed) continue;
    if (!decoder.committed) {
      return {
        ...common,
        ok: false,
        output: null,
        formula: n === 0 ? '' : `decoders 0…${n - 1} do not hold ${hex0x(hpa)}`,
        decoder: n,
        why: `decoder ${n} is not committed, and the search ends there`,
        register: at(component, n, 'CTRL'),
      };
    }
    base = component.silicon ? decoder.dpaBase : base + skipOf(decoder);
    const offset = hpa - decoder.base;
    if (offset >= 0 && offset < decoder.size) {
      const unit = 2 ** (decoder.ig + 8);
      const ways = decoder.iw < 8 ? 2 ** decoder.iw : 3 * 2 ** (decoder.iw - 8);
      return {
        ...common,
        ok: dpa !== NOWHERE,
        output: dpa === NOWHERE ? null : dpa,
        decoder: n,
        formula:
          ways === 1
            ? `${hex0x(hpa)} - ${hex0x(decoder.base)} + ${hex0x(base)} = ${hex0x(dpa)}`
            : `offset ${hex0x(offset)}, ${ways} ways of ${unit}: ${hex0x(base)} + ⌊offset / ${unit * ways}⌋ × ${unit} + offset mod ${unit} = ${hex0x(dpa)}`,
        register: at(component, n, 'BASE_LO'),
      };
    }
    base += decoder.size / (decoder.iw < 8 ? 2 ** decoder.iw : 3 * 2 ** (decoder.iw - 8));
  }
  return { ...common, ok: false, output: null, formula: '', why: 'no decoder’s range holds the address' };
}

function range(decoder: HdmDecoder): string {
  return `${hex0x(decoder.base)} … ${hex0x(decoder.base + decoder.size - 1)}`;
}
