import type { Width } from '../../../../base/addr.ts';
import { E } from '../../../../base/errno.ts';
import {
  IORESOURCE_IO,
  IORESOURCE_MEM_64,
  IORESOURCE_PREFETCH,
  PCI_BASE_ADDRESS_0,
  PCI_COMMAND,
  PCI_COMMAND_INTX_DISABLE,
  PCI_COMMAND_IO,
  PCI_COMMAND_MEMORY,
  PCI_EXP_DEVCTL,
  PCI_EXT_CAP_ID_DVSEC,
  PCI_ROM_ADDRESS,
  PCI_ROM_RESOURCE,
  pci_read_config_word,
  pci_resource_flags,
  pci_resource_len,
  pci_resource_start,
} from '../../../include/pci.ts';
import { hasPatch, posted } from '../../../include/quirks.ts';
import { PCI_VENDOR_ID_CXL, VFIO_PCI_OFFSET } from '../../../uapi/vfio.ts';
import { in_dvsec_body } from './cxl/vfio_cxl_core.ts';
import { pci_try_reset_function, pcie_has_flr } from './pci_reset.ts';
import { cxl_dvsec_write } from './vfio_cxl_dvsec.ts';
import {
  bits,
  ones,
  PCI_CFG_SPACE_SIZE,
  PCI_STD_HEADER_SIZEOF,
  shadow,
  user_read,
  user_write,
} from './vfio_pci_config_access.ts';
import { type VfioPciCoreDevice, vfio_pci_zap_bars } from './vfio_pci_device.ts';
import {
  cap_perms,
  ecap_perms,
  PCI_CAP_ID_BASIC,
  PCI_CAP_ID_INVALID,
  PCI_CAP_ID_INVALID_VIRT,
  type PermBits,
  unassigned_perms,
  virt_perms,
} from './vfio_pci_perms.ts';

/**
 * Config space as the user sees it (drivers/vfio/pci/vfio_pci_config.c, v6.11 + RFC patch 10): a map from byte to
 * capability, the emulated bytes (vconfig), and reads and writes by permission table.
 * Left out: SR-IOV functions, MSI masking tables, VPD access emulation, power-state transitions.
 */
// --- reads and writes ---------------------------------------------------------------------------------------------

/** vfio_generate_bar_flags */
function vfio_generate_bar_flags(vdev: VfioPciCoreDevice, bar: number): number {
  const flags = pci_resource_flags(vdev.pdev, bar);
  if (flags & IORESOURCE_IO) return 1;
  return (flags & IORESOURCE_PREFETCH ? 8 : 0) | (flags & IORESOURCE_MEM_64 ? 4 : 0);
}

/** vfio_bar_fixup: what the user wrote into the virtual BARs, brought into the form a BAR of that size can hold. */
function vfio_bar_fixup(vdev: VfioPciCoreDevice): void {
  if (!vdev.bardirty) return;
  const { pdev } = vdev;
  const v = shadow(vdev);
  for (let bar = 0; bar < 6; bar++) {
    const at = PCI_BASE_ADDRESS_0 + 4 * bar;
    const len = pci_resource_len(pdev, bar);
    if (len === 0 || pci_resource_start(pdev, bar) === 0) {
      v.write(at, 4, 0);
      continue;
    }
    // ~(len - 1), as two halves because a BAR may be larger than 4 GiB.
    const maskLo = len >= 0x1_0000_0000 ? 0 : (-len >>> 0) >>> 0;
    v.write(at, 4, ((v.read(at, 4) & maskLo) | vfio_generate_bar_flags(vdev, bar)) >>> 0);
    if (pci_resource_flags(pdev, bar) & IORESOURCE_MEM_64) {
      bar++;
      const maskHi = len > 0x1_0000_0000 ? (-(len / 0x1_0000_0000) >>> 0) >>> 0 : 0xffffffff;
      v.write(at + 4, 4, (v.read(at + 4, 4) & maskHi) >>> 0);
    }
  }
  const rom = pci_resource_len(pdev, PCI_ROM_RESOURCE);
  v.write(PCI_ROM_ADDRESS, 4, rom === 0 ? 0 : (v.read(PCI_ROM_ADDRESS, 4) & ((-rom >>> 0) | 1)) >>> 0);
  vdev.bardirty = false;
}

