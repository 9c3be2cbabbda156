import {
  PCI_BASE_ADDRESS_0,
  PCI_CAP_ID_EXP,
  PCI_CAP_ID_MSI,
  PCI_CAP_ID_MSIX,
  PCI_CAP_ID_SSVID,
  PCI_CAPABILITY_LIST,
  PCI_COMMAND,
  PCI_COMMAND_IO,
  PCI_COMMAND_MEMORY,
  PCI_EXP_DEVCTL,
  PCI_EXT_CAP_ID_ACS,
  PCI_EXT_CAP_ID_DVSEC,
  PCI_EXT_CAP_ID_ERR,
  PCI_INTERRUPT_PIN,
  PCI_ROM_ADDRESS,
} from '../../../include/pci.ts';

/**
 * Permission tables of drivers/vfio/pci/vfio_pci_config.c (v6.11): which config bits are virtual and which may be
 * written, per capability, and how long each capability is. Left out: PCI-X, VC, MFVC and TPH lengths (hidden here).
 */
export const PCI_CAP_ID_BASIC = 0;
export const PCI_CAP_ID_INVALID = 0xff;
export const PCI_CAP_ID_INVALID_VIRT = 0xfe;
/** Length that has to be computed from the device's registers. */
export const LEN_VARIABLE = 0xff;
const PCI_CAP_ID_PM = 1;
const PCI_CAP_ID_VPD = 3;
const PCI_CAP_ID_VNDR = 9;
const PCI_CAP_ID_AF = 0x13;
const PCI_EXT_CAP_ID_DSN = 3;
const PCI_EXT_CAP_ID_PWR = 4;
export const PCI_EXT_CAP_ID_VNDR = 0xb;

/** pci_cap_length: 0 hides the capability from the user. */
export function pci_cap_length(id: number): number {
  switch (id) {
    case PCI_CAP_ID_PM:
    case PCI_CAP_ID_VPD:
      return 8;
    case PCI_CAP_ID_MSIX:
      return 12;
    case PCI_CAP_ID_AF:
      return 6;
    case PCI_CAP_ID_MSI:
    case PCI_CAP_ID_EXP:
    case PCI_CAP_ID_VNDR:
      return LEN_VARIABLE;
    case PCI_CAP_ID_SSVID:
      return 0;
    default:
      return 0;
  }
}

/** pci_ext_cap_length */
export function pci_ext_cap_length(id: number): number {
  switch (id) {
    case PCI_EXT_CAP_ID_ERR:
      return 0x2c;
    case PCI_EXT_CAP_ID_DSN:
      return 12;
    case PCI_EXT_CAP_ID_PWR:
      return 16;
    case 0xe: // ARI
    case 0xf: // ATS
    case 0x18: // LTR
      return 8;
    case 0x10: // SR-IOV
      return 64;
    case 0x13: // PRI
      return 16;
    case PCI_EXT_CAP_ID_VNDR:
    case PCI_EXT_CAP_ID_ACS:
    case PCI_EXT_CAP_ID_DVSEC:
      return LEN_VARIABLE;
    default:
      return 0;
  }
}

export type PermKind = 'direct-ro' | 'default' | 'basic' | 'exp' | 'raw' | 'virt' | 'raw-write';

/** struct perm_bits: bytes of virtual and of writable bits; absent for kinds without tables. */
export interface PermBits {
  readonly kind: PermKind;
  readonly virt: Uint8Array;
  readonly write: Uint8Array;
}

const NO_BITS = new Uint8Array(0);
const ALL = 0xffffffff;

function table(kind: PermKind, size: number): PermBits {
  return { kind, virt: new Uint8Array(size), write: new Uint8Array(size) };
}
function put(perm: PermBits, offset: number, width: 1 | 2 | 4, virt: number, write: number): void {
  for (let n = 0; n < width; n++) {
    perm.virt[offset + n] = (virt >>> (8 * n)) & 0xff;
    perm.write[offset + n] = (write >>> (8 * n)) & 0xff;
  }
}

