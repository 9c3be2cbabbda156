import { expect, test } from 'vitest';
import { Prng } from '../../base/prng.ts';
import { EventLog } from '../../log/index.ts';
import { encodeGranularity, encodeWays, endpointHpaOffset } from '../../spec/cxl/decode.ts';
import { layout } from '../../spec/layouts.ts';
import type { HostMemory } from '../memory/api.ts';
import { MemoryCore } from '../memory/memory.ts';
import {
  BackedDevice,
  CxlComponent,
  CxlDownstreamPort,
  type CxlEnv,
  CxlHostBridge,
  CxlRootPort,
  CxlSwitch,
  device_address,
  FixedWindow,
} from './index.ts';

const BASE = 0x490000000;
const MiB256 = 0x10000000;
const nowhere: HostMemory = { hi: 0, load: () => 0, store: () => {}, read: () => {}, write: () => {} };

/** What Linux writes for a region that begins at the base of the window (decoding facts, section 7). */
function program(target: CxlComponent, size: number, ways: number, granularity: number, targets: number[] = []): void {
  const { registers } = target;
  const at = CxlComponent.decoderOffset(0);
  const list = (from: number) => targets.slice(from, from + 4).reduce((sum, port, n) => sum + port * 256 ** n, 0);
  registers.write(at, 4, BASE % 2 ** 32);
  registers.write(at + 4, 4, Math.floor(BASE / 2 ** 32));
  registers.write(at + 8, 4, size % 2 ** 32);
  registers.write(at + 12, 4, Math.floor(size / 2 ** 32));
  registers.write(at + 0x14, 4, list(0));
  registers.write(at + 0x18, 4, list(4));
  registers.write(at + 0x10, 4, 0x1200 | ((encodeWays(ways) ?? 0) << 4) | (encodeGranularity(granularity) ?? 0));
}

/** Ports numbered at random, in the order of the list that names them. */
function numbers(random: Prng, count: number): number[] {
  const out: number[] = [];
  while (out.length < count) {
    const port = random.below(256);
    if (!out.includes(port)) out.push(port);
  }
  return out;
}

test('random topologies: every device address has one host address, which leads back to it, with and without rules', () => {
  const random = new Prng(7);
  const pick = (...choices: number[]) => choices[random.below(choices.length)] as number;
  for (let round = 0; round < 120; round++) {
    const strict = round % 2 === 1;
    const [bridges, ports, below] = [pick(1, 2, 4), pick(1, 2, 4), pick(0, 2, 4, 8)];
    const ways = bridges * ports * Math.max(below, 1);
    if (ways > 16) continue;
    const granularity = pick(256, 512, 1024, 2048, 4096);
    if (Math.log2(granularity * ways) > 15) continue;
    const log = new EventLog();
    const env: CxlEnv = { log, core: new MemoryCore({ log, layer: 0 }), machine: 'l1', layer: 0 };
    const size = ways * MiB256;
    const devices: BackedDevice[] = [];
    const make = (kind: string, id: string, capacity: number | null) =>
      new CxlComponent(env, id, layout(`${kind}.component`), kind, strict ? { capacity, type: null } : null);
    const device = (position: number) => {
      const component = make('cxl-type3', `mem${position}`, MiB256);
      program(component, size, ways, granularity);
      devices[position] = new BackedDevice(`mem${position}`, component, nowhere, 0, MiB256);
      return devices[position] as BackedDevice;
    };
    const hosts = [...Array(bridges).keys()].map((b) => {
      const names = numbers(random, ports);
      const roots = names.map((name, p) => {
        const root = new CxlRootPort(`rp${b}.${p}`, name, make('cxl-rp', `rp${b}.${p}`, null));
        const position = b + bridges * p;
        if (below === 0) root.device = device(position);
        else {
          const upstream = new CxlSwitch(`us${b}.${p}`, make('cxl-upstream', `us${b}.${p}`, null));
          const inner = numbers(random, below);
          upstream.ports = inner.map((port, d) => {
            const slot = new CxlDownstreamPort(
              `ds${b}.${p}.${d}`,
              port,
              make('cxl-downstream', `ds${b}.${p}.${d}`, null),
            );
            slot.device = device(position + bridges * ports * d);
            return slot;
          });
          program(upstream.component, size, below, granularity * bridges * ports, inner);
          root.upstream = upstream;
        }
        return root;
      });
      const host = new CxlHostBridge(
        env,
        `hb${b}`,
        b + 1,
        roots,
        false,
        strict ? { capacity: null, type: null } : null,
      );
      if (!host.passthrough) program(host.component, size, ports, granularity * bridges, names);
      return host;
    });
    const window = new FixedWindow(env, 0, BASE, size, granularity, hosts);
    for (let n = 0; n < 40; n++) {
      const position = random.below(ways);
      const dpa = random.below(MiB256);
      const hpa = BASE + endpointHpaOffset(dpa, position, encodeWays(ways) ?? 0, encodeGranularity(granularity) ?? 0);
      const found = window.find_device(hpa);
      expect([round, found?.id, found ? device_address(found, hpa) : -1]).toEqual([round, `mem${position}`, dpa]);
      expect(window.explain(hpa).at(-1)).toMatchObject({ stage: 'memory', ok: true, output: dpa });
    }
  }
});
