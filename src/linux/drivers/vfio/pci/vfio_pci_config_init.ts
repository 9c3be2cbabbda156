import { hex0x, type Width } from '../../../../base/addr.ts';
import {
  PCI_BASE_ADDRESS_0,
  PCI_CAP_ID_EXP,
  PCI_CAP_ID_MSI,
  PCI_CAPABILITY_LIST,
  PCI_EXP_TYPE_RC_END,
  PCI_EXT_CAP_ID_DVSEC,
  PCI_INTERRUPT_PIN,
  PCI_ROM_ADDRESS,
  PCI_STATUS,
  PCI_STATUS_CAP_LIST,
  pci_read_config_byte,
  pci_read_config_dword,
  pci_read_config_word,
} from '../../../include/pci.ts';
import { ShadowBytes } from './vconfig.ts';
import { PCI_CFG_SPACE_SIZE, PCI_STD_HEADER_SIZEOF, shadow, user_read } from './vfio_pci_config_access.ts';
import { registerPaths, type VfioPciCoreDevice } from './vfio_pci_device.ts';
import {
  LEN_VARIABLE,
  PCI_CAP_ID_BASIC,
  PCI_CAP_ID_INVALID,
  PCI_EXT_CAP_ID_VNDR,
  pci_cap_length,
  pci_ext_cap_length,
} from './vfio_pci_perms.ts';

/** Building the map from byte to capability and the emulated bytes at open (drivers/vfio/pci/vfio_pci_config.c, v6.11). */

/** vfio_fill_vconfig_bytes: copies bytes from the device by natural alignment. */
function vfio_fill_vconfig_bytes(vdev: VfioPciCoreDevice, offset: number, size: number): void {
  let at = offset;
  let left = size;
  while (left > 0) {
    const width: Width = left >= 4 && at % 4 === 0 ? 4 : left >= 2 && at % 2 === 0 ? 2 : 1;
    shadow(vdev).write(at, width, user_read(vdev, at, width));
    at += width;
    left -= width;
  }
}

/** vfio_cap_len */
function vfio_cap_len(vdev: VfioPciCoreDevice, cap: number, pos: number): number {
  const { pdev } = vdev;
  if (cap === PCI_CAP_ID_MSI) {
    const flags = pci_read_config_word(pdev, pos + 2);
    return 10 + (flags & 0x80 ? 4 : 0) + (flags & 0x100 ? 10 : 0);
  }
  if (cap === PCI_CAP_ID_EXP) {
    const version = pci_read_config_word(pdev, pos + 2) & 0xf;
    const noLink = pdev.pcie_type === PCI_EXP_TYPE_RC_END;
    return version === 1 ? (noLink ? 0xc : 0x14) : noLink ? 0x2c : 0x3c;
  }
  return pci_read_config_byte(pdev, pos + 2);
}

/** vfio_ext_cap_len */
function vfio_ext_cap_len(vdev: VfioPciCoreDevice, ecap: number, epos: number): number {
  const { pdev } = vdev;
  if (ecap === PCI_EXT_CAP_ID_VNDR || ecap === PCI_EXT_CAP_ID_DVSEC)
    return pci_read_config_dword(pdev, epos + 4) >>> 20;
  const acs = pci_read_config_word(pdev, epos + 4);
  return acs & 0x20 ? 8 + Math.ceil((acs >>> 8 || 256) / 32) * 4 : 8;
}

