import type { MsiState, PciDev } from '../../include/pci_types.ts';
import { PCI, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE } from '../../include/pci_types.ts';
import {
  pci_read_config_dword,
  pci_read_config_word,
  pci_write_config_dword,
  pci_write_config_word,
} from './access.ts';

/**
 * Message signalled interrupts (drivers/pci/msi, v6.11, and x86's vector allocator as far as a message shows it): what a
 * driver that asks for vectors writes into configuration space. MSI-X table entries stay masked.
 */

export const PCI_IRQ_MSI = 1;
export const PCI_IRQ_MSIX = 2;

const MSI_ENABLE = 0x0001;
const MSI_MASKABLE = 0x0100;
const MSI_64 = 0x0080;
const MSIX_ENABLE = 0x8000;
const MSIX_MASKALL = 0x4000;

/** First device vector of a CPU. The boot CPU has one more than the others (golden B and D: 0x20 on CPU 0, 0x21 on CPU 1). */
const first_vector = (cpu: number) => (cpu === 0 ? 0x20 : 0x21);

/** x86_vector_alloc_irq: the CPU with the fewest device vectors, its lowest free vector. */
function vector_alloc(dev: PciDev): { readonly cpu: number; readonly vector: number } {
  const core = dev.kernel.get(PCI);
  let cpu = 0;
  for (let n = 1; n < dev.kernel.cpu.count; n++) if ((core.vectors[n] ?? 0) < (core.vectors[cpu] ?? 0)) cpu = n;
  const used = core.vectors[cpu] ?? 0;
  core.vectors[cpu] = used + 1;
  return { cpu, vector: first_vector(cpu) + used };
}

/** pci_intx_for_msi */
function pci_intx(dev: PciDev, enable: boolean): void {
  const old = pci_read_config_word(dev, PCI_COMMAND);
  const cmd = enable ? old & ~PCI_COMMAND_INTX_DISABLE : old | PCI_COMMAND_INTX_DISABLE;
  if (cmd !== old) pci_write_config_word(dev, PCI_COMMAND, cmd);
}

/** Registers of the MSI capability behind its address. */
function msi_layout(dev: PciDev): { readonly data: number; readonly mask: number } {
  const control = pci_read_config_word(dev, dev.msi_cap + 2);
  const wide = (control & MSI_64) !== 0;
  const data = dev.msi_cap + (wide ? 12 : 8);
  return { data, mask: control & MSI_MASKABLE ? data + 4 : 0 };
}

/** msi_capability_init and the irq chip: one vector, its message written, all other messages masked. */
function msi_capability_init(dev: PciDev): void {
  const control = pci_read_config_word(dev, dev.msi_cap + 2);
  const { data, mask } = msi_layout(dev);
  const multi = 1 << ((control >> 1) & 7);
  const { cpu, vector } = vector_alloc(dev);
  if (mask) pci_write_config_dword(dev, mask, 2 ** multi - 1);
  pci_write_config_word(dev, dev.msi_cap + 2, control & ~0x70);
  pci_write_config_dword(dev, dev.msi_cap + 4, (0xfee00000 | (cpu << 12)) >>> 0);
  if (control & MSI_64) pci_write_config_dword(dev, dev.msi_cap + 8, 0);
  pci_write_config_word(dev, data, vector);
  pci_intx(dev, false);
  pci_write_config_word(dev, dev.msi_cap + 2, (control & ~0x70) | MSI_ENABLE);
  if (mask) pci_write_config_dword(dev, mask, 2 ** multi - 2);
  dev.irq = dev.kernel.get(PCI).next_irq++;
}

/** msix_capability_init: enabled with everything masked first, then the function mask goes. */
function msix_capability_init(dev: PciDev, vectors: number): void {
  const control = pci_read_config_word(dev, dev.msix_cap + 2);
  pci_write_config_word(dev, dev.msix_cap + 2, control | MSIX_ENABLE | MSIX_MASKALL);
  pci_intx(dev, false);
  dev.kernel.get(PCI).next_irq += vectors;
  pci_write_config_word(dev, dev.msix_cap + 2, (control | MSIX_ENABLE) & ~MSIX_MASKALL);
}

/** pci_alloc_irq_vectors: MSI-X before MSI. Gives the number of vectors, 0 when the function has neither. */
export function pci_alloc_irq_vectors(dev: PciDev, max: number, flags: number): number {
  if (flags & PCI_IRQ_MSIX && dev.msix_cap) {
    const vectors = Math.min(max, (pci_read_config_word(dev, dev.msix_cap + 2) & 0x7ff) + 1);
    msix_capability_init(dev, vectors);
    return vectors;
  }
  if (flags & PCI_IRQ_MSI && dev.msi_cap) {
    msi_capability_init(dev);
    return 1;
  }
  return 0;
}

/** The message a function's MSI capability holds, as `PciCore.irqs` knows it. */
function msi_vector(dev: PciDev): number {
  const cpu = (pci_read_config_dword(dev, dev.msi_cap + 4) >>> 12) & 0xff;
  return cpu * 256 + (pci_read_config_word(dev, msi_layout(dev).data) & 0xff);
}

/** request_irq for the function's only MSI vector; a function without one never calls. */
export function pci_request_irq(dev: PciDev, handler: () => void): void {
  if (dev.msi_cap) dev.kernel.get(PCI).irqs.set(msi_vector(dev), handler);
}
export function pci_free_irq(dev: PciDev): void {
  if (dev.msi_cap) dev.kernel.get(PCI).irqs.delete(msi_vector(dev));
}

/** pci_free_irq_vectors: the capabilities are switched off, INTx is allowed again. */
export function pci_free_irq_vectors(dev: PciDev): void {
  for (const [cap, bit] of [
    [dev.msix_cap, MSIX_ENABLE],
    [dev.msi_cap, MSI_ENABLE],
  ] as const) {
    if (!cap) continue;
    const control = pci_read_config_word(dev, cap + 2);
    if (!(control & bit)) continue;
    pci_write_config_word(dev, cap + 2, control & ~bit);
    pci_intx(dev, true);
  }
}

/** What pci_restore_msi_state will write back. */
export function pci_save_msi_state(dev: PciDev): MsiState {
  const enabled = (cap: number, bit: number) => cap !== 0 && (pci_read_config_word(dev, cap + 2) & bit) !== 0;
  return {
    msi: enabled(dev.msi_cap, MSI_ENABLE)
      ? Array.from({ length: 5 }, (_, n) => pci_read_config_dword(dev, dev.msi_cap + 4 * n))
      : null,
    msix: enabled(dev.msix_cap, MSIX_ENABLE) ? pci_read_config_word(dev, dev.msix_cap + 2) : null,
  };
}

export function pci_restore_msi_state(dev: PciDev, { msi, msix }: MsiState): void {
  if (msi) {
    const { mask } = msi_layout(dev);
    const last = (mask || msi_layout(dev).data) - dev.msi_cap;
    for (let n = 1; n * 4 <= last; n++) pci_write_config_dword(dev, dev.msi_cap + 4 * n, msi[n] as number);
    pci_write_config_word(dev, dev.msi_cap + 2, (msi[0] as number) >>> 16);
  }
  if (msix !== null) pci_write_config_word(dev, dev.msix_cap + 2, msix);
  if (msi || msix !== null) pci_intx(dev, false);
}
