/** The sysbus face of fw_cfg in `info qtree`. */
import { registerDeviceType } from '../../qdev/device-type.ts';

registerDeviceType({
  name: 'fw_cfg_io',
  category: 'Misc',
  bus: 'System',
  userCreatable: false,
  properties: [
    { name: 'dma_enabled', kind: 'bool', value: true },
    { name: 'x-file-slots', kind: 'uint16', value: 32 },
    { name: 'acpi-mr-restore', kind: 'bool', value: true },
  ],
  realize() {},
});