function is_bar(offset: number): boolean {
  return (
    (offset >= PCI_BASE_ADDRESS_0 && offset < PCI_BASE_ADDRESS_0 + 24) ||
    (offset >= PCI_ROM_ADDRESS && offset < PCI_ROM_ADDRESS + 4)
  );
}

/** vfio_default_config_read */
function default_read(vdev: VfioPciCoreDevice, pos: number, count: Width, perm: PermBits, offset: number): number {
  const virt = bits(perm.virt, offset, count);
  const value = shadow(vdev).read(pos, count);
  if (virt === ones(count)) return value;
  return ((user_read(vdev, pos, count) & ~virt) | (value & virt)) >>> 0;
}

/** vfio_default_config_write */
function default_write(
  vdev: VfioPciCoreDevice,
  pos: number,
  count: Width,
  perm: PermBits,
  offset: number,
  value: number,
): void {
  const virt = bits(perm.virt, offset, count);
  const write = bits(perm.write, offset, count);
  if (write === 0) return;
  const both = write & virt;
  if (both) shadow(vdev).write(pos, count, ((shadow(vdev).read(pos, count) & ~both) | (value & both)) >>> 0);
  const direct = (write & ~virt) >>> 0;
  if (direct) user_write(vdev, pos, count, ((user_read(vdev, pos, count) & ~direct) | (value & direct)) >>> 0);
}

/** vfio_direct_config_read: the device's bytes, but the list links come from vconfig. */
function direct_read(vdev: VfioPciCoreDevice, pos: number, count: Width, offset: number): number {
  if (pos >= PCI_CFG_SPACE_SIZE) {
    const value = user_read(vdev, pos, count);
    return offset < 4 ? shadow(vdev).read(pos, count) : value;
  }
  const value = user_read(vdev, pos, count);
  if (pos < PCI_STD_HEADER_SIZEOF) return value;
  if (offset === 0 && count > 1) return ((value & ~0xffff) | shadow(vdev).read(pos, 2)) >>> 0;
  return offset === 1 ? ((value & ~0xff) | shadow(vdev).read(pos, 1)) >>> 0 : value;
}

