import { utf8 } from '../../base/bytes.ts';
import { E, strerror } from '../../base/errno.ts';
import { O_WRONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { writeText } from '../misc/io.ts';
import type { Scanner } from './topology.ts';

/** The memory blocks of a DAX device that is system RAM, as libdaxctl handles them (struct daxctl_memory; ndctl 81, daxctl/lib). */

const BASE = '/sys/devices/system';
const base = (path: string) => path.slice(path.lastIndexOf('/') + 1);

export class DaxMemory {
  private constructor(
    private readonly sys: Sys,
    private readonly scanner: Scanner,
    private readonly dir: string,
  ) {}

  /** daxctl_dev_get_memory: null unless the kmem driver has the device. */
  static of(sys: Sys, scanner: Scanner, dir: string): DaxMemory | null {
    const driver = sys.readlink(`${dir}/driver`);
    return typeof driver === 'string' && base(driver) === 'kmem' ? new DaxMemory(sys, scanner, dir) : null;
  }

  /** Directories of the device's blocks, below its target node. */
  private blocks(): readonly string[] {
    const node = `${BASE}/node/node${this.scanner.text(`${this.dir}/target_node`) ?? ''}`;
    const size = Number.parseInt(this.scanner.text(`${BASE}/memory/block_size_bytes`) ?? '0', 16);
    const start = Number(this.scanner.text(`${this.dir}/resource`) ?? 0);
    const end = start + Number(this.scanner.text(`${this.dir}/size`) ?? 0);
    return this.scanner
      .names(node)
      .filter((name) => /^memory\d/.test(name))
      .filter((name) => {
        const at = Number.parseInt(this.scanner.text(`${BASE}/memory/${name}/phys_index`) ?? '', 16) * size;
        return at >= start && at < end;
      })
      .map((name) => `${node}/${name}`);
  }
  private isOnline(block: string): boolean {
    return this.scanner.text(`${block}/state`)?.startsWith('online') === true;
  }

  get sections(): number {
    return this.blocks().length;
  }
  get online(): number {
    return this.blocks().filter((block) => this.isOnline(block)).length;
  }
  /** daxctl_memory_is_movable: undefined while a block is offline. */
  get movable(): boolean | undefined {
    const blocks = this.blocks();
    if (blocks.some((block) => !this.isOnline(block))) return undefined;
    const zones = new Set(blocks.map((block) => this.scanner.text(`${block}/valid_zones`)));
    return zones.size === 1 && zones.has('Movable');
  }

  /** daxctl_memory_online_with_zone: how many blocks were put online, or a negated errno. */
  async setOnline(zone: 'Movable' | 'Normal'): Promise<number> {
    let count = 0;
    for (const block of this.blocks()) {
      if (this.isOnline(block)) continue;
      const rc = await this.write(block, zone === 'Movable' ? 'online_movable' : 'online_kernel');
      if (rc < 0 && !this.isOnline(block)) return rc;
      count++;
    }
    return count;
  }

  /** daxctl_memory_offline: how many blocks were taken offline, or a negated errno. */
  async setOffline(): Promise<number> {
    let count = 0;
    for (const block of this.blocks()) {
      if (!this.isOnline(block)) continue;
      const say = (text: string) =>
        writeText(this.sys, 2, `libdaxctl: offline_one_memblock: ${base(this.dir)}: ${text}\n`);
      if (this.scanner.text(`${block}/removable`) === '0') {
        await say(`${base(block)} is unremovable`);
        return -E.EOPNOTSUPP;
      }
      const rc = await this.write(block, 'offline');
      if (rc < 0 && this.isOnline(block)) {
        await say(`Failed to offline ${block}/state: ${strerror(rc)}`);
        return rc;
      }
      count++;
    }
    return count;
  }

  private async write(block: string, word: string): Promise<number> {
    const fd = this.sys.open(`${block}/state`, O_WRONLY);
    if (fd < 0) return fd;
    const rc = await this.sys.write(fd, utf8(word));
    this.sys.close(fd);
    return Math.min(rc, 0);
  }
}
