export type {
  BytesSpace,
  ConsoleId,
  ConsoleInfo,
  DecodedIoctl,
  LabClient,
  LogBatch,
  SessionRecord,
} from './lab-client.ts';
export { MirrorLog } from './mirror-log.ts';
export { type LinkedView, sessionFromText, sessionToText } from './session-link.ts';
export { sessionFromFile } from './session-store.ts';
export { LAYOUT_IDS, type LayoutId, loadSettings, type Settings, saveSettings } from './settings.ts';
export { SideLab } from './side-lab.ts';
export {
  type AddressQuery,
  createMirror,
  type DialogId,
  type Mirror,
  type PageState,
  type RegisterRef,
  type Selection,
} from './store.ts';
export { typedLines } from './worker-client.ts';
