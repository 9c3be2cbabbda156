import { beforeEach, describe, expect, test, vi } from 'vitest';
import { E } from '../../../../base/errno.ts';
import type { Process } from '../../../include/tasks.ts';
import { decode, encode } from '../../../uapi/struct.ts';
import {
  VFIO_DEVICE_GET_INFO,
  VFIO_DEVICE_GET_REGION_INFO,
  VFIO_DEVICE_RESET,
  VFIO_PCI_INDEX_TO_OFFSET,
  vfio_device_info,
  vfio_device_info_cap_cxl,
  vfio_region_info,
} from '../../../uapi/vfio.ts';
import { fakeKernel } from '../testing/fake-kernel.ts';

const calls: string[] = [];
const results = vi.hoisted(() => ({ current: {} as Record<string, number> }));

vi.mock('../../../include/cxl.ts', () => {
  const call = (name: string, value: unknown) => {
    calls.push(name);
    return results.current[name] ?? value;
  };
  return {
    IS_ERR: (value: unknown) => typeof value === 'number',
    CXL_ACCEL_DRIVER_CAP_HDM: 1,
    CXL_ACCEL_RES_DPA: 0,
    CXL_ACCEL_RES_RAM: 1,
    CXL_DECODER_F_RAM: 1,
    CXL_DECODER_F_TYPE2: 4,
    cxl_accel_state_create: () => call('cxl_accel_state_create', {}),
    cxl_accel_set_dvsec: (_c: unknown, at: number) => call(`set_dvsec 0x${at.toString(16)}`, undefined),
    cxl_accel_set_serial: () => call('set_serial', undefined),
    cxl_accel_set_resource: (_c: unknown, _r: unknown, type: number) => call(`set_resource ${type}`, 0),
    cxl_pci_accel_setup_regs: () => call('setup_regs', 0),
    cxl_find_comp_regblock_offset: (_p: unknown, out: { offset: number }) => {
      out.offset = 0xfe000000;
      return call('find_comp_regblock', 0);
    },
    cxl_get_hdm_info: (_c: unknown, out: { hdm_count: number; hdm_reg_offset: number; hdm_reg_size: number }) => {
      Object.assign(out, { hdm_count: 1, hdm_reg_offset: 0x1128, hdm_reg_size: 0x90 });
      return call('get_hdm_info', 0);
    },
    cxl_accel_request_resource: () => call('request_resource', 0),
    cxl_await_media_ready: () => call('await_media_ready', 0),
    cxl_accel_set_media_ready: () => call('set_media_ready', undefined),
    devm_cxl_add_memdev: () => call('add_memdev', {}),
    cxl_acquire_endpoint: () => call('acquire_endpoint', {}),
    cxl_release_endpoint: () => call('release_endpoint', undefined),
    cxl_get_hpa_freespace: (_e: unknown, _w: number, _f: number, out: { max: number }) => {
      out.max = 0x100000000;
      return call('get_hpa_freespace', {});
    },
    cxl_request_dpa: () => call('request_dpa', {}),
    cxl_dpa_free: () => call('dpa_free', 0),
    cxl_create_region: () => call('create_region', {}),
    cxl_accel_get_region_params: (_r: unknown, out: { start: number; end: number }) => {
      Object.assign(out, { start: 0x490000000, end: 0x49fffffff });
      return call('get_region_params', 0);
    },
    cxl_region_detach: () => call('region_detach', 0),
  };
});

const core = { ...(await import('./vfio_cxl_core.ts')), ...(await import('./vfio_cxl_emu.ts')) };
const { VfioPciCoreDevice } = await import('./vfio_pci_device.ts');
const { vfio_pci_core_ioctl } = await import('./vfio_pci_ioctl.ts');
const { vfio_pci_ops } = await import('./vfio_pci.ts');

const SZ = 0x10000000;
const nobody = {} as Process;
const dword = (value: number) => new Uint8Array(new Uint32Array([value]).buffer);

