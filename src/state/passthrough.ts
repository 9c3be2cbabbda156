/**
 * The chain by which L1 hands a CXL device to L2, link by link, at a moment: in L1 → taken by a vfio driver → opened by a VMM → its memory
 * offered as a region → realized in L2 → driven there → its virtual decoder committed → that memory reaches the device. A link is
 * whole where the state says so, broken where something tried and failed, and otherwise nobody has tried. Knows no patch and no
 * outcome: the ladder of the command line, the stage and the address lanes all read this.
 */
import { errnoName } from '../base/errno.ts';
import { LAYERS, type MachineId } from '../log/index.ts';
import { type Attempt, lastAttempt, wasKilled } from './attempt.ts';
import { claimsOf, wrongEnd } from './claims.ts';
import { type Evidence, errnoIn, evidenceIn, firstError } from './evidence.ts';
import type { RowReader } from './exits.ts';
import { functionsOf, publishedAs } from './functions.ts';
import type { StateReader } from './reader.ts';
import { type DeviceState, type MachineState, type PciFunctionState, paths, type VfioDeviceState } from './schema.ts';
import { type Call, lastBefore, type Probe, type Trail, trailOf } from './trail.ts';

const LINKS = ['device', 'bind', 'open', 'regions', 'realize', 'probe', 'commit', 'memory'] as const;
export type LinkId = (typeof LINKS)[number];

export interface Link {
  readonly id: LinkId;
  readonly state: 'whole' | 'broken' | 'untried';
  /** Of a broken link. */
  readonly evidence: Evidence | null;
}
export interface Chain {
  /** The device in L1, as L1 names it and by its id. */
  readonly bdf: string;
  readonly device: string;
  /** Its function in L2, if there is one now. */
  readonly guest: string | null;
  readonly links: readonly Link[];
  readonly broken: (Link & { readonly evidence: Evidence }) | null;
}

const EPROBE_DEFER = -517;
type Finding = 'whole' | 'untried' | Evidence;

/** Every CXL device of L1 that somebody means to pass on. */
export function passthrough(reader: StateReader, rows: RowReader): readonly Chain[] {
  const trail = trailOf(rows);
  const devices = pciDevices(reader, 'l1');
  const guests = functionsOf(reader, 'l2');
  return functionsOf(reader, 'l1')
    .filter((fn) => fn.backend !== undefined || fn.type === 'cxl-accel')
    .map((fn) => new Follower(reader, trail, rows.length, devices, guests, fn).chain())
    .filter((chain) => chain !== null);
}

class Follower {
  private readonly bdf: string;
  private readonly vfio: VfioDeviceState | null;
  private readonly guest: PciFunctionState | null;
  private readonly attempt: Attempt | null;
  private readonly override: string;
  /** Since when an earlier failure to bind no longer counts. */
  private readonly since: number;

  constructor(
    private readonly reader: StateReader,
    private readonly trail: Trail,
    private readonly cursor: number,
    devices: ReadonlyMap<string, DeviceState>,
    guests: readonly PciFunctionState[],
    private readonly fn: PciFunctionState,
  ) {
    this.bdf = `0000:${fn.bdf}`;
    this.vfio = publishedAs<VfioDeviceState>(reader.object(paths.vfioDevice('l1', this.bdf)));
    this.guest = guests.find((one) => one.host === this.bdf) ?? null;
    this.override = devices.get(this.bdf)?.override ?? '';
    const changes = trail.device(this.bdf, cursor);
    const bound = changes.findLastIndex(({ value }, n) => value === null || changes[n - 1]?.value === null || n === 0);
    this.since = Math.max(trail.bootOf('l1', cursor), changes[bound]?.row ?? 0);
    this.attempt = lastAttempt(trail, this.bdf, this.since, cursor);
  }

