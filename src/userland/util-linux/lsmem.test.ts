import { expect, test } from 'vitest';
import { PROGRAMS } from '../programs.ts';
import { FakeKernel } from '../testing/fake-kernel.ts';

/** A directory of blocks, and what the real lsmem (util-linux 2.38.1, `lsmem -s DIR`) printed for it. */
