import { E } from '../../../../base/errno.ts';
import type { Prng } from '../../../../base/prng.ts';
import { eiw_to_ways } from '../../../drivers/cxl/core/interleave.ts';
import {
  cxl_calculate_dpa_offset,
  cxl_calculate_hpa_offset,
  cxl_calculate_position,
  cxl_do_xormap_calc,
  cxl_validate_translation_params,
  hbiw_to_nr_maps,
  ULLONG_MAX,
} from '../../../drivers/cxl/core/translate.ts';
import type { Kernel } from '../../../include/kernel.ts';

/**
 * cxl_translate: tries the region code's address translation on vectors given as parameters, or, without any, on checks
 * of its own (tools/testing/cxl/test/cxl_translate.c, v6.19).
 */

const MAX_TABLE_ENTRIES = 128;
const XORMAPS = [0x2020900n, 0x4041200n, 0x1010400n, 0x800n] as const;
const XOR_MATH = 1;

interface Vector {
  readonly dpa: bigint;
  readonly pos: number;
  readonly eiw: number;
  readonly eig: number;
  readonly hb_ways: number;
  readonly math: number;
  readonly hpa: bigint;
}

const err = (kernel: Kernel, text: string) => kernel.printk(3, `cxl_translate: ${text}`);
const info = (kernel: Kernel, text: string) => kernel.printk(6, `cxl_translate: ${text}`);

/** Applies the maps that this many host bridges use; the same both ways. */
function xor({ math, hb_ways }: Vector, offset: bigint): bigint {
  const maps = XORMAPS.slice(0, hbiw_to_nr_maps(hb_ways));
  return math === XOR_MATH && maps.length > 0 ? cxl_do_xormap_calc(maps, offset, hb_ways) : offset;
}

function to_hpa(vector: Vector): bigint {
  const offset = cxl_calculate_hpa_offset(vector.dpa, vector.pos, vector.eiw, vector.eig);
  return offset === ULLONG_MAX ? ULLONG_MAX : xor(vector, offset);
}

/** run_translation_test */
function run_translation_test(kernel: Kernel, vector: Vector): boolean {
  const { dpa, pos, eiw, eig } = vector;
  const hpa = to_hpa(vector);
  if (hpa !== vector.hpa) {
    err(kernel, `Device to host failed: expected HPA ${vector.hpa}, got ${hpa}`);
    return false;
  }
  const back = cxl_calculate_dpa_offset(xor(vector, hpa), eiw, eig);
  if (back !== dpa) {
    err(kernel, `Host to Device DPA failed: expected ${dpa}, got ${back}`);
    return false;
  }
  const position = cxl_calculate_position(xor(vector, hpa), eiw, eig);
  if (position !== pos) {
    err(kernel, `Position lookup failed: expected ${pos}, got ${position}`);
    return false;
  }
  return true;
}

/** Numbers as sscanf("%llu %d %u %u %u %d %llu") finds them: as many as fit from the left. */
function scan(entry: string): bigint[] {
  const out: bigint[] = [];
  let rest = entry;
  for (const signed of [false, true, false, false, false, true, false]) {
    const match = (signed ? /^\s*([+-]?\d+)/ : /^\s*(\d+)/).exec(rest);
    if (!match) break;
    out.push(BigInt(match[1] ?? 0));
    rest = rest.slice(match[0].length);
  }
  return out;
}

/** parse_test_vector */
function parse_test_vector(kernel: Kernel, entry: string): Vector | number {
  const [dpa, pos, eiw, eig, hb_ways, math, hpa, ...none] = scan(entry);
  if (
    dpa === undefined ||
    pos === undefined ||
    eiw === undefined ||
    eig === undefined ||
    hb_ways === undefined ||
    math === undefined ||
    hpa === undefined ||
    none.length > 0
  ) {
    err(kernel, `Parse error: expected 7 parameters, got ${scan(entry).length} in '${entry}'`);
    return -E.EINVAL;
  }
  if (eiw > 0xffn || eig > 0xffffn || hb_ways > 0xffn) {
    err(kernel, `Parameter overflow in entry: '${entry}'`);
    return -E.ERANGE;
  }
  if (math !== 0n && math !== 1n) {
    err(kernel, `Invalid math type ${math} in entry: '${entry}'`);
    return -E.EINVAL;
  }
  const [p, w, g, h, m] = [pos, eiw, eig, hb_ways, math].map(Number) as [number, number, number, number, number];
  return { dpa, pos: p, eiw: w, eig: g, hb_ways: h, math: m, hpa };
}

function run_table(kernel: Kernel, table: readonly string[]): void {
  info(kernel, `CXL translate test module loaded with ${table.length} test vectors`);
  for (const [i, entry] of table.entries()) {
    kernel.dynamic_debug(
      'cxl_translate',
      'cxl_translate_init',
      `cxl_translate: Processing test vector ${i}: '${entry}'`,
    );
    const vector = parse_test_vector(kernel, entry);
    if (typeof vector === 'number') {
      err(kernel, `CXL Translate Test ${i}: FAIL\n    Failed to parse test vector '${entry}'`);
      continue;
    }
    const { dpa, pos, eiw, eig, hb_ways, math, hpa } = vector;
    if (run_translation_test(kernel, vector)) info(kernel, `CXL Translate Test ${i}: PASS`);
    else
      err(
        kernel,
        `CXL Translate Test ${i}: FAIL\n    dpa=${dpa} pos=${pos} r_eiw=${eiw} r_eig=${eig} hb_ways=${hb_ways} math=${math === XOR_MATH ? 'XOR' : 'MODULO'} expect_spa=${hpa}`,
      );
  }
  info(kernel, 'CXL translate test completed');
}

