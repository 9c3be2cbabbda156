import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../mirror/settings.ts';
import { createMirror } from '../mirror/store.ts';
import { FakeLab } from '../mirror/testing/fake-lab.ts';
import { decodeHpa } from '../state/decode.ts';
import { XLAT_SPACES, xlat } from '../state/xlat.ts';

const at = (steps: number) => createMirror(new FakeLab(0, steps), DEFAULT_SETTINGS).log;

describe('xlat', () => {
  it('follows an L2 address to its byte in the backend, hop by hop', () => {
    const chain = xlat(at(6), 'l2-gpa', 0x1_1000_1234);
    expect(chain.hops.map((hop) => [hop.space, hop.address])).toEqual([
      ['l2-gpa', 0x1_1000_1234],
      ['l1-hva', 0x7f2a_3000_1234],
      ['l1-hpa', 0x4_9000_1234],
      ['dpa', 0x1234],
      ['backend', 0x1234],
    ]);
    expect(chain.end).toBeUndefined();
  });

  it('gives the same chain whichever of its addresses is asked', () => {
    const log = at(6);
    const whole = xlat(log, 'l2-gpa', 0x1_1000_1234);
    for (const space of XLAT_SPACES) {
      const hop = whole.hops.find((one) => one.space === space);
      const again = xlat(log, space, hop?.address ?? 0);
      expect(again.hops.map((one) => [one.space, one.address])).toEqual(
        whole.hops.map((one) => [one.space, one.address]),
      );
    }
  });

  it('names the bit that ends it before the guest commits', () => {
    const chain = xlat(at(4), 'l2-gpa', 0x1_1000_1234);
    expect(chain.hops).toHaveLength(1);
    expect(chain.end).toContain('COMMITTED (bit 10) is 0');
  });

  it('says that a guest is off, that RAM is no device memory, that a hole is a hole', () => {
    expect(xlat(at(0), 'l2-gpa', 0).end).toBe('L2 is not running: it has no memory slots.');
    expect(xlat(at(6), 'l2-gpa', 0x100000).hops.map((hop) => hop.space)).toEqual([
      'l2-gpa',
      'l1-hva',
      'l1-hpa',
      'host-hva',
    ]);
    expect(xlat(at(6), 'l1-hpa', 0x9_0000_0000_00).end).toContain('Nothing of L1');
    expect(xlat(at(6), 'dpa', 0x4000_0000).end).toContain('beyond backend vmem0');
  });

  it('evaluates the decoder chain of either machine', () => {
    const l1 = decodeHpa(at(6), 'l1', 0x4_9000_0040);
    expect(l1.steps.map((step) => step.component)).toEqual(['fmw/0', 'cxl.1', 'root_port13', 'cxl-accel0']);
    expect(l1.target?.dpa).toBe(0x40);
    expect(decodeHpa(at(6), 'l2', 0x1_1000_0040).target?.fn.id).toBe('accel0');
    expect(decodeHpa(at(6), 'l1', 0x4_a000_0000).end).toContain('No committed HDM decoder');
  });
});
