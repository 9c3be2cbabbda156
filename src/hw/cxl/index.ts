export {
  CXL2_COMPONENT_BLOCK_SIZE,
  CxlComponent,
  type CxlEnv,
  type HdmDecoder,
} from './cxl-component.ts';
export { endpoint_dpa, hdm_find_target, NOWHERE } from './decode-path.ts';
export type { Hop } from './explain.ts';
export { FixedWindow } from './fixed-window.ts';
export { BackedDevice, CxlHostBridge, type CxlMemoryDevice, CxlRootPort, device_address } from './topology.ts';
