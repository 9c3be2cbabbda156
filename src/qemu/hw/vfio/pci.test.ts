import { beforeEach, describe, expect, test, vi } from 'vitest';
import { E } from '../../../base/errno.ts';
import { AddressSpace, MemoryCore } from '../../../hw/memory/index.ts';
import { PciBus } from '../../../hw/pci/index.ts';
import { fakeKernel } from '../../../linux/drivers/vfio/testing/fake-kernel.ts';
import type { File, FileOperations, VmArea } from '../../../linux/include/fs.ts';
import type { Process } from '../../../linux/include/tasks.ts';
import type { Sys } from '../../../linux/uapi/sys.ts';
import { DEFAULT_BUILD } from '../../main.ts';
import { Bus } from '../../qdev/bus.ts';
import { Device, deviceType } from '../../qdev/device-type.ts';
import { Properties } from '../../qdev/properties.ts';
import type { VirtualMachine } from '../../qdev/virtual-machine.ts';

/** What the fake CXL core says of the HDM block. */
const hdm = vi.hoisted(() => ({ size: 0x90 }));
vi.mock('../../../linux/include/cxl.ts', () => ({
  IS_ERR: (value: unknown) => typeof value === 'number',
  CXL_ACCEL_DRIVER_CAP_HDM: 1,
  CXL_ACCEL_RES_DPA: 0,
  CXL_ACCEL_RES_RAM: 1,
  CXL_DECODER_F_RAM: 1,
  CXL_DECODER_F_TYPE2: 4,
  cxl_accel_state_create: () => ({}),
  cxl_accel_set_dvsec: () => {},
  cxl_accel_set_serial: () => {},
  cxl_accel_set_resource: () => 0,
  cxl_pci_accel_setup_regs: () => 0,
  cxl_find_comp_regblock_offset: (_p: unknown, out: { offset: number }) => {
    out.offset = 0xfe000000;
    return 0;
  },
  cxl_get_hdm_info: (_c: unknown, out: object) => {
    Object.assign(out, { hdm_count: 1, hdm_reg_offset: 0x1128, hdm_reg_size: hdm.size });
    return 0;
  },
  cxl_accel_request_resource: () => 0,
  cxl_await_media_ready: () => 0,
  cxl_accel_set_media_ready: () => {},
  devm_cxl_add_memdev: () => ({}),
  cxl_acquire_endpoint: () => ({}),
  cxl_release_endpoint: () => {},
  cxl_get_hpa_freespace: (_e: unknown, _w: number, _f: number, out: { max: number }) => {
    out.max = 0x100000000;
    return {};
  },
  cxl_request_dpa: () => ({}),
  cxl_dpa_free: () => 0,
  cxl_create_region: () => ({}),
  cxl_accel_get_region_params: (_r: unknown, out: object) => {
    Object.assign(out, { start: 0x490000000, end: 0x49fffffff });
    return 0;
  },
  cxl_region_detach: () => 0,
}));

const { vfio_fops } = await import('../../../linux/drivers/vfio/container.ts');
const { vfio_group_fops } = await import('../../../linux/drivers/vfio/group.ts');
const { vfio_iommu_type1_init } = await import('../../../linux/drivers/vfio/vfio_iommu_type1.ts');
const { vfio_device_fops } = await import('../../../linux/drivers/vfio/vfio_df.ts');
const { cxl_accel_init } = await import('../../../linux/drivers/vfio/pci/cxl-accel/main.ts');
await import('./pci.ts');

const H = 0x1128;

