/**
 * The CXL core's header: what drivers of type-2 devices (vfio-cxl, the dummy accelerator) may call. Names of Alejandro
 * Lucero's type-2 RFC v2 (15 Jul 2024) plus patches 01…03 of the vfio-cxl RFC. Pointer results that C gives as ERR_PTR
 * are `T | number` (test with IS_ERR).
 *
 *   cxl_accel_state_create(dev: PciDev, caps: number): CxlDevState | number
 *   cxl_accel_set_dvsec(cxlds: CxlDevState, dvsec: number): void
 *   cxl_accel_set_serial(cxlds: CxlDevState, serial: number): void
 *   cxl_accel_set_resource(cxlds: CxlDevState, res: { start; end; name? }, type: 0 dpa | 1 ram | 2 pmem): number
 *   cxl_pci_accel_setup_regs(pdev: PciDev, cxlds: CxlDevState): number
 *   cxl_accel_request_resource(cxlds: CxlDevState, is_ram: boolean): number
 *   cxl_await_media_ready(cxlds: CxlDevState): number
 *   cxl_accel_set_media_ready(cxlds: CxlDevState): void
 *   devm_cxl_add_memdev(host: Device, cxlds: CxlDevState): CxlMemdev | number
 *   cxl_acquire_endpoint(cxlmd: CxlMemdev): CxlPort | number
 *   cxl_release_endpoint(cxlmd: CxlMemdev, endpoint: CxlPort): void
 *   cxl_get_hpa_freespace(endpoint: CxlPort, interleave_ways: number, flags: number, out: { max: number }): CxlRootDecoder | number
 *   cxl_request_dpa(endpoint: CxlPort, is_ram: boolean, min: number, max: number): CxlEndpointDecoder | number
 *   cxl_dpa_free(cxled: CxlEndpointDecoder): number
 *   cxl_create_region(cxlrd: CxlRootDecoder, cxled: readonly CxlEndpointDecoder[], ways: number): CxlRegion | number
 *   cxl_accel_get_region_params(region: CxlRegion, out: { start: number; end: number }): number
 *   cxl_region_detach(cxled: CxlEndpointDecoder): number
 *   cxl_get_hdm_info(cxlds: CxlDevState, out: { hdm_count; hdm_reg_offset; hdm_reg_size }): number          (patch 02)
 *   cxl_find_comp_regblock_offset(pdev: PciDev, out: { offset: number }): number                            (patch 03)
 */
export {
  cxl_accel_get_region_params,
  cxl_accel_request_resource,
  cxl_accel_set_dvsec,
  cxl_accel_set_media_ready,
  cxl_accel_set_resource,
  cxl_accel_set_serial,
  cxl_accel_state_create,
  cxl_acquire_endpoint,
  cxl_release_endpoint,
} from '../drivers/cxl/core/accel.ts';
export { cxl_dpa_free, cxl_request_dpa } from '../drivers/cxl/core/dpa.ts';
export { devm_cxl_add_memdev } from '../drivers/cxl/core/memdev.ts';
export { cxl_await_media_ready, cxl_get_hdm_info } from '../drivers/cxl/core/pci.ts';
export { cxl_create_region, cxl_get_hpa_freespace, cxl_region_detach } from '../drivers/cxl/core/region.ts';
export { cxl_find_comp_regblock_offset } from '../drivers/cxl/core/regs.ts';
export { cxl_pci_accel_setup_regs } from '../drivers/cxl/pci.ts';
export * from './cxl_types.ts';
