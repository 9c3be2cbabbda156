import type { Stage, StageMachine, StageNode } from '../../../views/stage.view.ts';

/** A stage of any size without an engine: bridges of ports, each with a device or a switch of devices. */
export function syntheticStage(bridges: number, ports: number, devicesPerSwitch: number): Stage {
  let bus = 0;
  const node = (kind: StageNode['kind'], type: string, label: string, children: readonly StageNode[]): StageNode => {
    const n = bus++;
    const device = kind === 'memory';
    return {
      machine: 'l1',
      id: `${type}${n}`,
      kind,
      label,
      short: device ? 'type-3' : kind === 'port' ? 'port' : 'bridge',
      type,
      bdf: `${(n % 256).toString(16).padStart(2, '0')}:00.0`,
      vendorDevice: '8086:0d93',
      driver: device ? 'cxl_pci' : null,
      cxl: device ? [`mem${n}`, `endpoint${n}`] : [],
      slots: Array.from({ length: kind === 'port' && type !== 'cxl-upstream' ? 0 : 4 }, (_, index) => ({
        index,
        state: index === 0 ? ('committed' as const) : ('idle' as const),
        answeredBy: 'device' as const,
        text: '',
      })),
      sets: device ? [{ index: n % 3, position: n % 8, ways: 8 }] : [],
      note: device ? `mem${n} · 256 MiB` : '',
      children,
    };
  };
  const device = () => node('memory', 'cxl-type3', 'CXL memory expander', []);
  const port = () =>
    node('port', 'cxl-rp', 'CXL root port', [
      devicesPerSwitch === 0
        ? device()
        : node(
            'port',
            'cxl-upstream',
            'CXL switch, upstream port',
            Array.from({ length: devicesPerSwitch }, () =>
              node('port', 'cxl-downstream', 'CXL switch, downstream port', [device()]),
            ),
          ),
    ]);
  const nothing = { facts: '', roots: [], others: [], vmm: null, windows: [], regions: [], guest: null } as const;
  const guest: StageMachine = {
    ...nothing,
    id: 'l1',
    title: 'L1 guest',
    state: 'running',
    windows: [{ path: 'hw/l1/fmw/0', text: 'CXL window 0 · 0x490000000 · 4 GiB', short: 'window 0' }],
    regions: Array.from({ length: 3 }, (_, set) => ({
      ...{ path: `cxl/l1/region${set}`, name: `region${set}`, text: 'commit', short: `region${set}`, live: true, set },
    })),
    roots: Array.from({ length: bridges }, () =>
      node('host-bridge', 'pxb-cxl', 'CXL host bridge', Array.from({ length: ports }, port)),
    ),
  };
  return { host: { ...nothing, id: 'host', title: 'Host · L0', state: 'running', guest }, threads: [] };
}