/** vfio_basic_config_write: COMMAND's memory and I/O bits are virtual; disabling memory takes the BAR mappings away. */
function basic_write(
  vdev: VfioPciCoreDevice,
  pos: number,
  count: Width,
  perm: PermBits,
  offset: number,
  value: number,
): void {
  const { pdev } = vdev;
  const v = shadow(vdev);
  if (offset === PCI_COMMAND) {
    const phys = pci_read_config_word(pdev, PCI_COMMAND);
    const virtual = v.read(PCI_COMMAND, 2);
    if (!(value & PCI_COMMAND_MEMORY)) vdev.memory_lock.write('vfio_basic_config_write', () => vfio_pci_zap_bars(vdev));
    // The user thinks decoding is on but the device has it off: it was reset behind our back, put the BARs back.
    const lost = (bit: number) => (value & bit) !== 0 && (virtual & bit) !== 0 && (phys & bit) === 0;
    if (lost(PCI_COMMAND_MEMORY) || lost(PCI_COMMAND_IO)) vfio_bar_restore(vdev);
  }
  default_write(vdev, pos, count, perm, offset, value);
  if (offset === PCI_COMMAND) {
    const mask = PCI_COMMAND_MEMORY | PCI_COMMAND_IO;
    v.write(PCI_COMMAND, 2, (v.read(PCI_COMMAND, 2) & ~mask) | (value & mask));
  }
  if (offset >= PCI_COMMAND && offset <= PCI_COMMAND + 1)
    vdev.virq_disabled = (v.read(PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE) !== 0;
  if (is_bar(offset)) vdev.bardirty = true;
}

/** vfio_bar_restore */
function vfio_bar_restore(vdev: VfioPciCoreDevice): void {
  vdev.pdev.warn('vfio_bar_restore: reset recovery - restoring BARs');
  for (let bar = 0; bar < 6; bar++) user_write(vdev, PCI_BASE_ADDRESS_0 + 4 * bar, 4, vdev.rbar[bar] ?? 0);
  user_write(vdev, PCI_ROM_ADDRESS, 4, vdev.rbar[6] ?? 0);
}

/** vfio_exp_config_write: Initiate FLR is emulated by asking the PCI core, when the device advertises it. */
function exp_write(
  vdev: VfioPciCoreDevice,
  pos: number,
  count: Width,
  perm: PermBits,
  offset: number,
  value: number,
): void {
  default_write(vdev, pos, count, perm, offset, value);
  const at = pos - offset + PCI_EXP_DEVCTL;
  const ctl = shadow(vdev).read(at, 2);
  if (!(ctl & 0x8000)) return;
  shadow(vdev).write(at, 2, ctl & 0x7fff);
  if (!pcie_has_flr(vdev.pdev)) return;
  // Posted: patch 09 takes the function reset from user space, not from the guest's own Initiate-FLR.
  if (vdev.has_cxl && !posted(vdev.kernel, 'vfio-cxl-flr-open')) return;
  vdev.memory_lock.write('vfio_exp_config_write', () => {
    vfio_pci_zap_bars(vdev);
    pci_try_reset_function(vdev.pdev);
  });
}

/** vfio_find_cap_start: walks back over bytes of the same id, so abutting capabilities of one id count as one. */
function vfio_find_cap_start(vdev: VfioPciCoreDevice, pos: number): number {
  const map = vdev.pci_config_map;
  const base = pos >= PCI_CFG_SPACE_SIZE ? PCI_CFG_SPACE_SIZE : PCI_STD_HEADER_SIZEOF;
  const cap = map[pos];
  let at = pos;
  while (at - 1 >= base && map[at - 1] === cap) at--;
  return at;
}

/** vfio_pci_cap_remaining_dword */
function vfio_pci_cap_remaining_dword(vdev: VfioPciCoreDevice, pos: number): number {
  const map = vdev.pci_config_map;
  let n = 1;
  while ((pos + n) % 4 !== 0 && map[pos + n] === map[pos]) n++;
  return n;
}

/** Is the capability at `cap_start` a CXL DVSEC in the user's own view? (patch 10, vfio_config_do_rw) */
function is_cxl_dvsec(vdev: VfioPciCoreDevice, cap_id: number, cap_start: number): boolean {
  if (cap_id !== PCI_EXT_CAP_ID_DVSEC || !hasPatch(vdev.kernel, 10)) return false;
  if (!vdev.has_cxl && !posted(vdev.kernel, 'vfio-cxl-dvsec-every-device')) return false;
  // Posted: the vendor is looked up in vconfig, which the user may overwrite.
  return (shadow(vdev).read(cap_start + 4, 4) & 0xffff) === PCI_VENDOR_ID_CXL;
}

/** v3, patch 08: an access ends where the body of the CXL device DVSEC begins (vfio_pci_cxl_config_boundary). */
function clipped(vdev: VfioPciCoreDevice, pos: number, count: number): number {
  if (!vdev.cxl_v3) return count;
  const inside = in_dvsec_body(vdev.cxl_v3, pos);
  let most = 1;
  while (most < count && in_dvsec_body(vdev.cxl_v3, pos + most) === inside) most++;
  return most;
}

/** vfio_pci_cxl_config_rw: bytes of the body are the CXL core's. */
function dvsec_rw(
  vdev: VfioPciCoreDevice,
  bytes: Uint8Array,
  at: number,
  pos: number,
  count: 1 | 2 | 4,
  iswrite: boolean,
): number {
  const cxl = vdev.cxl_v3;
  if (!cxl) return -E.EINVAL;
  const off = pos - cxl.dvsec_offset;
  if (iswrite) return cxl.cxlpt.dvsec_write(off, count, bits(bytes, at, count)) || count;
  const value = cxl.cxlpt.dvsec_read(off, count);
  if (value < 0) return value;
  for (let n = 0; n < count; n++) bytes[at + n] = (value >>> (8 * n)) & 0xff;
  return count;
}

/** vfio_config_do_rw: one naturally aligned piece within one capability; gives its length or a negated errno. */
function vfio_config_do_rw(
  vdev: VfioPciCoreDevice,
  bytes: Uint8Array,
  at: number,
  pos: number,
  iswrite: boolean,
): number {
  const { pdev } = vdev;
  const asked = bytes.length - at;
  if (pos < 0 || pos >= pdev.cfg_size || pos + asked > pdev.cfg_size) return -E.EFAULT;
  const most = clipped(vdev, pos, Math.min(asked, vfio_pci_cap_remaining_dword(vdev, pos)));
  const count: 1 | 2 | 4 = most >= 4 && pos % 4 === 0 ? 4 : most >= 2 && pos % 2 === 0 ? 2 : 1;
  if (in_dvsec_body(vdev.cxl_v3, pos)) return dvsec_rw(vdev, bytes, at, pos, count, iswrite);
  const cap_id = vdev.pci_config_map[pos] as number;
  let cap_start = pos;
  let perm: PermBits;
  let cxl = false;
  if (cap_id === PCI_CAP_ID_INVALID) perm = unassigned_perms;
  else if (cap_id === PCI_CAP_ID_INVALID_VIRT) perm = virt_perms;
  else if (pos >= PCI_CFG_SPACE_SIZE) {
    cap_start = vfio_find_cap_start(vdev, pos);
    cxl = is_cxl_dvsec(vdev, cap_id, cap_start);
    perm = cxl ? virt_perms : ecap_perms(cap_id);
  } else {
    perm = cap_perms(cap_id);
    cap_start = cap_id > PCI_CAP_ID_BASIC ? vfio_find_cap_start(vdev, pos) : 0;
  }
  const offset = pos - cap_start;
  if (iswrite) {
    const value = bits(bytes, at, count);
    // Posted: every byte of every CXL DVSEC is the guest's, headers included.
    if (cxl && !posted(vdev.kernel, 'vfio-cxl-dvsec-writable'))
      cxl_dvsec_write(shadow(vdev), cap_start, offset, count, value);
    else write_perm(vdev, perm, pos, count, offset, value);
    return count;
  }
  let value = read_perm(vdev, perm, pos, count, offset);
  for (let n = 0; n < count; n++) {
    bytes[at + n] = value & 0xff;
    value >>>= 8;
  }
  return count;
}

function read_perm(vdev: VfioPciCoreDevice, perm: PermBits, pos: number, count: Width, offset: number): number {
  switch (perm.kind) {
    case 'raw':
      return user_read(vdev, pos, count);
    case 'virt':
      return shadow(vdev).read(pos, count);
    case 'direct-ro':
    case 'raw-write':
      return direct_read(vdev, pos, count, offset);
    case 'basic':
      if (is_bar(offset)) vfio_bar_fixup(vdev);
      return default_read(vdev, pos, count, perm, offset);
    case 'default':
    case 'exp':
      return default_read(vdev, pos, count, perm, offset);
  }
}

function write_perm(
  vdev: VfioPciCoreDevice,
  perm: PermBits,
  pos: number,
  count: Width,
  offset: number,
  value: number,
): void {
  switch (perm.kind) {
    case 'raw':
    case 'raw-write':
      user_write(vdev, pos, count, value);
      break;
    case 'virt':
      shadow(vdev).write(pos, count, value);
      break;
    case 'basic':
      basic_write(vdev, pos, count, perm, offset, value);
      break;
    case 'exp':
      exp_write(vdev, pos, count, perm, offset, value);
      break;
    case 'default':
      default_write(vdev, pos, count, perm, offset, value);
      break;
    case 'direct-ro':
      break;
  }
}

/** vfio_pci_config_rw: splits by capability and alignment. */
export function vfio_pci_config_rw(vdev: VfioPciCoreDevice, bytes: Uint8Array, pos: number, iswrite: boolean): number {
  const { log } = vdev.kernel;
  const site = iswrite ? vdev.sites.configWrite : vdev.sites.configRead;
  const start = pos % VFIO_PCI_OFFSET;
  let done = 0;
  const outer = log.begin(site, start, iswrite ? bits(bytes, 0, Math.min(4, bytes.length)) : bytes.length);
  while (done < bytes.length) {
    const n = vfio_config_do_rw(vdev, bytes, done, start + done, iswrite);
    if (n < 0) {
      log.end(outer, n);
      return n;
    }
    done += n;
  }
  log.end(outer, iswrite ? done : bits(bytes, 0, Math.min(4, bytes.length)));
  return done;
}
