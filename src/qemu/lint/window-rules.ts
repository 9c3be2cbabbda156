/** Rules about fixed windows and what can be interleaved behind them. Arithmetic of granularities as the kernel does it (decoding facts, section 7). */
import { hex0x, KiB, MiB } from '../../base/addr.ts';
import { listText, nameOf, type Report, type Rule, sizeText } from './report.ts';
import {
  type BridgePlan,
  type CommandLineTopology,
  capacityOf,
  type EndpointPlan,
  endpointsOf,
  type PortPlan,
  reachable,
  type WindowPlan,
} from './topology.ts';

/** Highest address bit that decoders of this hardware can pick a target from (A14:12 capable). */
const HIGHEST_BIT = 14;
const LARGEST_GRANULARITY = 16 * KiB;
const MOST_TARGETS = 8;
const MOST_WAYS = 16;
const MOST_DECODERS = 4;

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
const bits = (value: number) => Math.log2(value);

/** Bridges of a window without repetition, in order. */
function bridgesOf(topology: CommandLineTopology, window: WindowPlan): BridgePlan[] {
  return [...new Set(window.targets)].flatMap((id) => topology.bridges.find((bridge) => bridge.id === id) ?? []);
}

const memoryBehind = (bridge: BridgePlan) => sum(endpointsOf(bridge).map(capacityOf));

const unreachedMemory: Rule = (topology, report) => {
  if (!topology.cxl) return;
  for (const bridge of topology.bridges) {
    const behind = memoryBehind(bridge);
    if (behind === 0) continue;
    const windows = topology.windows.filter((window) => window.targets.includes(bridge.id));
    if (windows.length === 0) {
      report(
        'no-window',
        'warning',
        bridge.span,
        `no window leads to ${bridge.id}, which has ${sizeText(behind)} behind it`,
        `A root decoder exists per window, and no region can be made without one. Add -M cxl-fmw.${topology.windows.length}.targets.0=${bridge.id},cxl-fmw.${topology.windows.length}.size=….`,
      );
      continue;
    }
    const share = sum(
      windows.map(
        (window) => (window.size * window.targets.filter((id) => id === bridge.id).length) / window.targets.length,
      ),
    );
    if (share < behind)
      report(
        'window-too-small',
        'warning',
        (windows[0] as WindowPlan).span,
        `${bridge.id} has ${sizeText(behind)} of memory behind it, but ${windows.length > 1 ? 'its windows give' : 'its window gives'} it ${sizeText(share)}`,
        `The last ${sizeText(behind - share)} can never be mapped: a region must lie within a window. Make cxl-fmw.${(windows[0] as WindowPlan).index}.size larger.`,
      );
  }
};

const emptyWindows: Rule = (topology, report) => {
  if (!topology.cxl) return;
  for (const window of topology.windows) {
    const bridges = bridgesOf(topology, window);
    const empty = bridges.filter((bridge) => memoryBehind(bridge) === 0 && !holdsPassthrough(bridge));
    if (empty.length > 0)
      report(
        'window-without-memory',
        'warning',
        window.span,
        `window ${window.index} targets ${listText(empty.map((bridge) => bridge.id))}, which ${empty.length > 1 ? 'have' : 'has'} no memory behind`,
        window.targets.length > 1
          ? 'An interleaved window needs a device behind every target; no region can be made in this one.'
          : 'Addresses nobody decodes read 0 and swallow writes.',
      );
    const twice = window.targets.find((id, n) => window.targets.indexOf(id) !== n);
    if (twice !== undefined)
      report(
        'target-twice',
        'warning',
        window.span,
        `window ${window.index} names ${twice} more than once`,
        'Linux maps every position of the window to a port of its own and cannot attach devices to a bridge that stands there twice.',
      );
  }
};

/** A function of the host may bring CXL memory nobody knows of here. */
function holdsPassthrough(bridge: BridgePlan): boolean {
  return bridge.ports.some((port) => port.children.some((one) => one.kind === 'endpoint' && one.type === 'vfio-pci'));
}

const unbalanced: Rule = (topology, report) => {
  for (const window of topology.windows) {
    const bridges = bridgesOf(topology, window);
    if (bridges.length < 2) continue;
    const counts = bridges.map((bridge) => endpointsOf(bridge).length);
    const least = Math.min(...counts);
    if (least === 0 || counts.every((count) => count === least)) continue;
    const told = bridges.map((bridge, n) => `${bridge.id} has ${counts[n]}`);
    report(
      'unbalanced-bridges',
      'warning',
      window.span,
      `window ${window.index} interleaves over bridges with different numbers of devices: ${listText(told)}`,
      `Every region of this window takes the same number of devices from each bridge, so at most ${least} of each; the others need a window of their own.`,
    );
  }
};

