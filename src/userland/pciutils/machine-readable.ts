import type { PciView } from './device.ts';
import { className, deviceOf, subsystemOf, vendorName } from './names.ts';
import { type ShowOptions, subsystemIds } from './show.ts';

const hex4 = (value: number) => value.toString(16).padStart(4, '0');

/** `lspci -m`/`-mm` (one quoted line) and `-vmm` (tagged record), lspci.c:show_machine. */
export function showMachine(dev: PciView, options: ShowOptions, level: number): string {
  const { style } = options;
  const both = (id: number, name: string) =>
    style === 'numbers' ? hex4(id) : style === 'both' ? `${name} [${hex4(id)}]` : name;
  const vendor = both(
    dev.vendor,
    vendorName(dev.vendor) ?? (style === 'both' ? 'Vendor' : `Vendor ${hex4(dev.vendor)}`),
  );
  const short = (name: string | undefined, id: number) => name ?? (style === 'both' ? 'Device' : `Device ${hex4(id)}`);
  const device = both(dev.device, short(deviceOf(dev.vendor, dev.device), dev.device));
  const [subVendor, subDevice] = subsystemIds(dev);
  const subVendorText = both(
    subVendor,
    vendorName(subVendor) ?? (style === 'both' ? 'Unknown vendor' : `Unknown vendor ${hex4(subVendor)}`),
  );
  const subDeviceText = both(subDevice, short(subsystemOf(dev.vendor, dev.device, subVendor, subDevice), subDevice));
  const revision = dev.byte(8);
  const progIf = dev.byte(9);
  const hex2 = (value: number) => value.toString(16).padStart(2, '0');
  if (options.verbose > 0) {
    let text = `${level >= 2 ? 'Slot' : 'Device'}:\t${options.slot?.(dev) ?? dev.slotText(options.domain)}\nClass:\t${className(dev.classCode, style)}\nVendor:\t${vendor}\nDevice:\t${device}\n`;
    if (subVendor !== 0) text += `SVendor:\t${subVendorText}\nSDevice:\t${subDeviceText}\n`;
    if (revision !== 0) text += `Rev:\t${hex2(revision)}\n`;
    text += `ProgIf:\t${hex2(progIf)}\n`;
    if (options.kernel && dev.kernel?.driver) text += `Driver:\t${dev.kernel.driver}\n`;
    if (options.kernel) for (const module of dev.kernel?.modules ?? []) text += `Module:\t${module}\n`;
    if (dev.kernel?.iommuGroup) text += `IOMMUGroup:\t${dev.kernel.iommuGroup}\n`;
    return `${text}\n`;
  }
  const quoted = (value: string) => `"${value.replace(/["\\]/g, '\\$&')}"`;
  let text = `${options.slot?.(dev) ?? dev.slotText(options.domain)} ${quoted(className(dev.classCode, style))} ${quoted(vendor)} ${quoted(device)}`;
  if (revision !== 0) text += ` -r${hex2(revision)}`;
  text += ` -p${hex2(progIf)}`;
  return `${text} ${subVendor === 0 ? '"" ""' : `${quoted(subVendorText)} ${quoted(subDeviceText)}`}\n`;
}
