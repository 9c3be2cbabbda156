/** `-cpu` (target/i386/cpu.c): models by name and the features the lab knows; what the guest's kernel sees as CPUID. */
import { text } from '../../base/bytes.ts';
import type { KvmCpu, Sys } from '../../linux/uapi/sys.ts';
import { error_setg, withLocation, withPrefix } from './error.ts';
import { read_file } from './files.ts';
import { qapi_bool_parse } from './qemu-opts.ts';
import type { CpuSettings, Located } from './settings.ts';

/** Model name → CPUID brand string; null: the host's. */
export const CPU_MODELS = new Map<string, string | null>([
  ['host', null],
  ['max', null],
  ['base', ''],
  ['qemu64', 'QEMU Virtual CPU version 2.5+'],
  ['kvm64', 'Common KVM processor'],
  ['Nehalem', 'Intel Core i7 9xx (Nehalem Class Core i7)'],
  ['SandyBridge', 'Intel Xeon E312xx (Sandy Bridge)'],
  ['Haswell', 'Intel Core Processor (Haswell)'],
  ['Broadwell', 'Intel Core Processor (Broadwell)'],
  ['Skylake-Server', 'Intel Xeon Processor (Skylake)'],
  ['Cascadelake-Server', 'Intel Xeon Processor (Cascadelake)'],
  ['Icelake-Server', 'Intel Xeon Processor (Icelake)'],
  ['SapphireRapids', 'Intel Xeon Processor (SapphireRapids)'],
  ['GraniteRapids', 'Intel Xeon Processor (GraniteRapids)'],
  ['EPYC', 'AMD EPYC Processor'],
  ['EPYC-Rome', 'AMD EPYC-Rome Processor'],
  ['EPYC-Milan', 'AMD EPYC-Milan Processor'],
  ['EPYC-Genoa', 'AMD EPYC-Genoa Processor'],
]);

/** Boolean properties of the CPU object that are known; only `hypervisor` changes what is modelled. */
const FEATURES = [
  ...[
    'hypervisor',
    'kvm',
    'vmx',
    'svm',
    'host-phys-bits',
    'migratable',
    'check',
    'enforce',
    'pmu',
    'l3-cache',
    'invtsc',
    'x2apic',
  ],
  ...[
    'topoext',
    'hle',
    'rtm',
    'avx',
    'avx2',
    'avx512f',
    'aes',
    'pcid',
    'invpcid',
    'pdpe1gb',
    'rdtscp',
    'smep',
    'smap',
    'la57',
  ],
  ...['tsc-deadline', 'arat', 'ssbd', 'md-clear', 'kvm-pv-eoi', 'kvm-pv-unhalt', 'kvmclock', 'full-cpuid-auto-level'],
];
const VALUES = [
  'phys-bits',
  'host-phys-bits-limit',
  'vendor',
  'family',
  'model',
  'stepping',
  'model-id',
  'level',
  'tsc-frequency',
];

async function hostCpu(sys: Sys): Promise<{ model: string; vendor: string }> {
  const bytes = await read_file(sys, '/proc/cpuinfo');
  const info = typeof bytes === 'number' ? '' : text(bytes);
  const field = (name: string) => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(info)?.[1];
  return {
    model: field('model name') ?? 'QEMU Virtual CPU version 2.5+',
    vendor: field('vendor_id') ?? 'GenuineIntel',
  };
}

export async function parseCpu(
  sys: Sys,
  given: Located<CpuSettings> | null,
  count: number,
  accel: 'kvm' | 'tcg',
): Promise<KvmCpu> {
  const host = await hostCpu(sys);
  const name = given?.value.model ?? 'qemu64';
  const features = given?.value.features ?? new Map<string, string>();
  return withLocation('', () => {
    const plain = name.replace(/-v\d+$/, '');
    if (!CPU_MODELS.has(plain)) error_setg(`unable to find CPU model '${name}'`);
    let hypervisor = true;
    if (plain === 'host' && accel === 'tcg') error_setg("CPU model 'host' requires KVM or HVF");
    let model = CPU_MODELS.get(plain) ?? (accel === 'tcg' ? 'QEMU TCG CPU version 2.5+' : host.model);
    let vendor = plain.startsWith('EPYC') ? 'AuthenticAMD' : host.vendor;
    for (const [feature, value] of features) {
      if (VALUES.includes(feature)) {
        if (feature === 'model-id') model = value;
        if (feature === 'vendor') vendor = value;
        continue;
      }
      // Features become globals of the CPU type, and fail when the first CPU is made.
      const on = withPrefix(`can't apply global ${name}-x86_64-cpu.${feature}=${value}: `, () =>
        FEATURES.includes(feature.replace(/_/g, '-'))
          ? qapi_bool_parse(feature, value)
          : error_setg(`Property '${name}-x86_64-cpu.${feature}' not found`),
      );
      if (feature === 'hypervisor') hypervisor = on;
    }
    return { model, vendor, hypervisor, tcg: accel === 'tcg', count };
  });
}
