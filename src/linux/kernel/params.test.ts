import { expect, test } from 'vitest';
import { DynamicDebug, module_param_check, parse_args } from './params.ts';

test('arguments keep quoted spaces and end at --', () => {
  expect(parse_args('quiet a=1 b="x y" -- c=2')).toEqual([
    ['quiet', ''],
    ['a', '1'],
    ['b', 'x y'],
  ]);
});

test('typed parameters are checked and shown in their own form', () => {
  const param = (type: 'int' | 'bool' | 'charp' | 'uint') => ({ type, description: '', default: '', mode: 0 });
  expect(module_param_check(param('int'), '0x10')).toBe('16');
  expect(module_param_check(param('int'), '010')).toBe('8');
  expect(module_param_check(param('int'), 'ten')).toBe(null);
  expect(module_param_check(param('uint'), '-1')).toBe(null);
  expect(module_param_check(param('bool'), '')).toBe('Y');
  expect(module_param_check(param('bool'), 'off')).toBe('N');
});

test('dynamic debug: the last matching query decides', () => {
  const debug = new DynamicDebug();
  expect(debug.enabled('cxl_core', 'f')).toBe(false);
  expect(debug.exec('module cxl* +p; module cxl_core func g -p')).toBe(true);
  expect([debug.enabled('cxl-core', 'f'), debug.enabled('cxl_core', 'g'), debug.enabled('vfio', 'f')]).toEqual([
    true,
    false,
    false,
  ]);
  expect(debug.exec('module +p')).toBe(false);
});
