export { createQemuProgram, DEFAULT_BUILD, type QemuWorld } from './main.ts';
export { monitorFifos } from './monitor/fifo.ts';
export type { QemuBuild } from './qdev/build.ts';
