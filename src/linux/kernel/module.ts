/**
 * kernel/module: loading and unloading, references, parameters, dynamic debug. Left out: symbol tables (a module that
 * lacks another is reported by that module's name), signatures, taint, sections.
 */
import { text } from '../../base/bytes.ts';
import { E } from '../../base/errno.ts';
import { type ModuleState, paths } from '../../state/schema.ts';
import type { OpenFile } from '../fs/file.ts';
import { RamInode } from '../fs/ramfs.ts';
import { type ModuleDef, type Modules, module_file, module_params } from '../include/module.ts';
import type { Linux } from './linux.ts';
import { module_param_check, type ParamValues, parse_args } from './params.ts';
import { vermagic } from './vermagic.ts';

export const underscored = (name: string): string => name.replaceAll('-', '_');

interface Loaded {
  readonly def: ModuleDef;
  readonly name: string;
  readonly builtin: boolean;
  readonly values: ParamValues;
  /** Modules that use its symbols, newest first. */
  readonly users: string[];
  refs: number;
  state: 'Loading' | 'Live' | 'Unloading';
  readonly address: number;
}

export class ModuleLoader implements Modules {
  /** Load order; built-in ones first. */
  private readonly loaded = new Map<string, Loaded>();
  private nextAddress = 0;
  /** TAINT_OOT_MODULE: said once. */
  private tainted = false;
  private readonly initSite;
  private readonly exitSite;

  constructor(
    private readonly kernel: Linux,
    readonly table: readonly ModuleDef[],
  ) {
    this.initSite = kernel.site('do_init_module', ['pid', 'json'], 'kernel/module/main.c');
    this.exitSite = kernel.site('delete_module', ['pid', 'json'], 'kernel/module/main.c');
  }

  isLoaded(name: string): boolean {
    return this.loaded.get(underscored(name))?.state === 'Live';
  }
  get(name: string): boolean {
    const module = this.loaded.get(underscored(name));
    if (!module) return true;
    if (module.state === 'Unloading') return false;
    module.refs++;
    this.publish(module);
    return true;
  }
  put(name: string): void {
    const module = this.loaded.get(underscored(name));
    if (!module) return;
    module.refs--;
    this.publish(module);
  }

  /** Parameter value of a loaded module as text, or undefined. */
  paramOf(name: string, param: string): string | undefined {
    return this.loaded.get(underscored(name))?.values[param];
  }

  /** Initialises one built-in module (an initcall). */
  initcall(def: ModuleDef): void {
    const name = underscored(def.name);
    const values = this.defaults(def);
    const module: Loaded = { def, name, builtin: true, values, users: [], refs: 0, state: 'Loading', address: 0 };
    this.loaded.set(name, module);
    for (const [key, value] of this.kernel.moduleArgs(name)) {
      if (key === 'dyndbg') this.kernel.dyndbg.exec(`module ${name} ${value}`);
      else this.setParam(module, key, value);
    }
    this.sysfsParams(module);
    const outer = this.kernel.log.begin(this.initSite, 0, this.kernel.log.intern(name));
    this.kernel.scheduler.advance(1_000_000);
    const ret = def.init(this.kernel, values);
    this.kernel.log.end(outer, ret);
    module.state = 'Live';
    // do_one_initcall prints only with initcall_debug; -ENODEV is a driver whose hardware is not there.
    if (ret < 0) this.kernel.dynamic_debug('main', 'do_one_initcall', `initcall ${name} returned ${ret}`);
  }

  private defaults(def: ModuleDef): Record<string, string> {
    return Object.fromEntries(module_params(this.kernel.build, def).map(([key, param]) => [key, param.default]));
  }

  finit_module(file: OpenFile, params: string): number {
    const { inode } = file;
    if (!(inode instanceof RamInode)) return -E.EINVAL;
    const lines = text(inode.bytes()).split('\n');
    const named = /^cxlab-module (\S+)$/.exec(lines[0] ?? '')?.[1];
    if (named === undefined) return -E.ENOEXEC;
    const magic = lines.find((line) => line.startsWith('vermagic='))?.slice(9);
    return this.load_module(named, params, magic);
  }

