import { utf8 } from '../../base/bytes.ts';
import { E, strerror } from '../../base/errno.ts';
import { O_WRONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { daxDevice } from '../cxl/dax.ts';
import { DaxMemory } from '../cxl/dax-memory.ts';
import type { Node } from '../cxl/json.ts';
import { Scanner } from '../cxl/topology.ts';
import { insertModule } from '../kmod/modules.ts';
import { writeText } from '../misc/io.ts';
import { chosen, devices, display, type Found } from './found.ts';

/**
 * daxctl's commands on devices (ndctl 81, daxctl/device.c, libdaxctl.c): reconfigure-, enable-, disable-device, online- and offline-memory.
 * Left out: creating and destroying devices, the configuration file.
 */

type Options = ReadonlyMap<string, string>;

interface Verb {
  /** Of `specify a device to …`, of the error line and of the count. */
  readonly to: string;
  readonly doing: string;
  readonly done: string;
}
export const DEVICE_COMMANDS: Readonly<Record<string, Verb>> = {
  'reconfigure-device': { to: 'reconfigure', doing: 'reconfiguring devices', done: 'reconfigured' },
  'enable-device': { to: 'enable', doing: 'enabling device', done: 'enabled' },
  'disable-device': { to: 'disable', doing: 'disabling device', done: 'disabled' },
  'online-memory': { to: 'online memory for', doing: 'onlining memory', done: 'onlined memory for' },
  'offline-memory': { to: 'offline memory for', doing: 'offlining memory', done: 'offlined memory for' },
};

const plural = (count: number, what: string) => `${what}${count === 1 ? '' : 's'}`;

export async function deviceCommand(
  sys: Sys,
  command: string,
  options: Options,
  words: readonly string[],
): Promise<number> {
  const verb = DEVICE_COMMANDS[command];
  if (verb === undefined) return 1;
  const [target, ...more] = words;
  const wrong = usageError(command, verb, options, target, more);
  if (wrong !== null) {
    await writeText(sys, 2, `${wrong}\n usage: daxctl ${command} <device> [<options>]\n\n`);
    return 129;
  }
  const human = options.has('human');
  const scanner = new Scanner(sys);
  const shown: Node[] = [];
  let processed = 0;
  let failure = 0;
  for (const dev of devices(sys, scanner)) {
    if (!chosen(target, dev.name) || !chosen(options.get('region'), dev.id, `region${dev.id}`)) continue;
    const rc = await new DeviceWork(sys, scanner, dev, options).run(command);
    if (rc === 0) processed++;
    else failure = rc;
    if (rc >= 0 && command === 'reconfigure-device') shown.push(daxDevice(sys, scanner, dev.dir, { human }));
  }
  if (shown.length > 0) await writeText(sys, 1, display(shown, human));
  if (failure < 0) await writeText(sys, 2, `error ${verb.doing}: ${strerror(failure)}\n`);
  await writeText(sys, 2, `${verb.done} ${processed} ${plural(processed, 'device')}\n`);
  return failure & 0xff;
}

function usageError(
  command: string,
  verb: Verb,
  options: Options,
  target: string | undefined,
  more: readonly string[],
): string | null {
  const lines = more.map((word) => `unknown extra parameter "${word}"\n`);
  if (target === undefined) lines.push(`specify a device to ${verb.to}, or "all"\n`);
  const mode = options.get('mode');
  if (lines.length === 0 && command === 'reconfigure-device') {
    if (mode === undefined && !options.has('size') && !options.has('align'))
      lines.push("error: a 'align', 'mode' or 'size' option is required\n");
    if (mode === 'devdax' && options.has('no-online')) lines.push('--no-online is incompatible with --mode=devdax\n');
  }
  return lines.length > 0 ? lines.join('') : null;
}

class DeviceWork {
  constructor(
    private readonly sys: Sys,
    private readonly scanner: Scanner,
    private readonly dev: Found,
    private readonly options: Options,
  ) {}

  run(command: string): Promise<number> {
    switch (command) {
      case 'reconfigure-device':
        return this.reconfigure();
      case 'online-memory':
      case 'offline-memory':
        return this.xline(command === 'online-memory');
      default:
        return this.xble(command === 'enable-device');
    }
  }

  private say(text: string): Promise<unknown> {
    return writeText(this.sys, 2, `${this.dev.name}: ${text}\n`);
  }
  private get memory(): DaxMemory | null {
    return DaxMemory.of(this.sys, this.scanner, this.dev.dir);
  }
  private get driver(): string | null {
    const link = this.sys.readlink(`${this.dev.dir}/driver`);
    return typeof link === 'string' ? link.slice(link.lastIndexOf('/') + 1) : null;
  }

  private async store(path: string, value: string): Promise<number> {
    const fd = this.sys.open(path, O_WRONLY);
    if (fd < 0) return fd;
    const done = await this.sys.write(fd, utf8(value));
    this.sys.close(fd);
    return Math.min(done, 0);
  }

  /** daxctl_dev_enable: the module is loaded, then its driver told of the device. */
  private async enable(driver: 'device_dax' | 'kmem'): Promise<number> {
    if (this.driver !== null) return 0;
    const { name } = this.dev;
    const inserted = await insertModule(this.sys, driver);
    if (inserted < 0) {
      await writeText(this.sys, 2, `libdaxctl: daxctl_insert_kmod_for_mode: ${name}: insert failure: ${inserted}\n`);
      return inserted;
    }
    // a driver that takes whatever comes has it by now
    const rc = this.driver === null ? await this.store(`/sys/bus/dax/drivers/${driver}/new_id`, name) : 0;
    if (this.driver !== null) return 0;
    await writeText(this.sys, 2, `libdaxctl: daxctl_dev_enable: ${name}: failed to enable\n`);
    return rc || -E.ENXIO;
  }

  /** daxctl_dev_disable */
  private async disable(): Promise<number> {
    const { driver } = this;
    if (driver === null) return 0;
    const { name } = this.dev;
    await this.store(`/sys/bus/dax/drivers/${driver}/unbind`, name);
    await this.store(`/sys/bus/dax/drivers/${driver}/remove_id`, name);
    if (this.driver === null) return 0;
    await writeText(this.sys, 2, `libdaxctl: daxctl_dev_disable: ${name}: failed to disable\n`);
    await this.say(`disable failed: ${strerror(-E.EBUSY)}`);
    return -E.EBUSY;
  }

  private async reconfigure(): Promise<number> {
    const { options, dev } = this;
    const align = options.get('align');
    const rc = align === undefined ? 0 : await this.store(`${dev.dir}/align`, align);
    if (rc < 0) return rc;
    const size = options.get('size');
    if (size !== undefined) return this.store(`${dev.dir}/size`, size);
    const mode = options.get('mode');
    if (mode === 'system-ram') return this.toSystemRam();
    if (mode === 'devdax') return this.toDevdax();
    if (mode === undefined) return 0;
    await this.say('unknown mode requested: 0');
    return -E.EINVAL;
  }

  private async toSystemRam(): Promise<number> {
    const { options, dev } = this;
    const policy = this.scanner.text('/sys/devices/system/memory/auto_online_blocks');
    const auto = policy?.startsWith('online') === true;
    if ((options.has('no-online') || !options.has('no-movable')) && !options.has('force') && auto) {
      await this.say('error: kernel policy will auto-online memory, aborting');
      return -E.EBUSY;
    }
    if (this.memory !== null) await writeText(this.sys, 2, `${dev.name} was already in system-ram mode\n`);
    else {
      const rc = (await this.disable()) || (await this.enable('kmem'));
      if (rc !== 0) return rc;
    }
    return options.has('no-online') ? 0 : this.online();
  }

  private async toDevdax(): Promise<number> {
    const { memory, dev, options } = this;
    if (this.driver !== null) {
      if (memory === null) {
        await writeText(this.sys, 2, `${dev.name} was already in devdax mode\n`);
        return 1;
      }
      const rc = options.has('force') ? await this.offline() : 0;
      if (rc < 0) return rc;
      const { online } = memory;
      if (online > 0) {
        if (options.has('verbose')) {
          await this.say(`found ${online} memory sections online`);
          await this.say('refusing to change modes');
        }
        return -E.EBUSY;
      }
      const gone = await this.disable();
      if (gone !== 0) return gone;
    }
    return this.enable('device_dax');
  }

  /** do_xline */
  private async xline(online: boolean): Promise<number> {
    if (this.memory !== null) return online ? this.online() : this.offline();
    await this.say('memory operations are not applicable in devdax mode');
    return -E.ENXIO;
  }

  /** do_xble */
  private async xble(enable: boolean): Promise<number> {
    if (this.memory !== null) {
      await this.say('status operations are only applicable in devdax mode');
      return -E.ENXIO;
    }
    if (!enable) return this.disable();
    const rc = await this.enable('device_dax');
    if (rc !== 0) await this.say(`enable failed: ${strerror(rc)}`);
    return rc;
  }

  private async online(): Promise<number> {
    const { memory, options } = this;
    if (memory === null) return -E.ENXIO;
    const { sections, online } = memory;
    if (online > 0)
      await writeText(
        this.sys,
        2,
        `${this.dev.name}:\n  WARNING: detected a race while onlining memory\n` +
          '  Some memory may not be in the expected zone. It is\n' +
          '  recommended to disable any other onlining mechanisms,\n' +
          '  and retry. If onlining is to be left to other agents,\n' +
          '  use the --no-online option to suppress this warning\n',
      );
    if (online === sections) {
      await this.say(`all memory sections (${online}) already online`);
      return 1;
    }
    if (online > 0) await this.say(`${online} memory ${plural(online, 'section')} already online`);
    const rc = await memory.setOnline(options.has('no-movable') ? 'Normal' : 'Movable');
    if (rc < 0) {
      await this.say(`failed to online memory: ${strerror(rc)}`);
      return rc;
    }
    if (options.has('verbose')) await this.say(`${rc} memory ${plural(rc, 'section')} onlined`);
    return 0;
  }

  private async offline(): Promise<number> {
    const { memory, options } = this;
    if (memory === null) return -E.ENXIO;
    const { sections, online } = memory;
    const off = sections - online;
    if (online === 0) {
      await this.say(`all memory sections (${off}) already offline`);
      return 1;
    }
    if (off > 0) await this.say(`${off} memory ${plural(off, 'section')} already offline`);
    const rc = await memory.setOffline();
    if (rc < 0) {
      await this.say(`failed to offline memory: ${strerror(rc)}`);
      return rc;
    }
    if (options.has('verbose')) await this.say(`${rc} memory ${plural(rc, 'section')} offlined`);
    return 0;
  }
}
