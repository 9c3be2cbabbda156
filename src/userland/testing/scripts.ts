/** Scripts of bash on a small kernel, for tests that compare outputs with what the real tools gave. */
import { PROGRAMS } from '../programs.ts';
import { bash } from '../shell/bash.ts';
import { FakeKernel } from './fake-kernel.ts';

/** A kernel with every program in /bin, and nothing else. */
export function kernelWithPrograms(): FakeKernel {
  const kernel = new FakeKernel();
  for (const [name, program] of PROGRAMS) kernel.program(`/bin/${name}`, name, program);
  return kernel;
}

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `bash …` gives: its status and both of its outputs. */
export async function runBash(kernel: FakeKernel, ...words: readonly string[]): Promise<Ran> {
  const { status, stdout, stderr } = await kernel.execute(bash, ['bash', ...words]);
  return { status, stdout, stderr };
}