/** One VMM on one kernel: system calls go straight to the file operations of drivers/vfio. */
function machine(variant: 'fixed' | 'branch' | 'posted' = 'fixed', patches?: readonly number[]) {
  const fake = fakeKernel(patches ? { patches } : {});
  const { kernel, log, dev: host } = fake;
  vfio_iommu_type1_init(kernel);
  const process = { pid: 42 } as Process;
  const files = new Map<number, File>();
  const maps: string[] = [];
  const killed: number[] = [];
  let next = 3;
  const install = (fops: FileOperations, data: unknown, path: string, rdev = 0): number => {
    let refs = 1;
    const file: File = {
      path,
      flags: 2,
      position: 0,
      fops,
      process,
      rdev,
      private_data: data,
      get: () => refs++,
      put() {
        if (--refs === 0) fops.release?.(file);
      },
    };
    const rc = fops.open?.(file) ?? 0;
    if (rc < 0) return rc;
    files.set(next, file);
    return next++;
  };
  Object.assign(kernel.vfs, {
    file: (_process: Process, fd: number) => files.get(fd) ?? null,
    anon_fd: (_process: Process, name: string, fops: FileOperations, data: unknown) =>
      install({ ...fops, open: () => 0 }, data, name),
  });
  // Probe through the registered driver, as a bind would.
  const drivers: { pci: { probe(dev: unknown, id: unknown): number } }[] = [];
  Object.assign(kernel.drivers, {
    driver_register: (driver: { pci: { probe(dev: unknown, id: unknown): number } }) => {
      drivers.push(driver);
      return 0;
    },
  });
  cxl_accel_init(kernel);
  const rc = drivers[0]?.pci.probe(host, {});
  expect(rc).toBe(0);
  const container = vfio_fops(kernel);
  const group = vfio_group_fops(kernel, container);
  const sys = {
    pid: 42,
    mem: { hi: 0, load: () => 0, store: () => {}, read: () => {}, write: () => {} },
    stat: (path: string) => (path.endsWith('0000:0d:00.0') ? { mode: 0 } : -E.ENOENT),
    readlink: () => '../../../kernel/iommu_groups/5',
    open: (path: string) =>
      path === '/dev/vfio/vfio'
        ? install(container, null, path)
        : path === '/dev/vfio/5'
          ? install(group, null, path, 5)
          : -E.ENOENT,
    close: (fd: number) => {
      const file = files.get(fd);
      files.delete(fd);
      file?.put();
      return 0;
    },
    ioctl: (fd: number, request: number, arg: Uint8Array | number = 0) => {
      const file = files.get(fd) as File;
      return file.fops.unlocked_ioctl?.(file, request, arg) ?? -E.ENOTTY;
    },
    pread: (fd: number, into: Uint8Array, offset: number) => {
      const file = files.get(fd) as File;
      return file.fops.read?.(file, into, offset);
    },
    pwrite: (fd: number, from: Uint8Array, offset: number) => {
      const file = files.get(fd) as File;
      return file.fops.write?.(file, from, offset);
    },
    mmap: (_addr: number, length: number, prot: number, flags: number, fd: number, offset: number) => {
      const file = files.get(fd) as File;
      const vma = {
        start: 0,
        length,
        offset,
        prot,
        flags,
        process,
        label: { kind: 'file', name: '' },
        fault: null,
        close: null,
      };
      const error = file.fops.mmap?.(file, vma as unknown as VmArea) ?? -E.ENODEV;
      maps.push(vma.label.name);
      return error < 0 ? error : 0x7f0000000000;
    },
    munmap: () => 0,
    kill: (_pid: number, signal: number) => killed.push(signal),
  } as unknown as Sys;
  const core = new MemoryCore({ log, layer: 4 });
  const system = core.memory_region_init('system', 2 ** 52);
  const window = core.memory_region_init_io(
    { hi: 0, read: () => 0, write: () => {} },
    'cxl-fixed-memory-region',
    2 ** 32,
  );
  core.memory_region_add_subregion(system, 0x490000000, window);
  const space = new AddressSpace(core, 'memory', system);
  const mem = core.memory_region_init('pci', 2 ** 52);
  const io = core.memory_region_init('io', 65536);
  core.memory_region_add_subregion_overlap(system, 0, mem, -1);
  const reports: string[] = [];
  const vm = {
    sys,
    log,
    core,
    pciEnv: { log, core, machine: 'l2', layer: 4 },
    build: { ...DEFAULT_BUILD, vfioCxl: variant },
    host: 'l1',
    guest: 'l2',
    layer: 4,
    system_memory: system,
    address_space_memory: space,
    error_report: (text: string) => reports.push(text),
  } as unknown as VirtualMachine;
  const bus = new Bus('rp0', 'CXL', 'PCI', null, new PciBus('rp0', mem, io, null, 0x0d));
  const type = deviceType('vfio-pci');
  if (!type) throw new Error('vfio-pci is not registered');
  const realize = (hostAddress: string) => {
    const props = new Properties('vfio-pci', type.properties);
    if (hostAddress) props.parse('host', hostAddress);
    // No threads here that could wait for the kernel's request.
    props.parse('x-req', 'off');
    const device = new Device(vm, type, 'accel0', props, bus);
    void type.realize(device);
    const fn = device.pci;
    if (!fn) throw new Error('no function');
    fn.config_write(0x10, 4, 0xe0000000);
    fn.config_write(0x14, 4, 0);
    fn.config_write(0x04, 2, 2);
    return { device, fn };
  };
  return { ...fake, vm, realize, space, reports, killed, files, maps };
}

