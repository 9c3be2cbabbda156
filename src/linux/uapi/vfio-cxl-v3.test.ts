import { expect, test } from 'vitest';
import { encode } from './struct.ts';
import { VFIO_DEVICE_INFO_CAP_CXL, vfio_device_info_cap_cxl } from './vfio.ts';
import { cap_cxl_layout, vfio_device_info_cap_cxl_v3 } from './vfio-cxl-v3.ts';

test('the two capabilities of id 6 are told apart in a buffer of any size, zeros behind them included', () => {
  const rfc = { id: VFIO_DEVICE_INFO_CAP_CXL, version: 1, next: 0, hdm_count: 1, hdm_reg_bar_index: 0 };
  const sizes = { hdm_reg_size: 0x90, hdm_reg_offset: 0x1128, dpa_size: 0x10000000 };
  const bytes = new Uint8Array(256);
  encode(vfio_device_info_cap_cxl, { ...rfc, ...sizes }, bytes, 24);
  expect(cap_cxl_layout(bytes, 24)).toBe(vfio_device_info_cap_cxl);
  encode(vfio_device_info_cap_cxl_v3, { id: 6, version: 1, flags: 1, hdm_region_idx: 10 }, bytes, 24);
  expect(cap_cxl_layout(bytes, 24)).toBe(vfio_device_info_cap_cxl_v3);
  expect(cap_cxl_layout(bytes.subarray(0, 64), 24)).toBe(vfio_device_info_cap_cxl);
});
