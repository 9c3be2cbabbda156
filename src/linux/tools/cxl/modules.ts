import type { ModuleDef } from '../../include/module.ts';
import { cxl_mock_init, cxl_test_exit, cxl_test_init } from './test/cxl.ts';
import { cxl_translate_exit, cxl_translate_init } from './test/cxl_translate.ts';
import { cxl_mock_mem_exit, cxl_mock_mem_init } from './test/mem.ts';

/** The test modules of tools/testing/cxl (here without `testing`, which is the name of our own test helpers), built apart from the tree and installed below updates/. */

const COMMON = { config: null, dir: 'test', license: 'GPL v2', initcall: 6 } as const;

export const cxl_test_modules: readonly ModuleDef[] = [
  {
    ...COMMON,
    name: 'cxl_mock',
    description: 'cxl_test: emulation module',
    size: 16384,
    init: cxl_mock_init,
    exit: () => {},
  },
  {
    ...COMMON,
    name: 'cxl_mock_mem',
    description: 'cxl_test: mem device mock module',
    depends: ['cxl_core', 'cxl_mock'],
    alias: ['platform:cxl_rcd', 'platform:cxl_mem'],
    size: 28672,
    init: cxl_mock_mem_init,
    exit: cxl_mock_mem_exit,
  },
  {
    ...COMMON,
    name: 'cxl_test',
    description: 'cxl_test: setup module',
    depends: ['cxl_mock', 'cxl_acpi', 'cxl_pmem', 'cxl_mem', 'cxl_port', 'cxl_core'],
    params: {
      interleave_arithmetic: { type: 'int', description: 'Modulo:0, XOR:1', default: '0', mode: 0o444 },
    },
    size: 61440,
    init: cxl_test_init,
    exit: cxl_test_exit,
  },
  {
    ...COMMON,
    name: 'cxl_translate',
    license: 'GPL',
    description: 'cxl_test: cxl address translation test module',
    depends: ['cxl_core'],
    params: {
      table: {
        type: 'array of charp',
        description: 'Test vectors as space-separated decimal strings',
        default: '',
        mode: 0o444,
      },
    },
    size: 20480,
    init: cxl_translate_init,
    exit: cxl_translate_exit,
  },
];
