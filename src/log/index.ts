export { ByteArena } from './byte-arena.ts';
export { CHUNK_ROWS, type Chunk } from './chunk.ts';
export {
  type CellBlock,
  type CellId,
  EventLog,
  type Json,
  type LogListener,
  Row,
  type RowKind,
  type Site,
  type SiteId,
} from './event-log.ts';
export { LAYERS, type LayerId, type LayerKind, layerIndex, MACHINES, type MachineId } from './layers.ts';
export { CellsAt } from './seek.ts';
