import { fromHalves, hex } from '../../../../base/addr.ts';
import { text, viewOf } from '../../../../base/bytes.ts';
import { E } from '../../../../base/errno.ts';
import type { CxlDevState, CxlMailbox } from '../../../include/cxl_types.ts';

/**
 * The primary mailbox of a memory device (drivers/cxl/core/mbox.c and the mailbox part of drivers/cxl/pci.c, v6.12):
 * sending a command, the command effects log, identify, partitions, clock, event records. Leaves out background
 * operations, media scan results, and the ioctls of /dev/cxl/memN.
 */

export const CXL_MBOX_OP = {
  GET_EVENT_RECORD: 0x0100,
  CLEAR_EVENT_RECORD: 0x0101,
  GET_EVT_INT_POLICY: 0x0102,
  SET_EVT_INT_POLICY: 0x0103,
  GET_FW_INFO: 0x0200,
  TRANSFER_FW: 0x0201,
  ACTIVATE_FW: 0x0202,
  SET_TIMESTAMP: 0x0301,
  GET_SUPPORTED_LOGS: 0x0400,
  GET_LOG: 0x0401,
  IDENTIFY: 0x4000,
  GET_PARTITION_INFO: 0x4100,
  GET_POISON: 0x4300,
  INJECT_POISON: 0x4301,
  CLEAR_POISON: 0x4302,
  SANITIZE: 0x4400,
  SECURE_ERASE: 0x4401,
  GET_SECURITY_STATE: 0x4500,
} as const;

const CEL_UUID = '0da9c0b5-bf41-4b78-8f79-96b1623b3f17';
const CXL_CAPACITY_MULTIPLIER = 0x10000000;
const MS = 1_000_000;
const MBOX = { caps: 0, ctrl: 4, cmd: 8, status: 0x10, payload: 0x20 } as const;

/** Commands that user space may send (cxl_mem_commands); the rest of a device's list is unsupported by the driver. */
const USER_COMMANDS = new Set([
  0x0200, 0x0300, 0x0400, 0x0401, 0x0402, 0x0403, 0x0405, 0x4000, 0x4100, 0x4101, 0x4102, 0x4103, 0x4200, 0x4201,
  0x4202, 0x4203, 0x4204, 0x4303,
]);
const is_poison = (op: number) => op >= 0x4300 && op <= 0x4305;
const is_security = (op: number) => op === 0x4400 || op === 0x4401 || (op >= 0x4500 && op <= 0x4505);

/** Return codes of the device, as the errno the core makes of them (cxl_mbox_cmd_rctable). */
const RETURN_ERRNO: readonly number[] = [
  0,
  0,
  E.ENXIO,
  E.ENOTTY,
  E.EINVAL,
  E.EBUSY,
  E.ENXIO,
  E.ENXIO,
  E.EFAULT,
  E.EFAULT,
];

const dbg = (cxlds: CxlDevState, fn: string, line: string) => cxlds.dev.dbg('cxl_pci', fn, line);
const core = (cxlds: CxlDevState, fn: string, line: string) => cxlds.dev.dbg('cxl_core', fn, line);

/** cxl_pci_mbox_wait_for_doorbell: up to 2 s. */
function wait_for_doorbell(cxlds: CxlDevState, mbox: CxlMailbox): number {
  const { mmio, scheduler } = cxlds.dev.kernel;
  let waited = 0;
  while (mmio.readl(mbox.regs + MBOX.ctrl) & 1) {
    if (waited >= 2000) return -E.ETIMEDOUT;
    scheduler.advance(MS);
    waited++;
  }
  dbg(cxlds, 'cxl_pci_mbox_wait_for_doorbell', `Doorbell wait took ${waited}ms`);
  return 0;
}

