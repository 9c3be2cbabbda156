/**
 * `-device vfio-pci` (hw/vfio/pci.c, QEMU 9 + "vfio: support CXL device in VFIO stub"). Left out: iommufd back end, option
 * ROMs, VGA and IGD quirks, interrupt delivery, the error interrupt.
 */
import { strerror } from '../../../base/errno.ts';
import { Msix, PCI_COMMAND_IO, PCI_COMMAND_MASTER, PCI_COMMAND_MEMORY } from '../../../hw/pci/index.ts';
import { decode, encode } from '../../../linux/uapi/struct.ts';
import {
  VFIO_DEVICE_FLAGS_PCI,
  VFIO_DEVICE_FLAGS_RESET,
  VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
  VFIO_DEVICE_PCI_HOT_RESET,
  VFIO_DEVICE_RESET,
  VFIO_PCI_CONFIG_REGION_INDEX,
  vfio_device_info,
  vfio_pci_hot_reset,
  vfio_pci_hot_reset_info,
} from '../../../linux/uapi/vfio.ts';
import { layout } from '../../../spec/layouts.ts';
import { type PciFunctionState, paths, type RegisterRoute } from '../../../state/schema.ts';
import { type Device, registerDeviceType } from '../../qdev/device-type.ts';
import type { VirtualMachine } from '../../qdev/virtual-machine.ts';
import { error_setg, QemuError } from '../../system/error.ts';
import { pci_get_bus, pci_public_id, pci_register_device } from '../pci/pci.ts';
import { ioctl, type VfioDeviceFd, vfio_get_device_info, vfio_get_region_info } from './common.ts';
import { type VfioGroupFd, vfio_get_device, vfio_get_group, vfio_put_group } from './container.ts';
import { type VfioCxlDevice, type VfioCxlInfo, vfio_cxl_info, vfio_cxl_setup, vfio_cxl_setup_failed } from './cxl.ts';
import { type VfioCxlV3, vfio_cxl_v3_setup } from './cxl-v3.ts';
import { VfioFunction } from './pci-config.ts';
import { type VfioRegion, vfio_region_setup } from './region.ts';
import { vfio_register_req_notifier } from './req-notifier.ts';

/** vbasedev: everything one vfio-pci device holds open. */
interface VfioPciDevice {
  readonly fn: VfioFunction;
  readonly device: VfioDeviceFd;
  readonly group: VfioGroupFd;
  readonly bars: (VfioRegion | null)[];
  cxl: VfioCxlDevice | null;
  cxl_v3: VfioCxlV3 | null;
  reset_works: boolean;
  unregister_req_notifier: () => void;
}

/** `0000:0d:00.0` of what `host=` gives (`0d:00.0` allowed). */
function hostName(host: string): string {
  const parts = /^(?:([0-9a-f]+):)?([0-9a-f]+):([0-9a-f]+)\.([0-7])$/i.exec(host);
  if (!parts) return host;
  const pad = (text: string | undefined, digits: number) => (text ?? '0').toLowerCase().padStart(digits, '0');
  return `${pad(parts[1], 4)}:${pad(parts[2], 2)}:${pad(parts[3], 2)}.${parts[4]}`;
}