  private load_module(named: string, params: string, magic?: string): number {
    const { kernel } = this;
    const name = underscored(named);
    const def = this.table.find((entry) => underscored(entry.name) === name);
    const wanted = vermagic(kernel.build);
    if (magic !== undefined && magic !== wanted) {
      kernel.printk(3, `${name}: version magic '${magic}' should be '${wanted}'`);
      return -E.ENOEXEC;
    }
    if (!def) return -E.ENOEXEC;
    if (this.loaded.has(name)) return -E.EEXIST;
    for (const dep of def.depends ?? []) {
      const found = this.loaded.get(underscored(dep));
      if (found?.state !== 'Live') {
        kernel.printk(4, `${name}: Unknown symbol of module ${underscored(dep)} (err -2)`);
        return -E.ENOENT;
      }
    }
    if (def.config === null && !this.tainted) {
      this.tainted = true;
      kernel.printk(4, `${name}: loading out-of-tree module taints kernel.`);
    }
    const address = this.nextAddress;
    this.nextAddress += Math.ceil(def.size / 4096) * 4096 + 4096;
    const values = this.defaults(def);
    const module: Loaded = { def, name, builtin: false, values, users: [], refs: 0, state: 'Loading', address };
    for (const [key, value] of parse_args(params)) {
      if (key === 'dyndbg') {
        kernel.dyndbg.exec(`module ${name} ${value}`);
        continue;
      }
      const ret = this.setParam(module, key, value);
      if (ret < 0) return ret;
    }
    this.loaded.set(name, module);
    for (const dep of def.depends ?? []) {
      const used = this.loaded.get(underscored(dep));
      if (!used || used.builtin) continue;
      used.users.unshift(name);
      this.publish(used);
    }
    this.mod_sysfs_setup(module);
    this.publish(module);
    kernel.scheduler.advance(500_000);
    const outer = kernel.log.begin(this.initSite, kernel.tasks.current?.pid ?? 0, kernel.log.intern(name));
    const ret = def.init(kernel, values);
    kernel.log.end(outer, ret);
    if (ret < 0) {
      this.free_module(module);
      return ret;
    }
    module.state = 'Live';
    this.publish(module);
    kernel.drivers.flush_async_probes();
    return 0;
  }

  private setParam(module: Loaded, key: string, value: string): number {
    const def = module_params(this.kernel.build, module.def).find(([param]) => underscored(param) === underscored(key));
    if (!def) {
      this.kernel.printk(4, `${module.name}: unknown parameter '${key}' ignored`);
      return 0;
    }
    const checked = module_param_check(def[1], value);
    if (checked === null) {
      this.kernel.printk(3, `${module.name}: \`${value}' invalid for parameter \`${key}'`);
      return -E.EINVAL;
    }
    module.values[def[0]] = checked;
    return 0;
  }

  private sysfsParams(module: Loaded): void {
    const { sysfs } = this.kernel.vfs;
    for (const [key, param] of module_params(this.kernel.build, module.def)) {
      if (param.mode === 0) continue;
      sysfs.file(sysfs.dir(`module/${module.name}/parameters`), key, param.mode, {
        show: () => `${module.values[key] ?? ''}\n`,
        ...(param.mode & 0o200
          ? {
              store: (value: string) => {
                const checked = module_param_check(param, value);
                if (checked === null) return -E.EINVAL;
                module.values[key] = checked;
                return 0;
              },
            }
          : {}),
      });
    }
  }

