import { E, strerror } from '../../base/errno.ts';
import { print } from '../pciutils/io.ts';
import { RegionCreator } from './create.ts';
import { daxDevices } from './dax.ts';
import { DaxMemory } from './dax-memory.ts';
import { passes } from './filter.ts';
import type { LibCxl } from './libcxl.ts';
import { parseOptions } from './options.ts';
import type { Decoder, Region } from './topology.ts';
import { USAGE } from './usage.ts';

/** `cxl create-`, `enable-`, `disable-` and `destroy-region` (ndctl v81, cxl/region.c). */

type Action = 'enable' | 'disable' | 'destroy';

const LEAKED = [
  'Forcing region disable without successful offline.',
  'Physical address space has now been permanently leaked.',
  'Leaked address cannot be recovered until a reboot.',
];

const plural = (count: number) => `${count} region${count === 1 ? '' : 's'}`;

export async function createRegion(cxl: LibCxl, args: readonly string[]): Promise<number> {
  const { rc, usage } = await new RegionCreator(cxl, args).run();
  if (usage) return 129;
  await print(cxl.sys, 2, `cxl region: cmd_create_region: created ${plural(rc === 0 ? 1 : 0)}\n`);
  return rc === 0 ? 0 : 1;
}

export async function regionAction(cxl: LibCxl, action: Action, args: readonly string[]): Promise<number> {
  const usage = USAGE[`${action}-region`];
  const { options, words, error } = parseOptions(args, usage.options, usage.line);
  const say = (fn: string, text: string) => print(cxl.sys, 2, `cxl region: ${fn}: ${text}\n`);
  if (error !== null) {
    await print(cxl.sys, 2, error);
    return 129;
  }
  let count = 0;
  let failure = 0;
  for (const bus of cxl.scan().buses) {
    if (!passes(options.get('bus') ?? null, bus.name, 'root', bus.provider)) continue;
    for (const decoder of bus.decoders) {
      if (!passes(options.get('decoder') ?? null, decoder.name, 'decoder')) continue;
      for (const region of decoder.regions) {
        if (!words.some((word) => passes(word, region.name, 'region'))) continue;
        const rc = await new RegionWork(cxl, region, decoder, options.has('force')).run(action);
        if (rc === 0) count++;
        else {
          await say('decoder_region_action', `${region.name}: failed: ${strerror(rc)}`);
          failure = rc;
        }
      }
    }
  }
  if (failure !== 0) await say('region_action', `one or more failures, last failure: ${strerror(failure)}`);
  const done = action === 'destroy' ? 'destroyed' : `${action}d`;
  await say(`cmd_${action}_region`, `${done} ${plural(count)}`);
  return failure === 0 ? 0 : 1;
}

class RegionWork {
  constructor(
    private readonly cxl: LibCxl,
    private readonly region: Region,
    private readonly decoder: Decoder,
    private readonly force: boolean,
  ) {}

  async run(action: Action): Promise<number> {
    if (action === 'enable') return this.enable();
    return action === 'disable' ? this.disable() : this.destroy();
  }

  private say(fn: string, text: string): Promise<void> {
    return print(this.cxl.sys, 2, `cxl region: ${fn}: ${text}\n`);
  }

  private async enable(): Promise<number> {
    const { name } = this.region;
    const rc = await this.cxl.bind(name);
    if (rc !== 0) await this.cxl.err(`cxl_region_enable: ${name}: failed to enable`);
    return rc;
  }

  /** disable_region: memory that is in use as system RAM is taken offline first. */
  private async disable(): Promise<number> {
    const { cxl, region } = this;
    const { name } = region;
    const dax = `${region.path}/dax_region${/(\d+)$/.exec(name)?.[1]}`;
    let failed = false;
    for (const device of daxDevices(cxl.scanner, dax) ?? []) {
      const memory = DaxMemory.of(cxl.sys, cxl.scanner, `${dax}/${device}`);
      const rc = memory === null || memory.online === 0 ? 0 : await memory.setOffline();
      if (rc >= 0) continue;
      await this.say('disable_region', `${name}: unable to offline ${device}: ${strerror(rc)}`);
      if (!this.force) return rc;
      failed = true;
    }
    for (const text of failed ? LEAKED : []) await this.say('disable_region', `${name}: ${text}`);
    return this.cxl.unbind(`/sys/bus/cxl/devices/${name}`, name);
  }

  private async destroy(): Promise<number> {
    const { cxl, region } = this;
    const { name } = region;
    if (cxl.isBound(name)) {
      if (!this.force) {
        await this.say('destroy_region', `${name} active. Disable it or use --force`);
        return -E.EBUSY;
      }
      const rc = await this.disable();
      if (rc !== 0) {
        await this.say('destroy_region', `${name}: error disabling region: ${strerror(rc)}`);
        return rc;
      }
    }
    let rc = await cxl.attr(name, 'commit', '0\n');
    if (rc !== 0) {
      await this.say('destroy_region', `${name}: failed to reset decode: ${strerror(rc)}`);
      return rc;
    }
    if (region.ways === 0) {
      await this.say('destroy_region', `${name}: error getting interleave ways`);
      return -E.ENXIO;
    }
    for (let position = 0; position < region.ways; position++) {
      const target = cxl.scanner.text(`/sys/bus/cxl/devices/${name}/target${position}`);
      if (target === null || target === '' || cxl.scanner.text(`/sys/bus/cxl/devices/${target}/dpa_size`) === null) {
        await cxl.err(`cxl_region_get_target_decoder: ${name}: error locating decoder for target${position}`);
        return -E.ENXIO;
      }
      rc = await cxl.attr(name, `target${position}`, '\n');
      if (rc !== 0) {
        await this.say('destroy_region', `${name}: clearing target${position} failed: ${strerror(rc)}`);
        return rc;
      }
      rc = await cxl.attr(target, 'dpa_size', '0x0\n');
      if (rc !== 0) {
        await this.say('destroy_region', `${target}: set_dpa_size failed: ${strerror(rc)}`);
        return rc;
      }
    }
    return cxl.attr(this.decoder.name, 'delete_region', name);
  }
}
