import { viewOf } from '../../../../base/bytes.ts';
import type { CxlMailbox, CxlMemdev } from '../../../include/cxl_types.ts';
import type { Device } from '../../../include/device.ts';
import {
  type FwUploadError,
  type FwUploadOps,
  firmware_upload_register,
} from '../../base/firmware_loader/sysfs_upload.ts';
import { CXL_MBOX_OP, cxl_mbox_send_cmd } from './mbox.ts';

/** Transfer of a firmware image to a memory device (drivers/cxl/core/memdev.c, v6.12). */

const HEADER = 0x80;
const ALIGNMENT = 128;
const ACTION = { full: 0, initiate: 1, continue: 2, end: 3, abort: 4 } as const;
const ACTIVATE_OFFLINE = 1;

class CxlFirmware implements FwUploadOps {
  private cancelled = false;
  private next_slot = 0;
  private oneshot = false;

  constructor(
    private readonly cxlmd: CxlMemdev,
    private readonly mbox: CxlMailbox,
  ) {}

  /** cxl_fw_prepare, with cxl_mem_get_fw_info. */
  prepare(size: number): FwUploadError | null {
    if (size === 0) return 'invalid-file-size';
    this.oneshot = HEADER + size < this.mbox.payload_size;
    const info = cxl_mbox_send_cmd(this.cxlmd.cxlds, CXL_MBOX_OP.GET_FW_INFO);
    if (typeof info === 'number') return 'hw-error';
    const [slots = 0, current = 0] = info;
    this.next_slot = slots > 0 ? ((current & 7) % slots) + 1 : 0;
    return this.stop();
  }

  /** cxl_fw_do_cancel's test_and_clear. */
  private stop(): FwUploadError | null {
    if (!this.cancelled) return null;
    this.cancelled = false;
    return 'user-abort';
  }

  private transfer(action: number, slot: number, offset: number, data: Uint8Array): number {
    const payload = new Uint8Array(HEADER + data.length);
    payload[0] = action;
    payload[1] = slot;
    viewOf(payload).setUint32(4, offset / ALIGNMENT, true);
    payload.set(data, HEADER);
    const out = cxl_mbox_send_cmd(this.cxlmd.cxlds, CXL_MBOX_OP.TRANSFER_FW, payload);
    return typeof out === 'number' ? out : 0;
  }

  /** cxl_fw_write: one piece; the last one is activated for the next reset. */
  async write(data: Uint8Array, offset: number): Promise<number | FwUploadError> {
    const size = data.length - offset;
    const length = Math.min(size, this.mbox.payload_size - HEADER);
    const last = length === size;
    if (this.stop()) {
      this.transfer(ACTION.abort, 0, 0, new Uint8Array(0));
      return 'user-abort';
    }
    const middle = offset === 0 ? ACTION.initiate : last ? ACTION.end : ACTION.continue;
    const action = this.oneshot ? ACTION.full : middle;
    const slot = last ? this.next_slot : 0;
    const rc = this.transfer(action, slot, offset, data.subarray(offset, offset + length));
    if (rc < 0) return 'read-write-error';
    if (this.mbox.transfer_ns) await this.cxlmd.kernel.scheduler.sleep(this.mbox.transfer_ns).promise;
    if (!last) return length;
    this.cxlmd.dbg('cxl_core', 'cxl_mem_activate_fw', `Activating firmware slot: ${slot}`);
    const activate = new Uint8Array([ACTIVATE_OFFLINE, slot]);
    const out = cxl_mbox_send_cmd(this.cxlmd.cxlds, CXL_MBOX_OP.ACTIVATE_FW, activate);
    return typeof out === 'number' ? 'hw-error' : length;
  }

  cancel(): void {
    this.cancelled = true;
  }
}

/** devm_cxl_setup_fw_upload: the loader's device below memN, for a device that tells of its firmware. */
export function devm_cxl_setup_fw_upload(host: Device, cxlmd: CxlMemdev): void {
  const { mbox } = cxlmd.cxlds;
  if (!mbox?.commands.has(CXL_MBOX_OP.GET_FW_INFO) || !cxlmd.registered) return;
  const fw = firmware_upload_register(cxlmd, cxlmd.name, new CxlFirmware(cxlmd, mbox));
  host.devm(() => host.kernel.drivers.device_del(fw));
}
