/** Where a guest finds a device's memory, and why that is not where its addresses end. */
import { hex0x } from '../base/addr.ts';
import type { LayerId, MachineId } from '../log/index.ts';
import { decodeHpa } from './decode.ts';
import { hdmOf, publishedAs } from './functions.ts';
import type { StateReader } from './reader.ts';
import type { CxlObjectState, CxlRegionState, PciFunctionState } from './schema.ts';
import { type Xlat, xlat } from './xlat.ts';

/** What L2's kernel committed for a function, else what the decoders it sees say. */
export function claimsOf(
  reader: StateReader,
  guest: PciFunctionState,
): readonly { readonly start: number; readonly size: number }[] {
  const regions = regionsOf(reader, 'l2', `0000:${guest.bdf}`);
  if (regions.length > 0) return regions;
  const decoders = hdmOf(reader, guest)?.decoders ?? [];
  return decoders.filter((one) => one.committed && one.size > 0).map(({ base, size }) => ({ start: base, size }));
}

/** Committed regions of a machine's kernel in which a device takes part. */
function regionsOf(reader: StateReader, machine: MachineId, bdf: string): readonly CxlRegionState[] {
  const objects = reader
    .objectPaths(`cxl/${machine}/`)
    .map((path) => publishedAs<CxlObjectState>(reader.object(path)))
    .filter((one) => one !== null);
  const endpoints = objects.flatMap((one) => (one.kind === 'memdev' && one.host === bdf ? [one.endpoint] : []));
  const decoders = objects.flatMap((one) =>
    one.kind === 'endpoint-decoder' && endpoints.includes(one.port) ? [one.name] : [],
  );
  return objects.filter(
    (one): one is CxlRegionState =>
      one.kind === 'region' && one.state === 'commit' && one.targets.some((target) => decoders.includes(target)),
  );
}

/** Why an address of L2 that its decoder claims does not end in the device's memory where that decoder says. */
export function wrongEnd(
  reader: StateReader,
  device: PciFunctionState,
  address: number,
): { readonly layer: LayerId; readonly message: string } | null {
  const chain = xlat(reader, 'l2-gpa', address);
  const dpa = chain.hops.find(({ space }) => space === 'dpa');
  if (chain.end !== undefined) return { layer: whoseEnd(chain), message: chain.end };
  if (dpa?.device !== device.id) {
    const hpa = chain.hops.find(({ space }) => space === 'l1-hpa');
    const where = dpa ? `the memory of ${dpa.device}` : "L1's own memory";
    return { layer: 'l1.kernel', message: `It ends in ${where}, at L1 HPA ${hex0x(hpa?.address ?? 0)}.` };
  }
  const meant = decodeHpa(reader, 'l2', address).target?.dpa;
  if (meant === undefined || meant === dpa.address) return null;
  return {
    layer: 'l1.qemu',
    message: `It reaches DPA ${hex0x(dpa.address)}, where L2's decoder says DPA ${hex0x(meant)}.`,
  };
}

/** Whose mapping an address misses: the VMM's slots, the kernel's pages, the decoders that L1's kernel programs. */
function whoseEnd(chain: Xlat): LayerId {
  return chain.hops.at(-1)?.space === 'l2-gpa' ? 'l1.qemu' : 'l1.kernel';
}
