/**
 * Names of the ids that exist in the lab (facts from the PCI ID repository, a hand-picked subset) and the rules by which
 * pciutils turns ids into text (lib/names.c).
 */
const VENDORS: Readonly<Record<number, string>> = {
  4098: 'Advanced Micro Devices, Inc. [AMD/ATI]',
  4130: 'Advanced Micro Devices, Inc. [AMD]',
  4318: 'NVIDIA Corporation',
  6629: 'Huawei Technologies Co., Ltd.',
  6900: 'Red Hat, Inc.',
  6966: 'Red Hat, Inc.',
  32902: 'Intel Corporation',
};

const DEVICES: Readonly<Record<string, string>> = {
  '8086:29c0': '82G33/G31/P35/P31 Express DRAM Controller',
  '8086:2918': '82801IB (ICH9) LPC Interface Controller',
  '8086:2922': '82801IR/IO/IH (ICH9R/DO/DH) 6 port SATA Controller [AHCI mode]',
  '8086:2930': '82801I (ICH9 Family) SMBus Controller',
  '8086:10d3': '82574L Gigabit Network Connection',
  '8086:0d57': 'Host bridge',
  '1b36:000b': 'QEMU PCIe Expander bridge',
  '1b36:000c': 'QEMU PCIe Root port',
  '1b36:0008': 'QEMU PCIe Host bridge',
};

const SUBSYSTEMS: Readonly<Record<string, string>> = {
  '8086:29c0:1af4:1100': 'QEMU Virtual Machine',
  '8086:2918:1af4:1100': 'QEMU Virtual Machine',
  '8086:2922:1af4:1100': 'QEMU Virtual Machine',
  '8086:2930:1af4:1100': 'QEMU Virtual Machine',
  '8086:10d3:1af4:1100': 'QEMU Virtual Machine',
};

const CLASSES: Readonly<Record<number, string>> = {
  0: 'Unclassified device',
  1: 'Mass storage controller',
  2: 'Network controller',
  3: 'Display controller',
  4: 'Multimedia controller',
  5: 'Memory controller',
  6: 'Bridge',
  7: 'Communication controller',
  8: 'Generic system peripheral',
  9: 'Input device controller',
  10: 'Docking station',
  11: 'Processor',
  12: 'Serial bus controller',
  18: 'Processing accelerators',
  19: 'Non-Essential Instrumentation',
  255: 'Unassigned class',
};

const SUBCLASSES: Readonly<Record<number, string>> = {
  0: 'Non-VGA unclassified device',
  256: 'SCSI storage controller',
  257: 'IDE interface',
  262: 'SATA controller',
  264: 'Non-Volatile memory controller',
  384: 'Mass storage controller',
  512: 'Ethernet controller',
  640: 'Network controller',
  768: 'VGA compatible controller',
  770: '3D controller',
  1280: 'RAM memory',
  1281: 'FLASH memory',
  1282: 'CXL',
  1408: 'Memory controller',
  1536: 'Host bridge',
  1537: 'ISA bridge',
  1540: 'PCI bridge',
  1664: 'Bridge',
  1792: 'Serial controller',
  2054: 'IOMMU',
  2176: 'System peripheral',
  3075: 'USB controller',
  3077: 'SMBus',
  4608: 'Processing accelerators',
};

const PROGRAMMING_INTERFACES: Readonly<Record<number, string>> = {
  67073: 'AHCI 1.0',
  196608: 'VGA controller',
  328192: 'CXL Memory Device - vendor specific',
  328208: 'CXL Memory Device (CXL 2.x)',
  394240: 'Normal decode',
  394241: 'Subtractive decode',
  458754: '16550',
};

/** How ids are shown: names, numbers (-n) or both (-nn). */
export type IdStyle = 'names' | 'numbers' | 'both';

const hex4 = (value: number) => value.toString(16).padStart(4, '0');

export function className(classCode: number, style: IdStyle): string {
  const pair = classCode >> 8;
  if (style === 'numbers') return hex4(pair);
  const name = SUBCLASSES[pair];
  if (name !== undefined) return style === 'both' ? `${name} [${hex4(pair)}]` : name;
  const base = CLASSES[pair >> 8];
  return base === undefined ? `Class ${style === 'both' ? `[${hex4(pair)}]` : hex4(pair)}` : `${base} [${hex4(pair)}]`;
}

export function progIfName(classCode: number): string | undefined {
  return PROGRAMMING_INTERFACES[classCode];
}

export function vendorName(vendor: number): string | undefined {
  return VENDORS[vendor] || undefined;
}

/** Name of a device without its vendor's, where known. */
export function deviceOf(vendor: number, device: number): string | undefined {
  return vendorName(vendor) === undefined ? undefined : DEVICES[`${hex4(vendor)}:${hex4(device)}`];
}

export function subsystemOf(vendor: number, device: number, subVendor: number, subDevice: number): string | undefined {
  const numbers = `${hex4(subVendor)}:${hex4(subDevice)}`;
  return (
    SUBSYSTEMS[`${hex4(vendor)}:${hex4(device)}:${numbers}`] ??
    (vendor === subVendor && device === subDevice ? DEVICES[numbers] : undefined)
  );
}

export function deviceName(vendor: number, device: number, style: IdStyle): string {
  const numbers = `${hex4(vendor)}:${hex4(device)}`;
  if (style === 'numbers') return numbers;
  const v = vendorName(vendor);
  const d = deviceOf(vendor, device);
  const text = v === undefined ? 'Device' : d === undefined ? `${v} Device` : `${v} ${d}`;
  if (style === 'both') return `${text} [${numbers}]`;
  if (v === undefined) return `Device ${numbers}`;
  return d === undefined ? `${text} ${hex4(device)}` : text;
}

export function subsystemName(
  vendor: number,
  device: number,
  subVendor: number,
  subDevice: number,
  style: IdStyle,
): string {
  const numbers = `${hex4(subVendor)}:${hex4(subDevice)}`;
  if (style === 'numbers') return numbers;
  const v = vendorName(subVendor);
  const known = subsystemOf(vendor, device, subVendor, subDevice);
  const text = v === undefined ? 'Device' : known === undefined ? `${v} Device` : `${v} ${known}`;
  if (style === 'both') return `${text} [${numbers}]`;
  if (v === undefined) return `Device ${numbers}`;
  return known === undefined ? `${text} ${hex4(subDevice)}` : text;
}