/** __cxl_pci_mbox_send_cmd: the eight steps of CXL 2.0 §8.2.8.4. Gives the output payload or a negated errno. */
export function cxl_mbox_send_cmd(
  cxlds: CxlDevState,
  opcode: number,
  payload_in: Uint8Array = new Uint8Array(0),
): Uint8Array | number {
  const { mbox } = cxlds;
  if (!mbox) return -E.ENXIO;
  if (payload_in.length > mbox.payload_size) return -E.E2BIG;
  if (mbox.send) return mbox.send(opcode, payload_in);
  const { kernel } = cxlds.dev;
  const { mmio } = kernel;
  return kernel.span(kernel.site('cxl_pci_mbox_send', ['opcode'], 'drivers/cxl/pci.c'), opcode, 0, () => {
    if (mmio.readl(mbox.regs + MBOX.ctrl) & 1) {
      cxlds.dev.err(`mailbox queue busy timeout`);
      return -E.EBUSY;
    }
    for (let at = 0; at < payload_in.length; at += 4) {
      let word = 0;
      for (let n = 3; n >= 0; n--) word = word * 256 + (payload_in[at + n] ?? 0);
      mmio.writel(word, mbox.regs + MBOX.payload + at);
    }
    const length = payload_in.length;
    mmio.writeq((opcode + (length & 0xffff) * 0x10000) >>> 0, length >>> 16, mbox.regs + MBOX.cmd);
    dbg(cxlds, '__cxl_pci_mbox_send_cmd', `Sending command: 0x${hex(opcode, 4)}`);
    mmio.writel(1, mbox.regs + MBOX.ctrl);
    const rc = wait_for_doorbell(cxlds, mbox);
    if (rc) {
      cxlds.dev.err(`mailbox timeout`);
      return rc;
    }
    mmio.readq(mbox.regs + MBOX.status);
    const code = mmio.hi & 0xffff;
    if (code !== 0) {
      dbg(cxlds, '__cxl_pci_mbox_send_cmd', `Mailbox operation had an error: return code ${code}`);
      return -(RETURN_ERRNO[code] ?? E.ENXIO);
    }
    const lo = mmio.readq(mbox.regs + MBOX.cmd);
    const out_len = Math.min((lo >>> 16) + (mmio.hi & 0x1f) * 0x10000, mbox.payload_size);
    const out = new Uint8Array(out_len);
    for (let at = 0; at < out_len; at += 4) {
      const word = mmio.readl(mbox.regs + MBOX.payload + at);
      for (let n = 0; n < 4 && at + n < out_len; n++) out[at + n] = (word >>> (8 * n)) & 0xff;
    }
    return out;
  });
}

/** cxl_pci_setup_mailbox: the device must be idle; its payload size counts up to 1 MiB. */
export function cxl_pci_setup_mailbox(cxlds: CxlDevState, regs: number, irq: boolean): number {
  const mbox: CxlMailbox = { regs, payload_size: 0, commands: new Set() };
  cxlds.mbox = mbox;
  const rc = wait_for_doorbell(cxlds, mbox);
  if (rc) {
    cxlds.dev.err('timeout awaiting mailbox idle');
    return rc;
  }
  const cap = cxlds.dev.kernel.mmio.readl(regs + MBOX.caps);
  mbox.payload_size = Math.min(2 ** (cap & 0x1f), 0x100000);
  if (mbox.payload_size < 256) {
    cxlds.dev.err(`Mailbox is too small (${mbox.payload_size}b)`);
    return -E.ENXIO;
  }
  dbg(cxlds, 'cxl_pci_setup_mailbox', `Mailbox payload sized ${mbox.payload_size}`);
  if (irq && cap & 0x40) {
    const { mmio } = cxlds.dev.kernel;
    mmio.writel((mmio.readl(regs + MBOX.ctrl) | 4) >>> 0, regs + MBOX.ctrl);
    dbg(cxlds, 'cxl_pci_setup_mailbox', 'Mailbox interrupts enabled');
  }
  return 0;
}

const uuid = (bytes: Uint8Array) => {
  const all = [...bytes].map((byte) => hex(byte, 2)).join('');
  return [all.slice(0, 8), all.slice(8, 12), all.slice(12, 16), all.slice(16, 20), all.slice(20)].join('-');
};

/** cxl_walk_cel: which commands the device has. */
function cxl_walk_cel(cxlds: CxlDevState, mbox: CxlMailbox, cel: Uint8Array): void {
  const view = viewOf(cel);
  for (let at = 0; at + 4 <= cel.length; at += 4) {
    const op = view.getUint16(at, true);
    const known = USER_COMMANDS.has(op) || is_poison(op) || is_security(op);
    if (known) mbox.commands.add(op);
    core(cxlds, 'cxl_walk_cel', `Opcode 0x${hex(op, 4)} ${known ? 'enabled' : 'unsupported by driver'}`);
  }
}

/** cxl_enumerate_cmds: reads the command effects log. */
export function cxl_enumerate_cmds(cxlds: CxlDevState): number {
  const { mbox } = cxlds;
  if (!mbox) return -E.ENXIO;
  const logs = cxl_mbox_send_cmd(cxlds, CXL_MBOX_OP.GET_SUPPORTED_LOGS);
  if (typeof logs === 'number') return logs;
  const view = viewOf(logs);
  const count = logs.length >= 2 ? view.getUint16(0, true) : 0;
  let found = false;
  for (let n = 0; n < count && 8 + 20 * (n + 1) <= logs.length; n++) {
    const id = uuid(logs.subarray(8 + 20 * n, 24 + 20 * n));
    const size = view.getUint32(24 + 20 * n, true);
    core(cxlds, 'cxl_enumerate_cmds', `Found LOG type ${id} of size ${size}`);
    if (id !== CEL_UUID) continue;
    const cel = new Uint8Array(size);
    for (let offset = 0; offset < size; ) {
      const part = Math.min(size - offset, mbox.payload_size);
      const request = new Uint8Array(24);
      request.set(logs.subarray(8 + 20 * n, 24 + 20 * n));
      viewOf(request).setUint32(16, offset, true);
      viewOf(request).setUint32(20, part, true);
      const out = cxl_mbox_send_cmd(cxlds, CXL_MBOX_OP.GET_LOG, request);
      if (typeof out === 'number') return out;
      cel.set(out.subarray(0, part), offset);
      if (out.length === 0) break;
      offset += out.length;
    }
    cxl_walk_cel(cxlds, mbox, cel);
    found = true;
  }
  return found ? 0 : -E.ENOENT;
}

