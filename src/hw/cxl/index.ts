export type { Type3Media } from './cci.ts';
export { switch_cdat, type3_cdat } from './cdat.ts';
export {
  CXL2_COMPONENT_BLOCK_SIZE,
  CxlComponent,
  type CxlEnv,
  type HdmDecoder,
} from './cxl-component.ts';
export { endpoint_dpa, hdm_find_target, NOWHERE } from './decode-path.ts';
export { DeviceRegisters } from './device-registers.ts';
export { Doe } from './doe.ts';
export type { Hop } from './explain.ts';
export { FixedWindow } from './fixed-window.ts';
export { REFUSALS, type Silicon } from './silicon.ts';
export {
  BackedDevice,
  CxlDownstreamPort,
  CxlHostBridge,
  type CxlMemoryDevice,
  CxlRootPort,
  type CxlSlot,
  CxlSwitch,
  device_address,
} from './topology.ts';