/** The largest number of devices a port can interleave over: powers of two up to its target list. */
const powerOfTwo = (count: number) => 2 ** Math.floor(bits(Math.min(Math.max(count, 1), MOST_TARGETS)));

/** Devices below a port that one region can take. */
function waysBelow(port: PortPlan): number {
  const devices = reachable(port).length;
  return devices === 0 ? 0 : powerOfTwo(devices);
}

const portCounts: Rule = (topology, report) => {
  const tell = (id: string, span: BridgePlan['span'], ports: number, what: string) => {
    if (ports <= 1) return;
    if (ports > MOST_TARGETS)
      report(
        'too-many-ports',
        'info',
        span,
        `${id} has ${ports} ${what} with memory`,
        `Its decoders have a target list of ${MOST_TARGETS}: one region can take at most ${MOST_TARGETS} of them.`,
      );
    else if (powerOfTwo(ports) !== ports)
      report(
        'ports-not-power-of-two',
        'info',
        span,
        `${id} has ${ports} ${what} with memory`,
        `A host bridge or switch interleaves over 1, 2, 4 or 8 ports: one region can take at most ${powerOfTwo(ports)} of these (3, 6 and 12 ways come from windows over three bridges).`,
      );
  };
  for (const bridge of topology.bridges) {
    tell(bridge.id, bridge.span, bridge.ports.filter((port) => reachable(port).length > 0).length, 'root ports');
    for (const port of bridge.ports)
      for (const child of port.children)
        if (child.kind === 'switch') tell(nameOf(child), child.span, reachable(port).length, 'downstream ports');
  }
};

/** Ways of the widest region of a window that takes equally from everything below. */
function widest(bridges: readonly BridgePlan[]): number {
  const each = bridges.map((bridge) => {
    const ports = bridge.ports.map(waysBelow).filter((ways) => ways > 0);
    return ports.length === 0 ? 0 : powerOfTwo(ports.length) * Math.min(...ports);
  });
  return bridges.length * Math.min(...each);
}

const interleaveLimits: Rule = (topology, report) => {
  for (const window of topology.windows) {
    const bridges = bridgesOf(topology, window);
    if (bridges.length !== window.targets.length || bridges.length === 0) continue;
    const ways = widest(bridges);
    if (ways === 0) continue;
    const rootWays = window.targets.length;
    if (ways > MOST_WAYS)
      report(
        'too-many-ways',
        'info',
        window.span,
        `${ways} devices behind window ${window.index}`,
        `A region has at most ${MOST_WAYS} ways: make several regions.`,
      );
    // With one target the region chooses its own granularity; an interleaved window dictates it.
    if (rootWays === 1) continue;
    const granularity = window.granularity;
    const most = mostWays(granularity, rootWays);
    if (most < Math.min(ways, MOST_WAYS))
      report(
        'granularity-and-ways',
        'warning',
        window.span,
        most === 0
          ? `${rootWays} ways at granularity ${sizeText(granularity)} cannot be decoded by any device`
          : `at granularity ${sizeText(granularity)} a region of window ${window.index} has at most ${most} ways`,
        `A region takes the granularity of its interleaved window, and its ways must fit into address bits 8 to ${HIGHEST_BIT}; Linux refuses the rest ("iw: ${ways} ig: ${granularity} is not supported"). Choose a smaller interleave-granularity.`,
      );
  }
};

/**
 * Most ways (root ways times a power of two) a region can have, or 0: a bridge decoder's granularity is the window's times its
 * ways (a third of 3, 6 and 12), and the endpoints' bits must end at bit 14.
 */
function mostWays(granularity: number, rootWays: number): number {
  const three = rootWays % 3 === 0;
  if (granularity * (three ? rootWays / 3 : rootWays) > LARGEST_GRANULARITY) return 0;
  let most = 0;
  for (let ways = rootWays; ways <= MOST_WAYS; ways *= 2)
    if (ways === 3 || bits(granularity) + bits(three ? ways / 3 : ways) - 1 <= HIGHEST_BIT) most = ways;
  return most;
}

const threeWays: Rule = (topology, report) => {
  for (const window of topology.windows) {
    const ways = window.targets.length;
    if (ways % 3 !== 0) continue;
    const shift = Math.floor(window.base / window.granularity) % ways;
    if (shift !== 0)
      report(
        'three-ways-absolute-address',
        'warning',
        window.span,
        `window ${window.index} begins at ${hex0x(window.base)}, ${shift} granules past a multiple of ${ways}`,
        `QEMU picks the bridge by the absolute address modulo ${ways}, Linux by the offset in the window: data lands ${shift} position${shift > 1 ? 's' : ''} away from what cxl list says. Nothing is lost, but do not trust positions.`,
      );
  }
};

