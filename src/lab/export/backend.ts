import { UserError } from '../../base/assert.ts';
import { MACHINES, type MachineId } from '../../log/index.ts';
import { type MachineState, paths, type VmasState } from '../../state/schema.ts';
import type { Lab } from '../lab.ts';

/**
 * Bytes of a memory backend of the QEMU that runs on `machine`, read from where they are: that QEMU process's mapping,
 * page by page of the machine's physical memory.
 */
export function backendBytes(lab: Lab, machine: MachineId, id: string): Uint8Array {
  const guest = MACHINES[MACHINES.indexOf(machine) + 1];
  const state = guest === undefined ? null : (lab.log.object(paths.machine(guest)) as MachineState | null);
  const kernel = lab.machines.get(machine);
  if (!kernel || !state?.vmm || state.vmm.machine !== machine)
    throw new UserError(`no QEMU runs on ${machine} at the end of the transcript`);
  const vmas = lab.log.object(paths.vmas(machine, state.vmm.pid)) as VmasState | null;
  const vma = vmas?.vmas.find((candidate) => candidate.name === id);
  if (!vma) {
    const names = (vmas?.vmas ?? [])
      .filter((candidate) => candidate.kind === 'anon')
      .map((candidate) => candidate.name);
    throw new UserError(`QEMU on ${machine} has no memory backend "${id}"; it has ${names.join(', ') || 'none'}`);
  }
  const out = new Uint8Array(vma.size);
  let at = 0;
  for (const extent of vma.extents) {
    kernel.cpu.bus.copyFrom(extent.phys, out.subarray(at, at + extent.size));
    at += extent.size;
  }
  return out;
}
