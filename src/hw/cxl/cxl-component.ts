import { fromHalves, type Width } from '../../base/addr.ts';
import type { EventLog, MachineId, SiteId } from '../../log/index.ts';
import { CM_OFFSET } from '../../spec/cxl/component.ts';
import { decoderCount } from '../../spec/cxl/decode.ts';
import type { Layout, ResetClass } from '../../spec/dsl/types.ts';
import type { MemoryRegionOps } from '../memory/api.ts';
import type { MemoryCore } from '../memory/memory.ts';
import type { MemoryRegion } from '../memory/memory-region.ts';
import { RegisterSpace } from '../registers/register-space.ts';
import { device_base, REFUSALS, refusal, type Silicon } from './silicon.ts';

/** What CXL components of one machine share (a `PciEnv` fits). */
export interface CxlEnv {
  readonly log: EventLog;
  readonly core: MemoryCore;
  readonly machine: MachineId;
  readonly layer: number;
}

export const CXL2_COMPONENT_BLOCK_SIZE = 0x10000;
export const CXL2_COMPONENT_IO_REGION_SIZE = 0x1000;
export const CXL2_COMPONENT_CM_REGION_SIZE = 0x1000;

const LOCK = 0x100;
const COMMIT = 0x200;
const COMMITTED = 0x400;
const ERROR = 0x800;
const TYPE = 0x1000;
const DECODER_STRIDE = 0x20;

/** One HDM decoder as its registers say, decoded once per change. */
export interface HdmDecoder {
  base: number;
  size: number;
  committed: boolean;
  /** Encoded granularity and ways as in CTRL. */
  ig: number;
  iw: number;
  targetLow: number;
  targetHigh: number;
  /** Device address it begins at, fixed when it was committed (`silicon=strict`). */
  dpaBase: number;
}

/**
 * Component registers of one CXL component (QEMU hw/cxl/cxl-component-utils.c): the 64 KiB block and the HDM decoders in
 * it. Commits succeed at once and check nothing, as QEMU; with `silicon` they follow the specification. Left out: ARB/MUX, CXL.io registers, error injection.
 */
export class CxlComponent {
  /** The 64 KiB block with `.io` and `.cache_mem`. */
  readonly memory: MemoryRegion;
  readonly registers: RegisterSpace;
  /** Grows whenever a decoder register may have changed. */
  generation = 0;
  private parsed = -1;
  private readonly cache: HdmDecoder[] = [];
  private readonly refused: readonly SiteId[] = [];

  constructor(
    private readonly env: CxlEnv,
    /** Path of the register cells: `hw/l1/accel0/component`. */
    readonly path: string,
    layout: Layout,
    /** Name of the container region: `cxl-rp`, `pxb-cxl-host`, `cxl-accel`. */
    name: string,
    /** The specification's rules of committing and locking instead of QEMU's. */
    readonly silicon: Silicon | null = null,
  ) {
    const { core, log, layer } = env;
    const registers = new RegisterSpace(log, path, layout, { layer });
    this.registers = registers;
    const wide = log.site({
      layer,
      name: 'CXL 8 byte cache mem registers not implemented',
      args: ['offset', 'write'],
      cite: 'QEMU hw/cxl/cxl-component-utils.c',
    });
    const unimplemented = log.site({
      layer,
      name: `write to CXL.io registers of ${name}: dropped`,
      args: ['offset', 'value'],
      cite: 'QEMU hw/cxl/cxl-component-utils.c',
    });
    if (silicon) {
      const { capacity } = silicon;
      this.refused = REFUSALS.map((reason) =>
        log.site({
          layer,
          name: `HDM decoder not committed: ${reason}`,
          args: ['decoder', capacity === null ? 'port' : 'capacity'],
          cite: 'CXL 3.1 8.2.4.20.12',
        }),
      );
    }
    const locked = log.site({
      layer,
      name: `write to a locked HDM decoder of ${name}: dropped`,
      args: ['offset', 'value'],
      cite: 'CXL 3.1 8.2.4.20.7',
    });
    const io: MemoryRegionOps = {
      hi: 0,
      read: () => 0,
      write: (offset, _width, lo) => log.note(unimplemented, offset, lo),
      peek: () => 0,
    };
    const cacheMem: MemoryRegionOps = {
      hi: 0,
      valid: { min: 4, max: 8 },
      impl: { min: 4, max: 8 },
      read(offset: number, width: Width): number {
        if (width === 4) return registers.read(offset, 4);
        if (silicon && width === 8) {
          const value = registers.read(offset, 8);
          cacheMem.hi = registers.hi;
          return value;
        }
        cacheMem.hi = 0;
        log.note(wide, offset, 0);
        return 0;
      },
      write: (offset, width, lo, hi) => {
        if (width === 4) {
          if (silicon && this.isLocked(offset)) log.note(locked, offset, lo);
          else registers.write(offset, 4, lo);
        } else if (silicon && width === 8) {
          cacheMem.write(offset, 4, lo, 0);
          cacheMem.write(offset + 4, 4, hi, 0);
        } else log.note(wide, offset, 1);
      },
      peek: (offset, width) => (width === 4 ? registers.peek(offset, 4) : 0),
    };
    this.memory = core.memory_region_init(name, CXL2_COMPONENT_BLOCK_SIZE);
    core.memory_region_add_subregion(
      this.memory,
      0,
      core.memory_region_init_io(io, '.io', CXL2_COMPONENT_IO_REGION_SIZE),
    );
    const cm = core.memory_region_init_io(cacheMem, '.cache_mem', CXL2_COMPONENT_CM_REGION_SIZE);
    core.memory_region_add_subregion(this.memory, CXL2_COMPONENT_IO_REGION_SIZE, cm);
    const touched = () => this.touch();
    for (let n = 0; registers.has(`CTRL${n}`); n++) {
      if (silicon?.type) registers.init(`CTRL${n}`, TYPE);
      this.cache.push({ base: 0, size: 0, committed: false, ig: 0, iw: 0, targetLow: 0, targetHigh: 0, dpaBase: 0 });
      for (const name of ['BASE_LO', 'BASE_HI', 'SIZE_LO', 'SIZE_HI', 'TARGET_LO', 'TARGET_HI']) {
        registers.onWrite(`${name}${n}`, touched);
      }
      registers.onWrite(`CTRL${n}`, (before, after) =>
        silicon ? this.commit_strictly(n, before, after, silicon) : this.hdm_decoder_commit(n, after),
      );
    }
  }

