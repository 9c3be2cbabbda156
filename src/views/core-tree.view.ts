import { hex0x } from '../base/addr.ts';
import type { MachineId } from '../log/index.ts';
import { sizeText } from '../state/decode.ts';
import { publishedAs } from '../state/functions.ts';
import type { StateReader } from '../state/reader.ts';
import { type CxlDecoderState, type CxlObjectState, paths } from '../state/schema.ts';
import { groupBy } from './group-by.ts';
import type { InterleaveSet } from './interleave.view.ts';
import type { StageMachine, StageNode } from './stage.view.ts';

/**
 * Trees of the CXL core that stand on no PCI function (cxl_test's platform devices): drawn from the core's own objects, as
 * there are no registers to read. Everything else on the stage comes from hardware.
 */
type Port = Extract<CxlObjectState, { kind: 'root' | 'port' | 'endpoint' }>;
type Memdev = Extract<CxlObjectState, { kind: 'memdev' }>;

const onPci = (host: string): boolean => /^(pci|[0-9a-f]{4}:)/.test(host);

export interface CoreTree {
  readonly roots: readonly StageNode[];
  readonly windows: StageMachine['windows'];
}

const NOTHING: CoreTree = { roots: [], windows: [] };

export function coreTree(reader: StateReader, machine: MachineId, sets: readonly InterleaveSet[]): CoreTree {
  const objects = coreObjects(reader, machine);
  const ports = objects.filter(
    (one): one is Port => one.kind === 'port' || one.kind === 'endpoint' || one.kind === 'root',
  );
  const mocked = ports.filter((one) => one.kind === 'root' && !/^ACPI/.test(one.uport));
  if (mocked.length === 0) return NOTHING;
  const children = groupBy(ports, (port) => port.parent);
  const memdevs = new Map(objects.filter((one): one is Memdev => one.kind === 'memdev').map((one) => [one.name, one]));
  const decoders = groupBy(objects.filter(isDecoder), (one) => one.port);
  const build = (port: Port): StageNode => {
    const memdev = memdevs.get(port.uport);
    const name = memdev?.name ?? port.name;
    const bridge = port.kind === 'port' && port.parent !== null && mocked.some((root) => root.name === port.parent);
    const size = (memdev?.ramSize ?? 0) + (memdev?.pmemSize ?? 0);
    return {
      machine,
      id: name,
      path: paths.cxl(machine, name),
      kind: memdev ? 'memory' : bridge ? 'host-bridge' : 'port',
      label: memdev ? 'mock memory device' : bridge ? 'mock host bridge' : 'mock switch',
      short: memdev ? 'mock' : bridge ? 'bridge' : 'switch',
      type: memdev || bridge ? 'platform device' : 'cxl-upstream',
      bdf: memdev ? memdev.host.replace(/^cxl_/, '') : port.name,
      vendorDevice: '',
      driver: memdev ? 'cxl_mem' : 'cxl_port',
      cxl: memdev ? [memdev.name, port.name] : [],
      slots: (decoders.get(port.name) ?? []).map((one, index) => ({
        index,
        state: one.enabled ? ('committed' as const) : one.size > 0 ? ('programmed' as const) : ('idle' as const),
        answeredBy: 'device' as const,
        text: `${one.name} ${hex0x(one.start)} + ${sizeText(one.size)}`,
      })),
      sets: sets.flatMap((set) =>
        set.members
          .filter((member) => member.id === name)
          .map(({ position }) => ({ index: set.index, position, ways: set.ways })),
      ),
      note: memdev ? `mock · ${sizeText(size)}` : '',
      children: (children.get(port.name) ?? []).map(build),
    };
  };
  return {
    roots: mocked.flatMap((root) => (children.get(root.name) ?? []).map(build)),
    windows: mocked.flatMap((root) =>
      (decoders.get(root.name) ?? []).map((one) => ({
        path: paths.cxl(machine, one.name),
        text: `${one.name} · ${hex0x(one.start)} · ${sizeText(one.size)}${one.ways > 1 ? ` · ${one.ways} ways` : ''}`,
        short: `${one.name.replace('decoder', 'window ')} ${sizeText(one.size)}`,
      })),
    ),
  };
}

/** Sets of regions that no register tells of, numbered on from `first`. */
export function coreSets(
  reader: StateReader,
  machine: MachineId,
  known: readonly InterleaveSet[],
): readonly InterleaveSet[] {
  const objects = coreObjects(reader, machine);
  const named = new Map(objects.map((one) => [one.name, one]));
  const endpoints = new Map(
    objects.flatMap((one) =>
      one.kind === 'memdev' && one.endpoint !== null && !onPci(one.host) ? [[one.endpoint, one.name]] : [],
    ),
  );
  if (endpoints.size === 0) return [];
  let index = known.length;
  return objects.flatMap((region): InterleaveSet[] => {
    if (region.kind !== 'region' || region.state !== 'commit' || known.some((set) => set.base === region.start))
      return [];
    const members = region.targets.flatMap((target, position) => {
      const decoder = named.get(target);
      const id = decoder && isDecoder(decoder) ? endpoints.get(decoder.port) : undefined;
      if (!decoder || !isDecoder(decoder) || id === undefined) return [];
      return [{ position, id, decoder: Number(target.split('.')[1] ?? 0), dpa: decoder.dpa?.start ?? 0 }];
    });
    const { name, start, size, ways, granularity } = region;
    return [
      {
        ...{ machine, index: index++, name, path: paths.cxl(machine, name) },
        base: start,
        size,
        ways,
        granularity,
        members,
      },
    ];
  });
}

function coreObjects(reader: StateReader, machine: MachineId): readonly CxlObjectState[] {
  return reader
    .objectPaths(`cxl/${machine}/`)
    .map((path) => publishedAs<CxlObjectState>(reader.object(path)))
    .filter((one) => one !== null);
}

const isDecoder = (one: CxlObjectState): one is CxlDecoderState => one.kind.endsWith('-decoder');
