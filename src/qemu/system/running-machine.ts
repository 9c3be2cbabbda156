/** What monitor commands may use of a running VMM, beyond what devices may. */

import type { PciBus } from '../../hw/pci/index.ts';
import type { Bus } from '../qdev/bus.ts';
import type { Device } from '../qdev/device-type.ts';
import type { MemoryBackend, VirtualMachine } from '../qdev/virtual-machine.ts';

export type RunState = 'prelaunch' | 'running' | 'paused' | 'shutdown' | 'internal-error';

export interface RunningMachine extends VirtualMachine {
  readonly version: string;
  readonly state: RunState;
  readonly ended: boolean;
  readonly cpus: number;
  readonly ramSize: number;
  /** `-name`. */
  readonly name: string | null;
  readonly backends: readonly MemoryBackend[];
  /** All devices in order of creation, and the system bus. */
  readonly devices: readonly Device[];
  readonly main_system_bus: Bus;
  /** Root buses in the order QEMU walks host bridges (newest first). */
  readonly pci_host_buses: readonly PciBus[];
  vm_stop(): void;
  vm_start(): void;
  qemu_system_powerdown_request(): void;
  /** `quit`: ends the process. */
  quit(): void;
}
