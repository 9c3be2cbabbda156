/**
 * What a window has learnt by walking its decoders: for each granule of the interleave pattern the device, and the range of host
 * addresses over which that holds. Ours; an access through it ends where the walk would (random-topology.test.ts). Everything is
 * forgotten when any decoder, card or mapping changes.
 */
import type { Addr } from '../../base/addr.ts';
import type { CxlComponent } from './cxl-component.ts';
import { decoder_holding } from './decode-path.ts';
import type { CxlHostBridge, CxlMemoryDevice } from './topology.ts';

/** Patterns longer than this are walked every time. */
const MOST_SLOTS = 8192;
/** Of a device that does not interleave: no address reaches it. */
const WHOLE = 2 ** 50;

export class DecodePlan {
  private generation = -1;
  /** Granule of the pattern and its length in granules; no slots: the pattern is too long to remember. */
  private unit = 0;
  private slots = 0;
  private first = new Float64Array(0);
  private past = new Float64Array(0);
  /** Decoder base, device address at its start, endpoint granule, granule times ways. */
  private base = new Float64Array(0);
  private start = new Float64Array(0);
  private grain = new Float64Array(0);
  private stride = new Float64Array(0);
  private readonly devices: (CxlMemoryDevice | null)[] = [];
  /** Of the last slot found. */
  device: CxlMemoryDevice | null = null;

  constructor(
    private readonly core: { readonly generation: number },
    private readonly granularity: number,
    private readonly targets: readonly CxlHostBridge[],
  ) {}

  /** Device address behind `hpa` with the device in `device`, or -1 when the walk has to tell. */
  find(hpa: Addr): number {
    if (this.generation !== this.core.generation) this.begin();
    if (this.slots === 0) return -1;
    const granule = Math.floor(hpa / this.unit);
    const slot = granule - this.slots * Math.floor(granule / this.slots);
    if (hpa < (this.first[slot] as number) || hpa >= (this.past[slot] as number)) return -1;
    const offset = hpa - (this.base[slot] as number);
    const grain = this.grain[slot] as number;
    const dpa =
      (this.start[slot] as number) +
      Math.floor(offset / (this.stride[slot] as number)) * grain +
      (offset - Math.floor(offset / grain) * grain);
    const device = this.devices[slot] as CxlMemoryDevice;
    this.device = device;
    return dpa < device.capacity ? dpa : -1;
  }

  /** Remembers a walk's outcome: `path` are the components whose decoders chose, the device's own last. */
  learn(hpa: Addr, device: CxlMemoryDevice, dpa: number, path: readonly CxlComponent[]): void {
    if (this.generation !== this.core.generation) this.begin();
    if (this.slots === 0) return;
    let first = 0;
    let past = WHOLE;
    for (const component of path) {
      const { decoders } = component;
      const chosen = decoder_holding(component, hpa);
      for (let n = 0; n <= chosen; n++) {
        const { base, size, committed } = decoders[n] as (typeof decoders)[number];
        if (n === chosen) {
          first = Math.max(first, base);
          past = Math.min(past, base + size);
        } else if (component.silicon && !committed) continue;
        else if (base > hpa) past = Math.min(past, base);
        else first = Math.max(first, base + size);
      }
    }
    const decoder = device.component.decoders[decoder_holding(device.component, hpa)];
    if (!decoder) return;
    const slot = Math.floor(hpa / this.unit) % this.slots;
    const ways = decoder.iw < 8 ? 2 ** decoder.iw : 3 * 2 ** (decoder.iw - 8);
    const grain = decoder.iw === 0 ? WHOLE : 2 ** (decoder.ig + 8);
    const offset = hpa - decoder.base;
    this.first[slot] = first;
    this.past[slot] = past;
    this.base[slot] = decoder.base;
    this.grain[slot] = grain;
    this.stride[slot] = grain * ways;
    this.start[slot] = dpa - Math.floor(offset / (grain * ways)) * grain - (offset % grain);
    this.devices[slot] = device;
  }

  /** Works the pattern out of the decoders as they stand: the smallest granule, and the length after which all levels repeat. */
  private begin(): void {
    this.generation = this.core.generation;
    let unit = WHOLE;
    let power = 1;
    let three = 1;
    const level = (granule: number, ways: number) => {
      unit = Math.min(unit, granule);
      const factor = ways % 3 === 0 ? 3 : 1;
      three = Math.max(three, factor);
      power = Math.max(power, (granule * ways) / factor);
    };
    const component = ({ decoders }: CxlComponent) => {
      for (const { committed, ig, iw } of decoders) if (committed && iw > 0) level(2 ** (ig + 8), 2 ** iw);
    };
    if (this.targets.length > 1) level(this.granularity, this.targets.length);
    for (const bridge of this.targets) {
      if (!bridge.passthrough) component(bridge.component);
      for (const port of bridge.ports) if (port.upstream) component(port.upstream.component);
    }
    const slots = unit === WHOLE ? 1 : (power / unit) * three;
    this.unit = unit;
    this.slots = slots <= MOST_SLOTS ? slots : 0;
    if (this.slots > this.past.length) {
      this.first = new Float64Array(this.slots);
      this.past = new Float64Array(this.slots);
      this.base = new Float64Array(this.slots);
      this.start = new Float64Array(this.slots);
      this.grain = new Float64Array(this.slots);
      this.stride = new Float64Array(this.slots);
    } else this.past.fill(0);
    this.device = null;
  }
}
