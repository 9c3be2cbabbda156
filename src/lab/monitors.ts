import type { Linux } from '../linux/kernel/linux.ts';
import { O_CLOEXEC, O_RDWR } from '../linux/uapi/constants.ts';
import type { Sys } from '../linux/uapi/sys.ts';
import { type EventLog, MACHINES, type MachineId } from '../log/index.ts';
import { type MachineState, paths } from '../state/schema.ts';
import { Channel, type Consoles } from './consoles.ts';

interface Attached {
  readonly id: string;
  readonly vmm: Linux;
  readonly pid: number;
  readonly client: number;
}

/**
 * The lab's clients of the QEMU monitors: one process on the VMM's machine for each running QEMU, reading and writing the
 * pipes QEMU serves (`/run/qemu-PID.monitor.{in,out}`). What is typed in a monitor tab reaches QEMU only that way.
 */
export class Monitors {
  private attached: Attached[] = [];

  constructor(
    private readonly log: EventLog,
    private readonly consoles: Consoles,
    private readonly machines: ReadonlyMap<MachineId, Linux>,
  ) {}

  /** A guest's CPU started: its QEMU serves a monitor now (again after a reset: the same client stays). */
  attach(guest: MachineId): void {
    const host = MACHINES[MACHINES.indexOf(guest) - 1];
    const vmm = host === undefined ? undefined : this.machines.get(host);
    const pid = (this.log.object(paths.machine(guest)) as MachineState | null)?.vmm?.pid;
    const init = vmm?.tasks.find(1);
    if (!vmm || !init || pid === undefined || this.attached.some((one) => one.vmm === vmm && one.pid === pid)) return;
    const id = `${vmm.machine}-monitor`;
    let process: Sys | null = null;
    let input = -1;
    const client = init.sys.fork(async (sys) => {
      process = sys;
      input = sys.open(`/run/qemu-${pid}.monitor.in`, O_RDWR | O_CLOEXEC);
      const output = sys.open(`/run/qemu-${pid}.monitor.out`, O_RDWR | O_CLOEXEC);
      if (input < 0 || output < 0) return 1;
      // A NUL tells QEMU that somebody is there; it answers with its banner and prompt.
      await sys.write(input, Uint8Array.of(0));
      const buffer = new Uint8Array(4096);
      for (;;) {
        const count = await sys.read(output, buffer);
        if (count <= 0) return 0;
        this.consoles.output(id, buffer.slice(0, count), Channel.OUT);
      }
    });
    if (client < 0) return;
    this.consoles.addMonitor(id, vmm.machine, (bytes) => {
      if (process && input >= 0) void process.write(input, bytes);
    });
    this.attached.push({ id, vmm, pid, client });
  }

  /** Takes away the clients of QEMUs that have ended. */
  reap(): void {
    for (const one of this.attached) {
      const alive =
        this.machines.get(one.vmm.machine) === one.vmm && !one.vmm.tasks.dead && one.vmm.tasks.find(one.pid) !== null;
      if (alive) continue;
      this.attached = this.attached.filter((other) => other !== one);
      this.consoles.remove(one.id);
      if (!one.vmm.tasks.dead) one.vmm.tasks.send(one.client, 9);
    }
  }
}
