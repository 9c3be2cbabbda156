/**
 * The way from the host's prompt to a loaded driver in L2, as lines of a transcript: the walkthrough's commands, quieter,
 * with the builds of one's choice. Used by the matrix and to write transcripts of single builds.
 */
export interface BootChoices {
  /** Host's QEMU binary and the accelerator's `-device` text after `cxl-accel,bus=root_port13`. */
  readonly hostQemu?: string;
  readonly accel?: string;
  /** Text after the root port's options. */
  readonly rootPort?: string;
  /** Size of the backend behind the accelerator; `none`: it has no memory. */
  readonly memory?: string;
  readonly l1Kernel?: string;
  readonly l1Append?: string;
  readonly driver?: string;
  readonly l1Qemu?: string;
  /** Text after L1's `-device vfio-pci,host=…`. */
  readonly vfio?: string;
  readonly l2Kernel?: string;
  readonly l2Module?: string;
  readonly cpu?: string;
}

export const L1_KERNEL = '/boot/vmlinuz-6.11.0-rc2-vfio-cxl-l1';
export const L1_INITRD = '/boot/initrd-6.11.0-rc2-vfio-cxl-l1';
export const L2_KERNEL = '/boot/vmlinuz-6.11.0-rc2-type2-l2';
export const L2_INITRD = '/boot/initrd-6.11.0-rc2-type2-l2';
export const BDF = '0000:0d:00.0';

/** The host's QEMU starts L1. */
export function bootL1(choices: BootChoices = {}): string {
  const { hostQemu = 'qemu-system-x86_64', accel = '', memory = '256M', l1Kernel = L1_KERNEL } = choices;
  const { cpu = 'host,hypervisor=off', l1Append = '', rootPort = '' } = choices;
  const backend = memory === 'none' ? '' : `-object memory-backend-ram,id=vmem0,share=on,size=${memory} `;
  const memdev = memory === 'none' ? '' : 'volatile-memdev=vmem0,';
  return `${hostQemu} -M q35,cxl=on -enable-kvm -cpu ${cpu} -m 4G,maxmem=8G,slots=8 -smp 4 ${backend}-device pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1 -device cxl-rp,port=0,bus=cxl.1,id=root_port13,chassis=0,slot=2${rootPort} -device cxl-accel,bus=root_port13,${memdev}id=cxl-accel0${accel} -M cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G -device intel-iommu -kernel ${l1Kernel} -initrd ${L1_INITRD} -append "console=ttyS0 intel_iommu=on iomem=relaxed quiet${l1Append}" -nographic`;
}

/** L1 gives the device to a VFIO driver. */
export function bind(choices: BootChoices = {}): readonly string[] {
  const { driver = 'cxl-accel-vfio-pci' } = choices;
  const name = driver.replaceAll('-', '_');
  return [
    `modprobe ${driver}`,
    `echo ${driver === 'vfio-pci' ? driver : name} > /sys/bus/pci/devices/${BDF}/driver_override`,
    `echo ${BDF} > /sys/bus/pci/drivers_probe`,
  ];
}

/** L1's QEMU starts L2 with the device; what it complains about goes into qemu.err. */
export function bootL2(choices: BootChoices = {}): string {
  const { l1Qemu = 'qemu-system-x86_64', l2Kernel = L2_KERNEL, cpu = 'host,hypervisor=off', vfio = '' } = choices;
  return `${l1Qemu} -M q35,cxl=on -enable-kvm -cpu ${cpu} -m 2G -smp 2 -device pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1 -device cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2 -device vfio-pci,host=${BDF},bus=rp0,id=accel0${vfio} -M cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G -kernel ${l2Kernel} -initrd ${L2_INITRD} -append "console=ttyS0 iomem=relaxed quiet" -nographic 2> qemu.err`;
}

/** Address of the region in L2 when its window is empty. */
export const L2_REGION = 0x110000000;
export const L2_STORE = 'devmem 0x110000040 64 0x1122334455667788; devmem 0x110000040 64';
