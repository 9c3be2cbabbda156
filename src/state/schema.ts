import type { Addr, Hva } from '../base/addr.ts';
import type { MachineId } from '../log/layers.ts';

/**
 * The published state: which object cells exist and what is in them. The engine writes them (`EventLog.publish`), the
 * page, `xlat` and the exports read them. Values are plain immutable JSON; addresses are numbers (≤ 2^52) in bytes.
 *
 * A path below is exactly the string given to `publish`. Register blocks are not objects: their dwords are register
 * cells under the paths that `RegisterRoute.block` names.
 */
export const paths = {
  machine: (m: MachineId) => `machine/${m}`,
  /** One PCI function of machine m's hardware, by QOM/qdev id (or generated name `dev-00-1f-2`). */
  pciFunction: (m: MachineId, id: string) => `hw/${m}/pci/${id}`,
  /** Everything the machine's hardware says about CXL routing and memory. */
  memoryMap: (m: MachineId) => `hw/${m}/map`,
  fixedWindow: (m: MachineId, n: number) => `hw/${m}/fmw/${n}`,
  /** KVM memory slots of guest m (kept by the kernel of the level above). */
  kvmSlots: (m: MachineId) => `kvm/${m}/slots`,
  kvmStats: (m: MachineId) => `kvm/${m}/stats`,
  process: (m: MachineId, pid: number) => `proc/${m}/${pid}`,
  /** VMAs of a process that are not plain heap (guest RAM, VFIO mappings). */
  vmas: (m: MachineId, pid: number) => `vma/${m}/${pid}`,
  /** One device of the kernel's driver core, by its sysfs path below /sys (`/devices/pci0000:0c/…`). */
  device: (m: MachineId, sysfs: string) => `dev/${m}${sysfs}`,
  module: (m: MachineId, name: string) => `mod/${m}/${name}`,
  /** One object of the CXL core by its name (root0, port1, decoder0.0, region0, mem0 …). */
  cxl: (m: MachineId, name: string) => `cxl/${m}/${name}`,
  iomem: (m: MachineId) => `iomem/${m}`,
  /** The shell on a console, after a command that failed and after the one that followed it. */
  shell: (m: MachineId, console: string) => `shell/${m}/${console}`,
  vfioDevice: (m: MachineId, bdf: string) => `vfio/${m}/${bdf}`,
} as const;

/** A machine and what runs on it. */
export interface MachineState {
  readonly id: MachineId;
  readonly state: 'off' | 'firmware' | 'booting' | 'running' | 'halted' | 'crashed';
  readonly release?: string;
  readonly build?: string;
  /** Of a kernel that kbuild made: what it is, in words. */
  readonly notes?: readonly string[];
  /** Of a VMM that qbuild made: the same. */
  readonly vmmBuild?: string;
  readonly cmdline?: string;
  /** The VMM that provides it: absent for the host. */
  readonly vmm?: { readonly machine: MachineId; readonly pid: number };
  readonly ramBytes?: number;
  readonly cpus?: number;
  /** Why it crashed. */
  readonly reason?: string;
  /** What the last oops said that the kernel went on after. */
  readonly oops?: string;
}

/** A PCI function as the VMM built it. `bdf` follows what firmware and kernel wrote into the bridges. */
export interface PciFunctionState {
  readonly id: string;
  /** QEMU device type: `cxl-rp`, `cxl-accel`, `vfio-pci`, `pxb-cxl`, `mch` … */
  readonly type: string;
  /** Id of the bus it sits on: `pcie.0`, `cxl.1`, `root_port13`. */
  readonly bus: string;
  /** Id of the bridge/root-complex function above, or null on a root bus. */
  readonly parent: string | null;
  readonly devfn: number;
  /** `0d:00.0` as the bus numbers stand now. */
  readonly bdf: string;
  readonly vendorDevice: string;
  readonly classCode: number;
  /** Fixed text for the stage: what this is in one or two words. */
  readonly label: string;
  readonly routes: readonly RegisterRoute[];
  readonly bars: readonly {
    readonly index: number;
    readonly addr: Addr | null;
    readonly size: number;
    readonly name: string;
  }[];
  /** For a memory device: id of the backend and its size; `unreached`: its VMM's fixed windows do not know this type of device. */
  readonly backend?: { readonly id: string; readonly size: number; readonly unreached?: true };
  /** For vfio-pci: the function of the machine below that it passes through (`0000:0d:00.0`). */
  readonly host?: string;
}

/** Which register cells answer accesses to a byte range of one space of a function. */
export interface RegisterRoute {
  /** `config`, `bar0` …, or `chbcr` for a CXL host bridge's component registers. */
  readonly space: string;
  readonly offset: number;
  readonly size: number;
  /** Path of the register block in the log, and the byte offset in it that `offset` corresponds to. */
  readonly block: string;
  readonly blockOffset: number;
  /** Who answers: the device itself, a vfio shadow, the VMM's own emulation. */
  readonly answeredBy: 'device' | 'vfio-shadow' | 'vmm';
}

/** A CXL fixed memory window of the VMM (one `cxl-fmw.N`). */
export interface FixedWindowState {
  readonly base: Addr;
  readonly size: number;
  readonly granularity: number;
  /** pxb-cxl ids in target order. */
  readonly targets: readonly string[];
}

