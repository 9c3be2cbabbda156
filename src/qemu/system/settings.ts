/** What the command line asks for, parsed but not yet acted upon. */
import type { Opts } from './qemu-opts.ts';

/** An option kept with its text, for error locations: `-device cxl-rp,bus=x`. */
export interface Located<T> {
  readonly location: string;
  readonly value: T;
}

export interface CpuSettings {
  readonly model: string;
  readonly features: ReadonlyMap<string, string>;
}

export interface Settings {
  /** All `-M/-machine` (and what maps to them) merged, dotted keys flat; the last value wins. */
  readonly machine: Map<string, string>;
  readonly accel: Located<ReadonlyMap<string, string>>[];
  readonly objects: Located<ReadonlyMap<string, string>>[];
  readonly devices: Located<Opts>[];
  readonly globals: { readonly driver: string; readonly property: string; readonly value: string }[];
  memory: Located<Opts> | null;
  smp: Located<Opts> | null;
  cpu: Located<CpuSettings> | null;
  kernel: string | null;
  initrd: string | null;
  append: string | null;
  nographic: boolean;
  display: string | null;
  vga: string | null;
  /** `-nic none`, `-net none`: no default network card. Anything else is refused before it gets here. */
  nic: boolean | null;
  readonly serials: Located<string>[];
  readonly monitors: Located<string>[];
  nodefaults: boolean;
  noReboot: boolean;
  noShutdown: boolean;
  startStopped: boolean;
  snapshot: boolean;
  name: string | null;
  readonly drives: string[];
}

export function newSettings(): Settings {
  return {
    machine: new Map(),
    accel: [],
    objects: [],
    devices: [],
    globals: [],
    memory: null,
    smp: null,
    cpu: null,
    kernel: null,
    initrd: null,
    append: null,
    nographic: false,
    display: null,
    vga: null,
    nic: null,
    serials: [],
    monitors: [],
    nodefaults: false,
    noReboot: false,
    noShutdown: false,
    startStopped: false,
    snapshot: false,
    name: null,
    drives: [],
  };
}
