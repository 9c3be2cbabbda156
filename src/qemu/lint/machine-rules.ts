/** Rules about the machine itself and its host bridges: cxl=on, the hypervisor bit, memory options, bus numbers, empty places. */
import { lastPart } from './options.ts';
import { nameOf, type Rule, sizeText } from './report.ts';
import { allBelow, type BridgePlan, endpointsOf, type PortPlan, reachable, type SwitchPlan } from './topology.ts';

const MACHINE = ['M', 'machine'];

const cxlOff: Rule = (topology, report, { uses }) => {
  if (topology.cxl || topology.bridges.length > 0) return;
  const window = uses.flatMap((use) => use.parts).find((part) => part.key.startsWith('cxl-fmw.'));
  const device = topology.loose[0];
  const span = window ?? device?.span;
  if (!span) return;
  report(
    'cxl-off',
    'warning',
    span,
    window ? 'a CXL window on a machine without cxl=on' : `${nameOf(device ?? { id: '' })} on a machine without cxl=on`,
    'Without -M q35,cxl=on QEMU reserves no room for host bridges and windows and writes no CEDT: the guest sees no CXL. Say cxl=on.',
  );
};

const hypervisorBit: Rule = (topology, report, { uses }) => {
  const anything = topology.bridges.some((bridge) => bridge.ports.some((port) => port.children.length > 0));
  if (!topology.cxl || !topology.hypervisorBit || !anything) return;
  const cpu = uses.findLast((use) => use.name === 'cpu');
  report(
    'hypervisor-bit',
    'warning',
    cpu ?? lastPart(uses, MACHINE, 'cxl') ?? { start: 0, end: 0 },
    'the guest can see that it is a virtual machine',
    'Linux commits no region then: caches cannot be invalidated for sure, so `commit` fails with ENXIO and a warning "Failed to synchronize CPU cache state". Say -cpu …,hypervisor=off.',
  );
};

const memoryOptions: Rule = (topology, report, { uses }) => {
  const memory = uses.findLast((use) => use.name === 'm');
  if (!memory || topology.maxRamSize <= topology.ramSize || topology.slots > 0) return;
  report(
    'maxmem-without-slots',
    'info',
    lastPart(uses, ['m'], 'maxmem') ?? memory,
    `maxmem=${sizeText(topology.maxRamSize)} without slots`,
    'Room for hot-plugged memory is set aside and moves the CXL windows up, but without slots= nothing can ever be plugged there.',
  );
};

const busNumbers: Rule = (topology, report) => {
  const sorted = [...topology.bridges].sort((a, b) => a.busNumber - b.busNumber);
  sorted.forEach((bridge, n) => {
    const next = sorted[n + 1];
    if (bridge.lastBus > 255)
      report(
        'bus-numbers',
        'warning',
        bridge.span,
        `${bridge.id} needs buses ${bridge.busNumber} to ${bridge.lastBus}, and 255 is the last`,
        'Devices beyond it get no bus number and stay unseen. Choose a lower bus_nr.',
      );
    else if (next && bridge.lastBus >= next.busNumber)
      report(
        'bus-numbers',
        'warning',
        next.span,
        `${bridge.id} needs buses ${bridge.busNumber} to ${bridge.lastBus}, but ${next.id} starts at ${next.busNumber}`,
        `Firmware numbers the buses below a bridge one after the other and runs into the next bridge. Give ${next.id} bus_nr=${bridge.lastBus + 1} or more.`,
      );
  });
};

const emptyPlaces: Rule = (topology, report) => {
  for (const bridge of topology.bridges) {
    if (bridge.ports.length === 0)
      report(
        'bridge-without-port',
        'warning',
        bridge.span,
        `${bridge.id} has no root port`,
        `Devices plug into root ports: add -device cxl-rp,bus=${bridge.id},id=…,port=0,chassis=0,slot=….`,
      );
    for (const port of [...bridge.ports, ...switchesOf(bridge).flatMap((one) => one.ports)])
      if (port.children.length === 0)
        report(
          'empty-port',
          'info',
          port.span,
          `nothing is plugged into ${nameOf(port)}`,
          'It appears in lspci and takes part in nothing.',
        );
  }
};

