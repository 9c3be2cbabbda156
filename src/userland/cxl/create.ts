import { E, strerror } from '../../base/errno.ts';
import { O_RDONLY } from '../../linux/uapi/constants.ts';
import { print } from '../pciutils/io.ts';
import { daxReader } from './dax.ts';
import { decoderPasses, filterWords, memdevPasses, noOptions, passes } from './filter.ts';
import { printJson } from './json.ts';
import type { LibCxl } from './libcxl.ts';
import { memdevsUnder } from './list.ts';
import { largestHole, Objects } from './objects.ts';
import { type Parsed, parseOptions, parseSize } from './options.ts';
import { Relations } from './relations.ts';
import type { Decoder, Memdev, Topology } from './topology.ts';
import { USAGE } from './usage.ts';

/** `cxl create-region` (ndctl v81, cxl/region.c): options, checks, then the sysfs writes in its order. */

const SZ_256M = 0x10000000n;

interface Config {
  readonly decoderName: string;
  mode: 'ram' | 'pmem';
  readonly size: bigint;
  readonly granularity: number;
  readonly ways: number;
  readonly memdevs: readonly Memdev[];
  readonly enforceQos: boolean;
}

const integer = (text: string): number => (/^-?(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN);

export class RegionCreator {
  constructor(
    private readonly cxl: LibCxl,
    private readonly args: readonly string[],
  ) {}

  private fn = 'parse_create_options';
  private bus: string | null = null;
  private async fail(text: string, rc: number): Promise<number> {
    await print(this.cxl.sys, 2, `cxl region: ${this.fn}: ${text}\n`);
    return rc;
  }

  /** 0 or a negated errno; parse errors of the command line itself give a usage status. */
  async run(): Promise<{ rc: number; usage: boolean }> {
    const { line, options } = USAGE['create-region'];
    const parsed = parseOptions(this.args, options, line);
    if (parsed.error !== null) {
      await print(this.cxl.sys, 2, parsed.error);
      return { rc: -E.EINVAL, usage: true };
    }
    this.bus = parsed.options.get('bus') ?? null;
    const config = await this.configure(parsed);
    if (typeof config === 'number') return { rc: config, usage: false };
    return { rc: await this.create(config, parsed.options.has('human'), parsed.options.get('uuid')), usage: false };
  }

  private async configure({ options, words: given }: Parsed): Promise<Config | number> {
    // one argument may name several memdevs
    const words = given.flatMap((word) => word.split(/[\s,]+/)).filter((word) => word !== '');
    const decoderName = options.get('decoder');
    if (decoderName === undefined) return this.fail('no root decoder specified', -E.EINVAL);
    if (words.length > 0 && !options.has('memdevs'))
      return this.fail('must specify option for target object types (-m)', -E.EINVAL);
    const topology = this.cxl.scan();
    const names = words.flatMap(filterWords);
    const memdevs = await this.collect(topology, decoderName, names);
    if (typeof memdevs === 'number') return memdevs;
    this.fn = 'parse_create_options';
    const type = options.get('type');
    const mode = type === undefined || type === 'pmem' ? 'pmem' : 'ram';
    if (type === 'ram' && options.has('uuid')) {
      // the message has no line end of its own
      await print(this.cxl.sys, 2, `cxl region: ${this.fn}: can't set UUID for ram / volatile regions`);
      return -E.EINVAL;
    }
    if (type !== undefined && type !== 'ram' && type !== 'pmem')
      return this.fail(`unsupported type: ${type}`, -E.EINVAL);
    const size = options.has('size') ? parseSize(options.get('size') ?? '') : 0n;
    if (size === null) return this.fail(`Invalid size: ${options.get('size')}`, -E.EINVAL);
    const ways = await this.ways(options.get('ways'), memdevs.length, names.length);
    if (ways < 0) return ways;
    const granularity = integer(options.get('granularity') ?? '0');
    if (options.has('granularity') && !(granularity > 0))
      return this.fail(`Invalid interleave granularity: ${granularity || 0}`, -E.EINVAL);
    if (size % BigInt(ways) !== 0n)
      return this.fail(`size (${size}) is not an integral multiple of interleave-ways (${ways})`, -E.EINVAL);
    const uuid = options.get('uuid');
    if (uuid !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid)) {
      await print(this.cxl.sys, 2, `  Error: failed to parse uuid: '${uuid}'\n`);
      return -E.EINVAL;
    }
    const enforceQos = options.has('enforce-qos');
    return this.validate(topology, { decoderName, mode, size, granularity, ways, memdevs, enforceQos }, type);
  }

  /** collect_memdevs: those the decoder decodes for, in a listing's order or (when named) in the order of the names. */
  private async collect(topology: Topology, decoder: string, names: readonly string[]): Promise<Memdev[] | number> {
    this.fn = 'collect_memdevs';
    const filter = names.length > 0 ? names.join(',') : null;
    const found = [...memdevsUnder(topology, decoder, filter)];
    if (found.length === 0)
      return this.fail(`no active memdevs found: decoder: ${decoder} filter: ${filter ?? 'none'}`, -E.ENXIO);
    const rank = (memdev: Memdev) => names.findIndex((name) => memdevPasses(memdev, name, null));
    return filter === null ? found : found.sort((a, b) => rank(a) - rank(b));
  }

  /** validate_ways: as many as asked for, else as many as named, else all there are. */
  private async ways(asked: string | undefined, found: number, named: number): Promise<number> {
    const ways = asked !== undefined ? integer(asked) : named > 0 ? named : found;
    if (!(ways > 0)) return this.fail(`Invalid interleave ways: ${ways || 0}`, -E.EINVAL);
    if ((asked !== undefined || named > 0) && (ways > found || (named > 0 && ways !== found))) {
      this.fn = 'validate_ways';
      const how = ways > found ? 'greater' : 'less';
      const which = named > 0 ? 'specified' : 'found';
      return this.fail(`Interleave ways ${ways} is ${how} than number of memdevs ${which}: ${found}`, -E.EINVAL);
    }
    return ways;
  }

  /** create_region_validate_config */
  private async validate(topology: Topology, config: Config, type: string | undefined): Promise<Config | number> {
    const root = this.root(topology, config);
    this.fn = 'create_region_validate_config';
    if (!root) return this.fail(`${config.decoderName} not found in CXL topology`, -E.ENXIO);
    if (type === undefined && root.capabilities.ram && !root.capabilities.pmem) config.mode = 'ram';
    this.fn = 'validate_decoder';
    if (config.mode === 'ram' && !root.capabilities.ram)
      return this.fail(`${root.name} is not volatile capable`, -E.EINVAL);
    if (config.mode === 'pmem' && !root.capabilities.pmem)
      return this.fail(`${root.name} is not pmem capable`, -E.EINVAL);
    this.fn = 'create_region_validate_qos_class';
    if (!config.enforceQos || root.qosClass === null) return config;
    for (const memdev of config.memdevs.slice(0, config.ways)) {
      const qos = config.mode === 'ram' ? memdev.ramQos : memdev.pmemQos;
      if (qos === null) break;
      if (qos !== root.qosClass) return this.fail(`${root.name} qos_class mismatch ${memdev.name}`, -E.ENXIO);
    }
    return config;
  }

  private root(topology: Topology, config: Config): Decoder | undefined {
    const buses = topology.buses.filter((bus) => passes(this.bus, bus.name, 'root', bus.provider));
    return buses.flatMap((bus) => bus.decoders).find((one) => decoderPasses(one, config.decoderName));
  }

  private async create(config: Config, human: boolean, uuid: string | undefined): Promise<number> {
    this.fn = 'create_region';
    const { cxl } = this;
    const topology = cxl.scan();
    const root = this.root(topology, config);
    if (!root) return -E.ENXIO;
    const used = config.memdevs.slice(0, config.ways);
    const smallest = used
      .map((memdev) => (config.mode === 'ram' ? memdev.ramSize : memdev.pmemSize))
      .reduce((least, one) => (one < least ? one : least));
    const extent = largestHole(root);
    const ways = BigInt(config.ways);
    let size = config.size > 0n ? config.size : smallest * ways;
    if (size === 0n) return this.fail('unable to determine region size', -E.ENXIO);
    const hex = (value: bigint) => `0x${value.toString(16)}`;
    if (config.size > 0n && size > extent)
      return this.fail(
        `${root.name}: region size ${hex(size)} exceeds max available space (${hex(extent)})`,
        -E.ENOSPC,
      );
    if (size > extent) size = (extent / (SZ_256M * ways)) * SZ_256M * ways;
    const attribute = `create_${config.mode}_region`;
    const name = cxl.scanner.text(`/sys/bus/cxl/devices/${root.name}/${attribute}`);
    if (name === null || (await cxl.attr(root.name, attribute, name)) !== 0)
      return this.fail(`failed to create region under ${root.name}`, -E.ENXIO);
    const rc = await this.configureRegion(config, root, name, size, uuid);
    if (rc !== 0) {
      await cxl.attr(root.name, 'delete_region', name);
      return rc;
    }
    const now = cxl.scan();
    const made = now.buses.flatMap((bus) => bus.decoders).find((one) => one.name === root.name);
    const region = made?.regions.find((one) => one.name === name);
    const options = { ...noOptions(), targets: true, human };
    const around = { dax: daxReader(cxl.sys), mailbox: new Map(), errors: [], poison: () => null };
    if (made && region)
      await print(cxl.sys, 1, `${printJson(new Objects(new Relations(now), options, around).region(region, made))}\n`);
    return 0;
  }

  private async configureRegion(
    config: Config,
    root: Decoder,
    name: string,
    size: bigint,
    uuid: string | undefined,
  ): Promise<number> {
    const { cxl } = this;
    const attempt = async (device: string, attribute: string, what: string, text: string): Promise<number> => {
      const rc = await cxl.attr(device, attribute, text);
      if (rc !== 0) await this.fail(`${device}: ${what} failed: ${strerror(rc)}`, rc);
      return rc;
    };
    let granularity = config.granularity || root.granularity;
    if (root.ways > 1) {
      if (config.granularity !== 0 && config.granularity !== root.granularity) {
        this.fn = 'cxl_region_determine_granularity';
        return this.fail(
          `${name}: For an x${root.ways} root, only root decoder granularity (${root.granularity}) permitted`,
          -E.EINVAL,
        );
      }
      granularity = root.granularity;
    }
    let rc = await attempt(name, 'interleave_granularity', 'set_interleave_granularity', `${granularity}\n`);
    if (rc === 0) rc = await attempt(name, 'interleave_ways', 'set_interleave_ways', `${config.ways}\n`);
    if (rc === 0 && config.mode === 'pmem')
      rc = await attempt(name, 'uuid', 'set_uuid', `${uuid ?? (await this.uuid())}\n`);
    if (rc === 0) rc = await attempt(name, 'size', 'set_size', `0x${size.toString(16)}\n`);
    if (rc !== 0) return rc;
    const share = `0x${(size / BigInt(config.ways)).toString(16)}\n`;
    for (const [position, memdev] of config.memdevs.slice(0, config.ways).entries()) {
      this.fn = 'cxl_memdev_find_decoder';
      const decoder = this.freeDecoder(memdev);
      if (!decoder) return this.fail(`could not get a free decoder for ${memdev.name}`, -E.ENXIO);
      this.fn = 'create_region';
      if (decoder.mode !== config.mode) {
        rc = await attempt(decoder.name, 'dpa_size', 'set_dpa_size', '0x0\n');
        if (rc === 0) rc = await attempt(decoder.name, 'mode', 'set_mode', config.mode);
        if (rc !== 0) return rc;
      }
      rc = await attempt(decoder.name, 'dpa_size', 'set_dpa_size', share);
      if (rc !== 0) return rc;
      rc = await cxl.attr(name, `target${position}`, decoder.name);
      if (rc !== 0) return this.fail(`${name}: failed to set target${position} to ${memdev.name}`, rc);
    }
    rc = await cxl.attr(name, 'commit', '1\n');
    if (rc !== 0) return this.fail(`${name}: failed to commit decode: ${strerror(rc)}`, rc);
    rc = await cxl.bind(name);
    if (rc !== 0) return this.fail(`${name}: failed to enable: ${strerror(rc)}`, rc);
    return 0;
  }

  /** The memdev's first decoder that decodes nothing yet. */
  private freeDecoder(memdev: Memdev): Decoder | undefined {
    const endpoint = new Relations(this.cxl.scan()).endpointOf(memdev);
    return endpoint?.decoders.find((decoder) => decoder.size === 0n);
  }

  /** uuid_generate: 16 random bytes of the kernel, marked as version 4. */
  private async uuid(): Promise<string> {
    const { sys } = this.cxl;
    const bytes = new Uint8Array(16);
    const fd = sys.open('/dev/urandom', O_RDONLY);
    if (fd >= 0) {
      await sys.read(fd, bytes);
      sys.close(fd);
    }
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    const all = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    return [all.slice(0, 8), all.slice(8, 12), all.slice(12, 16), all.slice(16, 20), all.slice(20)].join('-');
  }
}
