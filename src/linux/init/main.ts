/** init/main.c and arch/x86/kernel/{setup,e820}.c: from the boot parameters to the first process. Each line says what was done. */
import { alignUp, hex, MiB, PAGE_SIZE } from '../../base/addr.ts';
import { UserError } from '../../base/assert.ts';
import { memory_dev_init } from '../drivers/base/memory.ts';
import { chr_dev_init } from '../drivers/char/mem.ts';
import { ComputedLink } from '../fs/procfs.ts';
import { RamInode } from '../fs/ramfs.ts';
import { builtinInitramfs, decodeInitrd, type InitrdEntry, programText } from '../image.ts';
import { module_state } from '../include/module.ts';
import type { Linux } from '../kernel/linux.ts';
import { load_binary } from '../kernel/syscalls-process.ts';
import { O_NOCTTY, O_RDWR } from '../uapi/constants.ts';

/** e820__reserve_resources: what software must not take early; plain reservations above 1 MiB come late. */
function e820__reserve_resources(kernel: Linux): void {
  const { iomem } = kernel;
  for (const { start, size, type } of kernel.e820) {
    const end = start + size - 1;
    if (type === 'reserved' && start >= MiB) continue;
    const name =
      type === 'usable'
        ? 'System RAM'
        : type === 'reserved'
          ? 'Reserved'
          : `ACPI ${type === 'ACPI data' ? 'Tables' : 'Non-volatile Storage'}`;
    const res = iomem.make(name, start, end);
    res.busy = true;
    iomem.insert_resource(iomem.root, res);
  }
  probe_video_rom(kernel);
  // probe_roms: the last 64 KiB below 1 MiB are firmware
  const below = [...iomem.root.children].find(({ start, end }) => start <= 0xf0000 && end >= 0xfffff);
  iomem.request_resource(below ?? iomem.root, iomem.make('System ROM', 0xf0000, 0xfffff));
}
/** probe_roms: the first option ROM between 0xc0000 and 0xc8000 with a signature and a right checksum. */
function probe_video_rom({ cpu: { bus }, iomem }: Linux): void {
  for (let start = 0xc0000; start < 0xc8000; start += 2048) {
    if (bus.load(start, 2) !== 0xaa55) continue;
    const rom = new Uint8Array(bus.load(start + 2, 1) * 512);
    bus.copyFrom(start, rom);
    if ((rom.reduce((sum, byte) => sum + byte, 0) & 0xff) === 0)
      iomem.request_resource(iomem.root, iomem.make('Video ROM', start, start + rom.length - 1));
    return;
  }
}
/** e820__reserve_resources_late, called from pcibios_resource_survey. */
function e820__reserve_resources_late(kernel: Linux): void {
  const { iomem } = kernel;
  for (const { start, size, type } of kernel.e820)
    if (type === 'reserved' && start >= MiB)
      iomem.insert_resource(iomem.root, iomem.make('Reserved', start, start + size - 1));
}

/** setup_arch: the memory map, and what of it is the kernel's. */
function setup_arch(kernel: Linux): void {
  const info = (text: string): void => kernel.printk(6, text);
  const { release, version } = kernel.build;
  kernel.printk(5, `Linux version ${release} (root@cxlab) ${version}`);
  info(`Command line: ${kernel.boot.cmdline}`);
  info('BIOS-provided physical RAM map:');
  const range = (start: number, size: number): string => `[mem 0x${hex(start, 16)}-0x${hex(start + size - 1, 16)}]`;
  for (const { start, size, type } of kernel.boot.e820) info(`BIOS-e820: ${range(start, size)} ${type}`);
  if (kernel.cpu.features.hypervisor && !kernel.cpu.features.tcg) info('Hypervisor detected: KVM');
  // trim_bios_range: page 0 and the legacy hole are not RAM, whatever firmware says.
  info('e820: update [mem 0x00000000-0x00000fff] usable ==> reserved');
  info('e820: remove [mem 0x000a0000-0x000fffff] usable');
  kernel.e820 = kernel.boot.e820.flatMap((entry) => {
    if (entry.type !== 'usable' || entry.start >= MiB) return [entry];
    const end = Math.min(entry.start + entry.size, 0xa0000);
    const first = entry.start === 0 ? [{ start: 0, size: 4096, type: 'reserved' as const }] : [];
    const start = Math.max(entry.start, 4096);
    const low = end > start ? [{ ...entry, start, size: end - start }] : [];
    const high = entry.start + entry.size > MiB ? [{ ...entry, start: MiB, size: entry.start + entry.size - MiB }] : [];
    return [...first, ...low, ...high];
  });
  const top = Math.max(
    0,
    ...kernel.e820.filter((entry) => entry.type === 'usable').map((entry) => entry.start + entry.size),
  );
  info(`last_pfn = 0x${hex(Math.floor(top / 4096))} max_arch_pfn = 0x10000000000`);
  e820__reserve_resources(kernel);
}