/** vfio_realize */
function vfio_realize(dev: Device): void {
  const host = dev.props.text('host');
  const sysfsdev = dev.props.text('sysfsdev');
  if (host === null && sysfsdev === null)
    error_setg(
      'No provided host device\nUse -device vfio-pci,host=DDDD:BB:DD.F or -device vfio-pci,sysfsdev=PATH_TO_DEVICE',
    );
  const path = sysfsdev ?? `/sys/bus/pci/devices/${hostName(host ?? '')}`;
  const name = sysfsdev === null ? hostName(host ?? '') : (sysfsdev.split('/').at(-1) ?? sysfsdev);
  const st = dev.vm.sys.stat(path);
  if (typeof st === 'number') error_setg(`vfio ${path}: no such host device: ${strerror(st)}`);
  const fn = new VfioFunction(dev.vm.pciEnv, dev.vm, {
    id: pci_public_id(dev),
    type: 'vfio-pci',
    label: 'passed-through function',
    layout: layout('pci-type0.config'),
    host: name,
    configRoutes: [
      {
        space: 'config',
        offset: 0,
        size: 4096,
        block: `${paths.vfioDevice(dev.vm.host, name)}/vconfig`,
        blockOffset: 0,
        answeredBy: 'vfio-shadow',
      },
      // What QEMU itself emulates: the BARs.
      {
        space: 'config',
        offset: 0x10,
        size: 24,
        block: `hw/${dev.vm.guest}/${pci_public_id(dev)}/config`,
        blockOffset: 0x10,
        answeredBy: 'vmm',
      },
    ],
  });
  pci_register_device(dev, fn);
  const { log, layer } = dev.vm;
  const span = log.begin(
    log.site({ layer, name: 'vfio_realize', args: ['pid', 'json'], cite: 'hw/vfio/pci.c' }),
    dev.vm.sys.pid,
    log.intern(name),
  );
  let result = -1;
  try {
    vfio_open(dev, fn, path, name);
    result = 0;
  } catch (error) {
    // error_prepend(errp, VFIO_MSG_PREFIX, vbasedev->name)
    if (error instanceof QemuError) throw new QemuError(`vfio ${name}: ${error.message}`, error.location);
    throw error;
  } finally {
    log.end(span, result);
  }
}

/** The part of vfio_realize whose errors are prefixed with the device's name. */
function vfio_open(dev: Device, fn: VfioFunction, path: string, name: string): void {
  const { vm } = dev;
  const { sys } = vm;
  const link = sys.readlink(`${path}/iommu_group`);
  if (typeof link === 'number') error_setg(`no iommu_group found: ${strerror(link)}`);
  const groupid = Number(link.split('/').at(-1));
  if (!Number.isInteger(groupid)) error_setg(`failed to read ${link}`);
  const group = vfio_get_group(vm, groupid);
  const fd = vfio_get_device(vm, group, name);
  const device: VfioDeviceFd = { fd, name };
  const vdev: VfioPciDevice = {
    fn,
    device,
    group,
    bars: [],
    cxl: null,
    cxl_v3: null,
    reset_works: false,
    unregister_req_notifier: () => {},
  };
  dev.unrealize = () => vfio_exitfn(vm, vdev);

  const info = vfio_get_device_info(sys, fd);
  if (typeof info === 'number') error_setg(`error getting device info: ${strerror(info)}`);
  const { flags, num_regions, num_irqs } = decode(vfio_device_info, info);
  vdev.reset_works = (flags & VFIO_DEVICE_FLAGS_RESET) !== 0;
  const v3 = vm.build.vfioCxl === 'v3';
  if (v3) vdev.cxl_v3 = vfio_cxl_v3_setup(dev, device, info);
  const cxl = v3 ? null : vfio_cxl_setup(vm, device, info, () => pci_get_bus(fn).address_space_mem);
  if (typeof cxl === 'number') {
    vfio_cxl_setup_failed(vm);
    error_setg(`failed to set up CXL: ${strerror(cxl)}`);
  }
  vdev.cxl = cxl;

  // vfio_populate_device
  // A corrected stub also takes a CXL device that is nothing else (kernel quirk vfio-cxl-both-flags, intended).
  if (!(flags & VFIO_DEVICE_FLAGS_PCI) && !(cxl && vm.build.vfioCxl === 'fixed')) error_setg("this isn't a PCI device");
  if (num_regions < VFIO_PCI_CONFIG_REGION_INDEX + 1) error_setg(`unexpected number of io regions ${num_regions}`);
  if (num_irqs < 3) error_setg(`unexpected number of irqs ${num_irqs}`);
  for (let bar = 0; bar < 6; bar++) {
    const region = vfio_region_setup(vm, device, bar, `${name} BAR ${bar}`);
    if (typeof region === 'number') error_setg(`failed to get region ${bar} info: ${strerror(region)}`);
    vdev.bars.push(region.info.size > 0 ? region : null);
  }
  const config = vfio_get_region_info(sys, device, VFIO_PCI_CONFIG_REGION_INDEX);
  if (typeof config === 'number') error_setg(`failed to get config info: ${strerror(config)}`);
  if (!fn.attach(device, config.offset, config.size)) error_setg('failed to read device config space');
  if (cxl) {
    const bar = vdev.bars[cxl.info.hdm_regs_bar_index];
    if (bar) cxl.watch(bar);
  }
  vfio_bars_register(dev, vdev, config.offset);
  publishRoutes(vm, vdev, cxl?.info ?? vfio_cxl_info(info));
  fn.resetHooks.push(() => {
    vfio_pci_reset(vm, vdev, config.offset);
    vdev.cxl?.reset();
  });
  if (dev.props.bool('x-req')) vdev.unregister_req_notifier = vfio_register_req_notifier(dev, device);
}

