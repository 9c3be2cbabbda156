import { expect, test } from 'vitest';
import { MODULES } from '../../linux/module-table.ts';
import { ALL_PATCHES, type KernelRequest, kernelBuild, patchList } from './kernel-build.ts';

const request = (change: Partial<KernelRequest> = {}): KernelRequest => ({
  machine: 'l1',
  series: 'rfc-v1',
  patches: ALL_PATCHES,
  soft: [],
  config: [],
  quirks: {},
  driver: 'rfc',
  ...change,
});
const without = (...numbers: number[]) => ALL_PATCHES.filter((number) => !numbers.includes(number));

test('every symbol that code of the series calls is exported in the whole series', () => {
  expect(kernelBuild(request()).errors).toEqual([]);
  expect(kernelBuild(request({ machine: 'l2' })).errors).toEqual([]);
});

test('the patches others need at link time are 2, 3, 4, 6 and 7', () => {
  const failing = ALL_PATCHES.filter((number) => kernelBuild(request({ patches: without(number) })).errors.length > 0);
  expect(failing).toEqual([2, 3, 4, 6, 7]);
  expect(kernelBuild(request({ patches: without(4, 12) })).errors).toEqual([]);
  expect(kernelBuild(request({ patches: [] })).errors).toEqual([]);
  expect(kernelBuild(request({ patches: without(6), soft: [6] })).errors).toEqual([]);
});

test('code that is built in fails at the link of vmlinux, a module at modpost', () => {
  const settings = ['VFIO=y', 'VFIO_PCI=y', 'CXL_ACCEL_VFIO_PCI=y'];
  expect(kernelBuild(request({ patches: without(6) })).errors[0]).toBe(
    'ERROR: modpost: "vfio_pci_rw" [drivers/vfio/pci/vfio-cxl-core.ko] undefined!',
  );
  const config = [...settings, 'CONFIG_VFIO_CXL_CORE=m'];
  const { build } = kernelBuild(request({ config }));
  expect(build.config.CXL_ACCEL_VFIO_PCI).toBe('y');
});

test('options follow dependencies and selects, and what changed is told', () => {
  const off = kernelBuild(request({ config: ['CONFIG_VFIO_CXL_CORE=n'] }));
  expect(off.build.config.CXL_ACCEL_VFIO_PCI).toBeUndefined();
  expect(off.remarks[0]).toContain('CONFIG_CXL_ACCEL_VFIO_PCI, which selects it, is off too');
  const alone = kernelBuild(request({ config: ['CXL_REGION=n', 'CXL_ACCEL_VFIO_PCI=n'] }));
  expect([alone.errors, alone.build.config.VFIO_CXL_CORE]).toEqual([[], undefined]);
  const region = request({ config: ['CXL_REGION=n'] });
  expect(kernelBuild(region).errors[0]).toContain('"cxl_get_hpa_freespace"');
  const fixed = kernelBuild({ ...region, quirks: { 'vfio-cxl-kconfig-depends': 'intended' } });
  expect(fixed.errors).toEqual([]);
  expect(fixed.build.config.VFIO_CXL_CORE).toBeUndefined();
  expect(() => kernelBuild(request({ config: ['CXL_NOTHING=y'] }))).toThrow('this tree has no CONFIG_CXL_NOTHING');
  expect(() => kernelBuild(request({ config: ['CXL_REGION=m'] }))).toThrow('is y or n, never m');
});

test('the build id follows the ingredients and stands in release, module path and config', () => {
  const one = kernelBuild(request({ patches: without(8) })).build;
  expect(one.release).toMatch(/^6\.11\.0-rc2-vfio-cxl-l1-g[0-9a-f]{12}$/);
  expect(kernelBuild(request({ patches: without(8) })).build.release).toBe(one.release);
  expect(kernelBuild(request({ patches: without(9) })).build.release).not.toBe(one.release);
  expect(one.notes?.join('\n')).toContain('left out 08');
  const { initramfs } = kernelBuild(request({ patches: without(4, 12) }));
  expect(initramfs.some((entry) => entry.path.endsWith('/vfio-pci.ko'))).toBe(true);
  expect(initramfs.some((entry) => entry.path.endsWith('/vfio-cxl-core.ko'))).toBe(false);
});

test('patch lists take numbers, ranges and words, and refuse anything else', () => {
  expect(patchList('--without', ['2,4-6', '13'])).toEqual([2, 4, 5, 6, 13]);
  expect(patchList('--with', ['none'])).toEqual([]);
  expect(patchList('--with', ['all'])).toEqual(ALL_PATCHES);
  for (const word of ['0', '14', '5-3', 'x', '1.5', ''])
    expect(() => patchList('--without', [word])).toThrow('--without');
});

test('modules that a patch brings name the patch', () => {
  expect(MODULES.filter((def) => def.patch !== undefined).map((def) => [def.name, def.patch])).toEqual([
    ['vfio-cxl-core', 4],
    ['cxl-accel-vfio-pci', 12],
  ]);
});

test('the later series has none of the RFC, and its options only there', () => {
  const { build, errors } = kernelBuild(request({ series: 'v3', patches: [] }));
  expect(errors).toEqual([]);
  expect(build.series).toBe('v3');
  expect([build.config.VFIO_PCI_CXL, build.config.CXL_VFIO_PASSTHROUGH, build.config.VFIO_CXL_CORE]).toEqual([
    'y',
    'y',
    undefined,
  ]);
  expect(() => kernelBuild(request({ config: ['CONFIG_VFIO_PCI_CXL=y'] }))).toThrow('no CONFIG_VFIO_PCI_CXL');
  const off = kernelBuild(request({ series: 'v3', patches: [], config: ['CONFIG_CXL_REGION=n'] }));
  expect(off.build.config.VFIO_PCI_CXL).toBeUndefined();
});