function printMemory(kernel: Linux): void {
  const usable = kernel.e820.filter((entry) => entry.type === 'usable').reduce((sum, entry) => sum + entry.size, 0);
  kernel.printk(6, `Memory: ${Math.floor(kernel.mm.freeBytes / 1024)}K/${Math.floor(usable / 1024)}K available`);
}

/** populate_rootfs: unpacks the initrd's entries into the root file system. */
export function unpack_to_rootfs(kernel: Linux, entries: readonly InitrdEntry[]): void {
  const dirOf = (path: string): RamInode => {
    let at = kernel.vfs.rootfs;
    for (const name of path.split('/')) {
      if (name === '') continue;
      if (!at.lookup(name)) at.mkdir(name, 0o755);
      let next = at.lookup(name);
      // A link among the parents (/bin -> usr/bin) is followed.
      if (next?.isLink) {
        const target = kernel.vfs.ns.walk(
          kernel.vfs.ns.root,
          path.slice(0, path.indexOf(`/${name}`) + name.length + 1),
          true,
        );
        next = typeof target !== 'number' && target.inode instanceof RamInode ? target.inode : next;
      }
      if (!next) return at;
      at = next;
    }
    return at;
  };
  for (const entry of entries) {
    const cut = entry.path.lastIndexOf('/');
    const dir = dirOf(entry.path.slice(0, cut));
    const name = entry.path.slice(cut + 1);
    switch (entry.type) {
      case 'dir':
        dirOf(entry.path).chmod(entry.mode);
        break;
      case 'link':
        if (!dir.lookup(name)) dir.symlink(name, entry.target ?? '');
        break;
      case 'node':
        dir.mknod(name, 0o020000 | entry.mode, (entry.rdev?.[0] ?? 0) * 256 + (entry.rdev?.[1] ?? 0));
        break;
      case 'file':
      case 'program': {
        const content = entry.type === 'file' ? (entry.content ?? '') : programText(entry.program ?? '');
        if (dir.lookup(name)) dir.unlink(name);
        dir.create(name, entry.mode).adopt(new TextEncoder().encode(content));
        break;
      }
    }
  }
}

/** devtmpfs, sysfs, proc and debugfs at their usual places, as a distribution's init does first. */
function mountAll(kernel: Linux): void {
  const { vfs } = kernel;
  for (const [dir, mode] of [
    ['dev', 0o755],
    ['proc', 0o555],
    ['sys', 0o555],
    ['root', 0o700],
    ['tmp', 0o1777],
    ['run', 0o755],
  ] as const)
    if (!vfs.rootfs.lookup(dir)) vfs.rootfs.mkdir(dir, mode);
  const mount = (source: string, at: string, type: string): void => {
    const path = vfs.ns.walk(vfs.ns.root, at, true);
    if (typeof path === 'number') return;
    const roots = { proc: vfs.proc, sysfs: vfs.sysfs.root, devtmpfs: vfs.devtmpfs, debugfs: vfs.debugfs };
    const root = { ...roots, tracefs: kernel.tracing.root }[type];
    if (root) vfs.ns.mount(source, at, type, path.inode, root);
  };
  mount('devtmpfs', '/dev', 'devtmpfs');
  mount('proc', '/proc', 'proc');
  mount('sysfs', '/sys', 'sysfs');
  mount('debugfs', '/sys/kernel/debug', 'debugfs');
  mount('tracefs', '/sys/kernel/tracing', 'tracefs');
  // tracing_init_dentry: the old place, for old scripts.
  vfs.debugfs.put('tracing', new ComputedLink(vfs.debugfs.sb, () => '/sys/kernel/tracing'));
}

