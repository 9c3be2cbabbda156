/**
 * drivers/base/dd.c and the driver half of bus.c: matching, probing, binding by hand, deferred and asynchronous probes.
 * Left out: pinctrl, dma_configure, device links, sync_state.
 */
import { assert } from '../../../base/assert.ts';
import { E } from '../../../base/errno.ts';
import type { Device, DeviceDriver, Slept } from '../../include/device.ts';
import { after } from '../../include/mutex.ts';
import type { BusState, DriverCoreImpl } from './core.ts';

export class Binding {
  /** deferred_probe_pending_list */
  private readonly deferred = new Set<Device>();
  private readonly async: { readonly dev: Device; readonly drv: DeviceDriver | null }[] = [];
  private retrying = false;
  private readonly probeSite;
  private readonly removeSite;

  constructor(private readonly core: DriverCoreImpl) {
    this.probeSite = core.kernel.site('really_probe', ['', 'json'], 'drivers/base/dd.c');
    this.removeSite = core.kernel.site('device_release_driver', [], 'drivers/base/dd.c');
  }

  private bus(dev: Device): BusState | undefined {
    return dev.bus === null ? undefined : this.core.buses.get(dev.bus);
  }

  driver_register(drv: DeviceDriver): number {
    const state = this.core.buses.get(drv.bus);
    if (!state) return -E.EINVAL;
    const { kernel, sysfs } = this.core;
    if (state.drivers.some((other) => other.name === drv.name)) {
      kernel.printk(3, `Error: Driver '${drv.name}' is already registered, aborting...`);
      return -E.EBUSY;
    }
    state.drivers.push(drv);
    const path = `/bus/${drv.bus}/drivers/${drv.name}`;
    const dir = sysfs.dir(path);
    this.core.busFile(dir, { name: 'uevent', mode: 0o200, store: () => 0 });
    if (!drv.suppress_bind_attrs) {
      this.core.busFile(dir, {
        name: 'bind',
        mode: 0o200,
        store: (name) => {
          const dev = this.core.bus_find_device(drv.bus, name);
          if (!dev || !state.bus.match(dev, drv)) return -E.ENODEV;
          return locked(dev, '__device_driver_lock', () => this.device_driver_attach(drv, dev));
        },
      });
      this.core.busFile(dir, {
        name: 'unbind',
        mode: 0o200,
        store: (name) => {
          const dev = this.core.bus_find_device(drv.bus, name);
          if (!dev || dev.driver !== drv) return -E.ENODEV;
          return this.device_driver_detach(drv, dev);
        },
      });
    }
    for (const attr of state.bus.drv_attrs?.(drv) ?? []) this.core.busFile(dir, attr);
    const owner = drv.owner ?? drv.mod_name;
    if (owner !== undefined) {
      const module = owner.replaceAll('-', '_');
      sysfs.link(dir, 'module', `/module/${module}`);
      sysfs.link(sysfs.dir(`/module/${module}/drivers`), `${drv.bus}:${drv.name}`, path);
    }
    if (state.autoprobe) this.driver_attach(state, drv);
    return 0;
  }

  /** driver_attach: every unbound device that matches. */
  private driver_attach(state: BusState, drv: DeviceDriver): void {
    for (const dev of [...state.devices].sort((a, b) => this.rank(a) - this.rank(b))) {
      if (dev.driver || !dev.registered || !state.bus.match(dev, drv)) continue;
      if (drv.asynchronous) this.async.push({ dev, drv });
      else this.really_probe(dev, drv);
    }
  }

  driver_unregister(drv: DeviceDriver): void {
    const state = this.core.buses.get(drv.bus);
    if (!state?.drivers.includes(drv)) return;
    for (const dev of state.devices.filter((dev) => dev.driver === drv).reverse()) this.device_release_driver(dev);
    state.drivers.splice(state.drivers.indexOf(drv), 1);
    this.core.sysfs.remove(`/bus/${drv.bus}/drivers/${drv.name}`);
    if (drv.owner !== null)
      this.core.sysfs.remove(`/module/${drv.owner.replaceAll('-', '_')}/drivers/${drv.bus}:${drv.name}`);
  }

  device_initial_probe(dev: Device): void {
    this.attach(dev, true);
  }
  device_attach(dev: Device): number {
    return this.attach(dev, false);
  }
  /** __device_attach: the first matching driver whose probe succeeds. */
  private attach(dev: Device, mayAsync: boolean): number {
    if (dev.driver) return 1;
    const state = this.bus(dev);
    if (!state) return 0;
    for (const drv of [...state.drivers]) {
      if (!state.bus.match(dev, drv)) continue;
      if (mayAsync && drv.asynchronous) {
        this.async.push({ dev, drv: null });
        return 0;
      }
      const ret = this.really_probe(dev, drv);
      if (ret === 0) return 1;
      if (ret === -E.EPROBE_DEFER) return 0;
    }
    return 0;
  }

  /** device_driver_attach: what writing a name to `bind` does. */
  device_driver_attach(drv: DeviceDriver, dev: Device): number {
    if (!dev.registered) return -E.ENODEV;
    if (dev.driver) return -E.EBUSY;
    const ret = this.really_probe(dev, drv);
    return ret === -E.EPROBE_DEFER ? -E.EAGAIN : ret > 0 ? -ret : ret;
  }

