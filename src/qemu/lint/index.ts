/** The linter: what QEMU refuses, what boots and disappoints, and the machine a line describes. Pure: text in, data out. */

import { DEFAULT_PHYS_BITS, memory_layout, phys_bits_too_low } from '../hw/i386/memory-layout.ts';
import { QemuError } from '../system/error.ts';
import { type MachineOptions, parseMachine } from '../system/machine-options.ts';
import { type MemoryOptions, parseMemory, parseSmp } from '../system/memory-options.ts';
import { MACHINE_RULES } from './machine-rules.ts';
import { MEMORY_RULES } from './memory-rules.ts';
import { type OptionUse, type ParsedLine, parseLine, type Refusal } from './options.ts';
import { Planner } from './plan.ts';
import type { LintFinding, Rule } from './report.ts';
import type { CommandLineTopology, WindowPlan } from './topology.ts';
import { WINDOW_RULES } from './window-rules.ts';
import type { Span } from './words.ts';

export type { LintFinding, LintSeverity } from './report.ts';
export type * from './topology.ts';
export { allBelow, capacityOf, endpointsOf, reachable } from './topology.ts';

const RULES: readonly Rule[] = [...MACHINE_RULES, ...WINDOW_RULES, ...MEMORY_RULES];
const ORDER = { error: 0, warning: 1, info: 2 } as const;
const OURS = /not modelled|this lab|nothing to boot/;

/** Every remark on the line, refusals first, then by place. */
export function lintCommandLine(line: string): readonly LintFinding[] {
  const { topology, parsed, refusals } = read(line);
  const findings: LintFinding[] = [];
  const seen = new Set<string>();
  const add = (finding: LintFinding) => {
    const key = `${finding.id} ${finding.start} ${finding.message}`;
    if (!seen.has(key)) findings.push(finding);
    seen.add(key);
  };
  for (const { message, span } of refusals) {
    const ours = OURS.test(message);
    const unknown = message.endsWith('is not a valid device model name');
    add({
      id: ours ? 'not-modelled' : unknown ? 'unknown-device' : 'refused',
      severity: 'error',
      message: message.split('\n')[0] as string,
      why: ours
        ? 'This lab refuses what it cannot model instead of pretending.'
        : unknown
          ? 'QEMU prints this and exits with status 1. The QEMU of this lab has the CXL devices, vfio-pci and intel-iommu; disks, networks and the like do not exist here.'
          : 'QEMU prints this and exits with status 1.',
      start: span.start,
      end: span.end,
    });
  }
  for (const rule of RULES)
    rule(
      topology,
      (id, severity, span, message, why) => add({ id, severity, message, why, start: span.start, end: span.end }),
      parsed,
    );
  return findings.sort((a, b) => ORDER[a.severity] - ORDER[b.severity] || a.start - b.start);
}

/** The machine a line describes, as far as it can be understood; nothing is built. */
export function parseCommandLineTopology(line: string): CommandLineTopology {
  return read(line).topology;
}

