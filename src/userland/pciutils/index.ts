export { lspci } from './lspci.ts';
export { setpci } from './setpci.ts';
