/**
 * Resets of a type-2 device as PCIe 6.0 (6.6) and CXL 3.1 (9.6, 9.7) have them, for `silicon=strict`: a function level reset touches
 * CXL.io alone, a hot reset everything that is not sticky, a CXL reset the CXL.mem part alone. Left out: the config accesses a device
 * under reset answers with retry, several functions sharing a reset, caches to write back (the device has none).
 */
import type { CxlComponent } from '../../../hw/cxl/index.ts';
import type { PciFunction } from '../../../hw/pci/index.ts';
import type { VirtualMachine } from '../../qdev/virtual-machine.ts';

/** DVSEC CXL Capability: CXL reset, memory clear, timeout 0 (10 ms). */
const CAP_RESET = 0x0080;
const CAP_MEM_CLR = 0x0800;
const INIT_RESET = 0x0004;
const RESET_MEM_CLR = 0x0008;
const RESET_NS = 10_000_000;
const CHUNK = 65_536;
const DEVCAP_FLR = 0x1000_0000;
const INITIATE_FLR = 0x8000;

/** Registers of the CXL device DVSEC that a reset of the CXL part puts back; the lock keeps those it froze. */
const DVSEC_CXL = ['CXL_CTRL', 'CXL_RANGE1_BASE_HI', 'CXL_RANGE1_BASE_LO', 'CXL_RANGE2_BASE_HI', 'CXL_RANGE2_BASE_LO'];

/** Where the device's memory is in the VMM, and its size in bytes. */
interface DeviceMemory {
  readonly hva: number | null;
  readonly size: number;
}

/** Writes zeros over the memory, where there is anything else. */
function clear(vm: VirtualMachine, memory: DeviceMemory): void {
  if (memory.hva === null) return;
  const chunk = new Uint8Array(CHUNK);
  const words = new Uint32Array(chunk.buffer);
  const zeros = new Uint8Array(CHUNK);
  for (let at = 0; at < memory.size; at += CHUNK) {
    vm.sys.mem.read(memory.hva + at, chunk);
    let any = 0;
    for (let n = 0; n < words.length; n++) any |= words[n] as number;
    if (any !== 0) vm.sys.mem.write(memory.hva + at, zeros);
  }
}

export function specified_resets(
  vm: VirtualMachine,
  fn: PciFunction,
  component: CxlComponent,
  memory: DeviceMemory,
): void {
  const { config } = fn;
  config.init('CXL_CAP', config.get('CXL_CAP') | CAP_RESET | CAP_MEM_CLR);
  config.init('DEVCAP', (config.get('DEVCAP') | DEVCAP_FLR) >>> 0);
  config.setWriteMask('DEVCTL', INITIATE_FLR);
  const initial = DVSEC_CXL.map((name) => [name, config.get(name)] as const);
  const resetDvsec = (): void => {
    for (const [name, value] of initial) config.set(name, value);
  };

  config.onWrite('DEVCTL', (_before, after) => {
    if (!(after & INITIATE_FLR)) return;
    config.set('DEVCTL', after & ~INITIATE_FLR);
    fn.reset('flr');
  });

  fn.resetHooks.push((kind) => {
    if (kind === 'flr') return;
    resetDvsec();
    config.set('CXL_CTRL2', 0);
    component.reset('hot');
  });

  let underWay = false;
  config.onWrite('CXL_CTRL2', (_before, after) => {
    if (!(after & INIT_RESET)) return;
    config.set('CXL_CTRL2', after & ~INIT_RESET);
    // Asked for once more before it is complete: still one reset.
    if (underWay) return;
    underWay = true;
    config.set('CXL_STATUS2', 0, 'RESET_COMPLETE');
    config.set('CXL_STATUS2', 0, 'RESET_ERROR');
    vm.thread(async () => {
      await vm.sys.nanosleep(RESET_NS);
      if (config.get('CXL_LOCK', 'CONFIG_LOCK') === 0) resetDvsec();
      component.reset('cxl');
      if (after & RESET_MEM_CLR) clear(vm, memory);
      config.set('CXL_STATUS2', 1, 'RESET_COMPLETE');
      underWay = false;
    });
  });
}
