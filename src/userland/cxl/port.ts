import { E } from '../../base/errno.ts';
import { print } from '../pciutils/io.ts';
import { passes } from './filter.ts';
import type { LibCxl } from './libcxl.ts';
import { parseOptions } from './options.ts';
import type { Port, Topology } from './topology.ts';
import { USAGE, usageOf } from './usage.ts';

/** `cxl enable-port`, `disable-port` (cxl/port.c) and `disable-bus` (cxl/bus.c) of ndctl v81. */

export type PortCommand = 'enable-port' | 'disable-port' | 'disable-bus';

/** Enabled memdevs below a port. */
function activeMemdevs(topology: Topology, port: Port): readonly string[] {
  const own = port.endpoints.flatMap((endpoint) =>
    topology.memdevs.filter((memdev) => memdev.name === endpoint.memdev && memdev.enabled).map(({ name }) => name),
  );
  return [...own, ...port.ports.flatMap((child) => activeMemdevs(topology, child))];
}

const below = (port: Port): readonly Port[] => [...port.ports, ...port.ports.flatMap(below)];

export async function portAction(cxl: LibCxl, command: PortCommand, args: readonly string[]): Promise<number> {
  const { options, words, error } = parseOptions(args, USAGE[command].options, USAGE[command].line);
  const kind = command === 'disable-bus' ? 'bus' : 'port';
  const say = (fn: string, text: string) => print(cxl.sys, 2, `cxl ${kind}: ${fn}: ${text}\n`);
  if (error !== null || words.length === 0) {
    await print(cxl.sys, 2, error ?? usageOf(command));
    return 129;
  }
  // buses go by name or number only
  const odd = kind === 'bus' ? words.filter((word) => !/^(root)?\d/.test(word)) : [];
  for (const word of odd) await say('bus_action', `'${word}' is not a valid bus identifer`);
  if (odd.length === words.length) {
    await print(cxl.sys, 2, usageOf(command));
    return 129;
  }
  const disable = async (topology: Topology, port: Port): Promise<number> => {
    if (!port.enabled) return 0;
    const active = port.kind === 'endpoint' ? [port.memdev] : activeMemdevs(topology, port);
    if (active.length > 0 && !options.has('force')) {
      const many = active.length > 1;
      await say(
        'action_disable',
        `${port.name} hosts ${active.length} memdev${many ? 's which are' : ' which is'} part of an active region`,
      );
      const letter = kind === 'bus' ? 'b' : 'p';
      await say('action_disable', `See 'cxl list -M -${letter} ${port.name}' to see impacted device${many ? 's' : ''}`);
      return -E.EBUSY;
    }
    const path = `/sys/bus/cxl/devices/${port.name}`;
    return kind === 'bus' ? cxl.unbind(`${path}/uport`, port.host) : cxl.unbind(path, port.name);
  };
  let count = 0;
  let failure = 0;
  for (const word of words) {
    const topology = cxl.scan();
    const ports = kind === 'bus' ? topology.buses : topology.buses.flatMap(below);
    const all = options.has('endpoint')
      ? topology.buses.flatMap((bus) => [bus, ...below(bus)]).flatMap((port) => port.endpoints)
      : ports;
    const prefix = kind === 'bus' ? 'root' : options.has('endpoint') ? 'endpoint' : 'port';
    const found = all.filter((port) => passes(word, port.name, prefix, kind === 'bus' ? null : port.host));
    if (found.length === 0) {
      if (kind === 'bus') continue;
      const what = options.has('endpoint') ? 'endpoint' : 'port';
      await say('port_action', `${what}: ${word} not found`);
      continue;
    }
    for (const port of found) {
      let rc: number;
      if (command === 'enable-port') {
        rc = await cxl.bind(port.name);
        if (rc === 0 && options.has('enable-memdevs'))
          for (const memdev of topology.memdevs) if (!memdev.enabled) await cxl.bind(memdev.name);
      } else rc = await disable(topology, port);
      if (rc === 0) count++;
      else failure = rc;
    }
  }
  const done = command === 'enable-port' ? 'enabled' : 'disabled';
  await say(`cmd_${command.replace('-', '_')}`, `${done} ${count} ${kind}${count > 1 ? 's' : ''}`);
  return failure === 0 ? 0 : 1;
}
