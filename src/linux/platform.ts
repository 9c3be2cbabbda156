import type { Prng } from '../base/prng.ts';
import type { Scheduler } from '../base/scheduler.ts';
import type { Cpu } from '../hw/bus/cpu-bus.ts';
import type { MapEpoch } from '../hw/bus/map-epoch.ts';
import type { EventLog, MachineId } from '../log/index.ts';
import type { Program } from './uapi/sys.ts';

/**
 * What the world gives a kernel besides its CPU: the lab's spine (log, virtual time) and the two things a real CPU does
 * by itself and a model cannot (fetch the code of a program, fetch the code of a guest kernel).
 */
export interface Platform {
  readonly log: EventLog;
  readonly scheduler: Scheduler;
  readonly random: Prng;
  /**
   * Names of devices in the order racing probes won (a capture's, say). What is not named comes after, in the seed's order.
   */
  readonly probeOrder?: readonly string[];
  readonly mapEpoch: MapEpoch;
  /** Program text by the name an executable file carries. */
  readonly programs: ReadonlyMap<string, Program>;
  /** Starts executing guest code on a virtual CPU (called by KVM on the first KVM_RUN). Gives the running guest. */
  execute(machine: MachineId, cpu: Cpu): Guest;
  /** A shell (or any console reader) began or finished a command: lets the lab attribute output to commands. */
  commandHook?(event: CommandEvent): void;
}

/** Guest code that runs on a virtual machine. */
export interface Guest {
  readonly machine: MachineId;
  /** A byte arrived at the serial port's receiver: the interrupt line went up. */
  interrupt(irq: number): void;
  /** A message signalled interrupt, written to the local APICs' address. */
  message(address: number, data: number): void;
  /** Power is gone: all its tasks end now. */
  powerOff(): void;
}

export type CommandEvent =
  | {
      readonly type: 'prompt';
      readonly machine: MachineId;
      readonly tty: string;
      readonly status: number;
      readonly prompt: string;
    }
  | { readonly type: 'start'; readonly machine: MachineId; readonly tty: string; readonly line: string };