  chain(): Chain | null {
    if (this.vfio === null && !this.override.includes('vfio') && this.attempt === null) return null;
    const ask: Readonly<Record<LinkId, () => Finding>> = {
      device: () => 'whole',
      bind: () => this.bind(),
      ...(this.lost() ?? {
        open: () => (this.vfio?.opened ? 'whole' : this.tried('it never opened the device')),
        regions: () => this.regions(),
        realize: () => (this.guest && this.realized() ? 'whole' : this.tried('')),
        probe: () => this.probe(),
        commit: () => this.commit(),
        memory: () => this.memory(),
      }),
    };
    const links: Link[] = [];
    let broken: Chain['broken'] = null;
    for (const id of LINKS) {
      const reached: boolean = links.at(-1)?.state !== 'untried' && broken === null;
      const found: Finding = reached ? ask[id]() : 'untried';
      if (typeof found === 'string') links.push({ id, state: found, evidence: null });
      else {
        broken = { id, state: 'broken', evidence: found };
        links.push(broken);
      }
    }
    return { bdf: this.bdf, device: this.fn.id, guest: this.guest?.id ?? null, links, broken };
  }

  // --- L1 -----------------------------------------------------------------------------------------------------------

  private bind(): Finding {
    if (this.vfio) return 'whole';
    const { trail, since, cursor, bdf } = this;
    const probe = lastBefore(
      trail.probes,
      (one) => one.end,
      cursor,
      (one) => this.refused(one, bdf, 'l1', since),
    );
    if (probe) return this.ofProbe(probe, 'l1', null);
    const name = this.override.replaceAll('-', '_');
    const said = this.commandError('l1', since, (line) => name !== '' && line.replaceAll('-', '_').includes(name));
    return said ?? this.tried(`no vfio driver has ${bdf}`);
  }

  /** What a VMM that failed said; until one did, nobody tried. */
  private tried(seen: string): Finding {
    const { attempt } = this;
    if (!attempt?.failed) return 'untried';
    const ending = seen === '' ? attempt.ending : seen;
    return evidenceIn(this.trail, this.stretch(attempt.start, 'l1'), `L1's VMM: ${ending}`);
  }
  private stretch(from: number, machine: MachineId) {
    const killed = wasKilled(this.attempt?.run ?? null);
    const over = this.attempt && Number.isFinite(this.attempt.over) ? this.attempt.over : this.cursor;
    const to = Math.min(this.cursor, Math.max(over, this.attempt?.run?.end ?? over) + 1);
    return { from, to: Number.isFinite(to) ? to : this.cursor, machine, vmm: 'l1', died: true, killed } as const;
  }

  private realized(): boolean {
    const { realize } = this.attempt ?? {};
    return !realize || (realize.end < this.cursor && realize.result >= 0);
  }

  private regions(): Finding {
    if (this.vfio?.region) return 'whole';
    const seen = 'the device shows no region with the CXL memory';
    if (this.guest && this.realized()) return { row: null, layer: 'l1.kernel', fn: null, message: seen, errno: null };
    return this.tried(seen);
  }

  /** A VMM that took the device and is gone by a fault: how far it had come is in its trail, not in the state. */
  private lost(): Readonly<Record<Exclude<LinkId, 'device' | 'bind'>, () => Finding>> | null {
    const { attempt, trail } = this;
    if (!attempt?.failed || (this.guest && this.realized())) return null;
    const within = ({ begin }: Call): boolean => begin > attempt.start && begin < attempt.over;
    const realized = attempt.realize !== null && attempt.realize.result >= 0 && attempt.realize.end < this.cursor;
    const guest = trail.guestOf(this.bdf, this.cursor);
    const probe = trail.probes.findLast((one) => within(one) && guest !== null && isOf(one, 'l2', `0000:${guest.bdf}`));
    const region = trail.regions.findLast((one) => within(one) && machineOf(one) === 'l2');
    const committed = region !== undefined && region.result >= 0;
    const up = realized && probe !== undefined && !committed;
    const fault = (from: number): Evidence =>
      evidenceIn(trail, this.stretch(from, 'l2'), `L1's VMM: ${attempt.ending}`);
    return {
      open: () => (attempt.opened ? 'whole' : this.tried('it never opened the device')),
      regions: () => (attempt.region ? 'whole' : this.tried('')),
      realize: () => (up ? 'whole' : this.tried('')),
      probe: () => (region ? 'whole' : fault(probe?.begin ?? attempt.start)),
      commit: () => fault(region?.begin ?? attempt.start),
      memory: () => 'untried',
    };
  }

  // --- L2 -----------------------------------------------------------------------------------------------------------

