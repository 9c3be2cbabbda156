import { text } from '../base/bytes.ts';
import { HOST_BUILD, L1_BUILD, L2_BUILD, TYPE3_BUILD } from '../content/machines/builds.ts';
import { HOST_FILES, L1_FILES, L2_FILES, type TextFile, TYPE3_FILES } from '../content/machines/files.ts';
import { encodeInitrd, encodeKernelImage, type InitrdEntry } from '../linux/image.ts';
import type { KernelBuild } from '../linux/include/build.ts';
import { moduleTreeEntries } from '../linux/module-table.ts';
import { programNames } from './programs.ts';

/** Kernel and initial file system of the physical host, with the guests' images in its /boot. */
export function hostImages(): { kernel: Uint8Array; initrd: Uint8Array } {
  const l2 = { kernel: encodeKernelImage(L2_BUILD), initrd: encodeInitrd(rootfs(L2_BUILD, L2_FILES, [])) };
  const l2Boot = bootFiles(L2_BUILD, l2);
  const l1 = { kernel: encodeKernelImage(L1_BUILD), initrd: encodeInitrd(rootfs(L1_BUILD, L1_FILES, l2Boot)) };
  const type3 = { kernel: encodeKernelImage(TYPE3_BUILD), initrd: encodeInitrd(rootfs(TYPE3_BUILD, TYPE3_FILES, [])) };
  const boot = [...bootFiles(L1_BUILD, l1), ...l2Boot, ...bootFiles(TYPE3_BUILD, type3), ...shortNames(TYPE3_BUILD)];
  const host = rootfs(HOST_BUILD, HOST_FILES, boot);
  return { kernel: encodeKernelImage(HOST_BUILD), initrd: encodeInitrd(host) };
}

function bootFiles(build: KernelBuild, images: { kernel: Uint8Array; initrd: Uint8Array }): readonly InitrdEntry[] {
  return [
    { path: `/boot/vmlinuz-${build.release}`, type: 'file', mode: 0o644, content: text(images.kernel) },
    { path: `/boot/initrd-${build.release}`, type: 'file', mode: 0o644, content: text(images.initrd) },
  ];
}

/** `vmlinuz-6.12` and `initrd-6.12`: the names that command lines of the golden captures use. */
function shortNames(build: KernelBuild): readonly InitrdEntry[] {
  const short = build.release.split('.').slice(0, 2).join('.');
  return ['vmlinuz', 'initrd'].map((name) => ({
    path: `/boot/${name}-${short}`,
    type: 'link',
    mode: 0o777,
    target: `${name}-${build.release}`,
  }));
}

/** A merged-usr tree: programs in /usr/bin and /usr/sbin, the usual links, the build's modules, the machine's files. */
function rootfs(build: KernelBuild, files: readonly TextFile[], boot: readonly InitrdEntry[]): readonly InitrdEntry[] {
  const dirs = [
    '/boot',
    '/dev',
    '/etc',
    '/mnt',
    '/proc',
    '/root',
    '/run',
    '/sys',
    '/tmp',
    '/usr',
    '/usr/bin',
    '/usr/sbin',
    '/usr/lib',
    '/usr/share',
    '/var',
    '/var/log',
  ];
  return [
    ...dirs.map((path): InitrdEntry => ({ path, type: 'dir', mode: path === '/tmp' ? 0o1777 : 0o755 })),
    { path: '/bin', type: 'link', mode: 0o777, target: 'usr/bin' },
    { path: '/sbin', type: 'link', mode: 0o777, target: 'usr/sbin' },
    { path: '/lib', type: 'link', mode: 0o777, target: 'usr/lib' },
    ...programNames(build === HOST_BUILD ? 'host' : 'guest').map(
      (name): InitrdEntry => ({ path: programPath(name), type: 'program', mode: 0o755, program: name }),
    ),
    ...files.map(
      (file): InitrdEntry => ({ path: file.path, type: 'file', mode: file.mode ?? 0o644, content: file.content }),
    ),
    ...moduleTreeEntries(build),
    ...boot,
  ];
}

const SBIN = new Set([
  'init',
  'modprobe',
  'insmod',
  'rmmod',
  'modinfo',
  'depmod',
  'lsmod',
  'poweroff',
  'reboot',
  'halt',
  'shutdown',
  'devmem',
  'setpci',
  'driverctl',
  'losetup',
  'dmidecode',
  'sysctl',
]);

function programPath(name: string): string {
  if (name === 'init') return '/init';
  return SBIN.has(name) ? `/usr/sbin/${name}` : `/usr/bin/${name}`;
}