/** vfio_cap_init: the standard list; capabilities of unknown length are taken out of it. */
function vfio_cap_init(vdev: VfioPciCoreDevice): void {
  const { pdev } = vdev;
  const v = shadow(vdev);
  if (!(pci_read_config_word(pdev, PCI_STATUS) & PCI_STATUS_CAP_LIST)) return;
  let prev = PCI_CAPABILITY_LIST;
  let pos = pci_read_config_byte(pdev, PCI_CAPABILITY_LIST);
  let caps = 0;
  for (let loops = (PCI_CFG_SPACE_SIZE - PCI_STD_HEADER_SIZEOF) / 4; pos !== 0 && loops > 0; loops--) {
    const cap = pci_read_config_byte(pdev, pos);
    const next = pci_read_config_byte(pdev, pos + 1);
    let len = pci_cap_length(cap);
    if (len === LEN_VARIABLE) len = vfio_cap_len(vdev, cap, pos);
    if (len === 0) {
      pdev.dbg('vfio_pci_core', 'vfio_cap_init', `vfio_cap_init: hiding cap ${hex0x(cap)}@${hex0x(pos)}`);
      v.write(prev, 1, next);
      pos = next;
      continue;
    }
    vdev.pci_config_map.fill(cap, pos, pos + len);
    vfio_fill_vconfig_bytes(vdev, pos, len);
    prev = pos + 1;
    pos = next;
    caps++;
  }
  if (caps === 0) v.write(PCI_STATUS, 2, v.read(PCI_STATUS, 2) & ~PCI_STATUS_CAP_LIST);
}

/** vfio_ecap_init: the extended list; a hidden first one keeps its place with id 0. */
function vfio_ecap_init(vdev: VfioPciCoreDevice): void {
  const { pdev } = vdev;
  const v = shadow(vdev);
  if (pdev.cfg_size <= PCI_CFG_SPACE_SIZE) return;
  let prev = 0;
  let epos = PCI_CFG_SPACE_SIZE;
  for (let loops = (pdev.cfg_size - PCI_CFG_SPACE_SIZE) / 8; epos >= PCI_CFG_SPACE_SIZE && loops > 0; loops--) {
    const header = pci_read_config_dword(pdev, epos);
    const ecap = header & 0xffff;
    const next = (header >>> 20) & 0xffc;
    if (header === 0 || header === 0xffffffff) break;
    let len = pci_ext_cap_length(ecap);
    let hidden = false;
    if (len === LEN_VARIABLE) len = vfio_ext_cap_len(vdev, ecap, epos);
    if (len === 0) {
      pdev.dbg('vfio_pci_core', 'vfio_ecap_init', `vfio_ecap_init: hiding ecap ${hex0x(ecap)}@${hex0x(epos)}`);
      if (prev) {
        v.write(prev, 4, ((v.read(prev, 4) & 0x000fffff) | (next << 20)) >>> 0);
        epos = next;
        continue;
      }
      len = 4;
      hidden = true;
    }
    vdev.pci_config_map.fill(ecap, epos, epos + len);
    vfio_fill_vconfig_bytes(vdev, epos, len);
    if (hidden) v.write(epos, 4, (v.read(epos, 4) & 0xffc00000) >>> 0);
    prev = epos;
    epos = next;
  }
}

/** vfio_config_init: the snapshot every later virtual read comes from. */
export function vfio_config_init(vdev: VfioPciCoreDevice): number {
  const { pdev, kernel } = vdev;
  vdev.vconfig = new ShadowBytes(kernel.log, registerPaths(vdev).vconfig, 'cxl-accel.config', 4096);
  vdev.pci_config_map = new Uint8Array(4096).fill(PCI_CAP_ID_INVALID);
  vdev.pci_config_map.fill(PCI_CAP_ID_BASIC, 0, PCI_STD_HEADER_SIZEOF);
  vfio_fill_vconfig_bytes(vdev, 0, PCI_STD_HEADER_SIZEOF);
  vdev.bardirty = true;
  vdev.rbar = Array.from({ length: 7 }, (_, n) =>
    shadow(vdev).read(n === 6 ? PCI_ROM_ADDRESS : PCI_BASE_ADDRESS_0 + 4 * n, 4),
  );
  if (kernel.config('VFIO_PCI_INTX') === 'n' || vdev.nointx || pdev.irq === 0)
    shadow(vdev).write(PCI_INTERRUPT_PIN, 1, 0);
  vfio_cap_init(vdev);
  vfio_ecap_init(vdev);
  return 0;
}

export function vfio_config_free(vdev: VfioPciCoreDevice): void {
  vdev.vconfig = null;
  vdev.pci_config_map = new Uint8Array(0);
}