  private probe(): Finding {
    const { trail, cursor, guest } = this;
    const name = `0000:${guest?.bdf}`;
    if (pciDevices(this.reader, 'l2').get(name)?.driver) return 'whole';
    const booted = trail.bootOf('l2', cursor);
    const probe = trail.probes.findLast((one) => one.begin < cursor && one.begin > booted && isOf(one, 'l2', name));
    if (probe) {
      const under = this.regionCalls().some(({ begin }) => begin > probe.begin && begin < probe.end);
      if (under && !(probe.end < cursor && probe.result >= 0)) return 'whole';
      if (this.refused(probe, name, 'l2', booted) && probe.end < cursor) return this.ofProbe(probe, 'l2', 'l1');
    }
    return (
      this.crashed(probe?.begin ?? booted) ?? this.commandError('l2', booted, (line) => LOADS.test(line)) ?? 'untried'
    );
  }

  private commit(): Finding {
    const call = this.regionCalls().at(-1);
    if (this.claims().length > 0) return 'whole';
    if (call && call.end < this.cursor && call.result < 0)
      return evidenceIn(
        this.trail,
        { from: call.begin, to: call.end + 1, machine: 'l2', vmm: 'l1' },
        `${call.name} gave ${errnoName(call.result)}`,
      );
    return this.crashed(call?.begin ?? this.trail.bootOf('l2', this.cursor)) ?? 'untried';
  }

  private memory(): Finding {
    const call = this.regionCalls().at(-1);
    // Between the register and the VMM's answer to it nothing can be said.
    if (call && call.end >= this.cursor) return 'untried';
    for (const { start, size } of this.claims()) {
      const astray = wrongEnd(this.reader, this.fn, start);
      if (astray) return { row: call?.end ?? null, fn: null, errno: null, address: start, size, ...astray };
    }
    return 'whole';
  }

  private claims(): ReturnType<typeof claimsOf> {
    return this.guest ? claimsOf(this.reader, this.guest) : [];
  }
  private regionCalls(): readonly Call[] {
    const booted = this.trail.bootOf('l2', this.cursor);
    return this.trail.regions.filter((one) => one.begin > booted && one.begin < this.cursor && machineOf(one) === 'l2');
  }
  private crashed(from: number): Evidence | null {
    const state = publishedAs<MachineState>(this.reader.object(paths.machine('l2')));
    if (state?.state !== 'crashed') return null;
    return evidenceIn(this.trail, { from, to: this.cursor, machine: 'l2', vmm: null }, state.reason ?? 'L2 crashed');
  }

  // --- both ---------------------------------------------------------------------------------------------------------

  /** Did a driver turn the device down for good? */
  private refused(probe: Probe, device: string, machine: 'l1' | 'l2', since: number): boolean {
    if (!isOf(probe, machine, device) || probe.begin < since || probe.result >= 0) return false;
    return probe.result !== EPROBE_DEFER && (machine === 'l2' || probe.driver === this.override);
  }
  private ofProbe(probe: Probe, machine: MachineId, vmm: 'l1' | null): Evidence {
    const seen = `${probe.driver} did not take ${probe.device}`;
    return evidenceIn(this.trail, { from: probe.begin, to: probe.end + 1, machine, vmm }, seen);
  }

  /** The last command of those meant that complained on its standard error. */
  private commandError(machine: 'l1' | 'l2', since: number, meant: (line: string) => boolean): Evidence | null {
    const { trail, cursor } = this;
    for (const typed of trail.typed.toReversed()) {
      if (typed.row >= cursor || typed.row < since) continue;
      if (typed.console.split('/')[0] !== machine || !meant(typed.line)) continue;
      const message = firstError(trail.saidBy(typed, cursor)).trim();
      if (message !== '')
        return { row: typed.row, layer: `${machine}.user`, fn: null, message, errno: errnoIn(message) };
    }
    return null;
  }
}

/** Commands that bring a driver. */
const LOADS = /\b(modprobe|insmod)\b/;
const machineOf = ({ layer }: Call): string => LAYERS[layer]?.id.split('.')[0] ?? '';
const isOf = (probe: Probe, machine: MachineId, device: string): boolean =>
  probe.device === device && machineOf(probe) === machine;

function pciDevices(reader: StateReader, machine: MachineId): ReadonlyMap<string, DeviceState> {
  const devices = new Map<string, DeviceState>();
  for (const path of reader.objectPaths(`dev/${machine}/`)) {
    const device = publishedAs<DeviceState>(reader.object(path));
    if (device?.subsystem === 'pci') devices.set(device.name, device);
  }
  return devices;
}
