import type { Addr } from '../../base/addr.ts';
import type { AttributeGroup } from './device.ts';
import { Device } from './device.ts';
import type { Resource } from './ioport.ts';
import type { Kernel } from './kernel.ts';
import { SubsystemKey } from './kernel.ts';
import type { RwSemaphore } from './locking.ts';

/**
 * Objects of the CXL core (drivers/cxl/cxl.h, cxlmem.h, v6.11 + Alejandro Lucero's type-2 RFC v2). Pointers that C
 * encodes with ERR_PTR are `T | number` here: a number is a negated errno.
 * Left out: pmem/nvdimm objects, QoS coordinates, extended linear cache.
 */

/** True for what IS_ERR() catches. */
export function IS_ERR<T extends object>(value: T | number): value is number {
  return typeof value === 'number';
}

/** cxl_accel_state_create `caps` (include/linux/cxl_accel_mem.h). */
export const CXL_ACCEL_DRIVER_CAP_HDM = 0x1;
export const CXL_ACCEL_DRIVER_CAP_MBOX = 0x2;
/** enum accel_resource */
export const CXL_ACCEL_RES_DPA = 0;
export const CXL_ACCEL_RES_RAM = 1;
export const CXL_ACCEL_RES_PMEM = 2;

export const CXL_DECODER_F_RAM = 0x1;
export const CXL_DECODER_F_PMEM = 0x2;
export const CXL_DECODER_F_TYPE2 = 0x4;
export const CXL_DECODER_F_TYPE3 = 0x8;
export const CXL_DECODER_F_LOCK = 0x10;
export const CXL_DECODER_F_ENABLE = 0x20;

/** enum cxl_decoder_type */
export const CXL_DECODER_DEVMEM = 2;
export const CXL_DECODER_HOSTONLYMEM = 3;
export type CxlDecoderType = typeof CXL_DECODER_DEVMEM | typeof CXL_DECODER_HOSTONLYMEM;

export type CxlDevType = 'classmem' | 'devmem';
export type CxlDecoderMode = 'none' | 'ram' | 'pmem' | 'mixed';
/** enum cxl_config_state */
export const CXL_CONFIG_IDLE = 0;
export const CXL_CONFIG_INTERLEAVE_ACTIVE = 1;
export const CXL_CONFIG_ACTIVE = 2;
export const CXL_CONFIG_RESET_PENDING = 3;
export const CXL_CONFIG_COMMIT = 4;

/** An inclusive range; empty when end < start. */
export interface Range {
  start: Addr;
  end: Addr;
}

/** One capability inside a component register block: `offset` counts from the block's start (0x1128 …). */
export interface CxlRegMap {
  valid: boolean;
  id: number;
  offset: number;
  size: number;
}

/** struct cxl_register_map */
export interface CxlRegisterMap {
  host: Device;
  /** Physical start of the block, or -1 (CXL_RESOURCE_NONE). */
  resource: Addr;
  max_size: number;
  reg_type: number;
  hdm_decoder: CxlRegMap;
  ras: CxlRegMap;
  status: CxlRegMap;
  mbox: CxlRegMap;
  memdev: CxlRegMap;
}

/** struct cxl_dev_state, created by cxl_accel_state_create for a type-2 device. */
export interface CxlDevState {
  readonly dev: Device;
  readonly type: CxlDevType;
  readonly capabilities: number;
  reg_map: CxlRegisterMap;
  /** Physical address of the mapped RAS block, or null. */
  ras: Addr | null;
  cxl_dvsec: number;
  rcd: boolean;
  serial: number;
  media_ready: boolean;
  /** DPA space and its partitions. `ram_res.parent` is set once requested. */
  readonly dpa_res: DpaResource;
  readonly ram_res: DpaResource;
  readonly pmem_res: DpaResource;
  cxlmd: CxlMemdev | null;
  /** Quality of service class of each partition (cxl_dpa_perf); absent when the platform gives no coordinates. */
  ram_qos_class?: number;
  pmem_qos_class?: number;
  /** A type-3 device's mailbox (struct cxl_memdev_state); absent on an accelerator. */
  mbox?: CxlMailbox | null;
}