  /** Registers of decoder n start here in the layout. */
  static decoderOffset(n: number): number {
    return CM_OFFSET.HDM + 0x10 + n * DECODER_STRIDE;
  }

  /** Decoders the capability announces (0 without the capability). */
  get decoderCount(): number {
    if (this.cache.length === 0) return 0;
    return Math.min(decoderCount(this.registers.get('HDM_CAP', 'DECODER_COUNT')) ?? 0, this.cache.length);
  }

  /** The decoders as the registers stand; the array and its objects are reused, do not keep them. */
  get decoders(): readonly HdmDecoder[] {
    if (this.parsed !== this.generation) this.parse();
    return this.cache;
  }

  /** Puts the registers back (cxl_component_register_init_common is a power-on for them). */
  reset(kind: ResetClass | 'power-on' = 'power-on'): void {
    this.registers.reset(kind);
    this.touch();
  }

  /** Decoding may differ from now on. */
  touch(): void {
    this.generation++;
    this.env.core.generation++;
  }

  /** hdm_decoder_commit()/uncommit: COMMIT decides COMMITTED at once, ERROR never stays. */
  private hdm_decoder_commit(n: number, ctrl: number): void {
    const value = ctrl & COMMIT ? (ctrl | COMMITTED) & ~ERROR : ctrl & ~(COMMITTED | ERROR);
    this.registers.set(`CTRL${n}`, value >>> 0);
    this.touch();
  }

  /** 0 → 1 of COMMIT starts a commit, which is refused or done at once; 1 → 0 takes the decoder out. */
  private commit_strictly(n: number, before: number, after: number, silicon: Silicon): void {
    let value = after & ~(COMMITTED | ERROR);
    if (silicon.type !== null) value = (value & ~TYPE) | (silicon.type * TYPE);
    this.registers.set(`CTRL${n}`, value >>> 0);
    this.touch();
    if (!(after & COMMIT)) return;
    if (before & COMMIT) value |= before & (COMMITTED | ERROR);
    else {
      const reason = refusal(this.decoders, n, silicon);
      if (reason < 0) {
        (this.cache[n] as HdmDecoder).dpaBase = silicon.capacity === null ? 0 : device_base(this.decoders, n);
        value |= COMMITTED;
      } else {
        value |= ERROR;
        const site = this.refused[reason];
        if (site !== undefined) this.env.log.note(site, n, silicon.capacity ?? 0);
      }
    }
    this.registers.set(`CTRL${n}`, value >>> 0);
    this.touch();
  }

  /** Committed with Lock On Commit: every register of the decoder is read-only until reset. */
  private isLocked(offset: number): boolean {
    const n = Math.floor((offset - CxlComponent.decoderOffset(0)) / DECODER_STRIDE);
    if (offset < CxlComponent.decoderOffset(0) || n >= this.cache.length) return false;
    const ctrl = this.registers.peek(CxlComponent.decoderOffset(n) + 0x10, 4);
    return (ctrl & (LOCK | COMMITTED)) === (LOCK | COMMITTED);
  }

  private parse(): void {
    const { registers } = this;
    for (let n = 0; n < this.cache.length; n++) {
      const at = CxlComponent.decoderOffset(n);
      const decoder = this.cache[n] as HdmDecoder;
      const ctrl = registers.peek(at + 0x10, 4);
      decoder.base = fromHalves(registers.peek(at + 4, 4), registers.peek(at, 4) & 0xf0000000);
      decoder.size = fromHalves(registers.peek(at + 12, 4), registers.peek(at + 8, 4) & 0xf0000000);
      decoder.committed = (ctrl & COMMITTED) !== 0;
      decoder.ig = ctrl & 0xf;
      decoder.iw = (ctrl >>> 4) & 0xf;
      decoder.targetLow = registers.peek(at + 0x14, 4);
      decoder.targetHigh = registers.peek(at + 0x18, 4);
    }
    this.parsed = this.generation;
  }
}
