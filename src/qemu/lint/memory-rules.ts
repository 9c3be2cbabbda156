/** Rules about memory backends, serial numbers and label areas. */
import { KiB } from '../../base/addr.ts';
import { nameOf, type Rule, sizeText } from './report.ts';
import { allBelow, type EndpointPlan } from './topology.ts';

/** Two index blocks and a few labels, as libnvdimm lays them out. */
const LEAST_LABELS = 128 * KiB;

const unusedMemory: Rule = (topology, report) => {
  for (const memory of topology.memories)
    if (memory.users.length === 0)
      report(
        'memory-unused',
        'warning',
        memory.span,
        `no device uses ${memory.id}`,
        'A backend is only memory of the QEMU process until a device names it (volatile-memdev=, persistent-memdev=, lsa=).',
      );
};

const notShared: Rule = (topology, report) => {
  for (const memory of topology.memories) {
    if (memory.share || memory.users.length === 0) continue;
    if (memory.type === 'memory-backend-file')
      report(
        'memory-not-shared',
        'warning',
        memory.span,
        `${memory.id} maps ${memory.path ?? 'its file'} privately`,
        'What the guest writes never reaches the file, so nothing persists and nobody else can see where the bytes landed. Say share=on.',
      );
    else if (memory.users.some((user) => user.as !== 'machine'))
      report(
        'memory-not-shared',
        'info',
        memory.span,
        `${memory.id} is private to the QEMU process`,
        'The guest notices nothing; say share=on if another process is to look at the bytes.',
      );
  }
};

const labelAreas: Rule = (topology, report) => {
  for (const memory of topology.memories) {
    const users = memory.users.filter((user) => user.as === 'lsa');
    if (users.length > 1)
      report(
        'lsa-shared',
        'warning',
        memory.span,
        `${memory.id} is the label area of ${users.length} devices`,
        'QEMU does not mind, but every device overwrites the labels of the others. Give each its own backend.',
      );
    if (users.length > 0 && memory.users.some((user) => user.as !== 'lsa'))
      report(
        'lsa-is-memory',
        'warning',
        memory.span,
        `${memory.id} is both a label area and memory`,
        'Labels and data overwrite each other. Give the label area a backend of its own.',
      );
    else if (users.length > 0 && memory.size < LEAST_LABELS)
      report(
        'lsa-small',
        'info',
        memory.span,
        `the label area ${memory.id} has ${sizeText(memory.size)}`,
        'libnvdimm wants room for two index blocks and labels; 128 KiB is the least it works with, 256M is usual in examples.',
      );
  }
};

const serials: Rule = (topology, report) => {
  const devices: EndpointPlan[] = topology.bridges
    .flatMap((bridge) => bridge.ports)
    .flatMap((port) => allBelow(port.children))
    .filter((one): one is EndpointPlan => one.kind === 'endpoint' && one.type === 'cxl-type3');
  const seen = new Map<number, EndpointPlan>();
  const without = devices.filter((one) => one.serial === null);
  for (const one of devices) {
    if (one.serial === null) continue;
    const other = seen.get(one.serial);
    if (other)
      report(
        'sn-duplicate',
        'warning',
        one.span,
        `${nameOf(one)} has the serial number of ${nameOf(other)}`,
        'memN numbers depend on the order of probing, so the serial number is the only name that lasts; persistent interleave sets are recognised by it. Give each device its own sn=.',
      );
    else seen.set(one.serial, one);
  }
  if (devices.length > 1)
    for (const one of without)
      report(
        'sn-missing',
        'info',
        one.span,
        `${nameOf(one)} has no serial number`,
        'memN numbers depend on the order of probing; without sn= nothing tells this device from its siblings but its PCI address.',
      );
};

export const MEMORY_RULES: readonly Rule[] = [unusedMemory, notShared, labelAreas, serials];
