/** Every module that registers a device type. */
import './core/inert.ts';
import './char/serial-isa.ts';
import './i386/intel_iommu.ts';
import './isa/lpc_ich9.ts';
import './mem/cxl_accel.ts';
import './mem/cxl_type3.ts';
import './nvram/fw_cfg-type.ts';
import './pci-bridge/cxl-downstream.ts';
import './pci-bridge/cxl-root-port.ts';
import './pci-bridge/cxl-upstream.ts';
import './pci-bridge/pxb-cxl.ts';
import './pci-host/q35.ts';
import './vfio/pci.ts';
import './vfio/pci.ts';