const mixedMedia: Rule = (topology, report) => {
  for (const window of topology.windows) {
    const endpoints = bridgesOf(topology, window).flatMap(endpointsOf);
    const volatile = endpoints.filter((one) => one.volatile);
    const persistent = endpoints.filter((one) => one.persistent);
    if (endpoints.length === 0) continue;
    if (window.targets.length > 1) {
      const lacking = bridgesOf(topology, window).flatMap((bridge) => {
        const inside = endpointsOf(bridge);
        const ram = inside.some((one) => one.volatile);
        const pmem = inside.some((one) => one.persistent);
        return ram && pmem ? [] : [{ bridge, ram, pmem }];
      });
      const noneForAll = lacking.some((one) => !one.ram) && lacking.some((one) => !one.pmem);
      if (volatile.length > 0 && persistent.length > 0 && noneForAll)
        report(
          'mixed-media',
          'warning',
          window.span,
          `window ${window.index} interleaves over bridges that have no kind of memory in common`,
          'A region is volatile or persistent as a whole, so every bridge must offer that kind.',
        );
    }
    if (persistent.length === 0 && endpoints.some((one) => one.type === 'cxl-type3'))
      report(
        'volatile-only',
        'info',
        window.span,
        `everything behind window ${window.index} is volatile`,
        'cxl create-region makes a pmem region when it is not told otherwise and fails with "unable to determine region size": say -t ram.',
      );
  }
};

const unequalSizes: Rule = (topology, report) => {
  for (const window of topology.windows) {
    const endpoints = bridgesOf(topology, window).flatMap(endpointsOf);
    for (const kind of ['volatile', 'persistent'] as const) {
      const sizes = endpoints.flatMap((one) => one[kind]?.size ?? []);
      const [least, largest] = [Math.min(...sizes), Math.max(...sizes)];
      if (sizes.length > 1 && least !== largest)
        report(
          'unequal-sizes',
          'info',
          window.span,
          `${kind} memories behind window ${window.index} have from ${sizeText(least)} to ${sizeText(largest)}`,
          'Every device gives an interleaved region the same share: what larger devices have beyond the smallest needs a second region.',
        );
    }
  }
};

const manyWindows: Rule = (topology, report) => {
  for (const bridge of topology.bridges) {
    const windows = topology.windows.filter((window) => window.targets.includes(bridge.id));
    if (windows.length > MOST_DECODERS) tooManyWindows(report, bridge, windows);
    else if (windows.length > 1 && bridge.passthrough && endpointsOf(bridge).length > 0)
      report(
        'windows-on-one-root-port',
        'warning',
        (windows[1] as WindowPlan).span,
        `${windows.length} windows lead to ${bridge.id}, which has one root port and no decoders`,
        `Only one region can go through its passthrough decoder, so only one of the windows can be used at a time ("already reserved"). Say hdm_for_passthrough=true.`,
      );
  }
};

function tooManyWindows(report: Report, bridge: BridgePlan, windows: readonly WindowPlan[]): void {
  report(
    'more-windows-than-decoders',
    'info',
    (windows[MOST_DECODERS] as WindowPlan).span,
    `${windows.length} windows lead to ${bridge.id}`,
    `A host bridge of QEMU has ${MOST_DECODERS} decoders, so at most ${MOST_DECODERS} regions go through it at a time.`,
  );
}

const smallDevices: Rule = (topology, report) => {
  const told = new Set<EndpointPlan>();
  for (const bridge of topology.bridges)
    for (const one of endpointsOf(bridge)) {
      const odd = [one.volatile, one.persistent].find((memory) => memory && memory.size % (256 * MiB) !== 0);
      if (!odd || told.has(one)) continue;
      told.add(one);
      report(
        'memory-not-256m',
        'warning',
        odd.span,
        `${odd.id} has ${sizeText(odd.size)}, which is no multiple of 256 MiB`,
        one.type === 'cxl-type3'
          ? `Identify Memory Device fails then (capacities are counted in 256 MiB), cxl_pci gives up and ${nameOf(one)} becomes no memdev. Choose a multiple of 256M.`
          : 'Decoders count in steps of 256 MiB, so the rest can never be mapped. Choose a multiple of 256M.',
      );
    }
};

export const WINDOW_RULES: readonly Rule[] = [
  unreachedMemory,
  emptyWindows,
  unbalanced,
  portCounts,
  interleaveLimits,
  threeWays,
  mixedMedia,
  unequalSizes,
  manyWindows,
  smallDevices,
];
