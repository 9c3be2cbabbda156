import { O_RDONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { type KernelView, PciView } from './device.ts';
import { listDir, readAll, readLine } from './io.ts';

const DEVICES = '/sys/bus/pci/devices';
const NAME = /^([0-9a-f]{4,}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/;

/** All functions the kernel knows, sorted by address; null when there is no PCI in sysfs. */
export async function scanSysfs(sys: Sys, extended: boolean): Promise<readonly PciView[] | null> {
  const names = listDir(sys, DEVICES);
  if (typeof names === 'number') return null;
  const slots = await physicalSlots(sys);
  const aliases = await moduleAliases(sys);
  const found: PciView[] = [];
  for (const name of names) {
    const match = NAME.exec(name);
    if (!match) continue;
    const config = await readConfig(sys, name, extended);
    if (!config) continue;
    const [domain, bus, slot, fn] = match.slice(1).map((part) => Number.parseInt(part, 16)) as [
      number,
      number,
      number,
      number,
    ];
    found.push(new PciView(domain, bus, slot, fn, config, await kernelView(sys, name, slots, aliases)));
  }
  return found.sort((a, b) => a.domain - b.domain || a.bus - b.bus || a.slot - b.slot || a.fn - b.fn);
}

async function readConfig(sys: Sys, name: string, extended: boolean): Promise<Uint8Array | null> {
  const fd = sys.open(`${DEVICES}/${name}/config`, O_RDONLY);
  if (fd < 0) return null;
  const buffer = new Uint8Array(extended ? 4096 : 256);
  let have = 0;
  while (have < buffer.length) {
    const count = sys.pread(fd, buffer.subarray(have), have);
    if (count <= 0) break;
    have += count;
  }
  sys.close(fd);
  return buffer.subarray(0, have);
}

async function kernelView(
  sys: Sys,
  name: string,
  slots: ReadonlyMap<string, string>,
  aliases: readonly Alias[],
): Promise<KernelView> {
  const dir = `${DEVICES}/${name}`;
  const resourceText = await readAll(sys, `${dir}/resource`);
  const resources =
    typeof resourceText === 'number'
      ? []
      : new TextDecoder()
          .decode(resourceText)
          .trim()
          .split('\n')
          .map((line) => {
            const [start, end, flags] = line.split(/\s+/).map((word) => Number.parseInt(word, 16));
            return { start: start ?? 0, end: end ?? 0, flags: flags ?? 0 };
          });
  const driver = sys.readlink(`${dir}/driver`);
  const group = sys.readlink(`${dir}/iommu_group`);
  const modalias = await readLine(sys, `${dir}/modalias`);
  return {
    resources,
    irq: Number((await readLine(sys, `${dir}/irq`)) ?? 0),
    driver: typeof driver === 'string' ? base(driver) : null,
    modules:
      modalias === null
        ? []
        : [...new Set(aliases.filter((alias) => alias.pattern.test(modalias)).map((alias) => alias.module))],
    numaNode: Number((await readLine(sys, `${dir}/numa_node`)) ?? -1),
    iommuGroup: typeof group === 'string' ? base(group) : null,
    physicalSlot: slots.get(name.replace(/\.[0-7]$/, '')) ?? null,
  };
}

function base(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

async function physicalSlots(sys: Sys): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const names = listDir(sys, '/sys/bus/pci/slots');
  if (typeof names === 'number') return found;
  for (const name of names) {
    const address = await readLine(sys, `/sys/bus/pci/slots/${name}/address`);
    if (address) found.set(address, name);
  }
  return found;
}

interface Alias {
  readonly pattern: RegExp;
  readonly module: string;
}

/** `alias PATTERN MODULE` lines of modules.alias, as libkmod looks modules up by modalias. */
async function moduleAliases(sys: Sys): Promise<readonly Alias[]> {
  const text = await readAll(sys, `/lib/modules/${sys.uname().release}/modules.alias`);
  if (typeof text === 'number') return [];
  return new TextDecoder()
    .decode(text)
    .split('\n')
    .flatMap((line) => {
      const [word, pattern, module] = line.split(/\s+/);
      if (word !== 'alias' || pattern === undefined || module === undefined) return [];
      const source = pattern
        .replace(/[.+^${}()|\\]/g, '\\$&')
        .replace(/\*/g, '.*')
        .replace(/\?/g, '.');
      return [{ pattern: new RegExp(`^${source}$`), module }];
    });
}
