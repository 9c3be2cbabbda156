import { DRIVER, type Exhibit } from './exhibit.ts';

/** Exhibits of L2: the test driver, and the type-2 base series under it. */
export const L2_DRIVER: readonly Exhibit[] = [
  {
    id: 'cxl-accel-endpoint-error',
    title: 'On with an error for a pointer',
    patch: 'driver',
    function: 'cxl_accel_probe',
    point: 'When no endpoint can be acquired the driver says so and goes on with the error as if it were a port.',
    part: 'l2',
    builds: ['kbuild l1 --without 10 -o k10 > kbuild.log'],
    boot: { l1Kernel: 'k10' },
    until: 'l2',
    lines: [DRIVER, ['l2', 'dmesg -l warn,err,alert'], ['l2', 'lsmod']],
  },
  {
    id: 'cxl-accel-endpoint-held',
    title: 'An endpoint that is never given back',
    patch: 'driver',
    function: 'cxl_accel_probe',
    point:
      'The failing paths after cxl_acquire_endpoint() return with the lock of the endpoint held. The clean-up of the very probe that failed wants that lock.',
    part: 'l2',
    builds: ['kbuild l1 --without 8 -o k8 > kbuild.log'],
    boot: { l1Kernel: 'k8' },
    until: 'l2',
    lines: [
      DRIVER,
      ['l2', 'dmesg -l warn,err,alert | tail -9'],
      ['l2', 'lsmod; ls /sys/bus/cxl/devices'],
      ['l2', "grep -h -B2 'State:.D' /proc/[0-9]*/status"],
    ],
  },
  {
    id: 'hpa-freespace-off-by-two',
    title: 'Free space, two bytes too much',
    patch: 'type-2',
    function: 'cxl_get_hpa_freespace',
    point: 'The hole behind an existing region is computed with both borders counted.',
    part: 'l2',
    until: 'l2',
    lines: [
      DRIVER,
      ['l2', 'echo 0000:0d:00.0 > /sys/bus/pci/drivers/cxl-accel/unbind'],
      ['l2', 'echo 0000:0d:00.0 > /sys/bus/pci/drivers/cxl-accel/bind'],
      ['l2', "dmesg | grep 'free space'"],
    ],
  },
  {
    id: 'cxl-accel-region-null-only',
    title: 'Only NULL is an error',
    patch: 'driver',
    function: 'cxl_accel_probe',
    point:
      'cxl_create_region() answers with an error pointer; the driver asks for NULL and goes on with the error as if it were a region. Here the device has 128 MiB, decodes as the specification says and refuses the commit of 256.',
    part: 'l2',
    boot: { memory: '128M', accel: ',silicon=strict', driver: 'vfio-pci' },
    until: 'l2',
    lines: [DRIVER, ['l2', 'dmesg -l warn,err,alert'], ['l2', 'lsmod']],
  },
  {
    id: 'cxl-accel-serial-zero',
    title: 'Zero again, one level down',
    patch: 'driver',
    function: 'cxl_accel_probe',
    point: 'The test driver too takes pdev->dev.id, which is 0, for the serial number.',
    part: 'l2',
    builds: ['qbuild --accel A --no-install -o qemu-a'],
    boot: { hostQemu: './qemu-a', accel: ',sn=0xcafe0005' },
    until: 'l2',
    lines: [
      DRIVER,
      ['l2', 'cat /sys/bus/cxl/devices/mem0/serial'],
      ['l2', "lspci -vv -s 0d:00.0 | grep 'Serial Number'"],
    ],
  },
];