/** init_pci_cap_basic_perm: identity is shown from vconfig, BARs and the ROM never reach the device. */
function init_pci_cap_basic_perm(): PermBits {
  const perm = table('basic', 0x40);
  put(perm, 0x00, 2, ALL, 0);
  put(perm, 0x02, 2, ALL, 0);
  put(perm, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_IO, ALL);
  put(perm, 0x0c, 1, 0, ALL); // cache line size
  put(perm, 0x0d, 1, 0, ALL); // latency timer
  put(perm, 0x0f, 1, 0, ALL); // BIST
  for (let bar = 0; bar < 6; bar++) put(perm, PCI_BASE_ADDRESS_0 + 4 * bar, 4, ALL, ALL);
  put(perm, PCI_ROM_ADDRESS, 4, ALL, ALL);
  put(perm, PCI_CAPABILITY_LIST, 1, ALL, 0);
  put(perm, 0x3c, 1, ALL, ALL); // interrupt line
  put(perm, PCI_INTERRUPT_PIN, 1, ALL, 0);
  return perm;
}

/** init_pci_cap_exp_perm: FLR, payload and read-request size are virtual, phantom functions and ARI not writable. */
function init_pci_cap_exp_perm(): PermBits {
  const perm = table('exp', 0x3c);
  put(perm, 1, 1, ALL, 0);
  put(perm, PCI_EXP_DEVCTL, 2, 0x8000 | 0x00e0 | 0x7000, 0xffff & ~0x0200);
  put(perm, 0x28, 2, 0, 0xffff & ~0x0020);
  return perm;
}

/** init_pci_cap_pm_perm: PME is hidden, the power state is virtual. */
function init_pci_cap_pm_perm(): PermBits {
  const perm = table('default', 8);
  put(perm, 1, 1, ALL, 0);
  put(perm, 2, 2, 0xf800, 0);
  put(perm, 4, 2, 0x0003 | 0x0100 | 0x8000, 0x0003);
  return perm;
}

/** init_pci_ext_cap_err_perm: error masks and status bits belong to the guest, straight to the device. */
function init_pci_ext_cap_err_perm(): PermBits {
  const perm = table('default', 0x2c);
  put(perm, 0, 4, ALL, 0);
  const uncor = 0x03fff031;
  const cor = 0x0000f1c1;
  for (const at of [4, 8, 12]) put(perm, at, 4, 0, uncor);
  for (const at of [16, 20]) put(perm, at, 4, 0, cor);
  put(perm, 24, 4, 0, 0x140);
  return perm;
}

/** init_pci_ext_cap_pwr_perm */
function init_pci_ext_cap_pwr_perm(): PermBits {
  const perm = table('default', 16);
  put(perm, 0, 4, ALL, 0);
  put(perm, 4, 1, 0, ALL);
  return perm;
}

/** What a capability nobody described gets: read from the device, header from vconfig, no writes. */
const direct_ro: PermBits = { kind: 'direct-ro', virt: NO_BITS, write: NO_BITS };
/** Reads as direct-ro, writes go to the device unchanged (vendor-specific and DVSEC). */
const raw_write: PermBits = { kind: 'raw-write', virt: NO_BITS, write: NO_BITS };
/** Gaps between capabilities. */
export const unassigned_perms: PermBits = { kind: 'raw', virt: NO_BITS, write: NO_BITS };
/** Plain bytes of vconfig in both directions. */
export const virt_perms: PermBits = { kind: 'virt', virt: NO_BITS, write: NO_BITS };

const basic = init_pci_cap_basic_perm();
const exp = init_pci_cap_exp_perm();
const pm = init_pci_cap_pm_perm();
const err = init_pci_ext_cap_err_perm();
const pwr = init_pci_ext_cap_pwr_perm();

export function cap_perms(id: number): PermBits {
  if (id === PCI_CAP_ID_BASIC) return basic;
  if (id === PCI_CAP_ID_EXP) return exp;
  if (id === PCI_CAP_ID_PM) return pm;
  return id === PCI_CAP_ID_VNDR ? raw_write : direct_ro;
}

export function ecap_perms(id: number): PermBits {
  if (id === PCI_EXT_CAP_ID_ERR) return err;
  if (id === PCI_EXT_CAP_ID_PWR) return pwr;
  return id === PCI_EXT_CAP_ID_VNDR || id === PCI_EXT_CAP_ID_DVSEC ? raw_write : direct_ro;
}
