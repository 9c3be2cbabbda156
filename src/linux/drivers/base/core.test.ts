import { expect, test } from 'vitest';
import { text, utf8 } from '../../../base/bytes.ts';
import { E } from '../../../base/errno.ts';
import { kernfs_name_hash } from '../../fs/kernfs.ts';
import { type BusType, Device, type DeviceDriver } from '../../include/device.ts';
import { fakeLinux, runShell } from '../../testing/fake-machine.ts';
import { O_RDONLY, O_WRONLY } from '../../uapi/constants.ts';
import type { Sys } from '../../uapi/sys.ts';

const bus: BusType = {
  name: 'toy',
  match: (dev, drv) => drv.name.startsWith('toy') && dev.name.startsWith('t'),
  uevent: () => ({ MODALIAS: 'toy:t5' }),
};

function put(sys: Sys, path: string, value: string): number | Promise<number> {
  const fd = sys.open(path, O_WRONLY);
  return fd < 0 ? fd : sys.write(fd, utf8(value));
}
function cat(sys: Sys, path: string): string | number {
  const buffer = new Uint8Array(4096);
  const fd = sys.open(path, O_RDONLY);
  if (fd < 0) return fd;
  const n = sys.read(fd, buffer);
  return typeof n === 'number' && n >= 0 ? text(buffer.subarray(0, n)) : (n as number);
}

test('sysfs shows devices, links them and carries bind and unbind with their errors', async () => {
  const calls: string[] = [];
  const driver: DeviceDriver = {
    name: 'toy_drv',
    bus: 'toy',
    owner: 'toy-mod',
    probe: (dev) => {
      calls.push(`probe ${dev.name}`);
      dev.devm(() => calls.push(`undo ${dev.name}`));
      return dev.name === 'tbad' ? -E.EIO : 0;
    },
    remove: (dev) => void calls.push(`remove ${dev.name}`),
  };
  let value = 'one\n';
  const { fake, result } = await runShell(
    async (sys) => {
      const dir = '/sys/bus/toy/drivers/toy_drv';
      return [
        sys.readlink('/sys/bus/toy/devices/t0'),
        sys.readlink('/sys/devices/root/t0/driver'),
        sys.readlink('/sys/devices/root/t0/subsystem'),
        sys.readlink(`${dir}/module`),
        cat(sys, '/sys/devices/root/t0/uevent'),
        await put(sys, `${dir}/bind`, 't0\n'),
        await put(sys, `${dir}/unbind`, 't0\n'),
        await put(sys, `${dir}/unbind`, 't0\n'),
        await put(sys, `${dir}/bind`, 'other'),
        await put(sys, `${dir}/bind`, 'tbad'),
        sys.readlink('/sys/devices/root/t0/driver'),
        await put(sys, '/sys/bus/toy/drivers_probe', 't0'),
        await put(sys, '/sys/devices/root/t0/value', 'two\n'),
        cat(sys, '/sys/devices/root/t0/value'),
        await put(sys, '/sys/devices/root/t0/value', 'bad'),
        sys.open('/sys/devices/root/t0/only', O_WRONLY),
        sys.open('/sys/devices/root/t0/new', O_WRONLY | 0o100),
        sys.stat('/sys/devices/root/t0/value'),
        sys.open(`${dir}/bind`, O_RDONLY),
      ];
    },
    {
      modules: [
        {
          name: 'toy-mod',
          config: 'BUILTIN',
          dir: 'toy',
          size: 4096,
          initcall: 6,
          init: (kernel) => {
            kernel.drivers.bus_register(bus);
            const root = new Device(kernel, 'root', null, null);
            kernel.drivers.device_add(root);
            const attrs = [
              {
                name: 'value',
                mode: 0o644,
                show: () => value,
                store: (_dev: Device, written: string) => {
                  if (written === 'bad') return -E.EBUSY;
                  value = `${written}\n`;
                  return 0;
                },
              },
              { name: 'only', mode: 0o444, show: () => 'x\n' },
            ];
            for (const name of ['t0', 'tbad', 'other'])
              kernel.drivers.device_add(new Device(kernel, name, root, 'toy', [{ attrs }], 'toy_type'));
            return kernel.drivers.driver_register(driver);
          },
        },
      ],
    },
  );
  expect(result).toEqual([
    '../../../devices/root/t0',
    '../../../bus/toy/drivers/toy_drv',
    '../../../bus/toy',
    '../../../../module/toy_mod',
    'DEVTYPE=toy_type\nDRIVER=toy_drv\nMODALIAS=toy:t5\n',
    -E.EBUSY,
    3,
    -E.ENODEV,
    -E.ENODEV,
    -E.EIO,
    -E.ENOENT,
    2,
    4,
    'two\n',
    -E.EBUSY,
    -E.EACCES,
    -E.EACCES,
    expect.objectContaining({ size: 4096, mode: 0o100644 }),
    -E.EACCES,
  ]);
  expect(calls).toEqual([
    'probe t0',
    'probe tbad',
    'undo tbad',
    'remove t0',
    'undo t0',
    'probe tbad',
    'undo tbad',
    'probe t0',
  ]);
  expect(fake.bus.output).toContain('toy_drv tbad: probe with driver toy_drv failed with error -5');
  expect(fake.log.object('dev/l1/devices/root/t0')).toMatchObject({ driver: 'toy_drv', subsystem: 'toy' });
});

test('the name hash is the 64-bit one of the kernel', () => {
  const reference = (name: string): number => {
    let h = 0n;
    const mask = (1n << 64n) - 1n;
    for (const c of utf8(name)) h = ((h + (BigInt(c) << 4n) + (BigInt(c) >> 4n)) * 11n) & mask;
    return Number((((h * 0x61c8864680b583ebn) & mask) >> 32n) & 0x7fffffffn);
  };
  for (const name of [
    'a',
    'uevent',
    'decoder0.0',
    'endpoint2',
    'a_rather_long_attribute_name_for_overflow',
    '0000:0d:00.0',
  ])
    expect(kernfs_name_hash(name)).toBe(reference(name));
});

test('power off takes back what the kernel published', async () => {
  const fake = fakeLinux({ programs: { bash: async (sys) => sys.reboot('poweroff') } });
  fake.linux.start();
  await fake.settle();
  expect(fake.bus.ports).toContainEqual([0x604, 0x2000]);
  fake.linux.powerOff();
  expect(fake.log.object('proc/l1/1')).toBe(null);
  expect(fake.log.object('machine/l1')).toMatchObject({ state: 'off' });
});
