/** `info mtree [-f] [-o]` (system/memory.c mtree_info): region trees and flat views, line for line as QEMU 10.0. Left out: -d, dirty/owner details. */
import { hex } from '../../base/addr.ts';
import { AddressSpace, type FlatEntry, type MemoryRegion } from '../../hw/memory/index.ts';
import type { RunningMachine } from '../system/running-machine.ts';
import { registerInfo } from './hmp.ts';

const ALL_ONES = 'f'.repeat(16);

/** Last address of a range: 2^64-1 has no exact number. */
function last(start: number, size: number): string {
  return start + size >= 2 ** 64 ? ALL_ONES : hex(start + Math.max(size, 1) - 1, 16);
}

function range(start: number, size: number): string {
  return `${hex(start, 16)}-${last(start, size)}`;
}

function line(mr: MemoryRegion, base: number, depth: number): string {
  const disabled = mr.enabled ? '' : ' [disabled]';
  const head = `${'  '.repeat(depth)}${range(base, mr.size)} (prio ${mr.priority}, ${mr.type}): `;
  if (mr.alias) return `${head}alias ${mr.name} @${mr.alias.name} ${range(mr.aliasOffset, mr.size)}${disabled}\n`;
  return `${head}${mr.name}${disabled}\n`;
}

/** mtree_print_mr(): a region, then its subregions by address, then by priority; disabled ones only with `showDisabled`. */
function print_mr(
  out: string[],
  mr: MemoryRegion,
  base: number,
  depth: number,
  roots: MemoryRegion[],
  disabled: boolean,
): void {
  if (mr.alias) {
    if (!roots.includes(mr.alias)) roots.push(mr.alias);
    if (mr.enabled || disabled) out.push(line(mr, base + mr.addr, depth));
    return;
  }
  if (mr.enabled || disabled) out.push(line(mr, base + mr.addr, depth));
  const sorted = mr.subregions
    .map((sub, n) => ({ sub, n }))
    .sort((a, b) => a.sub.addr - b.sub.addr || b.sub.priority - a.sub.priority || a.n - b.n);
  for (const { sub } of sorted) print_mr(out, sub, base + mr.addr, depth + 1, roots, disabled);
}

function spaces(vm: RunningMachine): AddressSpace[] {
  return vm.core.address_spaces.filter((space): space is AddressSpace => space instanceof AddressSpace);
}

/** mtree_info_as(): each tree once, with the names of all address spaces that show it, then the aliased regions. */
export function mtree(vm: RunningMachine, disabled: boolean): string {
  const groups = new Map<MemoryRegion, string[]>();
  for (const space of spaces(vm)) {
    const names = groups.get(space.root);
    if (names) names.push(space.name);
    else groups.set(space.root, [space.name]);
  }
  const out: string[] = [];
  const roots: MemoryRegion[] = [];
  for (const [root, names] of groups) {
    for (const name of names.sort()) out.push(`address-space: ${name}\n`);
    print_mr(out, root, 0, 1, roots, disabled);
    out.push('\n');
  }
  for (let n = 0; n < roots.length; n++) {
    const root = roots[n] as MemoryRegion;
    out.push(`memory-region: ${root.name}\n`);
    print_mr(out, root, 0, 1, roots, disabled);
    out.push('\n');
  }
  return out.join('');
}

function flatLine(entry: FlatEntry): string {
  const { mr } = entry;
  const type = mr.kind === 'ram' && entry.readonly ? 'rom' : mr.type;
  const offset = entry.regionOffset === 0 ? '' : ` @${hex(entry.regionOffset, 16)}`;
  return `  ${range(entry.start, entry.size)} (prio ${mr.priority}, ${type}): ${mr.name}${offset}\n`;
}

function body(space: AddressSpace): string {
  return space.flatview.map(flatLine).join('');
}

/** The region a view really comes from (memory_region_get_flatview_root): through whole-size aliases, to null when empty. */
function flatRoot(space: AddressSpace): MemoryRegion | null {
  let mr: MemoryRegion | null = space.root;
  while (mr?.enabled) {
    if (mr.alias) {
      if (mr.aliasOffset !== 0 || mr.size < mr.alias.size) return mr;
      mr = mr.alias;
      continue;
    }
    if (mr.terminates) return mr;
    const enabled: readonly MemoryRegion[] = mr.subregions.filter((sub) => sub.enabled);
    if (enabled.length === 0) return null;
    const only = enabled[0] as MemoryRegion;
    if (enabled.length > 1 || only.addr !== 0 || only.size < mr.size) return mr;
    mr = only;
  }
  return null;
}

/** mtree_info_flatview() */
export function mtree_flat(vm: RunningMachine): string {
  const views = new Map<MemoryRegion | null, AddressSpace[]>();
  for (const space of spaces(vm)) {
    const root = space.flatview.length === 0 ? null : flatRoot(space);
    const group = views.get(root);
    if (group) group.push(space);
    else views.set(root, [space]);
  }
  const out: string[] = [];
  let n = 0;
  for (const [root, group] of views) {
    out.push(`FlatView #${n++}\n`);
    for (const space of group) out.push(` AS "${space.name}", root: ${space.root.alias?.name ?? space.root.name}\n`);
    out.push(` Root memory region: ${root?.name ?? '(none)'}\n`);
    const lines = body(group[0] as AddressSpace);
    out.push(lines === '' ? '  No rendered FlatView\n' : lines, '\n');
  }
  return out.join('');
}

registerInfo({
  names: ['mtree'],
  parameters: '[-f][-d][-o][-D]',
  help: 'memory region trees (-f: flat views, -D: with disabled regions)',
  run: (vm, args) => {
    const letters = args.join('').replace(/-/g, '');
    const bad = /[^fdoD]/.exec(letters);
    if (bad) return `info mtree: unsupported option -${bad[0]}\n`;
    return letters.includes('f') ? mtree_flat(vm) : mtree(vm, letters.includes('D'));
  },
});
