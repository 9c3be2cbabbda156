import { hex } from '../../../../base/addr.ts';

/** Words and bit names in the CXL trace points' lines (drivers/cxl/core/trace.h, v6.12). */

/** __print_flags: names of the bits that are set; bits without a name as one number. */
export function print_flags(value: number, names: readonly (readonly [number, string])[], between: string): string {
  const words = names.filter(([bit]) => (value & bit) !== 0).map(([, name]) => name);
  const rest = names.reduce((left, [bit]) => left & ~bit, value);
  if (rest !== 0) words.push(`0x${hex(rest)}`);
  return words.join(between);
}
/** __print_symbolic */
export function print_symbolic(value: number, names: readonly string[]): string {
  return names[value] ?? `0x${hex(value)}`;
}
/** __print_hex */
export function print_hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => hex(byte, 2)).join(' ');
}
/** %pUb: sixteen bytes as they lie. */
export function uuid_text(bytes: Uint8Array): string {
  const all = [...bytes].map((byte) => hex(byte, 2)).join('');
  return all.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

export const LOGS = ['Informational', 'Warning', 'Failure', 'Fatal'] as const;

export const HEADER_FLAGS = [
  [0x04, 'PERMANENT_CONDITION'],
  [0x08, 'MAINTENANCE_NEEDED'],
  [0x10, 'PERFORMANCE_DEGRADED'],
  [0x20, 'HARDWARE_REPLACEMENT_NEEDED'],
] as const;
export const DPA_FLAGS = [
  [1, 'VOLATILE'],
  [2, 'NOT_REPAIRABLE'],
] as const;
export const DESCRIPTORS = [
  [1, 'UNCORRECTABLE_EVENT'],
  [2, 'THRESHOLD_EVENT'],
  [4, 'POISON_LIST_OVERFLOW'],
] as const;
export const MEDIA_TYPES = ['ECC Error', 'Invalid Address', 'Data Path Error'] as const;
export const DRAM_TYPES = ['ECC Error', 'Scrub Media ECC Error', 'Invalid Address', 'Data Path Error'] as const;
export const TRANSACTIONS = [
  'Unknown',
  'Host Read',
  'Host Write',
  'Host Scan Media',
  'Host Inject Poison',
  'Internal Media Scrub',
  'Internal Media Management',
] as const;
export const MEDIA_VALID = [
  [1, 'CHANNEL'],
  [2, 'RANK'],
  [4, 'DEVICE'],
  [8, 'COMPONENT'],
] as const;
export const DRAM_VALID = [
  [0x01, 'CHANNEL'],
  [0x02, 'RANK'],
  [0x04, 'NIBBLE'],
  [0x08, 'BANK GROUP'],
  [0x10, 'BANK'],
  [0x20, 'ROW'],
  [0x40, 'COLUMN'],
  [0x80, 'CORRECTION MASK'],
] as const;
export const MODULE_EVENTS = [
  'Health Status Change',
  'Media Status Change',
  'Life Used Change',
  'Temperature Change',
  'Data Path Error',
  'LSA Error',
] as const;
export const HEALTH = [
  [1, 'MAINTENANCE_NEEDED'],
  [2, 'PERFORMANCE_DEGRADED'],
  [4, 'REPLACEMENT_NEEDED'],
] as const;
export const MEDIA_STATUS = [
  'Normal',
  'Not Ready',
  'Write Persistency Lost',
  'All Data Lost',
  'Write Persistency Loss in the Event of Power Loss',
  'Write Persistency Loss in Event of Shutdown',
  'Write Persistency Loss Imminent',
  'All Data Loss in Event of Power Loss',
  'All Data loss in the Event of Shutdown',
  'All Data Loss Imminent',
] as const;
export const STATUS = ['Normal', 'Warning', 'Critical'] as const;
