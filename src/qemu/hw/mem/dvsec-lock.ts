/** CONFIG_LOCK of the CXL device DVSEC as the specification has it (`silicon=strict`); QEMU's is an ordinary bit. */
import type { PciFunction } from '../../../hw/pci/index.ts';

/** What software may write while the lock is open; QEMU's masks. */
const LOCKED = {
  CXL_CTRL: 0x4ffd,
  CXL_LOCK: 0x0001,
  CXL_RANGE1_BASE_HI: 0xffffffff,
  CXL_RANGE1_BASE_LO: 0xf0000000,
  CXL_RANGE2_BASE_HI: 0xffffffff,
  CXL_RANGE2_BASE_LO: 0xf0000000,
} as const;

/** The first 1 written to CONFIG_LOCK makes Control and the range bases read-only (the fields that are RWL) until a reset, which opens the lock. */
export function enforce_config_lock(fn: PciFunction): void {
  const { config } = fn;
  const open = (isOpen: boolean) => {
    for (const [name, mask] of Object.entries(LOCKED)) config.setWriteMask(name, isOpen ? mask : 0);
  };
  config.onWrite('CXL_LOCK', (_before, after) => {
    if (after & 1) open(false);
  });
  fn.resetHooks.push((kind) => {
    // Only a conventional reset opens it (CXL 3.1, 8.1.3.6).
    if (kind === 'flr') return;
    config.set('CXL_LOCK', 0);
    open(true);
  });
}