  private mod_sysfs_setup(module: Loaded): void {
    const { sysfs } = this.kernel.vfs;
    const dir = sysfs.dir(`module/${module.name}`);
    sysfs.file(dir, 'refcnt', 0o444, { show: () => `${module.refs + module.users.length}\n` });
    sysfs.file(dir, 'initstate', 0o444, {
      show: () => `${{ Live: 'live', Loading: 'coming', Unloading: 'going' }[module.state]}\n`,
    });
    sysfs.file(dir, 'coresize', 0o444, { show: () => `${module.def.size}\n` });
    sysfs.file(dir, 'taint', 0o444, { show: () => `${module.def.config === null ? 'O' : ''}\n` });
    sysfs.file(dir, 'uevent', 0o200, { store: () => 0 });
    sysfs.dir(`module/${module.name}/holders`);
    for (const dep of module.def.depends ?? []) {
      if (this.loaded.get(underscored(dep))?.builtin) continue;
      sysfs.link(sysfs.dir(`module/${underscored(dep)}/holders`), module.name, `/module/${module.name}`);
    }
    this.sysfsParams(module);
  }

  delete_module(name: string, _flags: number): number {
    const module = this.loaded.get(underscored(name));
    if (!module || module.builtin) return -E.ENOENT;
    if (module.users.length > 0) return -E.EAGAIN;
    if (module.state !== 'Live') return -E.EBUSY;
    if (!module.def.exit) return -E.EBUSY;
    if (module.refs > 0) return -E.EAGAIN;
    module.state = 'Unloading';
    const outer = this.kernel.log.begin(
      this.exitSite,
      this.kernel.tasks.current?.pid ?? 0,
      this.kernel.log.intern(module.name),
    );
    module.def.exit(this.kernel);
    this.kernel.log.end(outer);
    this.free_module(module);
    return 0;
  }

  private free_module(module: Loaded): void {
    this.loaded.delete(module.name);
    this.kernel.dyndbg.forget(module.name);
    for (const dep of module.def.depends ?? []) {
      const used = this.loaded.get(underscored(dep));
      const at = used?.users.indexOf(module.name) ?? -1;
      if (!used || at < 0) continue;
      used.users.splice(at, 1);
      this.kernel.vfs.sysfs.remove(`module/${used.name}/holders/${module.name}`);
      this.publish(used);
    }
    this.kernel.vfs.sysfs.remove(`module/${module.name}`);
    this.kernel.log.publish(paths.module(this.kernel.machine, module.name), null);
  }

  /** request_module: what /sbin/modprobe would do, run at once. The module's file has to be in the root file system. */
  request(name: string): number {
    const wanted = underscored(name);
    const def =
      this.table.find((entry) => underscored(entry.name) === wanted) ??
      this.table.find((entry) => entry.alias?.includes(name));
    if (!def) return -E.ENOENT;
    return this.modprobe(def);
  }
  private modprobe(def: ModuleDef): number {
    if (this.loaded.has(underscored(def.name))) return 0;
    for (const dep of def.depends ?? []) {
      const needed = this.table.find((entry) => underscored(entry.name) === underscored(dep));
      const ret = needed ? this.modprobe(needed) : -E.ENOENT;
      if (ret < 0) return ret;
    }
    const path = `/lib/modules/${this.kernel.build.release}/${module_file(def)}`;
    const at = this.kernel.vfs.ns.walk(this.kernel.vfs.ns.root, path, true);
    if (typeof at === 'number' || !(at.inode instanceof RamInode)) return -E.ENOENT;
    const args = this.kernel.moduleArgs(underscored(def.name)).map(([key, value]) => `${key}=${value}`);
    return this.load_module(def.name, args.join(' '));
  }

  private publish(module: Loaded): void {
    if (module.builtin) return;
    const state: ModuleState = {
      name: module.name,
      size: module.def.size,
      usedBy: [...module.users],
      refcount: module.refs + module.users.length,
    };
    this.kernel.log.publish(paths.module(this.kernel.machine, module.name), { ...state });
  }

  /** /proc/modules, newest first. */
  show(): string {
    const rows = [...this.loaded.values()].filter((module) => !module.builtin).reverse();
    return rows
      .map((module) => {
        const users = module.users.length > 0 ? `${module.users.join(',')},` : '-';
        const address = `0xffffffff${(0xc0000000 + module.address).toString(16)}`;
        return `${module.name} ${module.def.size} ${module.refs + module.users.length} ${users} ${module.state} ${address}${module.def.config === null ? ' (O)' : ''}\n`;
      })
      .join('');
  }
}
