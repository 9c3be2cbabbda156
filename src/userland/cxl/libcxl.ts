import { utf8 } from '../../base/bytes.ts';
import { E } from '../../base/errno.ts';
import { O_WRONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { listDir, print } from '../pciutils/io.ts';
import { Scanner, type Topology } from './topology.ts';

/** What libcxl does with objects beyond reading them: writing attributes, binding and unbinding. */
export class LibCxl {
  readonly scanner: Scanner;
  constructor(readonly sys: Sys) {
    this.scanner = new Scanner(sys);
  }

  scan(): Topology {
    return this.scanner.scan();
  }

  err(text: string): Promise<void> {
    return print(this.sys, 2, `libcxl: ${text}\n`);
  }

  /** sysfs_write_attr: the text with its terminating NUL; 0 or a negated errno. */
  async write(path: string, text: string): Promise<number> {
    const fd = this.sys.open(path, O_WRONLY);
    if (fd < 0) return fd;
    const count = await this.sys.write(fd, utf8(`${text}\0`));
    this.sys.close(fd);
    return count < 0 ? count : 0;
  }

  attr(device: string, name: string, text: string): Promise<number> {
    return this.write(`/sys/bus/cxl/devices/${device}/${name}`, text);
  }

  isBound(device: string): boolean {
    return typeof this.sys.readlink(`/sys/bus/cxl/devices/${device}/driver`) === 'string';
  }

  /** util_bind: offers the name to every driver of the bus until one takes it. */
  async bind(device: string): Promise<number> {
    if (this.isBound(device)) return 0;
    const drivers = listDir(this.sys, '/sys/bus/cxl/drivers');
    if (typeof drivers === 'number') return drivers;
    for (const driver of drivers.filter((name) => !name.startsWith('.'))) {
      const rc = await this.write(`/sys/bus/cxl/drivers/${driver}/bind`, device);
      if (rc === 0) return 0;
    }
    return -E.ENXIO;
  }

  /** util_unbind: a device without a driver is left alone. */
  async unbind(directory: string, name: string): Promise<number> {
    if (typeof this.sys.readlink(`${directory}/driver`) !== 'string') return 0;
    return this.write(`${directory}/driver/unbind`, name);
  }
}