/** cxl_set_timestamp: the device's clock is given the kernel's; a device without the command is left alone. */
export function cxl_set_timestamp(cxlds: CxlDevState): number {
  const now = cxlds.dev.kernel.now();
  const payload = new Uint8Array(8);
  viewOf(payload).setUint32(0, now >>> 0, true);
  viewOf(payload).setUint32(4, Math.floor(now / 2 ** 32), true);
  const rc = cxl_mbox_send_cmd(cxlds, CXL_MBOX_OP.SET_TIMESTAMP, payload);
  return typeof rc === 'number' && rc !== -E.EINVAL && rc !== -E.ENXIO ? rc : 0;
}

/** cxl_dev_state_identify */
export function cxl_dev_state_identify(cxlds: CxlDevState): number {
  const { mbox } = cxlds;
  const id = cxl_mbox_send_cmd(cxlds, CXL_MBOX_OP.IDENTIFY);
  if (typeof id === 'number') return id;
  if (!mbox || id.length < 67) return -E.EIO;
  const view = viewOf(id);
  const capacity = (at: number) =>
    fromHalves(view.getUint32(at + 4, true), view.getUint32(at, true)) * CXL_CAPACITY_MULTIPLIER;
  const end = id.subarray(0, 16).indexOf(0);
  mbox.identity = {
    firmware_version: text(id.subarray(0, end < 0 ? 16 : end)),
    total_bytes: capacity(16),
    volatile_only_bytes: capacity(24),
    persistent_only_bytes: capacity(32),
    partition_align_bytes: capacity(40),
    lsa_size: view.getUint32(56, true),
  };
  return 0;
}

/** cxl_mem_create_range_info (6.12): the partitions of the device's address space. */
export function cxl_mem_create_range_info(cxlds: CxlDevState): number {
  const identity = cxlds.mbox?.identity;
  if (!identity) return -E.ENXIO;
  const { dpa_res, ram_res, pmem_res } = cxlds;
  let { volatile_only_bytes: volatile_bytes, persistent_only_bytes: persistent_bytes } = identity;
  if (!cxlds.media_ready) volatile_bytes = persistent_bytes = 0;
  dpa_res.start = 0;
  dpa_res.end = cxlds.media_ready ? identity.total_bytes - 1 : -1;
  if (identity.partition_align_bytes !== 0 && cxlds.media_ready) {
    const info = cxl_mbox_send_cmd(cxlds, CXL_MBOX_OP.GET_PARTITION_INFO);
    if (typeof info === 'number') {
      cxlds.dev.err('Failed to query partition information');
      return info;
    }
    const view = viewOf(info);
    volatile_bytes = fromHalves(view.getUint32(4, true), view.getUint32(0, true)) * CXL_CAPACITY_MULTIPLIER;
    persistent_bytes = fromHalves(view.getUint32(12, true), view.getUint32(8, true)) * CXL_CAPACITY_MULTIPLIER;
  }
  const add = (res: typeof ram_res, name: string, start: number, size: number): void => {
    res.name = name;
    res.start = start;
    res.end = start + size - 1;
    if (size === 0) {
      core(cxlds, 'add_dpa_res', `DPA(${name}): no capacity`);
      return;
    }
    res.requested = true;
    core(cxlds, 'add_dpa_res', `DPA(${name}): [mem 0x${hex(start, 8)}-0x${hex(res.end, 8)} flags 0x200]`);
  };
  add(ram_res, 'ram', 0, volatile_bytes);
  add(pmem_res, 'pmem', volatile_bytes, persistent_bytes);
  return 0;
}

/** cxl_event_config's interrupt part: asks for interrupts on all four logs. */
export function cxl_event_config(cxlds: CxlDevState): number {
  let policy = cxl_mbox_send_cmd(cxlds, CXL_MBOX_OP.GET_EVT_INT_POLICY);
  if (typeof policy === 'number') {
    cxlds.dev.err(`Failed to get event interrupt policy : ${policy}`);
    return policy;
  }
  const set = cxl_mbox_send_cmd(cxlds, CXL_MBOX_OP.SET_EVT_INT_POLICY, new Uint8Array([1, 1, 1, 1]));
  if (typeof set === 'number') {
    cxlds.dev.err(`Failed to set event interrupt policy : ${set}`);
    return set;
  }
  policy = cxl_mbox_send_cmd(cxlds, CXL_MBOX_OP.GET_EVT_INT_POLICY);
  if (typeof policy === 'number') return policy;
  return 0;
}
