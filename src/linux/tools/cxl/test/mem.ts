import { KiB } from '../../../../base/addr.ts';
import { assert } from '../../../../base/assert.ts';
import { E } from '../../../../base/errno.ts';
import type { Waiter } from '../../../../base/scheduler.ts';
import { cxl_mem_get_event_records } from '../../../drivers/cxl/core/events.ts';
import {
  cxl_dev_state_identify,
  cxl_enumerate_cmds,
  cxl_mem_create_range_info,
  cxl_set_timestamp,
} from '../../../drivers/cxl/core/mbox.ts';
import { devm_cxl_add_memdev } from '../../../drivers/cxl/core/memdev.ts';
import { devm_cxl_setup_fw_upload } from '../../../drivers/cxl/core/memdev-fw.ts';
import { cxl_register_map } from '../../../drivers/cxl/core/regs.ts';
import { type CxlDevState, type CxlMailbox, IS_ERR } from '../../../include/cxl_types.ts';
import type { AttributeGroup, Device, DeviceDriver } from '../../../include/device.ts';
import type { Kernel } from '../../../include/kernel.ts';
import { sha256 } from '../../../lib/crypto/sha256.ts';
import { MockEvents } from './mem-events.ts';
import { MockFirmware } from './mem-firmware.ts';
import { cxl_mock_mbox_send } from './mem-mailbox.ts';
import { MockPoison } from './mem-poison.ts';
import { MockDevice } from './topology.ts';

/**
 * cxl_mock_mem: the driver of the mock's memory devices (tools/testing/cxl/test/mem.c, v6.12). A device is a mailbox in
 * memory: labels, firmware slots, poison, events, security.
 */

const LSA_SIZE = 128 * KiB;
const PAYLOAD_SIZE = 4096;
/** usleep_range(1500, 2000) */
const TRANSFER_NS = 1_750_000;

/** struct cxl_mockmem_data */
export class MockMem {
  readonly lsa = new Uint8Array(LSA_SIZE);
  readonly payload_size = PAYLOAD_SIZE;
  readonly events: MockEvents;
  fw_slot = 2;
  fw_staged = 0;
  readonly firmware = new MockFirmware();
  /** Milliseconds that a sanitize takes. */
  sanitize_timeout = 0;
  private work: Waiter | null = null;

  constructor(
    readonly dev: MockDevice,
    readonly poison: MockPoison,
  ) {
    this.events = new MockEvents(dev);
  }

  get sanitizing(): boolean {
    return this.work !== null;
  }

  /** mock_sanitize: done by a delayed work (cxl_mockmem_sanitize_work). */
  sanitize(): Uint8Array | number {
    if (this.work) return -E.EBUSY;
    const { scheduler } = this.dev.kernel;
    this.dev.dbg('cxl_mock_mem', 'mock_sanitize', 'sanitize issued');
    const ns = this.sanitize_timeout * 1_000_000;
    scheduler.spawn(async () => {
      const waiter = scheduler.sleep(ns);
      this.work = waiter;
      await waiter.promise.catch(() => {});
      this.work = null;
      this.dev.dbg('cxl_mock_mem', 'cxl_mockmem_sanitize_work', 'sanitize complete');
    });
    return new Uint8Array(0);
  }

  /** The device goes: what still runs is cancelled. */
  stop(): void {
    this.work?.cancel(null);
  }

  get rcd(): boolean {
    return this.dev.stem === 'cxl_rcd';
  }
}

const partition = (name: string) => ({ start: 0, end: -1, name, requested: false, children: [] });

