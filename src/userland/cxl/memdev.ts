import { E, strerror } from '../../base/errno.ts';
import { print } from '../pciutils/io.ts';
import { passes } from './filter.ts';
import { Fields, hexNumber, type Node, printJson, size as sizeNode } from './json.ts';
import type { LibCxl } from './libcxl.ts';
import { identify } from './mailbox.ts';
import { type OptionSpec, parseOptions, parseSize } from './options.ts';
import type { Decoder, Memdev, Port, Topology } from './topology.ts';

/** `cxl enable-`, `disable-memdev`, `reserve-dpa`, `free-dpa` (ndctl v81, cxl/memdev.c). */

export type MemdevCommand = 'enable-memdev' | 'disable-memdev' | 'reserve-dpa' | 'free-dpa' | 'set-partition';

const COMMON: readonly OptionSpec[] = [
  { short: 'b', long: 'bus', value: true },
  { short: 'S', long: 'serial', value: false },
  { short: 'v', long: 'verbose', value: false },
  { short: 'f', long: 'force', value: false },
];
const DPA: readonly OptionSpec[] = [
  { short: 't', long: 'type', value: true },
  { short: 's', long: 'size', value: true },
  { short: 'd', long: 'decoder', value: true },
];
const DONE: Readonly<Record<MemdevCommand, string>> = {
  'enable-memdev': 'enabled',
  'disable-memdev': 'disabled',
  'reserve-dpa': 'reservation completed on',
  'free-dpa': 'reservation release completed on',
  'set-partition': 'set_partition',
};

function endpointOf(topology: Topology, memdev: Memdev): Port | undefined {
  const find = (port: Port): Port | undefined =>
    port.endpoints.find((endpoint) => endpoint.memdev === memdev.name) ??
    port.ports.map(find).find((one) => one !== undefined);
  return topology.buses.map(find).find((one) => one !== undefined);
}

export async function memdevAction(cxl: LibCxl, command: MemdevCommand, args: readonly string[]): Promise<number> {
  const dpa = command === 'reserve-dpa' || command === 'free-dpa';
  const lists = dpa || command === 'set-partition';
  const { options, words, error } = parseOptions(args, lists ? [...COMMON, ...DPA] : COMMON);
  const say = (fn: string, text: string) => print(cxl.sys, 2, `cxl memdev: ${fn}: ${text}\n`);
  if (error !== null || words.length === 0) {
    await print(cxl.sys, 2, error ?? `usage: cxl ${command} <mem0> [<mem1>..<memn>] [<options>]\n`);
    return 129;
  }
  let count = 0;
  let failure = 0;
  const shown: Node[] = [];
  for (const word of words) {
    const topology = cxl.scan();
    const chosen = topology.memdevs.filter((memdev) =>
      options.has('serial')
        ? memdev.serial !== null && /^(0x[0-9a-f]+|\d+)$/i.test(word) && memdev.serial === BigInt(word)
        : passes(word, memdev.name, 'mem', memdev.host),
    );
    if (chosen.length === 0 && word !== 'all') await say('memdev_action', `no memdev matches ${word}`);
    for (const memdev of chosen) {
      const work = new MemdevWork(cxl, memdev, endpointOf(topology, memdev), options, shown);
      const rc = await work.run(command);
      if (rc === 0) count++;
      else failure = rc;
    }
  }
  if (lists) {
    if (shown.length === 0) await print(cxl.sys, 2, '  Warning: no matching devices found\n\n');
    await print(cxl.sys, 1, `${printJson(shown)}\n`);
  }
  const fn = `cmd_${command.replace('-', '_')}`;
  const tail = dpa ? `mem device${count > 1 ? 's' : ''}` : `mem${count > 1 ? 's' : ''}`;
  await say(fn, `${DONE[command]} ${count} ${tail}`);
  return failure === 0 ? 0 : 1;
}

class MemdevWork {
  constructor(
    private readonly cxl: LibCxl,
    private readonly memdev: Memdev,
    private readonly endpoint: Port | undefined,
    private readonly options: ReadonlyMap<string, string>,
    private readonly shown: Node[],
  ) {}

  private async fail(fn: string, text: string, rc: number): Promise<number> {
    await print(this.cxl.sys, 2, `cxl memdev: ${fn}: ${this.memdev.name}${text}\n`);
    return rc;
  }

  run(command: MemdevCommand): Promise<number> {
    if (command === 'enable-memdev') return this.enable();
    if (command === 'disable-memdev') return this.disable();
    if (command === 'set-partition') return this.partition();
    return command === 'reserve-dpa' ? this.reserve() : this.release();
  }

  private async enable(): Promise<number> {
    const rc = await this.cxl.bind(this.memdev.name);
    if (rc !== 0) await this.cxl.err(`cxl_memdev_enable: ${this.memdev.name}: failed to enable`);
    return rc;
  }