  private really_probe(dev: Device, drv: DeviceDriver): number {
    const { kernel, sysfs } = this.core;
    const outer = kernel.log.begin(this.probeSite, 0, kernel.log.intern({ device: dev.name, driver: drv.name }));
    let ret = -E.EIO;
    try {
      dev.driver = drv;
      // driver_sysfs_add
      const path = `/bus/${drv.bus}/drivers/${drv.name}`;
      sysfs.link(sysfs.dir(path), dev.name, dev.sysfs);
      sysfs.link(sysfs.dir(dev.sysfs), 'driver', path);
      const bus = this.bus(dev)?.bus;
      ret = bus?.probe ? bus.probe(dev, drv) : (drv.probe?.(dev) ?? 0);
      if (ret !== 0) {
        if (ret === -E.EPROBE_DEFER) this.deferred.add(dev);
        // -ENODEV and -ENXIO are a rejected match: only a debug line.
        else if (ret !== -E.ENODEV && ret !== -E.ENXIO)
          dev.err(`probe with driver ${drv.name} failed with error ${ret}`);
        this.unbind_cleanup(dev);
        return ret;
      }
      this.deferred.delete(dev);
      this.core.publish(dev);
    } finally {
      kernel.log.end(outer, ret);
    }
    this.driver_deferred_probe_trigger();
    return 0;
  }

  /** driver_deferred_probe_trigger: a device was bound, so what others waited for may be there now. */
  private driver_deferred_probe_trigger(): void {
    if (this.retrying || this.deferred.size === 0) return;
    this.retrying = true;
    try {
      let progress = true;
      while (progress && this.deferred.size > 0) {
        progress = false;
        for (const dev of [...this.deferred]) {
          this.deferred.delete(dev);
          if (dev.registered && !dev.driver && this.device_attach(dev) === 1) progress = true;
        }
      }
    } finally {
      this.retrying = false;
    }
  }

  /** device_driver_detach: the driver lets go under the device's lock, if it still has the device by then. */
  device_driver_detach(drv: DeviceDriver, dev: Device): number | Promise<number> {
    return locked(dev, 'device_release_driver_internal', () =>
      after(dev.kernel, dev.driver === drv ? this.__device_release_driver(dev) : undefined, () => 0),
    );
  }

  device_release_driver(dev: Device): void {
    const slept = this.__device_release_driver(dev);
    assert(!slept, `${dev.name}: its driver's remove sleeps, and the caller cannot`);
  }

  private __device_release_driver(dev: Device): Slept {
    const { driver } = dev;
    if (!driver) return;
    const { kernel } = this.core;
    const outer = kernel.log.begin(this.removeSite);
    try {
      const bus = this.bus(dev)?.bus;
      const slept = bus?.remove ? bus.remove(dev, driver) : driver.remove?.(dev);
      return after(kernel, slept, () => {
        this.unbind_cleanup(dev);
        this.core.publish(dev);
      });
    } finally {
      kernel.log.end(outer);
    }
  }

  /** device_unbind_cleanup: devres in reverse, links away. */
  private unbind_cleanup(dev: Device): void {
    for (let undo = dev.devres.pop(); undo; undo = dev.devres.pop()) undo();
    const { sysfs } = this.core;
    if (dev.driver) sysfs.remove(`/bus/${dev.driver.bus}/drivers/${dev.driver.name}/${dev.name}`);
    if (dev.registered) sysfs.remove(`${dev.sysfs}/driver`);
    dev.driver = null;
    dev.driverData = null;
  }

  forget(dev: Device): void {
    this.deferred.delete(dev);
  }

  /** Place of a device in the order that was asked for; devices nobody named are all last. */
  private rank(dev: Device): number {
    const at = this.core.kernel.platform.probeOrder?.indexOf(dev.name) ?? -1;
    return at < 0 ? Number.MAX_SAFE_INTEGER : at;
  }

  /** Which of the waiting probes runs next. */
  private winner(): number {
    const drawn = this.core.kernel.platform.random.below(this.async.length);
    let best = Number.MAX_SAFE_INTEGER;
    let at = drawn;
    this.async.forEach(({ dev }, n) => {
      const rank = this.rank(dev);
      if (rank >= best) return;
      best = rank;
      at = n;
    });
    return at;
  }

  flush_async_probes(): void {
    while (this.async.length > 0) {
      const [entry] = this.async.splice(this.winner(), 1);
      if (!entry?.dev.registered || entry.dev.driver) continue;
      if (entry.drv) this.really_probe(entry.dev, entry.drv);
      else this.device_attach(entry.dev);
    }
  }
}

/** Runs `body` under device_lock(); a body that dies keeps the lock, as a dead task does. */
export function locked<T>(dev: Device, where: string, body: () => T | Promise<T>): T | Promise<T> {
  const { kernel, mutex } = dev;
  return after(kernel, mutex.lock(where), () => {
    const result = body();
    if (!(result instanceof Promise)) {
      mutex.unlock();
      return result;
    }
    return result.then((value) => {
      mutex.unlock();
      return value;
    });
  });
}