/**
 * What the initcalls of each level cost that are not modelled (pure, core, postcore, arch, subsys, fs, device, late): with the
 * modelled ones a boot takes about a second, as such a kernel does under KVM.
 */
const INITCALL_LEVEL_NS = [0, 35e6, 12e6, 28e6, 130e6, 60e6, 310e6, 95e6] as const;

/** start_kernel … kernel_init. Gives false when the kernel panicked. */
export async function start_kernel(kernel: Linux): Promise<void> {
  const info = (text: string): void => kernel.printk(6, text);
  setup_arch(kernel);
  info(`Kernel command line: ${kernel.boot.cmdline}`);
  kernel.registerConsoles();
  printMemory(kernel);
  kernel.sched_clock = true;
  info(`smpboot: Allowing ${kernel.cpu.count} CPUs, 0 hotplug CPUs`);
  info(`smpboot: CPU0: ${kernel.cpu.features.model}`);
  // Timers, interrupts and the scheduler, then some milliseconds for each processor.
  kernel.scheduler.advance(90_000_000 + 8_000_000 * kernel.cpu.count);
  info('devtmpfs: initialized');
  mountAll(kernel);
  kernel.tty.init(kernel.consoleName);
  kernel.proc_init();
  chr_dev_init(kernel);
  memory_dev_init(kernel);
  for (let level = 1; level <= 7; level++) {
    kernel.scheduler.advance(INITCALL_LEVEL_NS[level] ?? 0);
    for (const def of kernel.modules.table)
      if (def.initcall === level && module_state(kernel.build, def) === 'y') kernel.modules.initcall(def);
    if (level === 4) e820__reserve_resources_late(kernel);
    // The image's own archive comes first, the boot loader's goes over it.
    if (level === 5) unpack_to_rootfs(kernel, builtinInitramfs(kernel.boot.kernel));
    if (level === 5 && kernel.boot.initrd.length > 0) {
      info('Trying to unpack rootfs image as initramfs...');
      try {
        unpack_to_rootfs(kernel, decodeInitrd(kernel.boot.initrd));
        // Unpacking runs at about 200 MB/s, counted in 64 KiB: one more program in an image does not move every later stamp.
        kernel.scheduler.advance(alignUp(kernel.boot.initrd.length, 65_536) * 5);
        info(`Freeing initrd memory: ${alignUp(kernel.boot.initrd.length, PAGE_SIZE) / 1024}K`);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        kernel.printk(0, `Initramfs unpacking failed: ${error.message}`);
      }
    }
    if (level === 6) kernel.tty.serial8250_init();
    kernel.drivers.flush_async_probes();
    await kernel.scheduler.tick();
    if (kernel.tasks.dead) return;
  }
  kernel.iomem.quiet = false;
  kernel.iomem.changed();
  run_init_process(kernel);
}

/** kernel_init: /init, or what `rdinit=` or `init=` names, or the usual places. */
function run_init_process(kernel: Linux): void {
  const asked = kernel.param('rdinit') ?? kernel.param('init');
  const places = [asked ?? '/init', '/sbin/init', '/etc/init', '/bin/init', '/bin/sh'];
  for (const [n, path] of places.entries()) {
    const binary = load_binary(kernel, kernel.vfs.ns.root, path, [path]);
    if (typeof binary === 'number') {
      if (n === 0 && asked !== undefined) kernel.printk(3, `Failed to execute ${path} (error ${binary})`);
      continue;
    }
    kernel.printk(6, `Run ${path} as init process`);
    const task = kernel.tasks.create(null, binary.comm, [path], kernel.vfs.ns.root);
    task.exe = binary.exe;
    task.env = { HOME: '/', TERM: 'linux' };
    // console_on_rootfs
    for (const _ of [0, 1, 2]) task.sys.open('/dev/console', O_RDWR | O_NOCTTY);
    kernel.setState('running');
    kernel.tasks.start(task, () => binary.program(task.sys, [path], task.env));
    kernel.startLogins();
    return;
  }
  if (kernel.boot.initrd.length === 0) kernel.panic('VFS: Unable to mount root fs on unknown-block(0,0)');
  else
    kernel.panic(
      'No working init found.  Try passing init= option to kernel. See Linux Documentation/admin-guide/init.rst for guidance.',
    );
}
