/**
 * The layers an event can belong to, outermost last in the chain of a trapped access. The number is what the log
 * stores; the id is what the page and the command line print.
 */
export const LAYERS = [
  { id: 'lab', label: 'lab' },
  { id: 'l2.user', label: 'L2 user space' },
  { id: 'l2.kernel', label: 'L2 kernel' },
  { id: 'l1.kvm', label: 'L1 KVM' },
  { id: 'l1.qemu', label: 'L1 QEMU' },
  { id: 'l1.user', label: 'L1 user space' },
  { id: 'l1.kernel', label: 'L1 kernel' },
  { id: 'host.kvm', label: 'host KVM' },
  { id: 'host.qemu', label: 'host QEMU (the device)' },
  { id: 'host.user', label: 'host user space' },
  { id: 'host.kernel', label: 'host kernel' },
  { id: 'hw', label: 'physical machine' },
] as const;

export type LayerId = (typeof LAYERS)[number]['id'];
export type LayerKind = 'user' | 'kernel' | 'kvm' | 'qemu';
/** Machines by nesting level: `host` is L0. */
export type MachineId = 'host' | 'l1' | 'l2';
export const MACHINES: readonly MachineId[] = ['host', 'l1', 'l2'];

const INDEX = new Map<string, number>(LAYERS.map((layer, n) => [layer.id, n]));

/** Index of a layer as the log stores it. L2 has no KVM or QEMU layer of its own: asking for one gives its kernel/user layer. */
export function layerIndex(machine: MachineId, kind: LayerKind): number {
  return INDEX.get(`${machine}.${kind}`) ?? INDEX.get(`${machine}.${kind === 'kvm' ? 'kernel' : 'user'}`) ?? 0;
}
