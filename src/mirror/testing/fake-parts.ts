import { MiB } from '../../base/addr.ts';
import { type EventLog, LAYERS, type LayerId, type MachineId } from '../../log/index.ts';
import { type CxlObjectState, type DeviceState, type MachineState, paths } from '../../state/schema.ts';

/** Addresses and small helpers of the hand-written states. */
export const L1_WINDOW = 0x4_9000_0000;
export const L2_WINDOW = 0x1_1000_0000;
export const REGION = 256 * MiB;
export const HVA_RAM = 0x7f2a_4000_0000;
export const HVA_CXL = 0x7f2a_3000_0000;
export const QEMU_L0 = 1041;
export const QEMU_L1 = 487;
export const HOST_HVA = 0x7f91_0000_0000;

export const typed = <T>(value: T): T => value;
export const put = (log: EventLog, path: string, value: object | null): void =>
  log.publish(path, JSON.parse(JSON.stringify(value)));

export const layer = (id: LayerId): number => LAYERS.findIndex((one) => one.id === id);

export const machine = (log: EventLog, state: MachineState): void => put(log, paths.machine(state.id), state);
export const device = (log: EventLog, m: MachineId, sysfs: string, driver: string | null): void =>
  put(
    log,
    paths.device(m, sysfs),
    typed<DeviceState>({ name: sysfs.split('/').at(-1) ?? '', subsystem: 'pci', driver, parent: null }),
  );
export const cxl = (log: EventLog, m: MachineId, object: CxlObjectState): void =>
  put(log, paths.cxl(m, object.name), object);

export const ACCEL = '/devices/pci0000:0c/0000:0c:00.0/0000:0d:00.0';
