export { cxl } from './cxl.ts';