/** struct cxl_memdev_state, the part that comes through the mailbox. */
export interface CxlMailbox {
  /** Physical address of the mailbox registers. */
  readonly regs: Addr;
  payload_size: number;
  /** mbox_send of a device whose mailbox is no register block. */
  readonly send?: (opcode: number, payload: Uint8Array) => Uint8Array | number;
  /** Nanoseconds that a device without a register block works on each piece of firmware. */
  readonly transfer_ns?: number;
  /** Is a background sanitize under way? */
  readonly sanitize_active?: () => boolean;
  /** Opcodes of the command effects log that the driver knows. */
  readonly commands: Set<number>;
  identity?: {
    readonly firmware_version: string;
    readonly total_bytes: number;
    readonly volatile_only_bytes: number;
    readonly persistent_only_bytes: number;
    readonly partition_align_bytes: number;
    readonly lsa_size: number;
  };
}

/** struct resource of device-physical addresses. */
export interface DpaResource {
  start: number;
  end: number;
  name: string;
  requested: boolean;
  readonly children: DpaResource[];
}

export class CxlDport {
  constructor(
    readonly dport_dev: Device,
    /** port_num: root port's PCIe port number, or the host bridge's _UID. */
    readonly port_id: number,
    readonly port: CxlPort,
    readonly reg_map: CxlRegisterMap | null,
    /** A restricted (CXL 1.1) host bridge. */
    readonly rch = false,
  ) {}
}

/** struct cxl_port: root, host bridge, switch or endpoint. */
export class CxlPort extends Device {
  readonly dports: CxlDport[] = [];
  readonly decoders: CxlDecoder[] = [];
  /** Endpoints below, by memdev. */
  readonly endpoints = new Map<CxlMemdev, { ep: CxlPort | Device; dport: CxlDport; next: CxlPort | null }>();
  /** Region references (cxl_region_ref). */
  readonly regions = new Map<CxlRegion, CxlRegionRef>();
  hdm_end = -1;
  commit_end = -1;
  reg_map: CxlRegisterMap | null = null;
  nr_dports = 0;
  dead = false;
  /** Physical address and decoder count of the HDM block once mapped. */
  hdm: CxlHdm | null = null;
  decoder_ids = 0;
  /** Device whose lock cxl_acquire_endpoint holds. */
  acquired = false;

  constructor(
    kernel: Kernel,
    name: string,
    parent: Device | null,
    groups: readonly AttributeGroup[],
    readonly id: number,
    readonly port_kind: 'root' | 'port' | 'endpoint',
    readonly uport_dev: Device,
    readonly parent_dport: CxlDport | null,
    readonly host_bridge: Device | null,
  ) {
    super(kernel, name, parent, 'cxl', groups, 'cxl_port');
  }
  get parent_port(): CxlPort | null {
    return this.parent_dport?.port ?? null;
  }
}

/** struct cxl_hdm */
export interface CxlHdm {
  /** Physical address of the HDM capability block, or null for a passthrough port. */
  hdm_decoder: Addr | null;
  /** DVSEC ranges stand in for the decoders. */
  emulate: boolean;
  decoder_count: number;
  target_count: number;
  interleave_mask: number;
  iw_cap_mask: number;
}

export interface CxlRegionRef {
  decoder: CxlDecoder | null;
  nr_targets_set: number;
  nr_eps: number;
  nr_targets: number;
  readonly endpoints: Map<CxlEndpointDecoder, { dport: CxlDport | null }>;
}

export type CxlDecoderKind = 'root-decoder' | 'switch-decoder' | 'endpoint-decoder';

/** struct cxl_decoder and what embeds it. */
export abstract class CxlDecoder extends Device {
  hpa: Range = { start: 0, end: -1 };
  interleave_ways = 1;
  interleave_granularity = 256;
  target_type: CxlDecoderType = CXL_DECODER_HOSTONLYMEM;
  flags = 0;
  region: CxlRegion | null = null;
  /** Absent on a passthrough decoder. */
  commit: ((cxld: CxlDecoder) => number) | null = null;
  reset: ((cxld: CxlDecoder) => void) | null = null;
  abstract readonly kind: CxlDecoderKind;

