import type { KernelBuild } from './build.ts';
import type { Kernel } from './kernel.ts';

/** A module of the kernel tree, built in or loadable according to the build's configuration. */
export interface ModuleDef {
  /** As in the file name, dashes kept: `cxl-accel-vfio-pci`. */
  readonly name: string;
  /** CONFIG_ option that decides y/m/n; null for a module built out of tree, which a build's `updates` lists. */
  readonly config: string | null;
  /** Patch of the series that adds this module: a build without it has no such module. */
  readonly patch?: number;
  /** Directory in /lib/modules below kernel/, or updates/ if out of tree: `drivers/vfio/pci`. */
  readonly dir: string;
  /** Modules whose symbols it needs (names with dashes). */
  readonly depends?: readonly string[];
  readonly softdepPre?: readonly string[];
  /** Modalias patterns. */
  readonly alias?: readonly string[];
  readonly description?: string;
  readonly author?: string;
  readonly license?: string;
  readonly params?: Readonly<Record<string, ModuleParam>>;
  /** Bytes shown by lsmod. */
  readonly size: number;
  /** Order among built-in initialisations: 1 core, 2 postcore, 3 arch, 4 subsys, 5 fs, 6 device, 7 late. */
  readonly initcall: 1 | 2 | 3 | 4 | 5 | 6 | 7;
  init(kernel: Kernel, params: Readonly<Record<string, string>>): number;
  exit?(kernel: Kernel): void;
}

/** Whether and how a build has a module. */
export function module_state(build: KernelBuild, def: ModuleDef): 'y' | 'm' | undefined {
  if (def.patch !== undefined && !build.patches.includes(def.patch)) return undefined;
  if (def.config !== null) return build.config[def.config];
  return build.updates?.includes(def.name) ? 'm' : undefined;
}
/** The module's file below /lib/modules/<release>. */
export function module_file(def: ModuleDef): string {
  return `${def.config === null ? 'updates' : 'kernel'}/${def.dir}/${def.name}.ko`;
}

export interface ModuleParam {
  readonly type: 'int' | 'bool' | 'charp' | 'uint' | 'array of charp';
  readonly description: string;
  readonly default: string;
  readonly mode: number;
  /** Only in a build of this series that has this option. */
  readonly only?: { readonly series: string; readonly config: string };
}

/** The parameters a module has in this build. */
export function module_params(build: KernelBuild, def: ModuleDef): readonly (readonly [string, ModuleParam])[] {
  return Object.entries(def.params ?? {}).filter(
    ([, { only }]) => !only || (build.series === only.series && build.config[only.config] !== undefined),
  );
}

export interface Modules {
  /** try_module_get / module_put by name (underscores); false when it is going away. Built-in names always succeed. */
  get(name: string): boolean;
  put(name: string): void;
  isLoaded(name: string): boolean;
  /** request_module: runs modprobe's work synchronously inside the kernel. */
  request(name: string): number;
}