function read(line: string): { topology: CommandLineTopology; parsed: ParsedLine; refusals: readonly Refusal[] } {
  const parsed = parseLine(line);
  const { settings, uses } = parsed;
  const refusals: Refusal[] = [...parsed.refusals];
  const attempt = <T>(span: (message: string) => Span, run: () => T, fallback: () => T): T => {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof QemuError)) throw error;
      refusals.push({ message: error.message, span: span(error.message) });
      return fallback();
    }
  };
  const ofName = (names: readonly string[]) => (message: string) => placeOf(uses, names, message, line);
  const machine = attempt<MachineOptions>(
    ofName(['M', 'machine']),
    () => parseMachine(settings.machine),
    () => parseMachine(sound(settings.machine)),
  );
  const memory = attempt<MemoryOptions>(
    ofName(['m']),
    () => parseMemory(settings.memory),
    () => parseMemory(null),
  );
  const cpus = attempt(
    ofName(['smp']),
    () => parseSmp(settings.smp),
    () => 1,
  );
  const planner = new Planner();
  settings.objects.forEach(({ value }, n) => {
    planner.object(value, parsed.objectUses[n] as OptionUse);
  });
  const own = planner.memories.find((one) => one.id === machine.memoryBackend);
  own?.users.push({ device: 'the machine', as: 'machine' });
  if (machine.memoryBackend !== null && !own)
    refusals.push({
      message: `Memory backend '${machine.memoryBackend}' not found`,
      span: ofName(['M', 'machine'])(`'${machine.memoryBackend}'`),
    });
  settings.devices.forEach(({ value }, n) => {
    planner.device(value, parsed.deviceUses[n] as OptionUse);
  });
  planner.finish();
  refusals.push(...planner.refusals);
  const firstBridge = planner.bridges[0];
  if (firstBridge && !machine.cxl)
    refusals.push({ message: 'CXL host bridges present, but cxl=off', span: firstBridge.span });
  const layout = memory_layout({
    ...memory,
    cxl: machine.cxl,
    windowSizes: machine.windows.map((window) => window.size),
  });
  const physBits = Number(settings.cpu?.value.features.get('phys-bits') ?? 0) || DEFAULT_PHYS_BITS;
  const tooLow = phys_bits_too_low(layout, physBits);
  if (tooLow !== null)
    refusals.push({
      message: tooLow,
      span: (layout.windows.length > 0 && windowSpan(uses, layout.windows.length - 1)) || ofName(['m'])(''),
    });
  const windows = machine.windows.map((window, index): WindowPlan => {
    const span = windowSpan(uses, index) ?? placeOf(uses, ['M', 'machine'], '', line);
    for (const target of machine.cxl ? window.targets : [])
      if (!planner.bridges.some((bridge) => bridge.id === target))
        refusals.push({
          message: `Could not resolve CXLFM target ${target}`,
          span:
            uses.flatMap((use) => use.parts).findLast((part) => isTarget(part.key, index) && part.value === target) ??
            span,
        });
    return { index, base: layout.windows[index]?.base ?? 0, ...window, span };
  });
  const features = settings.cpu?.value.features.get('hypervisor');
  const topology: CommandLineTopology = {
    program: parsed.program?.text ?? null,
    machine: settings.machine.get('type') ?? '',
    cxl: machine.cxl,
    ...memory,
    cpus,
    hypervisorBit: features === undefined || ['on', 'yes', 'true', 'y'].includes(features),
    memories: planner.memories,
    bridges: planner.bridges,
    loose: planner.loose,
    windows,
    end: layout.pciHole64,
  };
  return { topology, parsed, refusals };
}

const isTarget = (key: string, index: number) => key.startsWith(`cxl-fmw.${index}.targets.`);

/** Of a refused -machine what can be told apart from the rest: a preview shows the devices at least. */
function sound(values: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const cxl = values.get('cxl') ?? '';
  return new Map([['type', 'q35'], ...(/^(on|yes|true|y)$/.test(cxl) ? [['cxl', 'on'] as const] : [])]);
}

/** From the first to the last word about one window. */
function windowSpan(uses: readonly OptionUse[], index: number): Span | null {
  const parts = uses.flatMap((use) => use.parts).filter((part) => part.key.startsWith(`cxl-fmw.${index}.`));
  const size = parts.find((part) => part.key.endsWith('.size'));
  return size ?? parts[0] ?? null;
}

/** The part a message names, the last option of these names, or the whole line. */
function placeOf(uses: readonly OptionUse[], names: readonly string[], message: string, line: string): Span {
  const mine = uses.filter((use) => names.includes(use.name));
  const quoted = [...message.matchAll(/'([^']+)'|"([^"]+)"|: (\d+)/g)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? '',
  );
  const part = mine
    .flatMap((use) => use.parts)
    .findLast(({ key, value }) =>
      quoted.some((word) => word !== '' && (key === word || value === word || word.endsWith(`.${key}`))),
    );
  return part ?? mine.at(-1) ?? { start: 0, end: line.length };
}
