/** Class names QEMU's monitor prints (hw/pci/pci.c pci_class_descriptions). */
const NAMES: Readonly<Record<number, string>> = {
  1: 'VGA controller',
  256: 'SCSI controller',
  257: 'IDE controller',
  262: 'SATA controller',
  264: 'NVMe controller',
  512: 'Ethernet controller',
  768: 'VGA controller',
  896: 'Display controller',
  1280: 'RAM controller',
  1281: 'Flash controller',
  1536: 'Host bridge',
  1537: 'ISA bridge',
  1540: 'PCI bridge',
  3075: 'USB controller',
  3077: 'SMBus',
};

export function className(code: number): string | null {
  return NAMES[code] ?? null;
}