  private async disable(): Promise<number> {
    const { cxl, memdev, endpoint } = this;
    if (!memdev.enabled) return 0;
    if (!endpoint) return -E.ENODEV;
    if ((endpoint.decodersCommitted ?? 0) > 0 && !this.options.has('force'))
      return this.fail('action_disable', ' is part of an active region', -E.EBUSY);
    return cxl.unbind(`/sys/bus/cxl/devices/${memdev.name}`, memdev.name);
  }

  /** Capacity that could be one or the other; the devices of this lab have none, as QEMU's (alignment 0). */
  private async partition(): Promise<number> {
    const fn = 'validate_partition';
    const id = await identify(this.cxl.sys, this.memdev.name);
    if (!id) return this.fail(fn, ': failed to get identify data', -E.ENXIO);
    if (id.total - id.volatileOnly - id.persistentOnly === 0n)
      return this.fail(fn, ': no available capacity', -E.EINVAL);
    return this.fail(fn, ': changing partitions is not modelled in this lab', -E.EOPNOTSUPP);
  }

  private mode(): 'ram' | 'pmem' | null {
    const type = this.options.get('type') ?? 'ram';
    return type === 'ram' || type === 'pmem' ? type : null;
  }

  private async reserve(): Promise<number> {
    const fn = '__reserve_dpa';
    const { memdev, endpoint, cxl } = this;
    const mode = this.mode();
    if (mode === null) return this.fail(fn, `: unsupported type: ${this.options.get('type')}`, -E.EINVAL);
    if (!endpoint?.enabled) return this.fail(fn, ': CXL operation disabled', -E.ENXIO);
    const given = this.options.get('size');
    const wanted = given === undefined ? null : parseSize(given);
    if (given !== undefined && wanted === null) return this.fail(fn, `: parse error for size: ${given}`, -E.EINVAL);
    let available = mode === 'ram' ? memdev.ramSize : memdev.pmemSize;
    for (const decoder of endpoint.decoders) {
      if (decoder.mode !== mode) continue;
      const used = decoder.dpaSize ?? 0n;
      available = used > available ? 0n : available - used;
    }
    if (wanted === null && available === 0n) return this.fail(fn, ': no available capacity', -E.ENOSPC);
    const size = wanted ?? available;
    if (size > available && !this.options.has('force'))
      return this.fail(fn, `: '${given}' exceeds available capacity`, -E.ENOSPC);
    const target = endpoint.decoders.find(
      (decoder) => this.chosen(decoder) && (decoder.dpaSize ?? 0n) === 0n && decoder.region === null,
    );
    if (!target) return this.fail(fn, ': no suitable decoder found', -E.ENXIO);
    if (target.mode !== mode) {
      const rc = await cxl.attr(target.name, 'mode', mode);
      if (rc !== 0) return this.fail(fn, `: ${target.name}: failed to set ${mode} mode`, rc);
    }
    const rc = await cxl.attr(target.name, 'dpa_size', `0x${size.toString(16)}\n`);
    if (rc !== 0) return this.fail(fn, `: ${target.name}: failed to allocate dpa`, rc);
    this.show(target.name);
    return 0;
  }

  /** The last decoder with capacity of this type that no region holds. */
  private async release(): Promise<number> {
    const fn = '__reserve_dpa';
    const { endpoint, cxl } = this;
    const mode = this.mode();
    if (mode === null) return this.fail(fn, `: unsupported type: ${this.options.get('type')}`, -E.EINVAL);
    if (!endpoint?.enabled) return this.fail(fn, ': CXL operation disabled', -E.ENXIO);
    const target = endpoint.decoders.findLast(
      (decoder) =>
        this.chosen(decoder) && (decoder.dpaSize ?? 0n) > 0n && decoder.mode === mode && decoder.region === null,
    );
    if (!target) return this.fail(fn, ': no suitable decoder found', -E.ENXIO);
    const rc = await cxl.attr(target.name, 'dpa_size', '0x0\n');
    if (rc !== 0) return this.fail(fn, `: ${target.name}: failed to release dpa: ${strerror(rc)}`, rc);
    this.show(target.name);
    return 0;
  }

  private chosen(decoder: Decoder): boolean {
    return passes(this.options.get('decoder') ?? null, decoder.name, 'decoder');
  }

  private show(name: string): void {
    const endpoint = endpointOf(this.cxl.scan(), this.memdev);
    const decoder = endpoint?.decoders.find((one) => one.name === name);
    if (!decoder) return;
    const fields = new Fields().add('decoder', decoder.name).add('interleave_ways', decoder.ways);
    if (decoder.size === 0n) fields.add('state', 'disabled');
    if ((decoder.dpaSize ?? 0n) > 0n) {
      fields.add('dpa_resource', hexNumber(decoder.dpaResource ?? 0n, false));
      fields.add('dpa_size', sizeNode(decoder.dpaSize ?? 0n, false));
    }
    if (decoder.mode !== null && decoder.mode !== 'none') fields.add('mode', decoder.mode);
    this.shown.push(fields);
  }
}