/** Flattened physical memory of a machine, in address order. */
export interface MemoryMapState {
  readonly ranges: readonly {
    readonly start: Addr;
    readonly size: number;
    readonly kind: 'ram' | 'rom' | 'ram-device' | 'io';
    readonly name: string;
    /** For ram: where it is in the VMM process (virtual address of `start`). */
    readonly hva?: Hva;
  }[];
}

export interface KvmSlotsState {
  readonly slots: readonly {
    readonly slot: number;
    readonly gpa: Addr;
    readonly size: number;
    readonly hva: Hva;
    readonly readonly: boolean;
  }[];
}

/** Exits of guest m by kind, counted (not logged one by one). */
export interface KvmStatsState {
  readonly mmioRead: number;
  readonly mmioWrite: number;
  readonly io: number;
}

export interface ProcessState {
  readonly pid: number;
  readonly ppid: number;
  readonly comm: string;
  readonly argv: readonly string[];
  /** `blocked`: in uninterruptible sleep for good. */
  readonly state: 'running' | 'stopped' | 'zombie' | 'blocked';
  /** Of a zombie: how it ended; `signal` 0: by itself. */
  readonly exit?: { readonly status: number; readonly signal: number };
}

export interface VmasState {
  readonly vmas: readonly {
    readonly start: Hva;
    readonly size: number;
    /** `anon` (guest RAM: extents of this machine's physical memory), `vfio` (device memory), `devmem`, `file`. */
    readonly kind: 'anon' | 'vfio' | 'devmem' | 'file';
    readonly name: string;
    /** Physical extents of this machine, in order. */
    readonly extents: readonly { readonly phys: Addr; readonly size: number }[];
  }[];
}

export interface DeviceState {
  readonly name: string;
  readonly subsystem: string;
  readonly driver: string | null;
  readonly parent: string | null;
  readonly label?: string;
  /** The only driver it may have, where somebody wrote one to driver_override. */
  readonly override?: string;
}

export interface ModuleState {
  readonly name: string;
  readonly size: number;
  readonly usedBy: readonly string[];
  readonly refcount: number;
}

/** An object of the CXL core (software state, not registers). */
export type CxlObjectState =
  | {
      readonly kind: 'root' | 'port' | 'endpoint';
      readonly name: string;
      readonly parent: string | null;
      readonly uport: string;
      readonly dports: readonly { readonly id: number; readonly name: string }[];
      readonly decodersCommitted: number;
    }
  | CxlDecoderState
  | {
      readonly kind: 'memdev';
      readonly name: string;
      readonly host: string;
      readonly serial: string;
      readonly type: 'classmem' | 'devmem';
      readonly ramSize: number;
      readonly pmemSize: number;
      readonly endpoint: string | null;
    }
  | CxlRegionState;

export interface CxlDecoderState {
  readonly kind: 'root-decoder' | 'switch-decoder' | 'endpoint-decoder';
  readonly name: string;
  readonly port: string;
  readonly start: Addr;
  readonly size: number;
  readonly ways: number;
  readonly granularity: number;
  readonly enabled: boolean;
  readonly locked: boolean;
  readonly target: 'accelerator' | 'expander';
  /** Switch/root: target dport ids in order. */
  readonly targets?: readonly number[];
  /** Endpoint: DPA allocation. */
  readonly dpa?: { readonly start: number; readonly size: number } | null;
  readonly region: string | null;
  /** True for the software decoder of a single-root-port host bridge. */
  readonly passthrough?: boolean;
}

export interface CxlRegionState {
  readonly kind: 'region';
  readonly name: string;
  readonly rootDecoder: string;
  readonly start: Addr;
  readonly size: number;
  readonly ways: number;
  readonly granularity: number;
  readonly state: 'idle' | 'interleave-active' | 'active' | 'reset-pending' | 'commit';
  readonly targets: readonly string[];
  readonly mode: 'ram' | 'pmem';
  readonly type: 'accelerator' | 'expander';
}

/** /proc/iomem as a tree. */
export interface IomemNode {
  readonly start: Addr;
  readonly end: Addr;
  readonly name: string;
  readonly children: readonly IomemNode[];
}

/** A device bound to a vfio driver. */
export interface VfioDeviceState {
  readonly bdf: string;
  readonly driver: string;
  readonly group: number;
  readonly opened: boolean;
  /** Register blocks: emulated config space and, for vfio-cxl, the HDM shadow (both may be absent before open). */
  readonly vconfig?: string;
  readonly hdmShadow?: string;
  readonly hdm?: { readonly bar: number; readonly offset: number; readonly size: number; readonly count: number };
  readonly region?: { readonly index: number; readonly hpa: Addr; readonly size: number };
}

/** Record of a MARK row: one typed command. */
export interface CommandRecord {
  readonly console: string;
  readonly line: string;
}

/** Second argument of the note in an ioctl's span: the structure as it was given and as the kernel left it, two digits a byte. */
export interface IoctlArgument {
  /** The file it was asked of. */
  readonly path: string;
  readonly given: string;
  readonly left: string;
}

/** What the last command of a console's shell ended with. Published when that is not 0, and when it is 0 again. */
export interface ShellState {
  readonly status: number;
  /** Prompts so far: tells two failures apart. */
  readonly prompts: number;
}
