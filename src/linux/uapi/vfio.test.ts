import { expect, test } from 'vitest';
import { decode, encode } from './struct.ts';
import {
  findInfoCap,
  VFIO_DEVICE_GET_INFO,
  VFIO_DEVICE_INFO_CAP_CXL,
  VFIO_DEVICE_PCI_HOT_RESET,
  VFIO_PCI_INDEX_TO_OFFSET,
  VFIO_REGION_TYPE_CXL,
  VFIO_STRUCTS,
  vfio_device_info,
  vfio_device_info_cap_cxl,
  vfio_region_info,
} from './vfio.ts';

test('the structures have the sizes and the numbers of the header', () => {
  expect(VFIO_DEVICE_GET_INFO).toBe(0x3b6b);
  expect(VFIO_DEVICE_PCI_HOT_RESET).toBe(0x3b71);
  expect(VFIO_REGION_TYPE_CXL).toBe(0x80001e98);
  expect(VFIO_PCI_INDEX_TO_OFFSET(9)).toBe(0x900_0000_0000);
  expect(Object.fromEntries(VFIO_STRUCTS.map((def) => [def.name, def.size]))).toMatchObject({
    vfio_device_info: 24,
    vfio_device_info_cap_cxl: 40,
    vfio_region_info: 32,
    vfio_region_info_cap_type: 16,
    vfio_iommu_type1_dma_map: 32,
  });
});

test('the CXL capability has its padding where the compiler puts it', () => {
  const bytes = encode(vfio_device_info_cap_cxl, {
    id: VFIO_DEVICE_INFO_CAP_CXL,
    version: 1,
    next: 0,
    hdm_count: 1,
    hdm_reg_bar_index: 0,
    hdm_reg_size: 0x90,
    hdm_reg_offset: 0x1128,
    dpa_size: 0x10000000,
  });
  expect([...bytes.subarray(0, 10)]).toEqual([6, 0, 1, 0, 0, 0, 0, 0, 1, 0]);
  expect([...bytes.subarray(16, 18)]).toEqual([0x90, 0]);
  expect([...bytes.subarray(24, 26)]).toEqual([0x28, 0x11]);
  expect([...bytes.subarray(32, 36)]).toEqual([0, 0, 0, 0x10]);
});

test('a structure decodes what it encoded, and a chain is walked by offsets', () => {
  const bytes = new Uint8Array(64);
  encode(vfio_device_info, { argsz: 64, flags: 0x282, num_regions: 10, num_irqs: 5, cap_offset: 24 }, bytes);
  encode(vfio_device_info_cap_cxl, { id: 6, version: 1, next: 0 }, bytes, 24);
  expect(decode(vfio_device_info, bytes).cap_offset).toBe(24);
  expect(findInfoCap(bytes, 24, 6)).toBe(24);
  expect(findInfoCap(bytes, 24, 5)).toBe(0);
  const region = encode(vfio_region_info, { argsz: 32, index: 9, size: 0x10000000, offset: 0x900_0000_0000 });
  expect(decode(vfio_region_info, region)).toMatchObject({ size: 0x10000000, offset: 0x900_0000_0000 });
});
