import { fromHalves, hex, hi32, lo32 } from '../../../../base/addr.ts';
import { viewOf } from '../../../../base/bytes.ts';
import { E } from '../../../../base/errno.ts';
import type { Kernel } from '../../../include/kernel.ts';
import type { MockMem } from './mem.ts';

/** Poison of the mock devices (tools/testing/cxl/test/mem.c, v6.12): one list for all of them, with a limit for each. */

const MOCK_INJECT_DEV_MAX = 8;
const MOCK_INJECT_TEST_MAX = 128;
const CXL_POISON_SOURCE_INJECTED = 3;

/** mock_poison_list and poison_inject_dev_max of the module. */
export class MockPoison {
  readonly list: { readonly mem: MockMem; readonly dpa: number }[] = [];
  dev_max = MOCK_INJECT_DEV_MAX;

  constructor(private readonly kernel: Kernel) {}

  /** poison_inject_max_store */
  set_max(text: string): number {
    if (!/^[+-]?(0x[0-9a-f]+|\d+)$/i.test(text.trim())) return -E.EINVAL;
    if (this.list.length > 0) return -E.EBUSY;
    const value = Number(text.trim());
    if (value > MOCK_INJECT_TEST_MAX) return -E.EINVAL;
    this.dev_max = value;
    return 0;
  }

  add(mem: MockMem, dpa: number): number {
    const say = (text: string) => mem.dev.dbg('cxl_mock_mem', 'mock_poison_add', text);
    if (this.list.filter((one) => one.mem === mem).length >= this.dev_max) {
      say(`Device poison injection limit has been reached: ${this.dev_max}`);
      return -E.EBUSY;
    }
    if (this.list.length >= MOCK_INJECT_TEST_MAX) {
      say(`Mock test poison injection limit has been reached: ${MOCK_INJECT_TEST_MAX}`);
      return -E.ENXIO;
    }
    this.list.push({ mem, dpa });
    this.kernel.log.note(this.kernel.site('mock poison added', ['dpa'], 'tools/testing/cxl/test/mem.c'), dpa, 0);
    return 0;
  }

  find(mem: MockMem, dpa: number): number {
    return this.list.findIndex((one) => one.mem === mem && one.dpa === dpa);
  }
}

const quad = (bytes: Uint8Array, at: number): number =>
  fromHalves(viewOf(bytes).getUint32(at + 4, true), viewOf(bytes).getUint32(at, true));

/** mock_get_poison: the injected lines within the range asked for. */
export function mock_get_poison(mem: MockMem, input: Uint8Array): Uint8Array | number {
  if (input.length < 16) return -E.EINVAL;
  const start = quad(input, 0);
  // the core counts in lines of 64 bytes, the mock takes its number for bytes
  const end = start + quad(input, 8);
  const found = mem.poison.list.filter((one) => one.mem === mem && one.dpa >= start && one.dpa < end);
  const some = found.slice(0, mem.poison.dev_max);
  const out = new Uint8Array(32 + 16 * some.length);
  const view = viewOf(out);
  view.setUint16(10, some.length, true);
  for (const [n, { dpa }] of some.entries()) {
    const address = dpa + CXL_POISON_SOURCE_INJECTED;
    view.setUint32(32 + 16 * n, lo32(address), true);
    view.setUint32(36 + 16 * n, hi32(address), true);
    view.setUint32(40 + 16 * n, 1, true);
  }
  return out;
}

export function mock_inject_poison(mem: MockMem, input: Uint8Array): Uint8Array | number {
  const dpa = quad(input, 0);
  if (mem.poison.find(mem, dpa) < 0) {
    const rc = mem.poison.add(mem, dpa);
    return rc < 0 ? rc : new Uint8Array(0);
  }
  mem.dev.dbg('cxl_mock_mem', 'mock_inject_poison', `DPA: 0x${hex(dpa)} already poisoned`);
  return new Uint8Array(0);
}

export function mock_clear_poison(mem: MockMem, input: Uint8Array): Uint8Array | number {
  const dpa = quad(input, 0);
  const at = mem.poison.find(mem, dpa);
  if (at >= 0) mem.poison.list.splice(at, 1);
  else mem.dev.dbg('cxl_mock_mem', 'mock_clear_poison', `DPA: 0x${hex(dpa)} not in poison list`);
  return new Uint8Array(0);
}
