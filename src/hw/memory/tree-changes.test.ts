import { expect, test } from 'vitest';
import { Prng } from '../../base/prng.ts';
import { EventLog } from '../../log/index.ts';
import { generate_memory_topology } from './flat-view.ts';
import {
  AddressSpace,
  type FlatEntry,
  type HostMemory,
  MemoryCore,
  type MemoryRegion,
  unassigned_io_ops,
} from './index.ts';

const host: HostMemory = { hi: 0, load: () => 0, store() {}, read() {}, write() {} };
const told = (range: FlatEntry) => [range.name, range.start, range.size, range.regionOffset, range.readonly];

/** A tree like a PC's: RAM and a PCI container below `system`, bridges whose containers are shown by aliases. */
function machine(random: Prng, later?: (run: () => void) => void) {
  const core = new MemoryCore({ log: new EventLog(), layer: 0, ...(later ? { later } : {}) });
  const system = core.memory_region_init('system', 2 ** 64);
  const pci = core.memory_region_init('pci', 2 ** 64);
  const ram = core.memory_region_init_ram('ram', 0x8000, host, 0x100000);
  core.memory_region_add_subregion(system, 0, core.memory_region_init_alias('low', ram, 0, 0x4000));
  core.memory_region_add_subregion(system, 0x10000, core.memory_region_init_alias('high', ram, 0x4000, 0x4000));
  core.memory_region_add_subregion_overlap(system, 0, pci, -1);
  const containers = [pci];
  const places: { region: MemoryRegion; parent: MemoryRegion; alias: boolean }[] = [];
  const address = () => random.below(0x40) * 0x400;
  const add = () => {
    const parent = containers[random.below(containers.length)] as MemoryRegion;
    const kind = random.below(4);
    const at = address();
    let region: MemoryRegion;
    if (kind === 0) {
      const below = core.memory_region_init(`bridge${places.length}`, 2 ** 64);
      containers.push(below);
      // Sometimes shifted, as no bridge does: such a change must count as everywhere.
      region = core.memory_region_init_alias(
        `window${places.length}`,
        below,
        random.below(8) === 0 ? at + 0x400 : at,
        0x4000,
      );
    } else if (kind === 1 && random.below(3) === 0)
      region = core.memory_region_init_ram(`mem${places.length}`, 0x800, host, 0x200000 + places.length * 0x1000);
    else region = core.memory_region_init_io(unassigned_io_ops, `io${places.length}`, 0x400 << random.below(4));
    core.memory_region_add_subregion_overlap(parent, at, region, random.below(3));
    places.push({ region, parent, alias: kind === 0 });
  };
  const step = () => {
    const place = places[random.below(Math.max(1, places.length))];
    const what = random.below(6);
    if (!place || what < 2 || places.length < 6) add();
    else if (what === 2 && place.region.container) core.memory_region_del_subregion(place.parent, place.region);
    else if (what === 3 && place.region.container) core.memory_region_set_address(place.region, address());
    else if (what === 4) core.memory_region_set_enabled(place.region, !place.region.enabled);
    else if (what === 5 && !place.region.container)
      core.memory_region_add_subregion_overlap(place.parent, address(), place.region, 1);
  };
  return { core, system, step };
}

test('a view brought up to date piece by piece is the view rendered whole, whatever changed', () => {
  const random = new Prng(5);
  for (let round = 0; round < 40; round++) {
    const { core, system, step } = machine(random);
    const space = new AddressSpace(core, 'memory', system);
    const mirror: unknown[][] = [];
    space.memory_listener_register({
      name: 'mirror',
      region_add: (range) => void mirror.push(told(range)),
      region_del: (range) => {
        const at = mirror.findIndex((other) => String(other) === String(told(range)));
        expect(at).toBeGreaterThanOrEqual(0);
        mirror.splice(at, 1);
      },
    });
    for (let n = 0; n < 60; n++) {
      step();
      const whole = generate_memory_topology(system).ranges.map(told);
      expect(space.flatview.map(told)).toEqual(whole);
      expect(mirror.sort((a, b) => Number(a[1]) - Number(b[1]))).toEqual(whole);
    }
  }
});

test('device changes wait for the end of the burst or for somebody who looks; memory is told at once', () => {
  const random = new Prng(11);
  for (let round = 0; round < 40; round++) {
    const waiting: (() => void)[] = [];
    const { core, system, step } = machine(random, (run) => waiting.push(run));
    const space = new AddressSpace(core, 'memory', system);
    const memory = new Set<string>();
    space.memory_listener_register({
      name: 'slots',
      region_add: (range) => void (range.hva !== null && memory.add(String(told(range)))),
      region_del: (range) => void memory.delete(String(told(range))),
    });
    for (let n = 0; n < 60; n++) {
      step();
      const whole = generate_memory_topology(system).ranges;
      expect([...memory].sort()).toEqual(
        whole
          .filter((range) => range.hva !== null)
          .map((range) => String(told(range)))
          .sort(),
      );
      const addr = random.below(0x14000);
      const want = whole.find((range) => addr >= range.start && addr < range.end);
      if (random.below(3) === 0) expect(space.lookup(addr)?.name).toBe(want?.name);
      if (random.below(9) === 0) for (const run of waiting.splice(0)) run();
    }
  }
});
