import { concat } from '../../../../base/bytes.ts';
import { E } from '../../../../base/errno.ts';
import { Device } from '../../../include/device.ts';
import type { Kernel } from '../../../include/kernel.ts';

/**
 * Firmware upload by user space (drivers/base/firmware_loader/sysfs_upload.c and sysfs.c, v6.12): `loading` brackets what
 * is written to `data`; then a worker hands it to the driver piece by piece.
 */

export type FwUploadError =
  | 'hw-error'
  | 'timeout'
  | 'user-abort'
  | 'device-busy'
  | 'invalid-file-size'
  | 'read-write-error';

/** struct fw_upload_ops */
export interface FwUploadOps {
  prepare(size: number): FwUploadError | null;
  /** Takes bytes from `offset` on; how many it took. Sleeps while the device works. */
  write(data: Uint8Array, offset: number): Promise<number | FwUploadError>;
  /** Asks a running transfer to stop at its next piece. */
  cancel(): void;
}

type Progress = 'idle' | 'receiving' | 'preparing' | 'transferring' | 'programming';

class FirmwareUpload extends Device {
  private progress: Progress = 'idle';
  private loading = false;
  private parts: Uint8Array[] = [];
  private remaining = 0;
  private failure = '';

  constructor(
    kernel: Kernel,
    name: string,
    parent: Device,
    private readonly ops: FwUploadOps,
  ) {
    super(kernel, name, parent, null, [
      {
        attrs: [
          {
            name: 'loading',
            mode: 0o644,
            show: () => `${this.loading ? 1 : 0}\n`,
            store: (_dev, text) => this.load(Number.parseInt(text, 10)),
          },
          {
            name: 'data',
            mode: 0o644,
            size: () => 0,
            read: () => 0,
            write: (_dev, _offset, from) => this.receive(from),
          },
          { name: 'status', mode: 0o444, show: () => `${this.progress}\n` },
          { name: 'error', mode: 0o444, show: () => (this.progress === 'idle' ? `${this.failure}\n` : -E.EBUSY) },
          { name: 'cancel', mode: 0o200, store: (_dev, text) => this.cancel(text) },
          { name: 'remaining_size', mode: 0o444, show: () => `${this.remaining}\n` },
        ],
      },
    ]);
    this.class = 'firmware';
    this.env = { FIRMWARE: name, TIMEOUT: '60', ASYNC: '0' };
  }

  /** firmware_loading_store */
  private load(value: number): number {
    if (this.progress !== 'idle' && value !== -1) return -E.EBUSY;
    if (value === 1) {
      this.parts = [];
      this.loading = true;
      return 0;
    }
    if (value === 0 && this.loading) {
      this.loading = false;
      this.start();
      return 0;
    }
    if (value !== -1) this.err(`firmware_loading_store: unexpected value (${value})`);
    this.loading = false;
    this.parts = [];
    return 0;
  }

  /** firmware_data_write */
  private receive(from: Uint8Array): number {
    if (!this.loading) return -E.ENODEV;
    this.parts.push(from.slice());
    return from.length;
  }

  private cancel(text: string): number {
    if (!/^[1y]/i.test(text.trim())) return -E.EINVAL;
    if (this.progress === 'idle') return -E.ENODEV;
    this.ops.cancel();
    return 0;
  }

  /** fw_upload_start: the worker runs on by itself. */
  private start(): void {
    const data = concat(this.parts);
    this.parts = [];
    this.remaining = data.length;
    this.failure = '';
    this.progress = 'receiving';
    this.kernel.scheduler.spawn(() => this.work(data));
  }

  /** fw_upload_main */
  private async work(data: Uint8Array): Promise<void> {
    this.progress = 'preparing';
    let failed = this.ops.prepare(data.length);
    if (!failed) this.progress = 'transferring';
    for (let offset = 0; !failed && offset < data.length; ) {
      const written = await this.ops.write(data, offset);
      if (typeof written === 'number') {
        offset += written;
        this.remaining = data.length - offset;
      } else failed = written;
    }
    this.failure = failed ? `${this.progress}:${failed}` : '';
    this.progress = 'idle';
  }
}

/** firmware_upload_register: the loader's device below `parent`. */
export function firmware_upload_register(parent: Device, name: string, ops: FwUploadOps): Device {
  const { kernel } = parent;
  const dev = new FirmwareUpload(kernel, name, parent, ops);
  kernel.drivers.device_add(dev);
  return dev;
}
