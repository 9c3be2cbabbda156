import type { PciView } from './device.ts';
import { className, deviceName, subsystemName, vendorName } from './names.ts';
import type { ShowOptions } from './show.ts';

const hex4 = (value: number) => value.toString(16).padStart(4, '0');

/** `lspci -m`/`-mm` (one quoted line) and `-vmm` (tagged record), lspci.c:show_machine. */
export function showMachine(dev: PciView, options: ShowOptions, level: number): string {
  const { style } = options;
  const numbers = style === 'numbers';
  const vendor = numbers ? hex4(dev.vendor) : (vendorName(dev.vendor) ?? `Vendor ${hex4(dev.vendor)}`);
  const device = numbers ? hex4(dev.device) : strip(deviceName(dev.vendor, dev.device, 'names'), vendor);
  const subVendor = dev.headerType === 0 ? dev.word(0x2c) : 0;
  const subDevice = dev.headerType === 0 ? dev.word(0x2e) : 0;
  const subVendorText = numbers ? hex4(subVendor) : (vendorName(subVendor) ?? `Unknown vendor ${hex4(subVendor)}`);
  const subDeviceText = numbers
    ? hex4(subDevice)
    : strip(subsystemName(dev.vendor, dev.device, subVendor, subDevice, 'names'), subVendorText);
  const revision = dev.byte(8);
  const progIf = dev.byte(9);
  const hex2 = (value: number) => value.toString(16).padStart(2, '0');
  if (options.verbose > 0) {
    let text = `${level >= 2 ? 'Slot' : 'Device'}:\t${dev.slotText(options.domain)}\nClass:\t${className(dev.classCode, style)}\nVendor:\t${vendor}\nDevice:\t${device}\n`;
    if (subVendor !== 0) text += `SVendor:\t${subVendorText}\nSDevice:\t${subDeviceText}\n`;
    if (revision !== 0) text += `Rev:\t${hex2(revision)}\n`;
    if (progIf !== 0) text += `ProgIf:\t${hex2(progIf)}\n`;
    if (options.kernel && dev.kernel?.driver) text += `Driver:\t${dev.kernel.driver}\n`;
    if (options.kernel) for (const module of dev.kernel?.modules ?? []) text += `Module:\t${module}\n`;
    if (dev.kernel?.iommuGroup) text += `IOMMUGroup:\t${dev.kernel.iommuGroup}\n`;
    return `${text}\n`;
  }
  const quoted = (value: string) => `"${value.replace(/["\\]/g, '\\$&')}"`;
  let text = `${dev.slotText(options.domain)} ${quoted(className(dev.classCode, style))} ${quoted(vendor)} ${quoted(device)}`;
  if (revision !== 0) text += ` -r${hex2(revision)}`;
  text += ` -p${hex2(progIf)}`;
  return `${text} ${subVendor === 0 ? '"" ""' : `${quoted(subVendorText)} ${quoted(subDeviceText)}`}\n`;
}

function strip(name: string, vendor: string): string {
  return name.startsWith(`${vendor} `) ? name.slice(vendor.length + 1) : name;
}
