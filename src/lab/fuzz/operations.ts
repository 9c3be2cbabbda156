/** One random thing a layer can do to the passed-through device, well formed or not. */
import type { Prng } from '../../base/prng.ts';
import type { Linux } from '../../linux/kernel/linux.ts';
import { MAP_PRIVATE, MAP_SHARED } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { VFIO_GET_API_VERSION, VFIO_PCI_INDEX_TO_OFFSET } from '../../linux/uapi/vfio.ts';

export type Actor = 'l2' | 'l1.user' | 'l1.kernel';

/** What the operations act on. */
export interface Target {
  readonly l1: Linux;
  readonly l2: Linux;
  /** The VMM's system calls, its device descriptor, and its others (container, group, KVM). */
  readonly sys: Sys;
  readonly device: number;
  readonly others: readonly number[];
  /** BAR 0 and the configuration space on each bus, and L2's region. */
  readonly bar: Readonly<Record<'l1' | 'l2', number>>;
  readonly ecam: Readonly<Record<'l1' | 'l2', number>>;
  readonly region: { readonly start: number; readonly size: number };
}

export interface Operation {
  readonly actor: Actor;
  readonly text: string;
  /** Gives what the call returned, or 0 for loads and stores. */
  run(): number | Promise<number>;
}

const WIDTHS = [1, 2, 4, 8] as const;
const pick = <T>(random: Prng, from: readonly T[]): T => from[random.below(from.length)] as T;

/** Mostly where registers are, sometimes anywhere in the 64 KiB. */
function barOffset(random: Prng): number {
  const where = random.below(10);
  if (where < 6) return 0x1120 + random.below(0xa0);
  if (where < 9) return 0x1000 + random.below(0x1000);
  return random.below(0x10000);
}
function value(random: Prng): number {
  return pick(random, [0, 0xffffffff, random.next(), 1 << random.below(32), 0x10000000, 0x200]) >>> 0;
}

/** Offsets in a VFIO region: registers, the CXL DVSECs of configuration space, the edges of the region, far beyond it. */
function regionOffset(random: Prng, index: number): number {
  const where = random.below(8);
  const size = index === 0 ? 0x10000 : index === 9 ? 0x1000_0000 : 0x1000;
  if (where === 0) return size - 8 + random.below(16);
  if (where === 1) return pick(random, [size * 2, 2 ** 32 - 3, 2 ** 39 + 1, 2 ** 40 - 1 - random.below(8)]);
  if (index === 7 && where < 5) return 0x100 + random.below(0x80);
  return index === 0 ? barOffset(random) : random.below(size);
}

export function randomOperation(random: Prng, target: Target): Operation {
  const which = random.below(10);
  if (which < 4) return guestAccess(random, target);
  if (which < 8) return vfioCall(random, target);
  return kernelAccess(random, target);
}

function guestAccess(random: Prng, target: Target): Operation {
  const { bus } = target.l2.cpu;
  const width = pick(random, WIDTHS);
  const { region } = target;
  const at = pick(random, [
    target.bar.l2 + barOffset(random),
    target.bar.l2 + barOffset(random),
    target.ecam.l2 + random.below(0x1000),
    target.ecam.l2 + 0x100 + random.below(0x80),
    region.start + random.below(region.size),
    region.start + region.size - random.below(16),
  ]);
  const [lo, hi] = [value(random), value(random)];
  const write = random.below(2) === 0;
  return {
    actor: 'l2',
    text: `${write ? 'store' : 'load'} ${width} ${at.toString(16)}`,
    run() {
      if (write) bus.store(at, width, lo, hi);
      else bus.load(at, width);
      return 0;
    },
  };
}

function kernelAccess(random: Prng, target: Target): Operation {
  const { bus } = target.l1.cpu;
  const width = pick(random, WIDTHS);
  // BARs and COMMAND of the device stay: L1's kernel moving them would end the passthrough, not test it.
  const config = 0x100 + random.below(0xf00);
  const at = random.below(3) === 0 ? target.ecam.l1 + config : target.bar.l1 + barOffset(random);
  const [lo, hi] = [value(random), value(random)];
  const write = random.below(2) === 0;
  return {
    actor: 'l1.kernel',
    text: `${write ? 'writel' : 'readl'} ${width} ${at.toString(16)}`,
    run() {
      if (write) bus.store(at, width, lo, hi);
      else bus.load(at, width);
      return 0;
    },
  };
}

function vfioCall(random: Prng, target: Target): Operation {
  const { sys, device } = target;
  const index = pick(random, [0, 0, 0, 2, 4, 7, 7, 7, 9, 9, random.below(16)]);
  const inside = regionOffset(random, index);
  const offset = VFIO_PCI_INDEX_TO_OFFSET(index) + inside;
  const size = pick(random, [1, 2, 4, 4, 4, 8, 0, 3, 5, 7, 16, random.below(64)]);
  const bytes = Uint8Array.from({ length: size }, () => random.next() & 255);
  const call = random.below(20);
  const operation = (text: string, run: () => number | Promise<number>): Operation => ({ actor: 'l1.user', text, run });
  if (call < 8) return operation(`pread ${size} ${offset.toString(16)}`, () => sys.pread(device, bytes, offset));
  if (call < 15) return operation(`pwrite ${size} ${offset.toString(16)}`, () => sys.pwrite(device, bytes, offset));
  if (call < 17) {
    const length = pick(random, [4096, 0x10000, 0x1000_0000, 0x2000_0000, 0, 100]);
    const page = pick(random, [0, 0, 4096, inside]);
    const flags = pick(random, [MAP_SHARED, MAP_SHARED, MAP_PRIVATE]);
    return operation(`mmap region ${index}+${page} length ${length}`, () => {
      const at = sys.mmap(0, length, 3, flags, device, VFIO_PCI_INDEX_TO_OFFSET(index) + page);
      return at > 0 ? sys.munmap(at, length) : at;
    });
  }
  return vfioIoctl(random, target);
}

/** Arguments are truncated, oversized or full of noise; the number is one of VFIO's or near them, on any of the VMM's files. */
function vfioIoctl(random: Prng, { sys, device, others }: Target): Operation {
  const request = VFIO_GET_API_VERSION + random.below(24);
  const arg = new Uint8Array(random.below(96));
  for (let n = 0; n < arg.length; n++) arg[n] = random.below(3) === 0 ? random.next() & 255 : 0;
  // argsz: honest, short, or noise.
  if (arg.length >= 4 && random.below(3) > 0) arg.set([random.below(2) === 0 ? arg.length : random.below(64), 0, 0, 0]);
  if (arg.length >= 12 && random.below(2) === 0) arg.set([random.below(12), 0, 0, 0], 8);
  const fd = random.below(4) > 0 ? device : pick(random, others);
  // Ending the passthrough itself is not what is tried here: unset container, detach, unmap all.
  const ends = new Set([5, 14, 20].map((n) => VFIO_GET_API_VERSION + n));
  const safe = ends.has(request) ? VFIO_GET_API_VERSION + 7 : request;
  return {
    actor: 'l1.user',
    text: `ioctl ${safe.toString(16)} with ${arg.length} bytes on ${fd}`,
    run: () => sys.ioctl(fd, safe, random.below(8) === 0 ? value(random) : arg),
  };
}
