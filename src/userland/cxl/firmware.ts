import { E, strerror } from '../../base/errno.ts';
import { O_WRONLY } from '../../linux/uapi/constants.ts';
import { print, readAll } from '../pciutils/io.ts';
import type { LibCxl } from './libcxl.ts';

/** `cxl update-firmware` for one memdev, by the kernel's firmware loader (ndctl v81, cxl/memdev.c and lib/libcxl.c). */
export class FirmwareWork {
  private readonly dir: string;

  constructor(
    private readonly cxl: LibCxl,
    private readonly memdev: string,
    private readonly options: ReadonlyMap<string, string>,
  ) {
    this.dir = `/sys/bus/cxl/devices/${memdev}/firmware/${memdev}`;
  }

  private busy(): boolean {
    return this.cxl.scanner.text(`${this.dir}/status`) !== 'idle';
  }
  private remaining(): number {
    return Number(this.cxl.scanner.text(`${this.dir}/remaining_size`) ?? 0);
  }

  /** 0 or a negated errno; a cancelled memdev is not listed. */
  async run(): Promise<number> {
    if (this.options.has('cancel')) {
      if (!this.busy() && this.remaining() === 0) return -E.ENXIO;
      return this.cxl.write(`${this.dir}/cancel`, '1\n');
    }
    const file = this.options.get('firmware-file');
    const rc = file === undefined ? 0 : await this.update(file);
    if (rc < 0) await print(this.cxl.sys, 2, `cxl memdev: action_update_fw: ${this.memdev} error: ${strerror(rc)}\n`);
    if (this.options.has('wait'))
      while (this.busy() || this.remaining() > 0) await this.cxl.sys.nanosleep(1_000_000_000);
    return rc;
  }

  private async loading(value: number): Promise<number> {
    const rc = await this.cxl.write(`${this.dir}/loading`, `${value}\n`);
    if (rc < 0)
      await this.cxl.err(
        `cxl_memdev_fwl_set_loading: ${this.memdev}: failed to trigger fw loading to ${value} (${strerror(rc)})`,
      );
    return rc;
  }

  private async update(file: string): Promise<number> {
    const { sys } = this.cxl;
    const image = await readAll(sys, file);
    if (typeof image === 'number') {
      await this.cxl.err(`cxl_memdev_update_fw: failed to open: ${file}: (${strerror(image)})`);
      return image;
    }
    let rc = await this.loading(1);
    if (rc < 0) return rc;
    const fd = sys.open(`${this.dir}/data`, O_WRONLY);
    if (fd < 0) return fd;
    for (let at = 0; at < image.length; ) {
      const count = await sys.write(fd, image.subarray(at, at + 4096));
      if (count <= 0) {
        rc = -E.ENXIO;
        break;
      }
      at += count;
    }
    sys.close(fd);
    return rc < 0 ? rc : this.loading(0);
  }
}