const VALID_EIWS = [0, 1, 2, 3, 4, 8, 9, 10] as const;
const WAYS_NAME = (eiw: number) => `${eiw_to_ways(eiw)}-way`;

/** The module's own checks of parameters: for every number of ways three good ones, then what has to be refused. */
function param_tests(): { eiw: number; eig: number; pos: number; expect: boolean; desc: string }[] {
  const good = VALID_EIWS.flatMap((eiw) => {
    const last = eiw_to_ways(eiw) - 1;
    return [0, 3, 6].map((eig) => {
      const pos = eig === 0 ? 0 : last;
      const eig_text = eiw === 0 ? `${{ 0: 'min', 3: 'mid', 6: 'max' }[eig]} eig=${eig}` : `eig=${eig}`;
      return {
        eiw,
        eig,
        pos,
        expect: true,
        desc: `${WAYS_NAME(eiw)}, ${eig_text}, ${pos > 0 ? 'max ' : ''}pos=${pos}`,
      };
    });
  });
  const bad = (eiw: number, eig: number, pos: number, desc: string) => ({ eiw, eig, pos, expect: false, desc });
  return [
    ...good,
    bad(0x5, 0, 0, 'invalid eiw=5'),
    bad(0x7, 0, 0, 'invalid eiw=7'),
    bad(0xb, 0, 0, 'invalid eiw=0xB'),
    bad(0xff, 0, 0, 'invalid eiw=0xFF'),
    bad(0x1, 7, 0, 'invalid eig=7 (out of range)'),
    bad(0x2, 0x10, 0, 'invalid eig=0x10'),
    bad(0x3, 0xffff, 0, 'invalid eig=0xFFFF'),
    bad(0x1, 0, -1, 'pos < 0'),
    ...VALID_EIWS.slice(1).map((eiw) => {
      const ways = eiw_to_ways(eiw);
      return bad(eiw, 0, ways, `${ways}-way, pos=${ways} (>= ways)`);
    }),
  ];
}

function test_params(kernel: Kernel): number {
  const tests = param_tests();
  const failed = tests.filter(({ eiw, eig, pos, expect }) => cxl_validate_translation_params(eiw, eig, pos) !== expect);
  for (const { desc } of failed) err(kernel, `test params failed: ${desc}`);
  info(kernel, `..... test params: PASS ${tests.length - failed.length} FAIL ${failed.length}`);
  return failed.length > 0 ? -E.EINVAL : 0;
}

/** get_random_u64() >> 12 */
function random_dpa(random: Prng): bigint {
  return BigInt(random.below(2 ** 26)) * 2n ** 26n + BigInt(random.below(2 ** 26));
}

function test_random_params(kernel: Kernel): number {
  const random = kernel.platform.random;
  const iterations = 10000;
  let failures = 0;
  let i = 0;
  for (; i < iterations; i++) {
    const eiw = VALID_EIWS[random.below(VALID_EIWS.length)] ?? 0;
    const eig = random.below(7);
    const pos = random.below(eiw_to_ways(eiw));
    const dpa = random_dpa(random);
    const hpa = cxl_calculate_hpa_offset(dpa, pos, eiw, eig);
    const back = cxl_calculate_dpa_offset(hpa, eiw, eig);
    const position = cxl_calculate_position(hpa, eiw, eig);
    if (back === dpa && position === pos) continue;
    err(
      kernel,
      `test random iter ${i} FAIL hpa=${hpa}, dpa=${dpa} reverse_dpa=${back}, pos=${pos} reverse_pos=${position} eiw=${eiw} eig=${eig}`,
    );
    if (failures++ > 10) {
      err(kernel, 'test random too many failures, stop');
      break;
    }
  }
  info(kernel, `..... test random: PASS ${i - failures} FAIL ${failures}`);
  return failures > 0 ? -E.EINVAL : 0;
}

/** cxl_translate_init */
export function cxl_translate_init(kernel: Kernel, params: Readonly<Record<string, string>>): number {
  const given = params.table ?? '';
  if (given !== '') {
    const table = given.split(',');
    if (table.length > MAX_TABLE_ENTRIES) {
      err(kernel, `table: can only take ${MAX_TABLE_ENTRIES} arguments`);
      return -E.EINVAL;
    }
    run_table(kernel, table);
    return 0;
  }
  info(kernel, 'Internal validation test start...');
  const rc = test_params(kernel) || test_random_params(kernel);
  if (rc) return rc;
  info(kernel, 'Internal validation test completed successfully');
  return 0;
}

export function cxl_translate_exit(kernel: Kernel): void {
  info(kernel, 'CXL translate test module unloaded');
}