  constructor(
    kernel: Kernel,
    readonly port: CxlPort,
    readonly id: number,
    devtype: string,
    groups: readonly AttributeGroup[],
  ) {
    super(kernel, `decoder${port.id}.${id}`, port, 'cxl', groups, devtype);
  }
}

export class CxlSwitchDecoder extends CxlDecoder {
  override readonly kind: CxlDecoderKind = 'switch-decoder';
  target: (CxlDport | null)[] = [];
  /** Port ids of the targets before they are resolved. */
  target_map: number[] = [];
  passthrough = false;
}

export class CxlRootDecoder extends CxlSwitchDecoder {
  override readonly kind: CxlDecoderKind = 'root-decoder';
  /** Number of regions ever advertised: next id (cxlrd->region_id). */
  region_id = -1;
  res: Resource | null = null;
  qos_class = 0;
  /** XOR maps of the window (CXIMS), with XOR arithmetic; null with modulo. */
  xormaps: readonly bigint[] | null = null;
}

export class CxlEndpointDecoder extends CxlDecoder {
  override readonly kind: CxlDecoderKind = 'endpoint-decoder';
  dpa_res: DpaResource | null = null;
  skip = 0;
  mode: CxlDecoderMode = 'none';
  state: 'manual' | 'auto' = 'manual';
  pos = -1;
  get cxlmd(): CxlMemdev {
    return this.port.uport_dev as CxlMemdev;
  }
}

/** struct cxl_memdev */
export class CxlMemdev extends Device {
  endpoint: CxlPort | null = null;
  /** The cxl_mem driver is bound. */
  bound = false;
  depth = 0;
  constructor(
    kernel: Kernel,
    readonly cxlds: CxlDevState,
    readonly id: number,
    groups: readonly AttributeGroup[],
  ) {
    super(kernel, `mem${id}`, cxlds.dev, 'cxl', groups, 'cxl_memdev');
  }
}

/** struct cxl_region with its params. */
export class CxlRegion extends Device {
  state = CXL_CONFIG_IDLE;
  interleave_ways = 0;
  interleave_granularity = 0;
  res: Resource | null = null;
  targets: (CxlEndpointDecoder | null)[] = [];
  nr_targets = 0;
  auto = false;
  needs_reset = false;
  incoherent = false;
  uuid = '';
  constructor(
    kernel: Kernel,
    readonly id: number,
    readonly cxlrd: CxlRootDecoder,
    readonly mode: 'ram' | 'pmem',
    readonly type: CxlDecoderType,
    groups: readonly AttributeGroup[],
  ) {
    super(kernel, `region${id}`, cxlrd, 'cxl', groups, 'cxl_region');
  }
}

/** struct cxl_dax_region: a volatile region offered to the DAX bus. */
export class CxlDaxRegion extends Device {
  constructor(
    kernel: Kernel,
    readonly cxlr: CxlRegion,
    readonly hpa_range: Range,
    readonly target_node: number,
    groups: readonly AttributeGroup[],
  ) {
    super(kernel, `dax_region${cxlr.id}`, cxlr, 'cxl', groups, 'cxl_dax_region');
  }
}

/** The CXL core's per-kernel state. */
export interface CxlCore {
  readonly port_ida: Set<number>;
  readonly memdev_ida: Set<number>;
  readonly region_ida: Set<number>;
  cxl_major: number;
  bypass_warned: boolean;
  /** Guards regions: their state, targets and host addresses. */
  readonly region_rwsem: RwSemaphore;
  /** Guards what decoders take of device memory. */
  readonly dpa_rwsem: RwSemaphore;
}

export const CXL = new SubsystemKey<CxlCore>('cxl');

/** ida_alloc: the lowest free number. */
export function ida_alloc(ida: Set<number>): number {
  let n = 0;
  while (ida.has(n)) n++;
  ida.add(n);
  return n;
}
