/** The directory /lib/modules/<release> that an installed kernel has: module files, and depmod's indexes of them. */
import { type InitrdEntry, moduleText } from './image.ts';
import type { KernelBuild } from './include/build.ts';
import { type ModuleDef, module_file, module_params, module_state } from './include/module.ts';
import { vermagic } from './kernel/vermagic.ts';

/** /lib/modules/<release>: module files for `m`, and depmod's indexes. */
export function depmod(build: KernelBuild, modules: readonly ModuleDef[]): readonly InitrdEntry[] {
  const base = `/lib/modules/${build.release}`;
  const state = (def: ModuleDef) => module_state(build, def);
  const byName = new Map(modules.map((def) => [def.name, def]));
  const loadable = modules.filter((def) => state(def) === 'm');
  const underscored = (name: string): string => name.replaceAll('-', '_');

  /** depmod's order: what has to be loaded last comes first. */
  const closure = (def: ModuleDef, seen: ModuleDef[] = []): ModuleDef[] => {
    for (const dep of def.depends ?? []) {
      const found = byName.get(dep);
      if (!found || state(found) !== 'm') continue;
      const at = seen.indexOf(found);
      if (at >= 0) seen.splice(at, 1);
      seen.push(found);
      closure(found, seen);
    }
    return seen;
  };
  const text = (path: string, lines: readonly string[]): InitrdEntry => ({
    path: `${base}/${path}`,
    type: 'file',
    mode: 0o644,
    content: lines.map((line) => `${line}\n`).join(''),
  });
  /** What the module's sources say of it, in the order a module file has it. */
  const described = (def: ModuleDef): readonly string[] => [
    ...module_params(build, def).flatMap(([key, param]) => [
      ...(param.description === '' ? [] : [`parm=${key}:${param.description}`]),
      `parmtype=${key}:${param.type}`,
    ]),
    ...(def.softdepPre?.length ? [`softdep=pre: ${def.softdepPre.join(' ')}`] : []),
    ...(def.dir.startsWith('drivers/cxl') && def.name !== 'cxl_core' ? ['import_ns=CXL'] : []),
    `license=${def.license ?? 'GPL'}`,
    ...(def.author === undefined ? [] : [`author=${def.author}`]),
    ...(def.description === undefined ? [] : [`description=${def.description}`]),
  ];
  return [
    { path: base, type: 'dir', mode: 0o755 },
    ...loadable.map((def): InitrdEntry => {
      const needed = (def.depends ?? []).filter(
        (dep) => byName.get(dep) && state(byName.get(dep) as ModuleDef) === 'm',
      );
      const info = [
        ...described(def),
        ...(def.alias ?? []).map((alias) => `alias=${alias}`),
        `depends=${needed.join(',')}`,
        ...(def.config === null ? [] : ['intree=Y']),
        `name=${underscored(def.name)}`,
        `vermagic=${vermagic(build)}`,
      ];
      const content = `${moduleText(def.name)}${info.map((line) => `${line}\n`).join('')}`;
      return { path: `${base}/${module_file(def)}`, type: 'file', mode: 0o644, content };
    }),
    text(
      'modules.dep',
      loadable.map(
        (def) =>
          `${module_file(def)}:${closure(def)
            .map((dep) => ` ${module_file(dep)}`)
            .join('')}`,
      ),
    ),
    text('modules.alias', [
      '# Aliases extracted from modules themselves.',
      ...loadable.flatMap((def) => (def.alias ?? []).map((alias) => `alias ${alias} ${underscored(def.name)}`)),
    ]),
    text('modules.softdep', [
      '# Soft dependencies extracted from modules themselves.',
      ...loadable
        .filter((def) => def.softdepPre?.length)
        .map((def) => `softdep ${underscored(def.name)} pre: ${(def.softdepPre ?? []).join(' ')}`),
    ]),
    text('modules.symbols', ['# Aliases for symbols, used by symbol_request().']),
    text(
      'modules.builtin',
      modules.filter((def) => state(def) === 'y').map((def) => module_file(def)),
    ),
    {
      path: `${base}/modules.builtin.modinfo`,
      type: 'file',
      mode: 0o644,
      content: modules
        .filter((def) => state(def) === 'y')
        .flatMap((def) =>
          [...described(def), `file=${def.dir}/${def.name}`].map((line) => `${underscored(def.name)}.${line}\0`),
        )
        .join(''),
    },
    text(
      'modules.order',
      loadable.map((def) => module_file(def)),
    ),
  ];
}
