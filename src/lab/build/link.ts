import {
  RFC_V1_CREATES,
  RFC_V1_SYMBOLS,
  RFC_V1_USES,
  type SeriesSymbol,
  type SymbolUse,
} from '../../content/series/rfc-v1.ts';
import type { KernelBuild } from '../../linux/include/build.ts';
import { type ModuleDef, module_state } from '../../linux/include/module.ts';

/**
 * The link step of a build: every symbol a module calls has to be exported by something that is compiled. Declarations
 * stay when a patch is left out (its header hunks are kept), so what is missing shows at modpost, or at the link of
 * vmlinux for built-in code. Which symbols: content/series.
 */
export interface Undefined {
  readonly symbol: string;
  readonly use: SymbolUse;
  /** Path of the module file without `.ko`, or null when its code is built in. */
  readonly object: string | null;
}

/** Hunks of a left-out patch, and hunks in a file nothing creates, are not there. */
function present(build: KernelBuild, file: string, patch: number | null): boolean {
  const creator = RFC_V1_CREATES[file];
  if (creator !== undefined && !build.patches.includes(creator)) return false;
  return patch === null || build.patches.includes(patch);
}

function exported(build: KernelBuild, modules: readonly ModuleDef[], symbol: SeriesSymbol): boolean {
  const owner = modules.find((def) => def.name === symbol.module);
  if (!owner || module_state(build, owner) === undefined) return false;
  if (symbol.config !== undefined && build.config[symbol.config] === undefined) return false;
  return present(build, symbol.file, symbol.patch);
}

/** Exports of a build, as Module.symvers lists them. */
export function exports(build: KernelBuild, modules: readonly ModuleDef[]): readonly SeriesSymbol[] {
  return RFC_V1_SYMBOLS.filter((symbol) => exported(build, modules, symbol));
}

/** What does not link. `soft` patches give empty functions to their callers and are not missed. */
export function undefinedSymbols(
  build: KernelBuild,
  modules: readonly ModuleDef[],
  soft: readonly number[],
): readonly Undefined[] {
  const out: Undefined[] = [];
  const known = new Map(RFC_V1_SYMBOLS.map((symbol) => [symbol.name, symbol]));
  for (const use of RFC_V1_USES) {
    const owner = modules.find((def) => def.name === use.module);
    if (!owner || !present(build, use.file, use.patch)) continue;
    const state = module_state(build, owner);
    if (state === undefined) continue;
    const object = state === 'm' ? `${owner.dir}/${owner.name}` : null;
    for (const name of use.symbols) {
      const symbol = known.get(name);
      if (!symbol || exported(build, modules, symbol)) continue;
      if (symbol.patch !== null && soft.includes(symbol.patch)) continue;
      if (!out.some((one) => one.symbol === name && one.object === object)) out.push({ symbol: name, use, object });
    }
  }
  return out;
}

/** What make says about them, and how it ends. */
export function linkErrors(missing: readonly Undefined[]): readonly string[] {
  if (missing.length === 0) return [];
  const builtIn = missing.filter((one) => one.object === null);
  if (builtIn.length > 0)
    return [
      ...builtIn.flatMap(({ symbol, use }) => [
        `ld: vmlinux.o: in function \`${use.caller}':`,
        `${use.file}: undefined reference to \`${symbol}'`,
      ]),
      'make[2]: *** [scripts/Makefile.vmlinux:34: vmlinux] Error 1',
      'make[1]: *** [Makefile:1154: vmlinux] Error 2',
      'make: *** [Makefile:224: __sub-make] Error 2',
    ];
  return [
    ...missing.map(({ symbol, object }) => `ERROR: modpost: "${symbol}" [${object}.ko] undefined!`),
    'make[2]: *** [scripts/Makefile.modpost:145: Module.symvers] Error 1',
    'make[1]: *** [Makefile:1878: modpost] Error 2',
    'make: *** [Makefile:224: __sub-make] Error 2',
  ];
}

/** Module.symvers: CRC (0, no modversions), symbol, module or vmlinux, kind, name space. */
export function symvers(build: KernelBuild, modules: readonly ModuleDef[], gplOnly: boolean): string {
  return exports(build, modules)
    .map((symbol) => {
      const owner = modules.find((def) => def.name === symbol.module);
      const where = owner && module_state(build, owner) === 'm' ? `${owner.dir}/${owner.name}` : 'vmlinux';
      const kind = symbol.gpl || gplOnly ? 'EXPORT_SYMBOL_GPL' : 'EXPORT_SYMBOL';
      return `0x00000000\t${symbol.name}\t${where}\t${kind}\t${symbol.module === 'cxl_core' ? 'CXL' : ''}\n`;
    })
    .join('');
}
