/**
 * arch/x86/kvm/trace.h: the trace points of exits. Left out of their text: instruction pointer and exit qualification, which the model
 * of a guest's processor does not have.
 */
import { hex } from '../../../base/addr.ts';
import type { Tracepoint, Tracing } from '../../include/tracing.ts';

export class KvmEvents {
  private readonly kvm_exit: Tracepoint;
  private readonly kvm_entry: Tracepoint;
  private readonly kvm_mmio: Tracepoint;
  private readonly kvm_pio: Tracepoint;

  constructor(tracing: Tracing) {
    this.kvm_exit = tracing.event('kvm', 'kvm_exit', ['unsigned int exit_reason', 'unsigned int vcpu_id']);
    this.kvm_entry = tracing.event('kvm', 'kvm_entry', ['unsigned int vcpu_id']);
    this.kvm_mmio = tracing.event('kvm', 'kvm_mmio', ['u32 type', 'u32 len', 'u64 gpa', 'u64 val']);
    this.kvm_pio = tracing.event('kvm', 'kvm_pio', [
      'unsigned int rw',
      'unsigned int port',
      'unsigned int size',
      'unsigned int val',
    ]);
  }

  exit(reason: 'EPT_MISCONFIG' | 'IO_INSTRUCTION'): void {
    if (this.kvm_exit.enabled) this.kvm_exit.emit(`vcpu 0 reason ${reason}`);
  }
  entry(): void {
    if (this.kvm_entry.enabled) this.kvm_entry.emit('vcpu 0');
  }
  mmio(what: 'read' | 'write' | 'unsatisfied-read', width: number, gpa: number, lo: number, hi: number): void {
    if (!this.kvm_mmio.enabled) return;
    const value = width === 8 && hi !== 0 ? hex(hi) + hex(lo >>> 0, 8) : hex(lo >>> 0);
    this.kvm_mmio.emit(`mmio ${what} len ${width} gpa 0x${hex(gpa)} val 0x${value}`);
  }
  pio(what: 'pio_read' | 'pio_write', port: number, width: number, value: number): void {
    if (this.kvm_pio.enabled)
      this.kvm_pio.emit(`${what} at 0x${hex(port)} size ${width} count 1 val 0x${hex(value >>> 0)}`);
  }
}