/** vfio_bars_prepare and vfio_bars_register: type bits from the kernel's BARs; MSI-X tables are QEMU's. */
function vfio_bars_register(dev: Device, vdev: VfioPciDevice, config_offset: number): void {
  const { vm } = dev;
  const { fn, device } = vdev;
  const word = new Uint8Array(4);
  const view = new DataView(word.buffer);
  const cap = fn.msixCap;
  const msix = cap
    ? {
        vectors: (fn.config.peek(cap + 2, 2) & 0x7ff) + 1,
        bar: fn.config.peek(cap + 4, 4) & 7,
        table: (fn.config.peek(cap + 4, 4) & ~7) >>> 0,
      }
    : null;
  for (let bar = 0; bar < 6; bar++) {
    const region = vdev.bars[bar];
    if (!region) continue;
    if (vm.sys.pread(device.fd, word, config_offset + 0x10 + 4 * bar) !== 4) error_setg(`failed to read BAR ${bar}`);
    const type = view.getUint32(0, true) & 0xf;
    if (
      msix &&
      msix.bar === bar &&
      msix.table === 0 &&
      region.info.size === 4096 &&
      (msix.vectors === 6 || msix.vectors === 8)
    ) {
      // msix_init(): the guest programs QEMU's table, the kernel hides the real one. Msix registers the BAR itself.
      new Msix(fn, msix.vectors, bar);
      vdev.bars[bar] = null;
      continue;
    }
    const base = vm.core.memory_region_init(`${device.name} base BAR ${bar}`, region.info.size);
    vm.core.memory_region_add_subregion(base, 0, region.mem);
    if (vdev.cxl_v3?.bar === bar)
      vm.core.memory_region_add_subregion_overlap(base, vdev.cxl_v3.offset, vdev.cxl_v3.mem, 1);
    const mapped = dev.props.bool('x-no-mmap') ? 0 : region.vfio_region_mmap();
    if (mapped < 0) vm.error_report(`Failed to mmap ${device.name} BAR ${bar}. Performance may be slow`);
    fn.pci_register_bar(bar, type, base);
  }
}

/** Tells the page which cells answer the guest's accesses: the kernel's HDM shadow, then the device's own block. */
/** `shadowed`: the block the kernel says it emulates, whether this VMM knows of CXL or not. */
function publishRoutes(vm: VirtualMachine, vdev: VfioPciDevice, shadowed: VfioCxlInfo | null): void {
  const { fn, device, cxl_v3 } = vdev;
  const routes: RegisterRoute[] = [];
  // The shadow's cells begin at CXL.cachemem (0x1000 of the component block).
  const shadow = (bar: number, offset: number, size: number, within: number) =>
    routes.push({
      space: `bar${bar}`,
      offset,
      size,
      block: `${paths.vfioDevice(vm.host, device.name)}/comp`,
      blockOffset: within - 0x1000,
      answeredBy: 'vfio-shadow',
    });
  if (shadowed && !cxl_v3) {
    const { hdm_regs_bar_index: bar, hdm_regs_offset, hdm_regs_size } = shadowed;
    shadow(bar, hdm_regs_offset, hdm_regs_size, hdm_regs_offset);
  }
  // Of a later kernel the capability array too is a copy.
  if (cxl_v3) {
    const { bar, offset, hdm_offset, hdm_size } = cxl_v3;
    shadow(bar, offset + 0x1000, hdm_offset + hdm_size - 0x1000, 0x1000);
    publish(fn, routes);
    return;
  }
  for (const route of lowerFunction(vm, device.name)?.routes ?? [])
    if (route.space !== 'config' && vdev.bars[Number(route.space.replace(/^bar/, ''))])
      routes.push({ ...route, answeredBy: 'device' });
  publish(fn, routes);
}

