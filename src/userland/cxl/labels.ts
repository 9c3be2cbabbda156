import { viewOf } from '../../base/bytes.ts';
import { E, strerror } from '../../base/errno.ts';
import { O_CREAT, O_TRUNC, O_WRONLY } from '../../linux/uapi/constants.ts';
import { CXL_MEM_COMMAND_ID_GET_LSA, CXL_MEM_COMMAND_ID_SET_LSA } from '../../linux/uapi/cxl_mem.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { print, readAll, readLine } from '../pciutils/io.ts';
import { submit } from './mailbox.ts';

/** The label storage area of a memdev: `cxl read-labels`, `write-labels`, `zero-labels` (ndctl v81, cxl/memdev.c). */

export type LabelCommand = 'read-labels' | 'write-labels' | 'zero-labels';

/** Bytes a command carries at most: the payload less the header of Set LSA. */
const SET_LSA_HEADER = 8;

export class LabelWork {
  constructor(
    private readonly sys: Sys,
    private readonly memdev: string,
    private readonly options: ReadonlyMap<string, string>,
  ) {}

  private async fail(text: string, fn: string, rc: number): Promise<number> {
    await print(this.sys, 2, `cxl memdev: ${fn}: ${text}\n`);
    return rc;
  }
  private async attr(name: string): Promise<number> {
    const line = await readLine(this.sys, `/sys/bus/cxl/devices/${this.memdev}/${name}`);
    return line === null || line === '' ? Number.NaN : Number(line);
  }
  private number(name: string): number {
    return Number(this.options.get(name) ?? 0);
  }
  /** pmemN of this memdev bound: its namespaces live by these labels. */
  private bridgeActive(): boolean {
    const name = this.memdev.replace('mem', 'pmem');
    return typeof this.sys.readlink(`/sys/bus/cxl/devices/${name}/driver`) === 'string';
  }

  async run(command: LabelCommand): Promise<number> {
    const area = await this.attr('label_storage_size');
    if (!Number.isFinite(area)) return -E.EINVAL;
    if (command === 'read-labels') return this.read(this.number('size') || area);
    const fn = command === 'write-labels' ? 'action_write' : 'action_zero';
    if (this.bridgeActive())
      return this.fail(`${this.memdev}: has active nvdimm bridge, abort label write`, fn, -E.EBUSY);
    return command === 'write-labels' ? this.write(area) : this.zero(this.number('size') || area);
  }

  /** lsa_op: the area in pieces that fit the mailbox. */
  private async each(
    length: number,
    act: (offset: number, at: number, length: number) => Promise<number>,
  ): Promise<number> {
    const step = (await this.attr('payload_max')) - SET_LSA_HEADER;
    for (let at = 0; at < length; at += step) {
      const rc = await act(this.number('offset') + at, at, Math.min(step, length - at));
      if (rc < 0) return rc;
    }
    return 0;
  }

  private async read(size: number): Promise<number> {
    const area = new Uint8Array(size);
    const rc = await this.each(size, async (offset, at, length) => {
      const input = new Uint8Array(8);
      viewOf(input).setUint32(0, offset, true);
      viewOf(input).setUint32(4, length, true);
      const out = await submit(this.sys, this.memdev, CXL_MEM_COMMAND_ID_GET_LSA, input, length);
      if (typeof out === 'number') return out;
      area.set(out.subarray(0, length), at);
      return 0;
    });
    if (rc < 0) return this.fail(`${this.memdev}: label read failed: ${strerror(rc)}`, 'action_read', rc);
    const file = this.options.get('output');
    const fd = file === undefined ? 1 : this.sys.open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o666);
    if (fd < 0) return this.fail(`failed to open: ${file}: (${strerror(fd)})`, 'memdev_action', fd);
    for (let at = 0; at < area.length; ) {
      const count = await this.sys.write(fd, area.subarray(at));
      if (count <= 0) break;
      at += count;
    }
    if (file !== undefined) this.sys.close(fd);
    return 0;
  }

  private set(bytes: Uint8Array): Promise<number> {
    return this.each(bytes.length, async (offset, at, length) => {
      const input = new Uint8Array(SET_LSA_HEADER + length);
      viewOf(input).setUint32(0, offset, true);
      input.set(bytes.subarray(at, at + length), SET_LSA_HEADER);
      const out = await submit(this.sys, this.memdev, CXL_MEM_COMMAND_ID_SET_LSA, input, 0);
      return typeof out === 'number' ? out : 0;
    });
  }

  private async zero(size: number): Promise<number> {
    const rc = await this.set(new Uint8Array(size));
    return rc < 0 ? this.fail(`${this.memdev}: label zeroing failed: ${strerror(rc)}`, 'action_zero', rc) : 0;
  }

  private async write(area: number): Promise<number> {
    const fn = 'action_write';
    const file = this.options.get('input') ?? '/dev/stdin';
    const bytes = await readAll(this.sys, file);
    if (typeof bytes === 'number') return this.fail(`failed to open: ${file}: (${strerror(bytes)})`, fn, bytes);
    const size = this.number('size') || bytes.length;
    if (size > area && !this.number('size'))
      return this.fail(`File size (${bytes.length}) greater than label area size (${area}), aborting`, fn, -E.EINVAL);
    if (size > bytes.length) return -E.ENXIO;
    const rc = await this.set(bytes.subarray(0, size));
    return rc < 0 ? this.fail(`${this.memdev}: label write failed: ${strerror(rc)}`, fn, rc) : 0;
  }
}
