/** The page's view of the engine: the messages of `protocol/`, under one name inside the mirror. */
export type {
  BytesSpace,
  ConsoleId,
  ConsoleInfo,
  DecodedIoctl,
  LabClient,
  LogBatch,
  SessionRecord,
} from '../protocol/client.ts';