const ctrl = 0xe0000000 + H + 0x20;
const commit = (space: AddressSpace) => {
  space.store(0xe0000000 + H + 0x14, 4, 4);
  space.store(0xe0000000 + H + 0x10, 4, 0x90000000);
  space.store(ctrl, 4, 0x200);
};

beforeEach(() => {
  hdm.size = 0x90;
  expect(vfio_device_fops).toBeDefined();
});

describe('vfio-pci', () => {
  test('a guest commit maps the region over the fixed window, a de-commit takes it away', () => {
    const { realize, space, bar, maps } = machine();
    realize('0000:0d:00.0');
    expect(maps).toEqual(['0000:0d:00.0 CXL region']);
    expect(space.lookup(0x490000000)?.name).toBe('cxl-fixed-memory-region');
    commit(space);
    expect(space.load(ctrl, 4)).toBe(0x600);
    expect(space.lookup(0x490000000)).toMatchObject({
      kind: 'ram-device',
      name: 'cxl region mmaps[0]',
      size: 0x10000000,
    });
    expect(bar.getUint32(H + 0x20, true)).toBe(0);
    space.store(ctrl, 4, 0);
    expect(space.lookup(0x490000000)?.name).toBe('cxl-fixed-memory-region');
  });

  test('the posted hook fails its assertion at the first commit', () => {
    const { realize, space, killed, reports } = machine('posted');
    realize('0000:0d:00.0');
    commit(space);
    expect(killed).toEqual([6]);
    expect(reports.at(-1)).toContain('Assertion `subregion->container == mr');
  });

  test('an access the kernel refuses reads as ones and says so', () => {
    const { realize, space, reports } = machine();
    realize('0d:00.0');
    expect(space.load(0xe0000000 + 0x1000, 2)).toBe(0xffff);
    expect(reports).toContain('vfio_region_read(0000:0d:00.0:region0+0x1000, 2) failed: Invalid argument');
    space.store(0xe0000000 + 0x1000, 1, 0x55);
    expect(reports).toContain('vfio_region_write(0000:0d:00.0:region0+0x1000, 0x55,1) failed: Invalid argument');
  });

  test('config reads come from the kernel, BARs from QEMU', () => {
    const { realize } = machine();
    const { fn } = realize('0000:0d:00.0');
    expect(fn.config_read(0x00, 4)).toBe(0x0d948086);
    expect(fn.config_read(0x10, 4)).toBe(0xe0000004);
    expect(fn.config_read(0x11c, 4)).toBe(0x1000004b);
    fn.config_write(0x10c, 2, 6);
    expect(fn.config_read(0x10c, 2)).toBe(6);
  });

  test('closing gives the group back', () => {
    const { realize, files, trace } = machine();
    const { device } = realize('0000:0d:00.0');
    expect(files.size).toBe(3);
    device.unrealize?.();
    expect(files.size).toBe(0);
    expect(trace).not.toContain('WARN vfio_cxl_core_set_region_size');
  });

  test('mistakes are told in QEMU’s words', () => {
    expect(() => machine().realize('')).toThrow(/^No provided host device\n/);
    expect(() => machine().realize('0000:0e:00.0')).toThrow(
      'vfio /sys/bus/pci/devices/0000:0e:00.0: no such host device: No such file or directory',
    );
    expect(() => machine('fixed', [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13]).realize('0000:0d:00.0')).toThrow(
      'vfio 0000:0d:00.0:',
    );
    hdm.size = 0;
    expect(() => machine().realize('0000:0d:00.0')).toThrow(
      'vfio 0000:0d:00.0: error getting device from group 5: No such device\nVerify all devices in group 5 are bound to vfio-<bus> or pci-stub and not already in use',
    );
  });
});
