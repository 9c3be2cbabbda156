import { expect, test } from 'vitest';
import type { Json } from '../log/index.ts';
import type { Climb } from '../protocol/ladder.ts';
import { publishedAs } from '../state/functions.ts';
import { type Missing, missingGuest } from '../state/missing.ts';
import { type Chain, passthrough } from '../state/passthrough.ts';
import type { StateReader } from '../state/reader.ts';
import type { VmasState } from '../state/schema.ts';
import { BDF, bind, bootL1, bootL2 } from './boot-to-l2.ts';
import { attemptOf } from './build-choice.ts';
import { Lab } from './lab.ts';
import { climb } from './ladder.ts';
import { liveRows, liveState } from './live-state.ts';
import { SWITCHES } from './switches.ts';
import { host } from './testing/host.ts';

interface Seen {
  readonly outcome: Climb;
  readonly chains: readonly Chain[];
  readonly l1: Missing | null;
  readonly l2: Missing | null;
}

function look(lab: Lab): Omit<Seen, 'outcome'> {
  const reader = liveState(lab.log);
  const rows = liveRows(lab.log);
  return {
    chains: passthrough(reader, rows),
    l1: missingGuest(reader, rows, 'l1'),
    l2: missingGuest(reader, rows, 'l2'),
  };
}

/** An attempt at a row of the matrix, climbed in a lab of its own. */
async function climbOf(id: string, attempt: number): Promise<Seen> {
  const chosen = SWITCHES.find((one) => one.id === id)?.choices[attempt];
  if (!chosen) throw new Error(`no switch ${id}`);
  const lab = await Lab.start({ seed: 1, host });
  try {
    const run = climb(lab, attemptOf(chosen));
    let next = await run.next();
    while (!next.done) next = await run.next();
    return { outcome: next.value, ...look(lab) };
  } finally {
    lab.stop();
  }
}

const climbs = new Map<string, Promise<Seen>>();
/** The same, once however many tests look at it. */
function climbed(id: string, attempt = 0): Promise<Seen> {
  const key = `${id}.${attempt}`;
  const known = climbs.get(key) ?? climbOf(id, attempt);
  climbs.set(key, known);
  return known;
}
const broken = ({ chains }: Seen) => chains[0]?.broken;

const ATTEMPTS = SWITCHES.flatMap(({ id, choices }) => [...choices.keys()].map((n) => [id, n] as const));

test.each(ATTEMPTS)(
  'row %s of the matrix, attempt %i: the broken link is the rung that failed',
  async (id, attempt) => {
    const seen = await climbed(id, attempt);
    const { failure } = seen.outcome;
    const link = broken(seen);
    if (failure === null) expect(link).toBeNull();
    else if (failure.rung === 'build') expect(seen.chains).toEqual([]);
    else if (failure.layer === 'host qemu') expect(seen.l1?.evidence.message).toBe(failure.message);
    else {
      expect(link?.id).toBe(failure.rung);
      expect(failure.message).toContain(link?.evidence.message);
      expect(link?.evidence.errno ?? null).toBe(failure.errno);
    }
  },
);

test('the function that gave the error is the innermost one', async () => {
  expect(broken(await climbed('01'))?.evidence).toMatchObject({
    layer: 'l1.kernel',
    fn: 'cxl_pci_accel_setup_regs',
    errno: 'ENODEV',
  });
  expect(broken(await climbed('11'))?.evidence).toMatchObject({ layer: 'l1.qemu', fn: 'vfio_realize' });
  expect(broken(await climbed('07', 1))?.evidence).toMatchObject({ fn: 'cxl_request_dpa', errno: 'ENOMEM' });
});

test('a VMM that aborts takes L2 with it: the guest is missed, with its reason', async () => {
  const seen = await climbed('qemu-posted');
  expect(broken(seen)).toMatchObject({ id: 'commit', evidence: { fn: 'vfio_cxl_hdm_regs_changed' } });
  expect(seen.l2).toMatchObject({ comm: 'q1', evidence: { layer: 'l1.qemu' } });
  expect(seen.l2?.evidence.message).toContain('Assertion');
});

