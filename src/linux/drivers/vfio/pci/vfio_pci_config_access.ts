import {
  pci_read_config_byte,
  pci_read_config_dword,
  pci_read_config_word,
  pci_write_config_byte,
  pci_write_config_dword,
  pci_write_config_word,
} from '../../../include/pci.ts';
import type { ShadowBytes } from './vconfig.ts';
import type { VfioPciCoreDevice } from './vfio_pci_device.ts';

/** Accessors of drivers/vfio/pci/vfio_pci_config.c (v6.11): the device's own registers, and the emulated bytes. */
export const PCI_STD_HEADER_SIZEOF = 0x40;
export const PCI_CFG_SPACE_SIZE = 0x100;

export function user_read(vdev: VfioPciCoreDevice, pos: number, count: number): number {
  const { pdev } = vdev;
  if (count === 4) return pci_read_config_dword(pdev, pos);
  return count === 2 ? pci_read_config_word(pdev, pos) : pci_read_config_byte(pdev, pos);
}
export function user_write(vdev: VfioPciCoreDevice, pos: number, count: number, value: number): void {
  const { pdev } = vdev;
  if (count === 4) pci_write_config_dword(pdev, pos, value);
  else if (count === 2) pci_write_config_word(pdev, pos, value);
  else pci_write_config_byte(pdev, pos, value);
}
export function shadow(vdev: VfioPciCoreDevice): ShadowBytes {
  return vdev.vconfig as ShadowBytes;
}
export function bits(table: Uint8Array, offset: number, count: number): number {
  let value = 0;
  for (let n = count - 1; n >= 0; n--) value = value * 256 + (table[offset + n] ?? 0);
  return value;
}
export const ones = (count: number) => (count === 4 ? 0xffffffff : count === 2 ? 0xffff : 0xff);
