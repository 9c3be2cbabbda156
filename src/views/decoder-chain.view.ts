import type { MachineId } from '../log/index.ts';
import { type Decoded, decodeHpa, windowsOf } from '../state/decode.ts';
import type { StateReader } from '../state/reader.ts';

export interface DecoderChain extends Decoded {
  readonly machine: MachineId;
  readonly address: number;
}

/** Step-by-step evaluation of one address; without one, the first byte of the machine's first window. */
export function decoderChain(reader: StateReader, machine: MachineId, address: number | null): DecoderChain | null {
  const at = address ?? windowsOf(reader, machine)[0]?.window.base;
  return at === undefined ? null : { machine, address: at, ...decodeHpa(reader, machine, at) };
}
