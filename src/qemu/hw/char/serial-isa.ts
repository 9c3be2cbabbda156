/** isa-serial (hw/char/serial-isa.c): a 16550A at COM1 … COM4 on a character backend. */
import { Uart } from '../../../hw/serial/uart.ts';
import type { StringPort } from '../../accel/kvm.ts';
import type { CharBackend } from '../../chardev/chardev.ts';
import { type Device, registerDeviceType } from '../../qdev/device-type.ts';

const PORTS = [0x3f8, 0x2f8, 0x3e8, 0x2e8];
const IRQS = [4, 3, 4, 3];

registerDeviceType({
  name: 'isa-serial',
  category: 'Input',
  bus: 'ISA',
  userCreatable: false,
  properties: [
    { name: 'index', kind: 'uint32', value: 0 },
    { name: 'iobase', kind: 'uint32', value: 0x3f8 },
    { name: 'irq', kind: 'uint32', value: 4 },
  ],
  realize() {},
});

export interface SerialPort extends StringPort {
  receive(bytes: Uint8Array): void;
}

export function serialAddress(index: number): { readonly iobase: number; readonly irq: number } {
  return { iobase: PORTS[index] ?? 0, irq: IRQS[index] ?? 0 };
}

/** serial_isa_realizefn() */
export function serial_init(dev: Device, backend: CharBackend): SerialPort {
  const { vm } = dev;
  const irq = dev.props.number('irq');
  const uart = new Uart(backend, () => {
    vm.setIrq(irq, 1);
    vm.setIrq(irq, 0);
  });
  const ops = {
    hi: 0,
    read: (offset: number) => uart.read(offset),
    write: (offset: number, _width: number, lo: number) => uart.write(offset, lo),
    peek: (offset: number) => uart.peek(offset),
    valid: { min: 1, max: 1 },
  } as const;
  const port = dev.props.number('iobase');
  vm.core.memory_region_add_subregion(vm.system_io, port, vm.core.memory_region_init_io(ops, 'serial', 8));
  return {
    port,
    ins: (into) => uart.ins(0, into),
    outs: (bytes) => uart.outs(0, bytes),
    receive: (bytes) => uart.receive(bytes),
  };
}