function open(options: Parameters<typeof fakeKernel>[0] = {}) {
  const fake = fakeKernel(options);
  const vdev = new VfioPciCoreDevice(fake.dev, vfio_pci_ops);
  core.vfio_cxl_core_set_resource(vdev, { start: 0, end: SZ - 1, name: 'dpa' }, 0);
  core.vfio_cxl_core_set_resource(vdev, { start: 0, end: SZ - 1, name: 'ram' }, 1);
  core.vfio_cxl_core_set_region_size(vdev, SZ);
  core.vfio_cxl_core_set_driver_hdm_cap(vdev);
  const rc = core.vfio_cxl_core_enable(vdev);
  if (rc === 0) core.vfio_cxl_core_finish_enable(vdev);
  return { ...fake, vdev, rc };
}
function read(vdev: InstanceType<typeof VfioPciCoreDevice>, index: number, at: number, width = 4): number {
  const bytes = new Uint8Array(4);
  const rc = core.vfio_cxl_core_read(vdev, bytes.subarray(0, width), VFIO_PCI_INDEX_TO_OFFSET(index) + at);
  return rc < 0 ? rc : new DataView(bytes.buffer).getUint32(0, true);
}
function write(vdev: InstanceType<typeof VfioPciCoreDevice>, index: number, at: number, value: number): number {
  return core.vfio_cxl_core_write(vdev, dword(value), VFIO_PCI_INDEX_TO_OFFSET(index) + at);
}

beforeEach(() => {
  calls.length = 0;
  results.current = {};
});

describe('opening', () => {
  test('the CXL core is called in the posted order', () => {
    expect(open().rc).toBe(0);
    expect(calls).toEqual([
      'find_comp_regblock',
      'cxl_accel_state_create',
      'set_dvsec 0x100',
      'set_serial',
      'set_resource 0',
      'set_resource 1',
      'setup_regs',
      'get_hdm_info',
      'request_resource',
      'await_media_ready',
      'set_media_ready',
      'add_memdev',
      'acquire_endpoint',
      'get_hpa_freespace',
      'request_dpa',
      'create_region',
      'get_region_params',
      'release_endpoint',
    ]);
  });

  test.each([
    ['setup_regs', -E.ENODEV, 'Fail to setup CXL accel regs'],
    ['request_resource', -E.EINVAL, 'Fail to request CXL resource'],
    ['add_memdev', -E.ENXIO, 'Fail to create CXL memdev'],
    ['acquire_endpoint', -E.ENXIO, 'Fail to acquire CXL endpoint'],
    ['get_hpa_freespace', -E.ENOMEM, 'Fail to get HPA space.'],
    ['request_dpa', -E.ENXIO, 'Fail to request DPA'],
    ['create_region', -E.EIO, 'Fail to create CXL region'],
  ])('%s failing ends the open with its errno', (name, errno, message) => {
    results.current = { [name]: errno };
    const { rc, trace } = open();
    expect(rc).toBe(errno);
    expect(trace.filter((line) => line.startsWith('log')).at(-1)).toContain(message);
  });

  test('media that is not ready opens without a region, as posted', () => {
    results.current = { await_media_ready: -E.ETIMEDOUT };
    expect(open().rc).toBe(0);
    expect(open({ quirks: { 'vfio-cxl-media-inactive-open': 'intended' } }).rc).toBe(-E.ETIMEDOUT);
  });

  test('a second open warns because the region pointer is stale', () => {
    const { vdev, trace } = open();
    core.vfio_cxl_core_close_device(vdev);
    expect(calls.slice(-2)).toEqual(['region_detach', 'dpa_free']);
    core.vfio_cxl_core_set_region_size(vdev, SZ);
    expect(trace.at(-1)).toBe('WARN vfio_cxl_core_set_region_size');
  });
});