function publish(fn: VfioFunction, routes: readonly RegisterRoute[]): void {
  for (const route of routes) fn.addRoute(route);
}

/** What the machine this VMM runs on publishes about the function behind `host=`. */
function lowerFunction(vm: VirtualMachine, name: string): PciFunctionState | null {
  const prefix = paths.pciFunction(vm.host, '');
  for (const { block } of vm.log.blocks) {
    if (block.kind !== 'object' || !block.path.startsWith(prefix)) continue;
    const value = vm.log.object(block.path) as PciFunctionState | null;
    if (value && name.endsWith(value.bdf)) return value;
  }
  return null;
}

/** vfio_pci_reset: decoding off, then a function reset if the kernel offers one, else a hot reset of the bus. */
function vfio_pci_reset(vm: VirtualMachine, vdev: VfioPciDevice, config_offset: number): void {
  const { fn, device } = vdev;
  const { sys } = vm;
  const command = fn.config_read(0x04, 2);
  fn.config_write(0x04, 2, command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));
  const done = vdev.reset_works && ioctl(sys, device.fd, VFIO_DEVICE_RESET) === 0;
  if (!done) vfio_pci_hot_reset_one(vm, vdev);
  // vfio_pci_post_reset: the kernel's virtual BARs go back to zero.
  const zero = new Uint8Array(4);
  for (let bar = 0; bar < 6; bar++) sys.pwrite(device.fd, zero, config_offset + 0x10 + 4 * bar);
}

/** vfio_pci_hot_reset(single): only when this device's group is all the bus has. */
function vfio_pci_hot_reset_one(vm: VirtualMachine, vdev: VfioPciDevice): void {
  const { sys } = vm;
  const { fd } = vdev.device;
  const probe = encode(vfio_pci_hot_reset_info, { argsz: vfio_pci_hot_reset_info.size });
  ioctl(sys, fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, probe);
  const { count } = decode(vfio_pci_hot_reset_info, probe);
  if (count !== 1) return;
  const arg = encode(
    vfio_pci_hot_reset,
    { argsz: vfio_pci_hot_reset.size + 4, flags: 0, count: 1 },
    new Uint8Array(16),
  );
  new DataView(arg.buffer).setInt32(vfio_pci_hot_reset.size, vdev.group.fd, true);
  ioctl(sys, fd, VFIO_DEVICE_PCI_HOT_RESET, arg);
}

/** vfio_exitfn and vfio_instance_finalize */
function vfio_exitfn(vm: VirtualMachine, vdev: VfioPciDevice): void {
  vdev.unregister_req_notifier();
  vdev.cxl?.finalize();
  vdev.cxl_v3?.finalize();
  for (const region of vdev.bars) region?.vfio_region_finalize();
  vm.sys.close(vdev.device.fd);
  vfio_put_group(vm, vdev.group);
}

registerDeviceType({
  name: 'vfio-pci',
  description: 'VFIO-based PCI device assignment',
  category: 'Misc',
  bus: 'PCI',
  userCreatable: true,
  properties: [
    { name: 'host', kind: 'host-address', value: null },
    { name: 'sysfsdev', kind: 'string', value: null },
    { name: 'x-no-mmap', kind: 'bool', value: false },
    { name: 'x-req', kind: 'bool', value: true },
    {
      name: 'x-cxl-decoder',
      kind: 'enum',
      value: 'committed',
      words: ['committed', 'released'],
      inQtree: false,
      description: 'Virtual HDM decoder 0 as the guest finds it, builds for the v3 series (of this lab)',
    },
    { name: 'x-vga', kind: 'bool', value: false },
    { name: 'x-no-kvm-intx', kind: 'bool', value: false },
    { name: 'x-no-kvm-msi', kind: 'bool', value: false },
    { name: 'x-no-kvm-msix', kind: 'bool', value: false },
  ],
  realize: vfio_realize,
});