function switchesOf(bridge: BridgePlan): SwitchPlan[] {
  return bridge.ports.flatMap((port) => allBelow(port.children)).filter((one) => one.kind === 'switch');
}

const outsideBridges: Rule = (topology, report) => {
  for (const one of topology.loose) {
    if (one.kind === 'endpoint' && one.type === 'vfio-pci') continue;
    const what = one.kind === 'endpoint' ? one.type : one.kind === 'switch' ? 'cxl-upstream' : one.kind;
    const right =
      one.kind === 'downstream-port'
        ? 'Downstream ports belong on the bus of a cxl-upstream.'
        : one.kind === 'root-port'
          ? 'Root ports belong on the bus of a pxb-cxl.'
          : 'It belongs on the bus of a cxl-rp or cxl-downstream below a pxb-cxl.';
    report(
      'outside-cxl-bridge',
      'warning',
      one.span,
      `${nameOf(one)} (${what}) is below no CXL host bridge`,
      `QEMU accepts it silently, but no window leads there: its memory can never be mapped. ${right}`,
    );
  }
};

const outOfReach: Rule = (topology, report) => {
  for (const port of topology.bridges.flatMap((bridge) => bridge.ports)) {
    const reached = new Set(reachable(port));
    for (const one of allBelow(port.children)) {
      if (one.kind !== 'endpoint' || reached.has(one) || !['cxl-type3', 'cxl-accel'].includes(one.type)) continue;
      if (one.volatile === null && one.persistent === null) continue;
      report(
        'out-of-reach',
        'warning',
        one.span,
        one.devfn === 0
          ? `${nameOf(one)} is not directly below a root port or one switch`
          : `${nameOf(one)} sits in slot ${one.devfn >>> 3} function ${one.devfn & 7}`,
        'QEMU’s window reaches only the function 0 of slot 0 below a root port or below one level of switch: reads of its memory give 0, writes vanish.',
      );
    }
  }
};

const portNumbers: Rule = (topology, report) => {
  const check = (ports: readonly PortPlan[], where: string) => {
    const seen = new Map<number, PortPlan>();
    for (const port of ports) {
      const other = seen.get(port.port);
      if (other)
        report(
          'port-number',
          'warning',
          port.span,
          `${nameOf(port)} has port number ${port.port} like ${nameOf(other)} on ${where}`,
          'Target lists of decoders name ports by number; Linux refuses the second port ("unable to add dport", EBUSY) and its devices get no path. Give each its own port=.',
        );
      else seen.set(port.port, port);
    }
  };
  for (const bridge of topology.bridges) {
    check(bridge.ports, bridge.id);
    for (const one of switchesOf(bridge)) check(one.ports, nameOf(one));
  }
};

const passthrough: Rule = (topology, report) => {
  for (const bridge of topology.bridges) {
    if (!bridge.passthrough || endpointsOf(bridge).length === 0) continue;
    const behind = endpointsOf(bridge).length;
    report(
      'one-root-port',
      behind > 1 ? 'warning' : 'info',
      bridge.span,
      `${bridge.id} has one root port, so it has no decoders of its own`,
      `The kernel makes one passthrough decoder: only one region at a time can go through ${bridge.id}${behind > 1 ? ` although ${behind} devices are behind it` : ''}. Say hdm_for_passthrough=true for four decoders, or add a root port.`,
    );
  }
};

export const MACHINE_RULES: readonly Rule[] = [
  cxlOff,
  hypervisorBit,
  memoryOptions,
  busNumbers,
  emptyPlaces,
  outsideBridges,
  outOfReach,
  portNumbers,
  passthrough,
];
