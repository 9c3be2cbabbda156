import { bench, describe } from 'vitest';
import { MiB } from '../../base/addr.ts';
import { EventLog } from '../../log/index.ts';
import { SparseRam } from './sparse-ram.ts';

describe('memory object', () => {
  const ram = new SparseRam(new EventLog(), 'host', 64 * 1024 * MiB);
  ram.store(0x1_2345_0000, 8, 1, 2);
  bench('1000 loads', () => {
    let sum = 0;
    for (let n = 0; n < 1000; n++) sum += ram.load(0x1_2345_0000 + (n & 63) * 8, 8);
    if (sum < 0) throw new Error();
  });
});

describe('bulk read of 1 MiB', () => {
  const ram = new SparseRam(new EventLog(), 'host', 64 * MiB);
  ram.write(0, new Uint8Array(MiB).fill(1));
  const from = new Uint8Array(MiB).fill(1);
  const into = new Uint8Array(MiB);
  bench('plain copy', () => into.set(from));
  bench('through the memory object', () => ram.read(0, into));
});
