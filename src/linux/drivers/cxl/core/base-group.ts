import type { AttributeGroup } from '../../../include/device.ts';

/** devtype and modalias, common to every object of the bus (cxl_base_attribute_group). */
export function cxl_base_group(modalias: string): AttributeGroup {
  return {
    attrs: [
      { name: 'devtype', mode: 0o444, show: (dev) => `${dev.devtype}\n` },
      { name: 'modalias', mode: 0o444, show: () => `${modalias}\n` },
    ],
  };
}