test('a device that nobody passes on has no chain; an unbound one no broken link', async () => {
  const lab = await Lab.start({ seed: 1, host });
  const type = async (id: string, line: string): Promise<void> => {
    lab.input(id, `${line}\r`);
    await lab.settled();
  };
  await type('host', bootL1());
  expect(look(lab)).toEqual({ chains: [], l1: null, l2: null });
  for (const line of bind()) await type('l1', line);
  const states = () => look(lab).chains[0]?.links.map(({ state }) => state);
  expect(states()?.slice(0, 3)).toEqual(['whole', 'whole', 'untried']);
  // A VMM that cannot have the device: its driver was taken away meanwhile.
  await type('l1', `echo ${BDF} > /sys/bus/pci/drivers/cxl_accel_vfio_pci/unbind`);
  await type('l1', bootL2());
  const [chain] = look(lab).chains;
  expect(chain?.broken?.id).toBe('bind');
  expect(look(lab).l2).not.toBeNull();
  // Repaired: bound again, and what the last VMM met counts no more.
  await type('l1', `echo ${BDF} > /sys/bus/pci/drivers_probe`);
  expect(look(lab).chains[0]?.broken).toBeNull();
  await type('l1', bootL2());
  expect(states()).toEqual(['whole', 'whole', 'whole', 'whole', 'whole', 'untried', 'untried', 'untried']);
  expect(look(lab).l2).toBeNull();
  lab.stop();
});

test('of two accelerators only the one that is passed on has a chain', async () => {
  const lab = await Lab.start({ seed: 1, host });
  const type = async (id: string, line: string): Promise<void> => {
    lab.input(id, `${line}\r`);
    await lab.settled();
  };
  const second =
    ' -object memory-backend-ram,id=vmem1,share=on,size=256M -device cxl-rp,port=1,bus=cxl.1,id=root_port14,chassis=0,slot=3 -device cxl-accel,bus=root_port14,volatile-memdev=vmem1,id=cxl-accel1 -M cxl-fmw';
  await type('host', bootL1().replace(' -M cxl-fmw', second));
  const other = '0000:0e:00.0';
  for (const line of bind()) await type('l1', line.replaceAll(BDF, other));
  await type('l1', bootL2().replace(BDF, other));
  await type('l2', 'modprobe cxl-accel');
  const { chains } = look(lab);
  expect(chains.map(({ device, bdf }) => [device, bdf])).toEqual([['cxl-accel1', other]]);
  expect(chains[0]?.broken).toBeNull();
  expect(chains[0]?.links.map(({ state }) => state)).toEqual(Array(8).fill('whole'));
  // The same address over a mapping that points elsewhere: found although nothing ends.
  const reader = liveState(lab.log);
  const moved: StateReader = {
    ...reader,
    object: (path) => {
      const value = reader.object(path);
      return path.startsWith('vma/l1/') ? elsewhere(value) : value;
    },
  };
  expect(passthrough(moved, liveRows(lab.log))[0]?.broken).toMatchObject({
    id: 'memory',
    evidence: { layer: 'l1.kernel', message: "It ends in L1's own memory, at L1 HPA 0x0." },
  });
  // Killed by somebody: missed, but nothing that was said on the way is the reason.
  const terminal = lab.openTerminal('l1') ?? '';
  await lab.settled();
  await type(terminal, 'kill -9 $(pgrep qemu)');
  expect(look(lab).l2?.evidence).toMatchObject({ layer: 'l1.qemu', errno: null });
  expect(look(lab).l2?.evidence.message).toContain('killed by signal 9');
  lab.stop();
});

/** VMAs of a process whose VFIO mappings begin at page 0. */
function elsewhere(value: Json): Json {
  const state = publishedAs<VmasState>(value);
  if (!state) return value;
  const vmas = state.vmas.map((vma) =>
    vma.kind === 'vfio' ? { ...vma, extents: [{ phys: 0, size: vma.size }] } : { ...vma, extents: [...vma.extents] },
  );
  return { vmas: vmas.map((vma) => ({ ...vma, extents: vma.extents.map((one) => ({ ...one })) })) };
}
