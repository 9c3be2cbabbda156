/** The PCI core's header (include/linux/pci.h): everything other subsystems may use. */
export {
  pci_bus_read_config,
  pci_bus_write_config,
  pci_read_config_byte,
  pci_read_config_dword,
  pci_read_config_word,
  pci_write_config_byte,
  pci_write_config_dword,
  pci_write_config_word,
  pcie_capability_read_dword,
  pcie_capability_read_word,
  pcie_capability_write_word,
} from '../drivers/pci/access.ts';
export {
  pci_clear_master,
  pci_disable_device,
  pci_enable_device,
  pci_find_capability,
  pci_find_dvsec_capability,
  pci_find_ext_capability,
  pci_find_next_ext_capability,
  pci_get_domain_bus_and_slot,
  pci_get_dsn,
  pci_is_enabled,
  pci_release_region,
  pci_release_selected_regions,
  pci_request_region,
  pci_request_selected_regions,
  pci_resource_flags,
  pci_resource_len,
  pci_resource_start,
  pci_restore_state,
  pci_save_state,
  pci_set_master,
} from '../drivers/pci/pci.ts';
export { pci_add_dynid, pci_register_driver, pci_unregister_driver, to_pci_dev } from '../drivers/pci/pci-driver.ts';
export {
  __pci_reset_function_locked,
  pci_bridge_secondary_bus_reset,
  pci_reset_function,
  pci_reset_methods,
} from '../drivers/pci/reset.ts';
export { pci_for_each_dev } from '../drivers/pci/search.ts';
export * from './pci_types.ts';
