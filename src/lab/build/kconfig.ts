import { UserError } from '../../base/assert.ts';
import { KCONFIG, type KconfigSymbol } from '../../content/series/kconfig.ts';

/**
 * `make olddefconfig` on a small Kconfig: dependencies and selects are followed until nothing changes. Left out:
 * defaults, choices, expressions other than "all of these".
 */
export type Config = Readonly<Record<string, 'y' | 'm'>>;

export interface ConfigRequest {
  readonly base: Config;
  /** `CONFIG_X=y` words, in order. */
  readonly settings: readonly string[];
  readonly patches: readonly number[];
  readonly machine: 'l1' | 'l2';
  readonly series: string;
  /** Patch 04's Kconfig as the reviewers wanted it. */
  readonly intendedDepends: boolean;
}

export interface ConfigResult {
  readonly config: Config;
  /** What had to change besides what was asked, one sentence each. */
  readonly remarks: readonly string[];
}

export function olddefconfig(request: ConfigRequest): ConfigResult {
  const { patches, machine, series, intendedDepends } = request;
  const remarks: string[] = [];
  const known = KCONFIG.filter(
    (symbol) =>
      (symbol.machine ?? machine) === machine &&
      (symbol.series ?? series) === series &&
      (symbol.patch === undefined || patches.includes(symbol.patch)),
  );
  const find = (name: string): KconfigSymbol | undefined => known.find((symbol) => symbol.name === name);
  const values = new Map<string, 'y' | 'm'>(
    Object.entries(request.base).filter(([name]) => find(name) || !KCONFIG.some((symbol) => symbol.name === name)),
  );
  for (const word of request.settings) {
    const match = /^(?:CONFIG_)?([A-Z0-9_]+)=([ymn])$/.exec(word);
    if (!match) throw new UserError(`--config wants CONFIG_NAME=y, =m or =n, not "${word}"`);
    const [, name = '', value] = match;
    const symbol = find(name);
    if (!symbol)
      throw new UserError(
        `--config ${word}: this tree has no CONFIG_${name}; it has ${known.map((one) => one.name).join(' ')}`,
      );
    if (value === 'm' && symbol.type === 'bool')
      throw new UserError(`--config ${word}: CONFIG_${name} is y or n, never m`);
    if (value === 'n') turnOff(symbol);
    else if (symbol.prompt) values.set(name, value === 'y' ? 'y' : 'm');
    else
      remarks.push(
        `CONFIG_${name} has no prompt: it is set by what selects it (${selectors(name).join(', ') || 'nothing'})`,
      );
  }
  /** What selects a symbol holds it on: without prompt, the selectors are what can be switched. */
  function turnOff(symbol: KconfigSymbol): void {
    for (const name of selectors(symbol.name)) {
      if (!values.has(name)) continue;
      const holder = find(name);
      if (symbol.prompt || !holder) continue;
      remarks.push(`CONFIG_${symbol.name} has no prompt: CONFIG_${name}, which selects it, is off too`);
      turnOff(holder);
    }
    values.delete(symbol.name);
  }
  function selectors(name: string): readonly string[] {
    return known.filter((symbol) => symbol.selects?.includes(name)).map((symbol) => symbol.name);
  }
  for (let changed = true; changed; ) {
    changed = false;
    for (const symbol of known) {
      const value = values.get(symbol.name);
      if (value === undefined) continue;
      // Without prompt a symbol is on only while something selects it.
      if (!symbol.prompt && !selectors(symbol.name).some((name) => values.has(name))) {
        values.delete(symbol.name);
        changed = true;
        continue;
      }
      const depends = [...(symbol.depends ?? []), ...(intendedDepends ? (symbol.intendedDepends ?? []) : [])];
      const missing = depends.filter((name) => !values.has(name));
      if (missing.length > 0) {
        remarks.push(
          `CONFIG_${symbol.name} is off: it depends on ${missing.map((name) => `CONFIG_${name}`).join(', ')}`,
        );
        values.delete(symbol.name);
        changed = true;
        continue;
      }
      for (const selected of symbol.selects ?? []) {
        if (values.has(selected) || !find(selected)) continue;
        values.set(selected, value);
        changed = true;
      }
    }
  }
  return { config: Object.fromEntries(values), remarks: [...new Set(remarks)] };
}