describe('what user space sees', () => {
  test('GET_INFO answers the size it needs, then the chain', () => {
    const { vdev } = open();
    const small = encode(vfio_device_info, { argsz: 24 });
    expect(vfio_pci_core_ioctl(vdev, VFIO_DEVICE_GET_INFO, small, nobody)).toBe(0);
    expect(decode(vfio_device_info, small)).toMatchObject({ argsz: 64, flags: 0x282, num_regions: 10, cap_offset: 0 });
    const full = encode(vfio_device_info, { argsz: 64 }, new Uint8Array(64));
    vfio_pci_core_ioctl(vdev, VFIO_DEVICE_GET_INFO, full, nobody);
    expect(decode(vfio_device_info, full)).toMatchObject({ argsz: 64, num_irqs: 5, cap_offset: 24 });
    expect(decode(vfio_device_info_cap_cxl, full, 24)).toEqual({
      id: 6,
      version: 1,
      next: 0,
      hdm_count: 1,
      hdm_reg_bar_index: 0,
      hdm_reg_size: 0x90,
      hdm_reg_offset: 0x1128,
      dpa_size: SZ,
    });
    expect(vfio_pci_core_ioctl(vdev, VFIO_DEVICE_GET_INFO, encode(vfio_device_info, { argsz: 8 }), nobody)).toBe(
      -E.EINVAL,
    );
    expect(vfio_pci_core_ioctl(vdev, VFIO_DEVICE_RESET, 0, nobody)).toBe(-E.EINVAL);
  });

  test('regions 0, 1, 7, 8, 9 and 10', () => {
    const { vdev } = open();
    const region = (index: number) => {
      const bytes = encode(vfio_region_info, { argsz: 32, index });
      const rc = vfio_pci_core_ioctl(vdev, VFIO_DEVICE_GET_REGION_INFO, bytes, nobody);
      const { argsz, flags, size, offset } = decode(vfio_region_info, bytes);
      return rc || { argsz, flags, size, offset };
    };
    expect(region(0)).toEqual({ argsz: 32, flags: 3, size: 0x10000, offset: 0 });
    expect(region(1)).toMatchObject({ flags: 0, size: 0 });
    expect(region(7)).toMatchObject({ flags: 3, size: 4096, offset: 0x700_0000_0000 });
    expect(region(8)).toBe(-E.EINVAL);
    expect(region(9)).toEqual({ argsz: 48, flags: 0xf, size: SZ, offset: 0x900_0000_0000 });
    expect(region(10)).toBe(-E.EINVAL);
  });
});

describe('guest accesses', () => {
  test('the HDM window is the shadow, the rest of the BAR the device', () => {
    const { vdev, bar } = open();
    bar.setUint32(0x1128, 0xdead, true);
    bar.setUint32(0x1000, 0xbeef, true);
    expect(read(vdev, 0, 0x1128)).toBe(0x312);
    expect(read(vdev, 0, 0x1000)).toBe(0xbeef);
    expect(write(vdev, 0, 0x1148, 0x200)).toBe(4);
    expect(read(vdev, 0, 0x1148)).toBe(0x600);
    expect(bar.getUint32(0x1148, true)).toBe(0);
    // the posted comparison gives the last dword to the device
    write(vdev, 0, 0x11b4, 0x77);
    expect(bar.getUint32(0x11b4, true)).toBe(0x77);
  });

  test('accesses of other sizes are refused for the whole BAR', () => {
    const { vdev, trace } = open();
    expect(read(vdev, 0, 0x1000, 2)).toBe(-E.EINVAL);
    expect(trace).toContain('WARN emulate_hdm_regblock');
  });

  test('CXL DVSECs are plain bytes, whatever the device would say', () => {
    const { vdev, config } = open();
    write(vdev, 7, 0x10c, 0x6);
    expect(read(vdev, 7, 0x10c, 2)).toBe(6);
    expect(config.getUint32(0x10c, true)).toBe(2);
    config.setUint32(0x11c, 0, true);
    expect(read(vdev, 7, 0x11c)).toBe(0x1000004b);
    // even read-only fields of the locator
    write(vdev, 7, 0x148, 0x12345678);
    expect(read(vdev, 7, 0x148)).toBe(0x12345678);
  });

  test('overwriting the vendor id in a DVSEC header opens the raw path for what follows', () => {
    const { vdev, config } = open();
    write(vdev, 7, 0x104, 0);
    write(vdev, 7, 0x10c, 0x6);
    expect(config.getUint32(0x10c, true)).toBe(6);
  });

  test('without patch 10 a DVSEC write reaches the device', () => {
    const { vdev, config } = open({ patches: [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13] });
    write(vdev, 7, 0x10c, 0x6);
    expect(config.getUint32(0x10c, true)).toBe(6);
  });

  test('without patch 13 the component BAR is busy', () => {
    const { vdev } = open({ patches: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] });
    expect(read(vdev, 0, 0x1000)).toBe(-E.EBUSY);
    expect(read(vdev, 0, 0x1128)).toBe(0x312);
  });

  test('BARs are virtual and size as hardware does', () => {
    const { vdev, config } = open();
    write(vdev, 7, 0x10, 0xffffffff);
    expect(read(vdev, 7, 0x10)).toBe(0xffff0004);
    expect(config.getUint32(0x10, true) >>> 0).toBe(0xfe000004);
  });
});