function device_state(mem: MockMem): CxlDevState {
  const { dev } = mem;
  const mbox: CxlMailbox = {
    regs: 0,
    payload_size: mem.payload_size,
    commands: new Set(),
    send: (opcode, input) => cxl_mock_mbox_send(mem, opcode, input),
    sanitize_active: () => mem.sanitizing,
    transfer_ns: TRANSFER_NS,
  };
  return {
    dev,
    type: 'classmem',
    capabilities: 0,
    reg_map: cxl_register_map(dev),
    ras: null,
    cxl_dvsec: 0,
    rcd: mem.rcd,
    serial: dev.id,
    media_ready: false,
    dpa_res: partition('dpa'),
    ram_res: partition('ram'),
    pmem_res: partition('pmem'),
    cxlmd: null,
    mbox,
  };
}

const number = (text: string): number =>
  /^[+-]?(0x[0-9a-f]+|\d+)$/i.test(text.trim()) ? Number(text.trim()) : Number.NaN;

/** cxl_mock_mem_groups: files beside the device, with which tests act on it. */
function attributes(mem: MockMem, cxlds: CxlDevState): AttributeGroup {
  return {
    attrs: [
      {
        name: 'security_lock',
        mode: 0o644,
        show: () => '0\n',
        // without a passphrase there is nothing to lock
        store: (_dev, text) => (number(text) === 1 ? -E.ENXIO : -E.EINVAL),
      },
      {
        name: 'event_trigger',
        mode: 0o200,
        store() {
          mem.events.trigger(cxlds);
          return 0;
        },
      },
      { name: 'fw_buf_checksum', mode: 0o444, show: () => `${sha256(mem.firmware.image)}\n` },
      {
        name: 'sanitize_timeout',
        mode: 0o644,
        show: () => `${mem.sanitize_timeout}\n`,
        store(_dev, text) {
          if (!(number(text) >= 0)) return -E.EINVAL;
          mem.sanitize_timeout = number(text);
          return 0;
        },
      },
    ],
  };
}

/** cxl_mock_mem_probe */
function cxl_mock_mem_probe(dev: Device, poison: MockPoison): number {
  assert(dev instanceof MockDevice, `${dev.name} is not of the mock topology`);
  const mem = new MockMem(dev, poison);
  const cxlds = device_state(mem);
  dev.driverData = cxlds;
  let rc = cxl_enumerate_cmds(cxlds) || cxl_set_timestamp(cxlds);
  if (rc) return rc;
  cxlds.media_ready = true;
  rc = cxl_dev_state_identify(cxlds) || cxl_mem_create_range_info(cxlds);
  if (rc) return rc;
  const cxlmd = devm_cxl_add_memdev(dev, cxlds);
  if (IS_ERR(cxlmd)) return cxlmd;
  devm_cxl_setup_fw_upload(dev, cxlmd);
  const files = attributes(mem, cxlds);
  dev.kernel.drivers.sysfs_create_group(dev, files);
  dev.devm(() => {
    if (dev.registered) dev.kernel.drivers.sysfs_remove_group(dev, files);
    mem.stop();
  });
  mem.events.fill();
  cxl_mem_get_event_records(cxlds, 0xf);
  return 0;
}

const drivers = new WeakMap<Kernel, DeviceDriver>();

export function cxl_mock_mem_init(kernel: Kernel): number {
  const poison = new MockPoison(kernel);
  const driver = {
    name: 'cxl_mock_mem',
    bus: 'platform',
    owner: 'cxl_mock_mem',
    id_table: ['cxl_mem', 'cxl_rcd'],
    asynchronous: true,
    probe: (dev: Device) => cxl_mock_mem_probe(dev, poison),
  };
  drivers.set(kernel, driver);
  const rc = kernel.drivers.driver_register(driver);
  if (rc) return rc;
  kernel.drivers.kobject_attr('bus/platform/drivers/cxl_mock_mem', {
    name: 'poison_inject_max',
    mode: 0o644,
    show: () => `${poison.dev_max}\n`,
    store: (text) => poison.set_max(text),
  });
  return 0;
}

export function cxl_mock_mem_exit(kernel: Kernel): void {
  const driver = drivers.get(kernel);
  if (driver) kernel.drivers.driver_unregister(driver);
}
