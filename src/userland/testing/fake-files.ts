/** Files and pipes of the fake kernel. */
import { E } from '../../base/errno.ts';
import type { Stat } from '../../linux/uapi/sys.ts';
import type { Node, Pipe } from './fake-kernel.ts';

const CAPACITY = 65536;

export function statOf(node: Node): Stat {
  return {
    ino: node.ino,
    dev: 1,
    mode: node.mode,
    nlink: node.kind === 'dir' ? 2 : 1,
    uid: 0,
    gid: 0,
    size: node.kind === 'link' ? node.target.length : node.show ? 4096 : node.data.length,
    rdev: node.kind === 'dev' ? 259 : 0,
    blocks: Math.ceil(node.data.length / 512),
    mtimeNs: node.mtimeNs,
  };
}

/** `sleep` resolves when something changed, negative after a signal. */
export async function pipeRead(
  pipe: Pipe,
  into: Uint8Array,
  sleep: () => Promise<number>,
  wake: () => void,
): Promise<number> {
  while (pipe.size === 0) {
    if (pipe.writers === 0) return 0;
    if ((await sleep()) < 0) return -E.EINTR;
  }
  const first = pipe.parts[0] ?? new Uint8Array(0);
  const n = Math.min(into.length, first.length);
  into.set(first.subarray(0, n));
  if (n === first.length) pipe.parts.shift();
  else pipe.parts[0] = first.subarray(n);
  pipe.size -= n;
  wake();
  return n;
}

export async function pipeWrite(
  pipe: Pipe,
  from: Uint8Array,
  sleep: () => Promise<number>,
  wake: () => void,
): Promise<number> {
  for (;;) {
    if (pipe.readers === 0) return -E.EPIPE;
    if (pipe.size < CAPACITY) break;
    await sleep();
  }
  pipe.parts.push(from.slice());
  pipe.size += from.length;
  wake();
  return from.length;
}
